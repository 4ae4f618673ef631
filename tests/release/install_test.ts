// install.sh, on a release in a folder, with a script for the executable.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { archive } from "../../release/archive.ts";
import { fill, readTemplate } from "../../release/templates.ts";
import { toHex } from "../../cli/hex.ts";

const TEMPLATE = readTemplate("install.sh");
const SKIPPED = skipped();

function runs(program: string, ...args: string[]): boolean {
  try {
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

function skipped(): string {
  if (Deno.build.os === "windows") return " (skipped: for Unix)";
  return runs("curl", "--version") ? "" : " (skipped: no curl)";
}

function nameHere(version: string): string {
  const system = Deno.build.os === "darwin" ? "apple-darwin" : "unknown-linux-gnu";
  return `udp-chat-${version}-${Deno.build.arch}-${system}`;
}

/** A folder with a release, and one to install it in. */
class Stage {
  readonly root = Deno.makeTempDirSync();
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

  install(env: Record<string, string> = {}): { code: number; stdout: string; stderr: string } {
    const values = new Map([["version", "1.2.3"], ["repository", "https://invalid.example"]]);
    const filled = fill(TEMPLATE, values);
    Deno.writeTextFileSync(`${this.root}/install.sh`, filled.ok ? filled.value : "");
    const { code, stdout, stderr } = new Deno.Command("sh", {
      args: [`${this.root}/install.sh`],
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
  assertMatch(stderr, /install\.sh: cannot download file:\S+\/udp-chat-9\.9\.9-\S+\.tar\.gz\n$/);
});

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
