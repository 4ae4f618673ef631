// What real processes and real time do to a conversation: suspended, killed, restarted, silent.
import { assert, assertEquals, assertGreaterOrEqual, assertLess } from "@std/assert";
import type { Frame } from "../../protocol/wire/frame.ts";
import { contains, hasText, Relay, type RelayedDatagram } from "../support/relay.ts";
import { testConcurrently } from "./concurrent.ts";
import { assertContract, summary } from "./contract.ts";
import { freePort } from "./ports.ts";
import {
  connectedPair,
  type JsonEvent,
  type Program,
  type RunningServer,
  Stage,
  UNIX_SIGNALS,
} from "./process.ts";

const { ignore, note } = UNIX_SIGNALS;

/** Milliseconds from one event to another. */
function between(first: JsonEvent | undefined, second: JsonEvent | undefined): number {
  assert(first !== undefined && second !== undefined);
  return Date.parse(second.time) - Date.parse(first.time);
}

function asAddress({ port }: RunningServer): { hostname: string; port: number } {
  return { hostname: "127.0.0.1", port };
}

async function kill(program: Program): Promise<void> {
  program.signal("SIGKILL");
  await program.exit;
}

/** Events that a machine which stands still for some seconds adds to a conversation. */
const DELAYED = /^(unconfirmed|unanswered|requesting .*attempt=[2-9]|server(Quiet|Lost|Back))/;

/** Checks that a text arrives. */
async function assertTalk(from: Program, to: Program, text: string): Promise<void> {
  await from.type(text);
  await to.waitForEvent("message", { text });
  await from.waitForEvent("delivered");
}

/** Connection Request, Message and Termination meet a peer that is suspended for over 10 s. */
const SLEEPING = "while you sleep";

async function resendToSuspendedPeer(): Promise<void> {
  await using stage = new Stage();
  const server = await stage.serve();
  const sent: { datagram: RelayedDatagram; at: number }[] = [];
  await using relay = new Relay(asAddress(server), (datagram) => {
    sent.push({ datagram, at: performance.now() });
    return "pass";
  });
  const timesOf = (kind: Frame["kind"]): number[] =>
    sent.filter(({ datagram }) =>
      kind === "message" ? hasText(datagram, SLEEPING) : contains(datagram, kind)
    ).map(({ at }) => at);
  const isSecond = (kind: Frame["kind"]) => () => timesOf(kind).length > 1;
  await using mirror = relay.mirror();
  const ana = await stage.jsonClient("ana", mirror, "--timers", "fixed");
  const bob = await stage.jsonClient("bob", relay, "--timers", "fixed");

  bob.signal("SIGSTOP");
  await ana.type("connect bob");
  const first = await ana.waitForEvent("requesting", { attempt: 1 });
  const second = await ana.waitForEvent("requesting", { attempt: 2 });
  bob.signal("SIGCONT");
  assertEquals(first.nextInMs, 10_000);
  assertTenSeconds(between(first, second));
  await bob.waitForEvent("request");
  await bob.type("accept");
  await Promise.all([ana.waitForEvent("connected"), bob.waitForEvent("connected")]);

  bob.signal("SIGSTOP");
  await ana.type(SLEEPING);
  await ana.waitForEvent("unconfirmed", { seq: 0 });
  await relay.waitFor(isSecond("message"));
  bob.signal("SIGCONT");
  await bob.waitForEvent("message", { text: SLEEPING });
  await ana.waitForEvent("delivered", { seq: 0 });

  bob.signal("SIGSTOP");
  await ana.type("terminate");
  await relay.waitFor(isSecond("connectionTermination"));
  bob.signal("SIGCONT");
  await ana.waitForEvent("terminated", { by: "local" });
  await bob.waitForEvent("terminated", { by: "peer" });

  for (const kind of ["message", "connectionTermination"] as const) {
    const times = timesOf(kind);
    assertEquals(times.length, 2, `${kind}: sent once, and once again`);
    assertTenSeconds(times[1]! - times[0]!);
  }
  const received = bob.events().filter(({ event }) => event === "message" || event === "request");
  assertEquals(summary(received), [
    "request peer=1 name=ana",
    "message peer=1 name=ana seq=0 text=while you sleep",
  ]);
  assertContract("client", ana.events());
  assertContract("client", bob.events());
}

/** What the simulated network shows to the millisecond; here a busy machine may see either end late. */
function assertTenSeconds(ms: number): void {
  assertGreaterOrEqual(ms, 9_500, "not earlier");
  assertLess(ms, 13_000, "and not much later");
}

async function killedClientExpires(): Promise<void> {
  await using stage = new Stage();
  const server = await stage.serve("--json", "--lease", "3");
  const ana = await stage.jsonClient("ana", server);
  const bob = await stage.jsonClient("bob", server);
  await kill(ana);
  await server.program.waitForEvent("expired", {}, 10_000);
  await server.program.waitForEvent("table");
  await bob.type("connect ana", "connect 1");
  await bob.waitForEvent("inactive", { name: "ana" });
  await bob.waitForEvent("inactive", { peer: 1 });
  assertEquals(summary(server.program.events()).slice(-2), [
    "expired client=1:ana",
    "table clients=[2:bob]",
  ]);
  assertContract("server", server.program.events());
}

async function serverRestarts(): Promise<void> {
  await using stage = new Stage();
  const first = await stage.serve("--lease", "3");
  const [ana, bob] = await connectedPair(stage, first, { ana: ["--id", "5"], bob: ["--id", "3"] });
  await kill(first.program);
  await assertTalk(ana, bob, "is the directory gone?");
  await Promise.all([ana.waitForEvent("serverLost"), bob.waitForEvent("serverLost")]);
  await assertTalk(bob, ana, "who needs it?");

  const second = await stage.serve("--json", "--port", `${first.port}`);
  await Promise.all([ana.waitForEvent("serverBack"), bob.waitForEvent("serverBack")]);
  await second.program.waitForEvent("joined");
  await second.program.waitForEvent("joined");
  await assertTalk(ana, bob, "there it is");
  await ana.type("list");
  const { clients } = await ana.waitForEvent("list");
  assertEquals(clients, [{ id: 3, name: "bob" }, { id: 5, name: "ana" }]);
  const ends = [...ana.events(), ...bob.events()].filter(({ event }) => event === "terminated");
  assertEquals(ends, [], "the conversation never stopped");

  await ana.type("leave");
  assertEquals(await ana.exitCode(), 0);
  assertContract("server", second.program.events());
}

async function killedPeerIsReported(): Promise<void> {
  await using stage = new Stage();
  const server = await stage.serve();
  const [ana, bob] = await connectedPair(stage, server);
  await assertTalk(bob, ana, "the last word");
  await kill(bob);
  const lastWord = ana.events().findLast(({ event }) => event === "message");
  await ana.type("are", "you", "there?");
  const end = await ana.waitForEvent("terminated", {}, 75_000);
  assertEquals(summary([end]), ["terminated peer=2 by=timeout undelivered=3"]);
  assertGreaterOrEqual(between(lastWord, end), 59_500);
  assertLess(between(lastWord, end), 66_000);
  await ana.type("leave");
  assertEquals(summary([await ana.waitForEvent("left")]), ["left undelivered=3 acknowledged=true"]);
  assertEquals(await ana.exitCode(), 6);
}

async function killedPeerReturns(): Promise<void> {
  await using stage = new Stage();
  const server = await stage.serve();
  const [ana, bob] = await connectedPair(stage, server);
  await assertTalk(ana, bob, "before");
  const port = bob.registered()?.port;
  await kill(bob);
  await ana.type("one", "two");
  await ana.waitForEvent("sent", { seq: 2 });

  // The same address: the directory knows that this is a new run, not a second client.
  const again = await stage.jsonClient("bob", server, "--port", `${port}`);
  await again.type("connect ana", "here I am");
  await Promise.all([ana.waitForEvent("returned"), again.waitForEvent("returned")]);
  await ana.waitForEvent("message", { text: "here I am" });
  await assertTalk(ana, again, "after");
  await again.endInput();
  await ana.waitForEvent("terminated");
  await ana.endInput();
  assertEquals(await Promise.all([ana.exitCode(), again.exitCode()]), [0, 0]);
  // Nothing rings, nothing ends, and what the first run did not get comes once, in its order.
  const isStage = (line: string): boolean =>
    !/^(sent|delivered|registered|identity)/.test(line) && !DELAYED.test(line);
  assertEquals(summary(ana.events()).filter(isStage), [
    "requesting peer=2 attempt=1",
    "ringing peer=2",
    "connected peer=2 name=bob path=direct",
    "returned peer=2 name=bob who=peer",
    "message peer=2 name=bob seq=0 text=here I am",
    "terminated peer=2 by=peer undelivered=0",
    "left undelivered=0 acknowledged=true",
  ]);
  const delivered = ana.events().filter(({ event }) => event === "delivered");
  assertEquals(delivered.map(({ seq }) => seq), [0, 1, 2, 3]);
  const texts = again.events().filter(({ event }) => event === "message").map(({ text }) => text);
  assertEquals(texts, ["one", "two", "after"]);
  assertEquals(summary(again.events()).filter(isStage).filter((line) => !/^message/.test(line)), [
    "requesting peer=1 attempt=1",
    "connected peer=1 name=ana path=direct",
    "returned peer=1 name=ana who=self",
    "terminated peer=1 by=local undelivered=0",
    "left undelivered=0 acknowledged=true",
  ]);
  assertContract("client", ana.events());
  assertContract("client", again.events());
}

async function deadServerAtLeave(): Promise<void> {
  await using stage = new Stage();
  const server = await stage.serve();
  const ana = await stage.jsonClient("ana", server);
  await kill(server.program);
  const start = performance.now();
  await ana.endInput();
  assertEquals(await ana.exitCode(40_000), 3);
  const elapsed = performance.now() - start;
  assertGreaterOrEqual(elapsed, 29_500);
  assertLess(elapsed, 36_000);
  assertEquals(summary(ana.events()).at(-1), "left undelivered=0 acknowledged=false");
}

async function secondInterrupt(): Promise<void> {
  await using stage = new Stage();
  const server = await stage.serve();
  const [ana, bob] = await connectedPair(stage, server);
  await assertTalk(ana, bob, "soon gone");
  await Promise.all([kill(server.program), kill(bob)]);
  await ana.type("nobody hears this");
  await ana.waitForEvent("sent", { seq: 1 });
  const start = performance.now();
  ana.signal("SIGINT");
  // No event shows that the first one was handled; one of these is the second.
  const again = setInterval(() => ana.signal("SIGINT"), 200);
  try {
    assertEquals(await ana.exitCode(), 130);
  } finally {
    clearInterval(again);
  }
  assertLess(performance.now() - start, 10_000);
  assertEquals(summary(ana.events()).at(-1), "left undelivered=1 acknowledged=false");
}

async function noDirectory(): Promise<void> {
  await using stage = new Stage();
  const start = performance.now();
  const ana = stage.client("ana", { address: `127.0.0.1:${freePort()}` }, "--json");
  assertEquals(await ana.exitCode(45_000), 3);
  assertGreaterOrEqual(performance.now() - start, 29_500);
  assert(ana.events().some(({ code }) => code === "serverTimeout"), ana.transcript());
  assertContract("client", ana.events());
}

testConcurrently("faults of processes, in real time", [
  {
    name: `--timers fixed: a suspended peer gets everything again after 10 s, once${note}`,
    ignore,
    fn: resendToSuspendedPeer,
  },
  { name: "a killed client leaves the table by its lease", fn: killedClientExpires },
  {
    name: "a killed and restarted directory: clients get their ids back, and chat in the meantime",
    fn: serverRestarts,
  },
  {
    name: "a killed peer is reported after 60 s of silence, with what was left undelivered",
    fn: killedPeerIsReported,
  },
  {
    name: "a killed peer that restarts under its id goes on, without ringing, and misses nothing",
    fn: killedPeerReturns,
  },
  { name: "a dead directory bounds the leave to 30 s, exit status 3", fn: deadServerAtLeave },
  { name: `a second Ctrl-C leaves at once${note}`, ignore, fn: secondInterrupt },
  { name: "no directory: given up after 30 s, exit status 3", fn: noDirectory },
]);
