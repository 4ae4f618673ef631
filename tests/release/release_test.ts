// The files of a release, from executables in memory.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { toHex } from "../../cli/hex.ts";
import { fromJsr, STAND_INS } from "../../offline/names.ts";
import { makeRelease, type Source } from "../../release/release.ts";
import { compiledName, type Target, TARGETS } from "../../release/targets.ts";

/** What `deno compile` puts into an executable: the import map, as a string in JSON. */
function executable(imports: Readonly<Record<string, string>>): Uint8Array<ArrayBuffer> {
  const map = JSON.stringify({ imports }, null, 2);
  return new TextEncoder().encode(`\x7fELF ${JSON.stringify({ json: map })} the end`);
}

const GOOD = executable(fromJsr());

interface Made {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly notes: readonly string[];
  /** Why it was refused, undefined if it was made. */
  readonly error: string | undefined;
}

async function make(
  executables: ReadonlyMap<string, Uint8Array<ArrayBuffer>>,
  isTrial = false,
): Promise<Made> {
  const [files, notes] = [new Map<string, Uint8Array>(), [] as string[]];
  const source: Source = {
    version: "1.2.3",
    repository: "https://github.com/ana/udp-chat",
    changed: new Date(1.7e12),
    documents: [{ path: "LICENSE", bytes: new TextEncoder().encode("MIT"), isExecutable: false }],
    isTrial,
    readExecutable: (name) => executables.get(name),
    writeFile: (name, bytes) => void files.set(name, bytes),
    note: (message) => void notes.push(message),
  };
  const error = await makeRelease(source).then(() => undefined, ({ message }) => message);
  return { files, notes, error };
}

function forTargets(
  targets: readonly Target[],
  bytes: Uint8Array<ArrayBuffer> = GOOD,
): Map<string, Uint8Array<ArrayBuffer>> {
  return new Map(targets.map((target) => [compiledName(target), bytes]));
}

function textOf({ files }: Made, name: string): string {
  return new TextDecoder().decode(files.get(name));
}

Deno.test("a release has an archive for each target, what installs them, and the sums of all", async () => {
  const made = await make(forTargets(TARGETS));
  assertEquals([made.error, made.notes], [undefined, []]);
  assertEquals([...made.files.keys()].toSorted(), [
    "SHA256SUMS",
    "ana.udp-chat.installer.yaml",
    "ana.udp-chat.locale.en-US.yaml",
    "ana.udp-chat.yaml",
    "install.sh",
    "udp-chat-1.2.3-aarch64-apple-darwin.tar.gz",
    "udp-chat-1.2.3-aarch64-unknown-linux-gnu.tar.gz",
    "udp-chat-1.2.3-x86_64-apple-darwin.tar.gz",
    "udp-chat-1.2.3-x86_64-pc-windows-msvc.zip",
    "udp-chat-1.2.3-x86_64-unknown-linux-gnu.tar.gz",
    "udp-chat.rb",
  ]);
  const sums = textOf(made, "SHA256SUMS").trimEnd().split("\n").map((line) => line.split("  "));
  assertEquals(sums.length, made.files.size - 1);
  for (const [sum, name] of sums) {
    const hash = await crypto.subtle.digest("SHA-256", new Uint8Array(made.files.get(name!)!));
    assertEquals(toHex(new Uint8Array(hash)), sum, name);
  }
});

Deno.test("the formula and the manifest name each archive with its sum", async () => {
  const made = await make(forTargets(TARGETS));
  const sums = new Map(
    textOf(made, "SHA256SUMS").trimEnd().split("\n").map((line) => line.split("  "))
      .map(([sum, name]) => [name!, sum!]),
  );
  const base = "https://github.com/ana/udp-chat/releases/download/v1.2.3/";
  const formula = textOf(made, "udp-chat.rb");
  const manifest = textOf(made, "ana.udp-chat.installer.yaml");
  for (const [name, sum] of sums) {
    if (name.endsWith(".tar.gz")) {
      assertMatch(formula, new RegExp(`url "${base}${name}"\\s+sha256 "${sum}"`));
    } else if (name.endsWith(".zip")) {
      assertStringIncludes(manifest, `InstallerUrl: "${base}${name}"\n`);
      assertStringIncludes(manifest, `InstallerSha256: "${sum}"\n`);
    }
  }
  for (const name of made.files.keys()) {
    if (!/\.(?:rb|sh|yaml)$/.test(name)) continue;
    assertEquals(textOf(made, name).match(/@[\w:-]+@/g), null, name);
    if (name !== "install.sh") assertStringIncludes(textOf(made, name), "1.2.3");
  }
});

Deno.test("no release has stand-ins in it, a trial may", async () => {
  const executables = forTargets(TARGETS);
  const [name] = executables.keys();
  for (const [replaced, file] of Object.entries(STAND_INS)) {
    executables.set(name!, executable({ ...fromJsr(), [replaced]: file }));
    const { error, files } = await make(executables);
    assertEquals(
      error,
      `Cannot release ${name}: it has stand-ins for ${replaced}: compile it where JSR can be reached`,
    );
    assert(!files.has("SHA256SUMS"));
    const trial = await make(executables, true);
    assertEquals([trial.error, trial.notes], [undefined, [error]]);
  }
});

Deno.test("no release has an executable in which no packages can be found", async () => {
  const unknown = new TextEncoder().encode("whatever else this is");
  const { error } = await make(forTargets(TARGETS, unknown));
  assertMatch(
    error ?? "",
    /^Cannot release udp-chat-\S+: no @std\/assert, .* so stand-ins may be$/,
  );
});

Deno.test("no release lacks a target, a trial may", async () => {
  const executables = forTargets(TARGETS.slice(1));
  const { error } = await make(executables);
  assertEquals(error, "There is no udp-chat-x86_64-unknown-linux-gnu");
  const trial = await make(executables, true);
  const needed = "Cannot make udp-chat.rb: no sha256:x86_64-unknown-linux-gnu";
  assertEquals<unknown>(trial.notes, [error, needed]);
  assert(trial.files.has("SHA256SUMS"));
});
