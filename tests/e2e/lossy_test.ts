// Real processes on a bad line: a relay loses, repeats and reorders what goes to and from a client.
import { assert, assertEquals } from "@std/assert";
import { Prng, seedFromEnv } from "../support/random.ts";
import { contains, dropOnce, type Filter, Relay, type Verdict } from "../support/relay.ts";
import { assertContract, summary } from "./contract.ts";
import { connectedPair, type Program, Stage } from "./process.ts";

const MESSAGES = 300;

/** Drops a tenth, duplicates a tenth, and delays a third by up to 50 ms, so that they are reordered. */
function badLine(prng: Prng): Filter {
  return (): Verdict => {
    if (prng.chance(0.1)) return "drop";
    if (prng.chance(0.1)) return "duplicate";
    return prng.chance(0.33) ? { delay: prng.int(50) } : "pass";
  };
}

function received(client: Program): unknown[] {
  return client.events().filter(({ event }) => event === "message").map(({ text }) => text);
}

Deno.test("a bad line: every message arrives once and in order, and is known to have arrived", async () => {
  const seed = seedFromEnv();
  const hint = `with UDP_CHAT_SEED=${seed}`;
  await using stage = new Stage();
  const server = await stage.serve("--json");
  await using relay = new Relay({ hostname: "127.0.0.1", port: server.port });
  await using mirror = relay.mirror();
  const [ana, bob] = await connectedPair(stage, { ana: mirror, bob: relay });
  relay.filter = badLine(new Prng(seed));

  const texts = Array.from({ length: MESSAGES }, (_, index) => `message ${index}`);
  texts.push("long ".repeat(13_000));
  await Promise.all([ana.type(...texts), bob.type(...texts)]);
  await Promise.all([ana, bob].map((each) => {
    return each.waitForEvent("delivered", { seq: MESSAGES }, 60_000);
  }));
  // A Termination is sent three times at most: on that line, one in a hundred is not answered.
  relay.filter = () => "pass";
  await ana.type("terminate");
  await Promise.all([ana.waitForEvent("terminated"), bob.waitForEvent("terminated")]);
  assertEquals(received(bob), texts, hint);
  assertEquals(received(ana), texts, hint);
  await Promise.all([ana.endInput(), bob.endInput()]);
  assertEquals(await Promise.all([ana.exitCode(), bob.exitCode()]), [0, 0], hint);
  const ends = [ana, bob].flatMap((each) => summary(each.events()).slice(-2));
  assertEquals(ends, [
    "terminated peer=2 by=local undelivered=0",
    "left undelivered=0 acknowledged=true",
    "terminated peer=1 by=peer undelivered=0",
    "left undelivered=0 acknowledged=true",
  ], hint);
  for (const each of [ana, bob]) assertContract("client", each.events());
});

Deno.test("--chaos: the client reports that it drops datagrams on purpose, and no message is lost", async () => {
  await using stage = new Stage();
  const server = await stage.serve();
  const chaos = "loss=0.2,duplicate=0.1,reorder=0.1,delay=5ms,seed=7";
  const [ana, bob] = await connectedPair(stage, server, { ana: ["--chaos", chaos] });
  assert(ana.stderr.text().startsWith("The line is made bad on purpose, each way: 20 %"));
  const texts = Array.from({ length: 50 }, (_, index) => `message ${index}`);
  await Promise.all([ana.type(...texts), bob.type(...texts)]);
  await Promise.all([ana, bob].map((each) => each.waitForEvent("delivered", { seq: 49 }, 60_000)));
  assertEquals([received(ana), received(bob)], [texts, texts]);
});

const LOSABLE = [
  "initiation",
  "response",
  "connectionRequest",
  "ringing",
  "connectionAccept",
  "message",
  "ack",
  "connectionTermination",
  "connectionTerminationAck",
] as const;

for (const kind of LOSABLE) {
  Deno.test(`the first ${kind} is lost: it is sent again within a few seconds`, async () => {
    await using stage = new Stage();
    const server = await stage.serve();
    let lost = 0;
    const drop = dropOnce((datagram) => contains(datagram, kind));
    await using relay = new Relay({ hostname: "127.0.0.1", port: server.port }, (datagram) => {
      const fate = drop(datagram);
      if (fate === "drop") lost++;
      return fate;
    });
    await using mirror = relay.mirror();
    const [ana, bob] = await connectedPair(stage, { ana: mirror, bob: relay });
    await ana.type("hello");
    await bob.waitForEvent("message", { text: "hello" });
    await ana.waitForEvent("delivered");
    await ana.type("terminate");
    await ana.waitForEvent("terminated", { by: "local", undelivered: 0 });
    await bob.waitForEvent("terminated", { by: "peer", undelivered: 0 });
    assertEquals(lost, 1);
    const unconfirmed = ana.events().filter(({ event }) => event === "unconfirmed");
    assert(unconfirmed.length === 0, "delivered within 5 s");
  });
}
