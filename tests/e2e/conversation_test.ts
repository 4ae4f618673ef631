// The whole specification on real processes, as one conversation: for programs, then for people.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertContract, summary } from "./contract.ts";
import { connectedPair, type Program, Stage } from "./process.ts";

/** Waits until a text of the first is delivered to the second. */
async function deliver(from: Program, to: Program, line: string, text = line): Promise<void> {
  await from.type(line);
  const { text: received } = await to.waitForEvent("message");
  assertEquals(received, text);
  await from.waitForEvent("delivered");
}

Deno.test("--json: the whole conversation, event by event, with the fields of the contract", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--json");

  // Registers, and looks up inactive clients by id and by name.
  const ana = await stage.jsonClient("ana", server);
  await ana.type("connect 2", "connect bob");
  await ana.waitForEvent("inactive", { peer: 2 });
  await ana.waitForEvent("inactive", { name: "bob" });

  // Connection Request, ringing, Connection Accept.
  const bob = await stage.jsonClient("bob", server);
  await ana.type("connect bob");
  await Promise.all([ana.waitForEvent("ringing"), bob.waitForEvent("request")]);
  await bob.type("accept");
  await Promise.all([ana.waitForEvent("connected"), bob.waitForEvent("connected")]);

  // Messages both ways: plain text, a command's text, Unicode, several lines, 64 KiB.
  await deliver(ana, bob, "hello bob");
  await deliver(bob, ana, "send hello ana", "hello ana");
  await deliver(ana, bob, "Привет, 世界 👩‍👩‍👧 zoë");
  await deliver(bob, ana, '{"command":"send","text":"two\\nlines\\u0007"}', "two\nlines\u0007");
  const long = "€uro".repeat(10_922) + "1234";
  assertEquals(new TextEncoder().encode(long).length, 65_536);
  await deliver(ana, bob, long);

  await ana.type("list");
  await ana.waitForEvent("list");

  // One side terminates; the other side connects again, and terminates.
  await ana.type("terminate");
  await Promise.all([ana.waitForEvent("terminated"), bob.waitForEvent("terminated")]);
  await bob.type("connect 1");
  await ana.waitForEvent("request");
  await ana.type("accept 2");
  await Promise.all([ana.waitForEvent("connected"), bob.waitForEvent("connected")]);
  await deliver(bob, ana, "again");
  await ana.type("terminate");
  await Promise.all([ana.waitForEvent("terminated"), bob.waitForEvent("terminated")]);

  // Leaving: by command, and by the end of the input.
  await ana.type("leave");
  assertEquals(await ana.exitCode(), 0, "that a client was inactive before does not count");
  await bob.endInput();
  assertEquals(await bob.exitCode(), 0);
  await server.program.waitForEvent("table", { clients: [] });

  assertContract("client", ana.events());
  assertContract("client", bob.events());
  assertContract("server", server.program.events());
  assertEquals(summary(ana.events()), [
    "registered id=1 name=ana",
    "inactive peer=2",
    "inactive name=bob",
    "requesting peer=2 attempt=1",
    "ringing peer=2",
    "connected peer=2 name=bob path=direct",
    "identity peer=2 name=bob known=new",
    "sent peer=2 seq=0",
    "delivered peer=2 seq=0",
    "message peer=2 name=bob seq=0 text=hello ana",
    "sent peer=2 seq=1",
    "delivered peer=2 seq=1",
    "message peer=2 name=bob seq=1 text=two\nlines\u0007",
    "sent peer=2 seq=2",
    "delivered peer=2 seq=2",
    "list clients=[1:ana 2:bob]",
    "terminated peer=2 by=local undelivered=0",
    "request peer=2 name=bob",
    "identity peer=2 name=bob known=same",
    "connected peer=2 name=bob path=direct",
    "identity peer=2 name=bob known=same",
    "message peer=2 name=bob seq=0 text=again",
    "terminated peer=2 by=local undelivered=0",
    "left undelivered=0 acknowledged=true",
  ]);
  assertEquals(summary(bob.events()), [
    "registered id=2 name=bob",
    "request peer=1 name=ana",
    "identity peer=1 name=ana known=new",
    "connected peer=1 name=ana path=direct",
    "identity peer=1 name=ana known=new",
    "message peer=1 name=ana seq=0 text=hello bob",
    "sent peer=1 seq=0",
    "delivered peer=1 seq=0",
    "message peer=1 name=ana seq=1 text=Привет, 世界 👩‍👩‍👧 zoë",
    "sent peer=1 seq=1",
    "delivered peer=1 seq=1",
    `message peer=1 name=ana seq=2 text=${long}`,
    "terminated peer=1 by=peer undelivered=0",
    "requesting peer=1 attempt=1",
    "ringing peer=1",
    "connected peer=1 name=ana path=direct",
    "identity peer=1 name=ana known=same",
    "sent peer=1 seq=0",
    "delivered peer=1 seq=0",
    "terminated peer=1 by=peer undelivered=0",
    "left undelivered=0 acknowledged=true",
  ]);
  assertEquals(summary(server.program.events()), [
    "listening",
    "joined client=1:ana",
    "table clients=[1:ana]",
    "joined client=2:bob",
    "table clients=[1:ana 2:bob]",
    "left client=1:ana",
    "table clients=[2:bob]",
    "left client=2:bob",
    "table clients=[]",
  ]);
  // Only events on stdout; and no errors, so nothing on stderr.
  for (const { stderr } of [ana, bob]) assertEquals(stderr.all, []);
});

Deno.test("--json: the directory reports the address that the client reports itself", async () => {
  await using stage = new Stage();
  const server = await stage.serve("--json");
  const ana = stage.client("ana", server, "--json", "--id", "7");
  const { host, port, id, name, server: named } = await ana.waitForEvent("registered");
  assertEquals([id, name, host, named], [7, "", "127.0.0.1", server.address]);
  const { client } = await server.program.waitForEvent("joined");
  assertEquals(client, { id: 7, name: "", host, port });
  const { clients } = await server.program.waitForEvent("table");
  const [row, ...others] = clients as Record<string, unknown>[];
  assertEquals([row?.id, row?.port, others.length], [7, port, 0]);
  const age = Date.now() - Date.parse(String(row?.since));
  assert(age >= -1000 && age < 60_000, `since when: ${row?.since}`);
});

Deno.test("text: the whole conversation through pipes, in the words of the specification", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = stage.client("ana", server, "--name", "ana");
  await ana.stdout.waitFor(/Registered at 127\.0\.0\.1:\d+ as client 1 \(ana\)/);
  await ana.type("connect 2");
  await ana.stdout.waitFor(/Client 2 Inactive/);

  const bob = stage.client("bob", server, "--name", "bob");
  await bob.stdout.waitFor(/as client 2 \(bob\)/);
  await ana.type("connect bob");
  await ana.stdout.waitFor(/Connection Request sent to bob/);
  await ana.stdout.waitFor(/bob is ringing/);
  await bob.stdout.waitFor(/Connection Request from ana/);
  await bob.type("reject");
  await ana.stdout.waitFor(/Connection Reject from bob/);

  await ana.type("connect bob");
  await bob.stdout.waitFor(/Connection Request from ana/);
  await bob.type("accept");
  await ana.stdout.waitFor(/Connected to bob/);
  await bob.stdout.waitFor(/Connected to ana/);

  await ana.type("hello bob", "  leave it to me, \x1b[31mred\x07");
  await bob.stdout.waitFor(/← ana: hello bob$/);
  await bob.stdout.waitFor(/← ana: {3}leave it to me, \[31mred$/);
  await bob.type("hello ana 👋");
  await ana.stdout.waitFor(/← bob: hello ana 👋$/);
  await ana.type("list");
  await ana.stdout.waitFor(/2 active clients/);
  await ana.stdout.waitFor(/1 {2}ana {2}\(you\)/);
  await ana.stdout.waitFor(/2 {2}bob/);

  await bob.type("terminate");
  await bob.stdout.waitFor(/You ended the conversation with ana/);
  await ana.stdout.waitFor(/bob ended the conversation/);
  await ana.type("leave");
  await ana.stdout.waitFor(/Client Leave acknowledged/);
  assertEquals(await ana.exitCode(), 4, "the first failure was an inactive client");
  await bob.endInput();
  assertEquals(await bob.exitCode(), 0);

  server.program.signal(Deno.build.os === "windows" ? "SIGKILL" : "SIGTERM");
  await server.program.exit;
  const table = server.program.stdout.text();
  assertMatch(table, /client 1 \(ana\) joined from 127\.0\.0\.1:\d+/);
  assertMatch(table, /client 2 \(bob\) left/);
  assertMatch(table, /id {2}name {2}address +since\n +1 {2}ana +127\.0\.0\.1:\d+ +\d\d:\d\d:\d\d/);
  const everything = [table, ana.stdout.text(), bob.stdout.text()].join("\n");
  // deno-lint-ignore no-control-regex
  assert(!/\x1b|\x07/.test(everything), "no escape sequences in a pipe");
});

Deno.test("a script needs no sleep: each command waits for the one before", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const ana = stage.client("ana", server, "--json");
  const texts = Array.from({ length: 300 }, (_, index) => `line ${index}`);
  const commands = ["connect 9", "connect bob", ...texts, "terminate", "connect bob", "last"];
  await ana.type(...commands);
  await ana.endInput();
  assertEquals(await ana.exitCode(), 4, "client 9 was inactive");
  await bob.waitForEvent("terminated");
  await bob.waitForEvent("terminated");
  const received = bob.events().filter(({ event }) => event === "message");
  assertEquals(received.map(({ text }) => text), [...texts, "last"]);
  assertEquals(received.map(({ seq }) => seq), [...texts.keys(), 0]);
  const ends = ana.events().filter(({ event }) => event === "terminated" || event === "left");
  assertEquals(summary(ends), [
    "terminated peer=1 by=local undelivered=0",
    "terminated peer=1 by=local undelivered=0",
    "left undelivered=0 acknowledged=true",
  ]);
});

Deno.test("--json takes JSON objects as commands, and reports what is wrong with one", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const [ana, bob] = await connectedPair(stage, server);
  await ana.type('{"command":"send","text":"{\\"command\\":\\"leave\\"}"}');
  assertEquals((await bob.waitForEvent("message")).text, '{"command":"leave"}');
  const broken = ['{"command":"sned","text":"x"}', '{"command":"send"}', '{"command":', "{}"];
  for (const line of broken) {
    await ana.type(line);
    const { code } = await ana.waitForEvent("error");
    assertEquals(code, "usage", line);
  }
  await ana.type('{"command":"terminate"}', '{"command":"connect","peer":2}');
  await bob.waitForEvent("request", { peer: 1 });
  await bob.type('{"command":"reject","peer":"ana"}', '{"command":"list"}');
  await ana.waitForEvent("rejected", { peer: 2 });
  await bob.waitForEvent("list");
  await ana.type('{"command":"leave"}');
  assertEquals(await ana.exitCode(), 0, "what failed before does not count");
  assertContract(
    "client",
    [...ana.events(), ...bob.events()].toSorted((a, b) => a.time < b.time ? -1 : 1),
  );
});
