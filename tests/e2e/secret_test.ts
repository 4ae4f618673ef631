// A private directory, with real processes.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Folders } from "./folders.ts";
import { commandLine, runProgram, Stage, UNIX_SIGNALS } from "./process.ts";

const SECRET = "correct horse battery staple";

/** A file with this text, and where it is. */
function secretFile(folders: Folders, text: string): string {
  const path = `${folders.get("secrets")}/${text.length}`;
  Deno.writeTextFileSync(path, text);
  return path;
}

Deno.test("a private directory is for clients with its secret, from a file or the environment", async () => {
  using folders = new Folders();
  await using stage = new Stage();
  const file = secretFile(folders, `${SECRET}\n`);
  const server = await stage.serve("--secret", file);
  assertMatch(server.program.stdout.text(), /^Listening on .*, private/);
  const bob = await stage.jsonClient("bob", server, "--accept-all", "--secret", file);
  const args = ["--server", server.address, "--connect", "bob", "--send", "hi"];
  const env = { ...folders.env("ana"), UDP_CHAT_SECRET: SECRET };
  assertEquals((await runProgram(commandLine("client"), args, env)).code, 0);
  await bob.waitForEvent("message", { text: "hi" });
});

Deno.test({
  name: `without the secret a private directory does not answer: exit status 3${UNIX_SIGNALS.note}`,
  ignore: UNIX_SIGNALS.ignore,
  async fn() {
    using folders = new Folders();
    await using stage = new Stage();
    const server = await stage.serve("--secret", secretFile(folders, SECRET));
    const other = secretFile(folders, "another secret, not the same");
    const clients = [stage.client("ana", server), stage.client("bob", server, "--secret", other)];
    const codes = await Promise.all(clients.map((client) => client.exitCode(45_000)));
    assertEquals(codes, [3, 3]);
    server.program.signal("SIGINT");
    assertEquals(await server.program.exitCode(), 0);
    assertMatch(server.program.stdout.text(), /dropped \d+: secret \d+\n?$/);
  },
});

Deno.test("a secret that is missing, short or empty: exit status 2, and one clear line", async () => {
  using folders = new Folders();
  const short = secretFile(folders, "  fifteen bytes..\n");
  const missing = `${folders.get("secrets")}/missing`;
  const cases: [args: string[], env: Record<string, string>, message: RegExp][] = [
    [["--secret", short], {}, /^Cannot use the secret in the file ".+": expected 16 to 4096 bytes/],
    [["--secret", missing], {}, /^Cannot read the secret in the file ".+": /],
    [["--secret", folders.get("empty")], {}, /^Cannot read .+: It is a folder, not a regular file/],
    [[], { UDP_CHAT_SECRET: "" }, /^Cannot use the secret in UDP_CHAT_SECRET: .+ got 0\n/],
  ];
  await Promise.all(
    (["serve", "client"] as const).flatMap((side) =>
      cases.map(async ([args, env, message]) => {
        const all = { ...folders.env(side), ...env };
        const { code, stdout, stderr } = await runProgram(commandLine(side), args, all);
        assertEquals([code, stdout], [2, ""], stderr);
        assertMatch(stderr, message);
        assert(stderr.split("\n").length === 3, stderr);
      })
    ),
  );
});
