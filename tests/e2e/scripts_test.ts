// Scripts and programs on real pipes: what waits for what, what is printed where, and how it ends.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { assertContract } from "./contract.ts";
import { type JsonEvent, type Program, Stage, UNIX_SIGNALS } from "./process.ts";

/** The events with this reference, as `sent peer=1`. */
function eventsOf(client: Program, ref: string): string[] {
  return client.events().filter((event) => event["ref"] === ref).map(({ event }) => event);
}

function command(fields: Record<string, unknown>): string {
  return JSON.stringify(fields);
}

Deno.test({
  name: `--json: a peer that does not acknowledge holds up nobody else${UNIX_SIGNALS.note}`,
  ignore: UNIX_SIGNALS.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    const bob = await stage.jsonClient("bob", server, "--accept-all");
    const carol = await stage.jsonClient("carol", server, "--accept-all");
    const ana = await stage.jsonClient("ana", server);
    await ana.type("connect bob", "connect carol");
    for (let n = 0; n < 2; n++) await ana.waitForEvent("connected");
    bob.signal("SIGSTOP");
    for (let n = 0; n < 70; n++) {
      await ana.type(command({ command: "send", peer: "bob", text: "?" }));
    }
    await ana.type(
      command({ command: "terminate", peer: "bob" }),
      command({ command: "send", peer: "carol", text: "hello carol" }),
      command({ command: "list" }),
    );
    const start = Date.now();
    await carol.waitForEvent("message", { text: "hello carol" });
    await ana.waitForEvent("list");
    assert(Date.now() - start < 5000, "at once");
    bob.signal("SIGCONT");
    await ana.waitForEvent("terminated", { peer: 1, undelivered: 0 });
  },
});

Deno.test("--json: while a call rings, the other commands run; terminate cancels it", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server);
  const carol = await stage.jsonClient("carol", server, "--accept-all");
  const ana = await stage.jsonClient("ana", server);
  await ana.type("connect carol");
  await ana.waitForEvent("connected");
  await ana.type(
    command({ command: "connect", peer: "bob", ref: "call" }),
    command({ command: "send", text: "for bob", ref: "held" }),
    command({ command: "send", peer: "carol", text: "for carol" }),
    command({ command: "list" }),
  );
  await Promise.all([
    bob.waitForEvent("request"),
    carol.waitForEvent("message", { text: "for carol" }),
    ana.waitForEvent("list"),
  ]);
  await bob.type("accept");
  await bob.waitForEvent("message", { text: "for bob" });
  await ana.waitForEvent("delivered", { ref: "held" });
  await ana.type("terminate bob", command({ command: "connect", peer: "bob", ref: "again" }));
  await ana.waitForEvent("ringing", { ref: "again" });
  await ana.type("terminate bob");
  await ana.waitForEvent("cancelled", { ref: "again", peer: 1 });
  await bob.waitForEvent("requestEnded", { why: "cancelled" });
  await ana.type(command({ command: "connect", peer: "bob", ref: "third" }));
  await ana.waitForEvent("ringing", { ref: "third" });
  await ana.type(command({ command: "terminate", peer: "bob", ref: "stop" }));
  for (const ref of ["third", "stop"]) await ana.waitForEvent("cancelled", { ref, peer: 1 });
  assertContract("client", ana.events());
  assertContract("client", bob.events());
});

Deno.test("--json: every event that a command causes has its reference", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const ana = await stage.jsonClient("ana", server);
  await ana.type(
    command({ command: "connect", peer: "zed", ref: "nobody" }),
    command({ command: "connect", peer: "bob", ref: "call" }),
    command({ command: "send", text: "one", ref: "first" }),
    command({ command: "send", text: "two" }),
    command({ command: "send", text: 3, ref: "wrong" }),
    command({ command: "terminate", ref: "end" }),
  );
  await ana.waitForEvent("terminated");
  await ana.type(command({ command: "list", ref: "who" }));
  await ana.waitForEvent("list");
  await ana.type(command({ command: "leave", ref: "bye" }));
  assertEquals(await ana.exitCode(), 0);
  const refs = ["nobody", "first", "wrong", "end", "who", "bye"];
  assertEquals(refs.map((ref) => eventsOf(ana, ref)), [
    ["inactive"],
    ["sent", "delivered"],
    ["error"],
    ["terminated"],
    ["list"],
    ["left"],
  ]);
  assertEquals([...new Set(eventsOf(ana, "call"))], ["requesting", "connected", "identity"]);
  const numbers = ({ peer, seq }: JsonEvent): unknown[] => [peer, seq];
  const of = (name: string, client: Program): unknown[] =>
    client.events().filter(({ event }) => event === name).map(numbers);
  assertEquals(of("sent", ana), [[1, 0], [1, 1]]);
  assertEquals(of("delivered", ana), [[1, 0], [1, 1]]);
  assertEquals(of("message", bob), [[2, 0], [2, 1]]);
  assertContract("client", ana.events());
});

Deno.test("--json: what the client itself answers is an event, and stderr is empty", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const ana = await stage.jsonClient("ana", server);
  const file = `${stage.folders.get("logs")}/a.jsonl`;
  await ana.type("connect bob");
  const { peer } = await ana.waitForEvent("connected");
  const commands = [
    { command: "fingerprint" },
    { command: "verify", peer: "bob" },
    { command: "block", peer: "bob" },
    { command: "unblock" },
    { command: "unblock", peer: "bob" },
    { command: "log", file },
    { command: "log", file: "off" },
    { command: "help" },
    { command: "show" },
  ];
  await ana.type(...commands.map(command));
  await bob.type(command({ command: "verify" }));
  const { digits } = await bob.waitForEvent("verify");
  await ana.waitForEvent("fingerprint");
  await ana.waitForEvent("verify", { peer, name: "bob", digits });
  const { fingerprint } = await ana.waitForEvent("block", { peer, name: "bob" });
  await ana.waitForEvent("blocked", { clients: [{ name: "bob", fingerprint }] });
  await ana.waitForEvent("unblock", { fingerprint });
  await ana.waitForEvent("log", { file });
  await ana.waitForEvent("log", { file: undefined });
  assertMatch(String((await ana.waitForEvent("help")).text), /connect ID\|NAME/);
  await ana.waitForEvent("show");
  // JSON that is no command is an error, and goes to nobody.
  await ana.type("[1]", "42", '"hello"', "null", "the end");
  for (let n = 0; n < 4; n++) await ana.waitForEvent("error", { code: "usage" });
  assertEquals((await bob.waitForEvent("message")).text, "the end");
  await ana.endInput();
  assertEquals(await ana.exitCode(), 0);
  assertEquals(ana.stderr.text(), "");
  assertContract("client", ana.events());
});

Deno.test("--json: a peer's id is always a number, and its name is in another field", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = await stage.jsonClient("ana", server);
  await ana.type("connect bob", "connect 9");
  const named = await ana.waitForEvent("inactive");
  assertEquals([named.name, named.peer], ["bob", undefined]);
  const numbered = await ana.waitForEvent("inactive");
  assertEquals([numbered.name, numbered.peer], [undefined, 9]);
});

Deno.test("--json: the exit status says how the client ended", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = await stage.jsonClient("ana", server);
  await ana.type("connect bob", "{", "log /nowhere/x");
  for (const event of ["error", "error", "inactive"]) await ana.waitForEvent(event);
  await ana.endInput();
  assertEquals(await ana.exitCode(), 0);
  const short = stage.client("short", server, "--json");
  await short.type("connect bob");
  await short.endInput();
  assertEquals(await short.exitCode(), 4);
});

Deno.test("--send prints that the message is delivered, and errors alone on stderr", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const ana = stage.client("ana", server, "--connect", "bob", "--send", "hi");
  assertEquals(await ana.exitCode(), 0);
  assertMatch(ana.stdout.text(), /\* 1 message delivered to bob\n/);
  assertEquals(ana.stderr.text(), "");
  const piped = stage.client("piped", server, "--connect", "bob", "--send", "-");
  await piped.type("one", "zwei ü", "");
  await piped.endInput();
  assertEquals(await piped.exitCode(), 0);
  await bob.waitForEvent("message", { text: "hi" });
  assertEquals((await bob.waitForEvent("message")).text, "one\nzwei ü\n");
  const empty = stage.client("empty", server, "--connect", "bob", "--send", "-");
  await empty.endInput();
  assertEquals(await empty.exitCode(), 2);
  assertEquals([empty.stdout.text(), empty.stderr.text()], ["", "Cannot send: the input is empty"]);
  const absent = stage.client("absent", server, "--connect", "zed", "--send", "hi", "--json");
  assertEquals(await absent.exitCode(), 4);
});

Deno.test("--timeout bounds how long a call rings, and each step of a script", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server);
  const args = ["--connect", "bob", "--send", "hi", "--timeout", "1"];
  const ana = stage.client("ana", server, ...args);
  await bob.waitForEvent("requestEnded", { why: "cancelled" });
  assertEquals(await ana.exitCode(), 8);
  assertMatch(ana.stderr.text(), /^\d\d:\d\d \* No answer from bob within 1 s$/);
  const script = stage.client("script", server, "--timeout", "1");
  await script.type("connect bob", "accept", "list");
  await script.endInput();
  assertEquals(await script.exitCode(), 8);
  assertMatch(script.stderr.text(), /No answer from bob [^]*No Connection Request came/);
  assertMatch(script.stdout.text(), /cancelled\n[^]*2 active clients/);
  const program = stage.client("program", server, "--json", "--timeout", "1");
  await program.type(command({ command: "connect", peer: "bob", ref: "c" }));
  await program.waitForEvent("error", { code: "timeout", ref: "c" });
  await program.waitForEvent("cancelled", { ref: "c" });
});

Deno.test("--wait-reply prints the next message, and fails where none comes", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const send = ["--connect", "bob", "--send", "ping", "--wait-reply"];
  const ana = stage.client("ana", server, ...send, "20");
  await bob.waitForEvent("message", { text: "ping" });
  await bob.type("pong");
  assertEquals(await ana.exitCode(), 0);
  assertMatch(ana.stdout.text(), /delivered to bob\n[^]*← bob: pong\n/);
  const silent = stage.client("silent", server, ...send, "1");
  assertEquals(await silent.exitCode(), 8);
  assertMatch(silent.stderr.text(), /No reply came within 1 s/);
});

Deno.test("a transcript that cannot be opened is exit status 1, by option and by command", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const file = `${stage.folders.get("logs")}/none/a.txt`;
  const args = ["--connect", "bob", "--send", "hi", "--log", file];
  const ana = stage.client("ana", server, ...args);
  assertEquals(await ana.exitCode(), 1);
  assertMatch(ana.stderr.text(), /Cannot open the transcript .*none/);
  await bob.waitForEvent("message", { text: "hi" });
  const script = stage.client("script", server);
  await script.type(`log ${file}`, "list");
  await script.endInput();
  assertEquals(await script.exitCode(), 1);
  assertMatch(script.stdout.text(), /active client/);
  const program = stage.client("program", server, "--json", "--log", file);
  await program.endInput();
  assertEquals(await program.exitCode(), 1);
});

Deno.test("eight runs with one identity deliver at once, each as if alone", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const bob = await stage.jsonClient("bob", server, "--accept-all");
  const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`);
  const runs = texts.map((text) =>
    stage.client("ana", server, "--connect", "bob", "--send", text, "--timeout", "20")
  );
  assertEquals(await Promise.all(runs.map((run) => run.exitCode(40_000))), texts.map(() => 0));
  const received: unknown[] = [];
  while (received.length < texts.length) {
    received.push((await bob.waitForEvent("message"))["text"]);
  }
  assertEquals(received.sort(), texts);
});
