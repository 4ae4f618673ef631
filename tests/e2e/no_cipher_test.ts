// A program whose ciphers cannot be loaded says why, and ends.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

/** The import map of the tests, in which libsodium is a module that does not exist. */
function brokenMap(): string {
  const { imports } = JSON.parse(Deno.readTextFileSync(new URL("import_map.json", ROOT)));
  const entries = Object.entries<string>({ ...imports, libsodium: "./missing.ts" });
  const absolute = entries.map((
    [name, at],
  ) => [name, at.startsWith(".") ? `${new URL(at, ROOT)}` : at]);
  return `data:application/json,${JSON.stringify({ imports: Object.fromEntries(absolute) })}`;
}

for (
  const [role, ...options] of [["client", "--server", "127.0.0.1:1"], ["serve", "--port", "0"]]
) {
  Deno.test(`${role} without libsodium says what it could not load: exit status 1`, async () => {
    const main = `${new URL("main.ts", ROOT)}`;
    const flags = ["--quiet", "--no-check", "--allow-all", `--import-map=${brokenMap()}`];
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", ...flags, main, role!, ...options, "--ephemeral"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    // The input stays open: at its end a client would leave.
    const { code, stderr } = await process.output();
    const lines = new TextDecoder().decode(stderr);
    assertStringIncludes(lines, "Cannot go on: ");
    assert(!lines.includes("Uncaught"), lines);
    assertEquals(code, 1);
    await process.stdin.close().catch(() => {});
  });
}
