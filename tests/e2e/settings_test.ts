// The configuration file and the name of the user, on pipes.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { commandLine, type Program, runProgram, Stage } from "./process.ts";
import { Folders } from "./folders.ts";

/** Writes the configuration file of a client. */
function configure(folders: Folders, name: string, text: string): void {
  Deno.writeTextFileSync(`${folders.config(name)}/config`, text);
}

/** The name that a client is registered under. */
async function nameOf(program: Program): Promise<unknown> {
  return (await program.waitForEvent("registered")).name;
}

Deno.test("the configuration file names the directory and the client, and options win", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  configure(stage.folders, "ana", `# mine\nserver ${server.address}\nname ana\n`);
  const start = (...args: string[]): Program => stage.start("ana", "client", ["--json", ...args]);
  assertEquals(await nameOf(start()), "ana");
  // It is not free any more.
  assertEquals(await nameOf(start()), "ana2");
  assertEquals(await nameOf(start("--name", "bea")), "bea");
  const elsewhere = start("--server", "127.0.0.1:1", "--timers", "fixed");
  elsewhere.signal("SIGTERM");
  await elsewhere.exit;
  assertEquals(elsewhere.events().filter(({ event }) => event === "registered"), []);
});

Deno.test("a line of the configuration file that is wrong is an error with its number", async () => {
  using folders = new Folders();
  configure(folders, "ana", "# mine\n\ncolour never\n");
  for (const side of ["client", "doctor"] as const) {
    const { code, stderr, stdout } = await runProgram(commandLine(side), [], folders.env("ana"));
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, 'config: line 3: unknown key "colour": did you mean "color"?');
  }
  const help = await runProgram(commandLine("client"), ["--help"], folders.env("ana"));
  assertEquals([help.code, help.stderr], [0, ""]);
});

Deno.test("where nobody types, the login is no name; a name can be taken later", async () => {
  await using stage = new Stage({ env: { USER: "ana", USERNAME: "ana" } });
  const server = await stage.serve();
  const ana = stage.client("ana", server, "--json");
  assertEquals(await nameOf(ana), "");
  const bob = await stage.jsonClient("bob", server);
  await ana.type('{"command":"nick","name":"bob"}', '{"command":"nick","name":"ana"}');
  await ana.waitForEvent("error", { code: "refused" });
  await ana.waitForEvent("registered", { name: "ana", id: 1 });
  await ana.type("list");
  const { clients } = await ana.waitForEvent("list");
  assertEquals(clients, [{ id: 1, name: "ana" }, { id: 2, name: "bob" }]);
  await bob.type("connect ana");
  await ana.waitForEvent("request", { name: "bob" });
});
