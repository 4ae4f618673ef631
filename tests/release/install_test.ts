// install.sh, on a release in a folder, with a script for the executable.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { archive } from "../../release/archive.ts";
import { fill, readTemplate } from "../../release/templates.ts";
import { toHex } from "../../cli/hex.ts";

const TEMPLATE = readTemplate("install.sh");
const SKIPPED = Deno.build.os === "windows" ? " (skipped: for Unix)" : "";

function runs(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

function nameHere(version: string): string {
  const system = Deno.build.os === "darwin" ? "apple-darwin" : "unknown-linux-gnu";
  return `udp-chat-${version}-${Deno.build.arch}-${system}`;
}

/** A folder with a release, and one to install it in. */
class Stage {
  readonly root = Deno.makeTempDirSync({ prefix: "a release " });
  readonly bin = `${this.root}/home/bin`;

  /** Releases an executable that is a shell script. */
  async release(version: string, script: string): Promise<string> {
    const name = nameHere(version);
    const bytes = await archive("tar.gz", [
      { path: `${name}/udp-chat`, bytes: encode(`#!/bin/sh\n${script}\n`), isExecutable: true },
      { path: `${name}/man/udp-chat.1`, bytes: encode("a page"), isExecutable: false },
    ], new Date(0));
    Deno.writeFileSync(`${this.root}/${name}.tar.gz`, bytes);
    const sum = toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
    Deno.writeTextFileSync(`${this.root}/SHA256SUMS`, `${sum}  ${name}.tar.gz\n`);
    return `${this.root}/${name}.tar.gz`;
  }

  /** Puts a script into the folder `tools`, which is to be the only one in PATH. */
  tool(name: string, script: string): void {
    Deno.mkdirSync(`${this.root}/tools`, { recursive: true });
    const path = `${this.root}/tools/${name}`;
    Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  /** The same with programs of the system. */
  tools(...names: string[]): string {
    for (const name of names) this.tool(name, `PATH='${Deno.env.get("PATH")}' exec ${name} "$@"`);
    return `${this.root}/tools`;
  }

  install(
    env: Record<string, string> = {},
    umask = "022",
  ): { code: number; stdout: string; stderr: string } {
    const values = new Map([["version", "1.2.3"], ["repository", "https://invalid.example"]]);
    const filled = fill(TEMPLATE, values);
    Deno.writeTextFileSync(`${this.root}/install.sh`, filled.ok ? filled.value : "");
    const { code, stdout, stderr } = new Deno.Command("/bin/sh", {
      args: ["-c", `umask ${umask}; exec /bin/sh "$0"`, `${this.root}/install.sh`],
      cwd: this.root,
      env: { UDP_CHAT_BASE_URL: `file://${this.root}`, UDP_CHAT_INSTALL_DIR: this.bin, ...env },
    }).outputSync();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  /** The names in the folder of executables. */
  installed(): string[] {
    try {
      return [...Deno.readDirSync(this.bin)].map(({ name }) => name);
    } catch {
      return [];
    }
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function installTest(name: string, fn: (stage: Stage) => Promise<void>): void {
  Deno.test({
    name: `install.sh ${name}${SKIPPED}`,
    ignore: SKIPPED !== "",
    async fn() {
      using stage = new Stage();
      await fn(stage);
    },
  });
}

installTest("installs the executable for this system, and its pages", async (stage) => {
  await stage.release("1.2.3", "echo udp-chat 1.2.3");
  const { code, stdout, stderr } = stage.install();
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout,
    `Installed udp-chat 1.2.3 as ${stage.bin}/udp-chat\n${stage.bin} is not in your PATH\n`,
  );
  assertEquals(stage.installed(), ["udp-chat"]);
  assertEquals(Deno.statSync(`${stage.bin}/udp-chat`).mode! & 0o777, 0o755);
  const page = `${stage.root}/home/share/man/man1/udp-chat.1`;
  assertEquals(Deno.readTextFileSync(page), "a page");
});

installTest("replaces what is there, with the version that is asked for", async (stage) => {
  await stage.release("1.2.3", "echo old");
  stage.install();
  await stage.release("2.0.0", "echo new");
  const PATH = `${Deno.env.get("PATH")}:${stage.bin}`;
  const { stdout } = stage.install({ UDP_CHAT_VERSION: "2.0.0", PATH });
  assertEquals(stdout, `Installed new as ${stage.bin}/udp-chat\n`);
  assertStringIncludes(Deno.readTextFileSync(`${stage.bin}/udp-chat`), "echo new");
});

installTest("installs nothing that differs from its sum", async (stage) => {
  const file = await stage.release("1.2.3", "echo udp-chat 1.2.3");
  const bytes = Deno.readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  Deno.writeFileSync(file, bytes);
  const { code, stdout, stderr } = stage.install();
  assertEquals([code, stdout, stage.installed()], [1, "", []]);
  assertMatch(
    stderr,
    /^install\.sh: udp-chat-\S+ is not what SHA256SUMS says: nothing is installed\n$/,
  );
});

installTest("installs nothing that has no sum", async (stage) => {
  await stage.release("1.2.3", "echo udp-chat 1.2.3");
  Deno.writeTextFileSync(`${stage.root}/SHA256SUMS`, `${"0".repeat(64)}  other.tar.gz\n`);
  const { code, stderr } = stage.install();
  assertEquals([code, stage.installed()], [1, []]);
  assertMatch(stderr, /^install\.sh: SHA256SUMS does not name udp-chat-\S+\n$/);
});

installTest("keeps what is there where the new executable does not start", async (stage) => {
  await stage.release("1.2.3", "echo old");
  stage.install();
  await stage.release("1.2.3", "exit 127");
  const { code, stderr } = stage.install();
  assertEquals(code, 1);
  assertMatch(stderr, /^install\.sh: the executable does not start here/);
  assertEquals(stage.installed(), ["udp-chat"]);
  assertStringIncludes(Deno.readTextFileSync(`${stage.bin}/udp-chat`), "echo old");
});

installTest("reports what cannot be downloaded", async (stage) => {
  await stage.release("1.2.3", "echo udp-chat 1.2.3");
  const { code, stderr } = stage.install({ UDP_CHAT_VERSION: "9.9.9" });
  assertEquals([code, stage.installed()], [1, []]);
  assertMatch(stderr, /\ninstall\.sh: cannot download file:.+\/udp-chat-9\.9\.9-\S+\.tar\.gz\n$/);
});

installTest(
  "writes a folder as the system does: relative, or with a slash at its end",
  async (stage) => {
    await stage.release("1.2.3", "echo udp-chat 1.2.3");
    const PATH = `${Deno.env.get("PATH")}:${stage.bin}`;
    for (const folder of [`${stage.bin}/`, "home/bin"]) {
      const { stdout, stderr } = stage.install({ UDP_CHAT_INSTALL_DIR: folder, PATH });
      assertEquals([stdout, stderr], [`Installed udp-chat 1.2.3 as ${stage.bin}/udp-chat\n`, ""]);
      Deno.statSync(`${stage.root}/home/share/man/man1/udp-chat.1`);
      Deno.removeSync(`${stage.root}/home`, { recursive: true });
    }
  },
);

installTest("lets all run what root installs, whatever root's umask is", async (stage) => {
  await stage.release("1.2.3", "echo udp-chat 1.2.3");
  stage.tool("id", "echo 0");
  assertEquals(
    stage.install({ PATH: `${stage.root}/tools:${Deno.env.get("PATH")}` }, "077").code,
    0,
  );
  const mode = (path: string): number => Deno.statSync(`${stage.root}/home/${path}`).mode! & 0o777;
  assertEquals(
    ["bin", "bin/udp-chat", "share/man/man1", "share/man/man1/udp-chat.1"].map(mode),
    [0o755, 0o755, 0o755, 0o644],
  );
});

installTest("tries the executable where it will be, and leaves no part of it", async (stage) => {
  await stage.release("1.2.3", 'echo "$0"; exit $(test -e fail && echo 1)');
  const { stdout } = stage.install();
  assertStringIncludes(stdout, `Installed ${stage.bin}/.udp-chat-`);
  Deno.writeTextFileSync(`${stage.root}/fail`, "");
  assertEquals(stage.install().code, 1);
  assertEquals(stage.installed(), ["udp-chat"]);
  // The disk is full.
  stage.tool("cp", 'case $2 in */.udp-chat-*) echo half >"$2"; exit 1;; esac; exec /bin/cp "$@"');
  const { code } = stage.install({ PATH: `${stage.root}/tools:${Deno.env.get("PATH")}` });
  assertEquals([code, stage.installed()], [1, ["udp-chat"]]);
});

installTest("does not put the executable into a folder of its name", async (stage) => {
  await stage.release("1.2.3", "echo udp-chat 1.2.3");
  Deno.mkdirSync(`${stage.bin}/udp-chat`, { recursive: true });
  const { code, stderr } = stage.install();
  assertEquals([code, [...Deno.readDirSync(`${stage.bin}/udp-chat`)]], [1, []]);
  assertMatch(stderr, /^install\.sh: .+\/bin\/udp-chat is a folder; set UDP_CHAT_INSTALL_DIR\n$/);
});

const SUM_PROGRAMS = ["sha256sum", "shasum", "openssl"].filter((name) => runs(name, "--help"));
/** What else it runs. */
const NEEDED = ["uname", "id", "mktemp", "rm", "cp", "awk", "tar", "gzip", "mkdir", "mv", "cat"];

installTest("downloads by https: alone, with curl or wget", async (stage) => {
  await stage.release("1.2.3", "echo udp-chat 1.2.3");
  const PATH = stage.tools(...NEEDED, ...SUM_PROGRAMS.slice(0, 1));
  const install = (url: string): { code: number; stderr: string } =>
    stage.install({ PATH, UDP_CHAT_BASE_URL: url });
  assertEquals(
    install("http://example.com").stderr,
    "install.sh: expected https:// or file://, got http://example.com/SHA256SUMS\n",
  );
  assertEquals(install("https://example.com").stderr, "install.sh: curl or wget is needed\n");
  const last = 'for url; do :; done; exec cp "${0%/*}/../${url##*/}"';
  stage.tool("wget", `${last} "$3"`);
  assertEquals(install("https://example.com").code, 0);
  stage.tool("wget", "exit 1");
  stage.tool("curl", `[ "$1 $2" = "--proto =https" ] && ${last} "$8"`);
  assertEquals(install("https://example.com").code, 0);
});

installTest("installs nothing where no program can verify it", async (stage) => {
  await stage.release("1.2.3", "echo udp-chat 1.2.3");
  const { code, stderr } = stage.install({ PATH: stage.tools(...NEEDED) });
  assertEquals([code, stage.installed()], [1, []]);
  assertEquals(
    stderr,
    "install.sh: sha256sum, shasum or openssl is needed, to verify the archive\n",
  );
});

for (const program of SUM_PROGRAMS) {
  installTest(`verifies with ${program}`, async (stage) => {
    const file = await stage.release("1.2.3", "echo udp-chat 1.2.3");
    const PATH = stage.tools(...NEEDED, program);
    assertEquals(stage.install({ PATH }).code, 0);
    Deno.writeTextFileSync(file, "half", { append: true });
    assertMatch(stage.install({ PATH }).stderr, /is not what SHA256SUMS says/);
  });
}

Deno.test({
  name: `install.sh has no complaints of shellcheck${
    runs("shellcheck", "--version") ? "" : " (skipped: no shellcheck)"
  }`,
  ignore: !runs("shellcheck", "--version"),
  fn() {
    const path = new URL("../../release/templates/install.sh", import.meta.url);
    const { stdout } = new Deno.Command("shellcheck", { args: ["-s", "sh", path.pathname] })
      .outputSync();
    assertEquals(new TextDecoder().decode(stdout), "");
  },
});
