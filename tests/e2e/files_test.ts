// Files of a client that are no files, and a lock that somebody holds.
import { assertEquals, assertMatch } from "@std/assert";
import { commandLine, runProgram, Stage } from "./process.ts";

const UNIX = Deno.build.os === "windows"
  ? { ignore: true, note: " (skipped: Windows has no pipes and devices in folders)" }
  : { ignore: false, note: "" };

function makePipe(path: string): void {
  assertEquals(new Deno.Command("mkfifo", { args: [path] }).outputSync().success, true);
}

Deno.test({
  name:
    `a client starts where known_peers is a pipe, and says that it remembers nobody${UNIX.note}`,
  ignore: UNIX.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    makePipe(`${stage.folders.config("ana")}/known_peers`);
    const ana = stage.client("ana", server, "--json");
    const { message } = await ana.waitForEvent("error", { code: "knownPeers" });
    assertMatch(`${message}`, /It is a pipe, not a regular file; nobody is remembered/);
    await ana.waitForEvent("registered");
    await ana.endInput();
    assertEquals(await ana.exitCode(), 0);
  },
});

Deno.test({
  name: `an identity that is a pipe and a secret without end are errors, at once${UNIX.note}`,
  ignore: UNIX.ignore,
  async fn() {
    await using stage = new Stage();
    const pipe = `${stage.folders.config("ana")}/identity`;
    makePipe(pipe);
    const cases: [args: string[], code: number, message: RegExp][] = [
      [[], 1, /^Cannot use the identity .+: It is a pipe, not a regular file$/m],
      [["--identity", pipe], 1, /^Cannot use the identity .+: It is a pipe, not a regular file$/m],
      [["--secret", "/dev/zero"], 2, /^Cannot read the secret .+: It is a device, not a regular/],
    ];
    for (const [args, expected, message] of cases) {
      const env = stage.folders.env("ana");
      const { code, stderr } = await runProgram(commandLine("client"), args, env);
      assertEquals(code, expected, stderr);
      assertMatch(stderr, message);
    }
  },
});

Deno.test("a run remembers a new key although somebody holds the lock of known_peers", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const folder = stage.folders.config("ana");
  const held = Deno.openSync(`${folder}/known_peers.lock`, { write: true, create: true });
  held.lockSync(true);
  try {
    const ana = stage.client("ana", server, "--connect", "bob", "--send", "hi");
    await bob.waitForEvent("message", { text: "hi" });
    assertEquals(await ana.exitCode(), 0);
  } finally {
    held.close();
  }
  assertMatch(Deno.readTextFileSync(`${folder}/known_peers`), /^[\da-f]{64} \S+ \S+ known bob$/m);
});
