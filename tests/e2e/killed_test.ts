// Clients on pipes that are killed, and come back as themselves.
import { assertEquals } from "@std/assert";
import { type JsonEvent, type Program, Stage } from "./process.ts";

/** Kills a program, and waits for its end. */
async function kill(program: Program): Promise<void> {
  program.signal("SIGKILL");
  await program.exit;
}

/** The names of the files of runs in the folder of a client. */
function runsOf(stage: Stage, name: string): string[] {
  const folder = `${stage.folders.config(name)}/identity.runs`;
  return [...Deno.readDirSync(folder)].map(({ name }) => name);
}

/** The id and the name in an event. */
function idAndName({ id, name }: JsonEvent): unknown[] {
  return [id, name];
}

Deno.test("a client that is killed and started again has its id and name, and goes on", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const start = (): Promise<Program> => stage.jsonClient("ana", server, "--id", "7");
  const ana = await start();
  await ana.type("connect bob", "hello");
  await bob.waitForEvent("message", { peer: 7, text: "hello" });
  await kill(ana);
  await bob.type("one", "two", "three");
  await bob.waitForEvent("sent", { seq: 2 });

  const back = await start();
  const texts: unknown[] = [];
  for (const text of ["one", "two", "three"]) {
    texts.push((await back.waitForEvent("message", { text })).seq);
  }
  assertEquals(texts, [0, 1, 2]);
  assertEquals(idAndName(back.events()[0]!), [7, "ana"]);
  await bob.waitForEvent("returned", { who: "peer", peer: 7 });
  await back.type("back");
  await bob.waitForEvent("message", { peer: 7, text: "back" });
  const seen = bob.events().map(({ event }) => event);
  assertEquals(seen.filter((event) => event === "connected" || event === "terminated").length, 1);
  assertEquals(back.events().filter(({ event }) => event === "message").length, 3);

  // What was kept is gone with the run.
  assertEquals(runsOf(stage, "ana").length, 1);
  await back.endInput();
  assertEquals([await back.exitCode(), runsOf(stage, "ana")], [0, []]);
});

Deno.test("of two clients of one user that are started alike, each comes back as itself", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const start = (): Program => stage.client("ana", server, "--json");
  const register = async (): Promise<[Program, unknown]> => {
    const program = start();
    return [program, (await program.waitForEvent("registered")).id];
  };
  const [first, firstId] = await register();
  const [second, secondId] = await register();
  assertEquals([firstId, secondId], [1, 2]);
  await kill(first);
  const [third, thirdId] = await register();
  await kill(second);
  const [fourth, fourthId] = await register();
  assertEquals([thirdId, fourthId], [1, 2]);
  // Both run: another one is a client of its own.
  const [fifth, fifthId] = await register();
  assertEquals(fifthId, 3);
  await Promise.all([third, fourth, fifth].map((each) => each.endInput()));
  assertEquals(await Promise.all([third, fourth, fifth].map((each) => each.exitCode())), [0, 0, 0]);
  assertEquals(runsOf(stage, "ana"), []);
});

Deno.test("a name of another client of the same user that runs is refused at once", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  await stage.jsonClient("ana", server);
  const second = stage.client("ana", server, "--json", "--name", "ana");
  const { message } = await second.waitForEvent("error", { code: "refused" });
  assertEquals(`${message}`.startsWith('"ana" belongs to another client of yours'), true);
  assertEquals(await second.exitCode(), 1);
});

Deno.test("a script that is killed and started again goes on with the conversation", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server);
  const ana = stage.client("ana", server, "--name", "ana");
  await ana.type("connect bob", "hello");
  await bob.waitForEvent("request");
  await bob.type("accept");
  await bob.waitForEvent("message", { text: "hello" });
  await kill(ana);
  const back = stage.client("ana", server, "--name", "ana");
  await back.type("connect bob", "hello again");
  await back.endInput();
  await bob.waitForEvent("message", { text: "hello again" });
  assertEquals(await back.exitCode(), 0);
  await bob.waitForEvent("terminated");
  assertEquals(bob.events().filter(({ event }) => event === "request").length, 1);
});
