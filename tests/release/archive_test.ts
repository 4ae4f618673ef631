// The archives, as other programs unpack them.
import { assertEquals } from "@std/assert";
import { archive, type Entry } from "../../release/archive.ts";

const CHANGED = new Date("2026-02-03T04:05:06Z");
const LONG = "x".repeat(1_500);
const ENTRIES: readonly Entry[] = [
  entry("top/run", "#!/bin/sh\n", true),
  entry("top/man/empty.1", ""),
  entry("top/long", LONG),
];

function entry(path: string, content: string, isExecutable = false): Entry {
  return { path, bytes: new TextEncoder().encode(content), isExecutable };
}

/** What unpacks each, before the name of the archive. */
const UNPACK = {
  "tar.gz": ["tar", "-xzpf"],
  zip: ["unzip", "-q"],
} as const;

function has(program: string): boolean {
  try {
    const args = [program === "tar" ? "--version" : "-v"];
    return new Deno.Command(program, { args, stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

for (const format of ["tar.gz", "zip"] as const) {
  const [program, ...args] = UNPACK[format];

  Deno.test({
    name: `${format}: ${program} unpacks what was packed${
      has(program) ? "" : ` (skipped: no ${program})`
    }`,
    ignore: !has(program),
    async fn() {
      const folder = Deno.makeTempDirSync();
      try {
        Deno.writeFileSync(`${folder}/packed`, await archive(format, ENTRIES, CHANGED));
        const options = { args: [...args, "packed"], cwd: folder, env: { TZ: "UTC" } };
        const { success, stderr } = new Deno.Command(program, options).outputSync();
        assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
        for (const { path, bytes, isExecutable } of ENTRIES) {
          const file = `${folder}/${path}`;
          assertEquals(Deno.readFileSync(file), new Uint8Array(bytes));
          const { mode, mtime } = Deno.statSync(file);
          assertEquals(mtime, CHANGED);
          if (Deno.build.os !== "windows") {
            assertEquals(mode! & 0o777, isExecutable ? 0o755 : 0o644);
          }
        }
      } finally {
        Deno.removeSync(folder, { recursive: true });
      }
    },
  });

  Deno.test(`${format}: the same files make the same bytes`, async () => {
    const [one, other] = [
      await archive(format, ENTRIES, CHANGED),
      await archive(format, ENTRIES, CHANGED),
    ];
    assertEquals(one, other);
  });
}

Deno.test("tar.gz: a path that is too long is refused", async () => {
  const packed = archive("tar.gz", [entry("x".repeat(101), "")], CHANGED);
  assertEquals(await packed.then(() => "packed", () => "refused"), "refused");
});
