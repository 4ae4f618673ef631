// A peer that moves, and a copier that would like to be taken for it, at a real connection.
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import { DATAGRAM_SIZE_MAX, type Frame } from "../../../protocol/wire/frame.ts";
import { REQUEST_SIZE } from "../../../protocol/session/handshake.ts";
import { AMPLIFICATION_MAX, PATH_PATIENCE, RESPONSES_MAX } from "../../../protocol/session/path.ts";
import { RTO_INITIAL } from "../../../protocol/recovery/rtt.ts";
import {
  ack,
  AgreedPair,
  heardAck,
  kindsTo,
  message,
  PEER,
  type Sent,
} from "../../support/connection_harness.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";

/** Where the peer moves to. */
const NEW: Address = { hostname: "198.51.100.7", port: 7 };
/** Somebody who sees datagrams on their way, and sends copies from an address of their own. */
const COPIER: Address = { hostname: "203.0.113.66", port: 666 };
/** How long the old address has to answer before there is a sample of the round-trip time. */
const PATIENCE = RTO_INITIAL;

const random = new Prng(1).bytes;

/** A connection that is at rest, at the address where it began. */
function atRest(): AgreedPair {
  const pair = new AgreedPair(random);
  pair.sent();
  return pair;
}

/** Where a text goes now. */
function addressOf(pair: AgreedPair): Address | undefined {
  pair.connection.send("where?");
  return pair.sent()[0]?.to;
}

/** The answer to the challenge that went to this address. */
function responseOf(sent: readonly Sent[], { hostname, port }: Address): Frame {
  const challenge = sent.filter(({ to }) => to.hostname === hostname && to.port === port)
    .flatMap(({ frames }) => frames).find(({ kind }) => kind === "pathChallenge");
  assert(challenge?.kind === "pathChallenge");
  return { kind: "pathResponse", nonce: challenge.nonce };
}

function sizeOf(sent: readonly Sent[]): number {
  return sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

Deno.test("a peer that moved is challenged, answers, and is followed when the old address is silent", () => {
  const pair = atRest();
  const sent = pair.hear(pair.say(message(0)), NEW);
  assertEquals(kindsTo(sent, NEW), ["pathChallenge"]);
  assertEquals(kindsTo(sent, PEER), ["pathChallenge", "ack"]);
  pair.hear(pair.say(responseOf(sent, NEW)), NEW);
  assertEquals(addressOf(pair), PEER);
  pair.wait(PATIENCE - 1);
  assertEquals(addressOf(pair), PEER);
  pair.wait(1);
  assertEquals(addressOf(pair), NEW);
});

Deno.test("a peer that answers late is followed, when the old address had another chance", () => {
  const pair = atRest();
  const sent = pair.hear(pair.say(message(0)), NEW);
  pair.wait(3 * PATIENCE);
  pair.hear(pair.say(responseOf(sent, NEW)), NEW);
  assertEquals(addressOf(pair), PEER);
  pair.wait(PATH_PATIENCE);
  assertEquals(addressOf(pair), NEW);
});

Deno.test("the old address has three round trips to answer, once they are measured, and 300 ms at least", () => {
  for (const [rtt, patience] of [[10, PATH_PATIENCE], [500, 1500]] as const) {
    const pair = atRest();
    pair.connection.send("to measure");
    pair.sent();
    pair.now += rtt;
    pair.hear(pair.say(heardAck(1, 1)));
    const sent = pair.hear(pair.say(message(0)), NEW);
    pair.hear(pair.say(responseOf(sent, NEW)), NEW);
    pair.wait(patience - 1);
    assertEquals(addressOf(pair), PEER);
    pair.wait(1);
    assertEquals(addressOf(pair), NEW);
  }
});

Deno.test("a peer may move on and on, and back again", () => {
  const pair = atRest();
  for (const to of [NEW, COPIER, PEER, NEW, PEER]) {
    const sent = pair.hear(pair.say({ kind: "connectionKeepalive" }), to);
    pair.hear(pair.say(responseOf(sent, to)), to);
    pair.wait(PATIENCE);
    assertEquals(addressOf(pair), to);
  }
});

Deno.test("a challenge that is lost is made good by the next datagram from there", () => {
  const pair = atRest();
  pair.hear(pair.say(message(0)), NEW);
  const sent = pair.hear(pair.say(message(1)), NEW);
  pair.hear(pair.say(responseOf(sent, NEW)), NEW);
  pair.wait(PATIENCE);
  assertEquals(addressOf(pair), NEW);
});

Deno.test("an older datagram from another address moves nothing, and is not challenged", () => {
  const pair = atRest();
  const late = pair.say(message(0));
  pair.hear(pair.say(message(1)));
  const sent = pair.hear(late, NEW);
  assertEquals(sent.map(({ to }) => to), [PEER]);
});

Deno.test("a forged or an old datagram from another address is no sign of a move", () => {
  const pair = atRest();
  const old = pair.say(message(0));
  pair.hear(old);
  pair.hear(pair.say(message(1)));
  assertEquals(pair.hear(old, COPIER), []);
  for (const at of [12, 15, 20, 40]) {
    const forged = pair.say(message(2));
    forged[at]! ^= 1;
    assertEquals(pair.hear(forged, COPIER), []);
  }
  assertEquals(addressOf(pair), PEER);
});

Deno.test("an altered copy of the newest datagram is no sign of a move, be its tag the true one", () => {
  const pair = atRest();
  const newest = pair.say(message(0));
  pair.hear(newest);
  for (const at of [16, 20, newest.length - 1]) {
    const altered = newest.slice();
    altered[at]! ^= 1;
    assertEquals(pair.hear(altered, COPIER), []);
  }
  assertEquals(kindsTo(pair.hear(newest, COPIER), COPIER), ["pathChallenge"]);
});

Deno.test("a copier whose copies come first steals nothing and stalls nothing", () => {
  const pair = atRest();
  for (let seq = 0; seq < 200; seq++) {
    const genuine = pair.say(message(seq));
    const all = [...pair.hear(genuine, COPIER), ...pair.hear(genuine)];
    assert(kindsTo(all, PEER).includes("ack"));
    assertEquals(kindsTo(all, COPIER).filter((kind) => kind !== "pathChallenge"), []);
    assertEquals(addressOf(pair), PEER);
    pair.hear(pair.say(ack(seq + 1)), COPIER);
    for (const { to } of pair.wait(50)) assertEquals(to, PEER);
  }
  assertEquals(pair.told().filter(({ kind }) => kind === "message").length, 200);
});

Deno.test("a copier that has its challenge answered, too, steals nothing while the old address lives", () => {
  const pair = atRest();
  const copy = pair.hear(pair.say(message(0)), COPIER);
  // It passes the challenge on to the peer, and the answer back.
  pair.hear(pair.say(responseOf(copy, COPIER)), COPIER);
  // The challenge to the old address brings an answer from there, in time.
  pair.wait(PATIENCE - 1);
  pair.hear(pair.say(responseOf(copy, PEER)));
  pair.wait(30_000);
  pair.hear(pair.say(message(1)));
  assertEquals(addressOf(pair), PEER);
});

Deno.test("an old address that answers keeps the connection, by whatever way its answer comes", () => {
  for (const way of [PEER, NEW, COPIER]) {
    const pair = atRest();
    const sent = pair.hear(pair.say(message(0)), NEW);
    pair.hear(pair.say(responseOf(sent, NEW)), NEW);
    pair.hear(pair.say(responseOf(sent, PEER)), way);
    pair.wait(10 * PATIENCE);
    assertEquals(addressOf(pair), PEER);
  }
});

Deno.test("a response to another challenge, or to none, moves nothing", () => {
  const pair = atRest();
  const sent = pair.hear(pair.say(message(0)), NEW);
  for (const nonce of [0n, 1n, 2n ** 64n - 1n]) {
    pair.hear(pair.say({ kind: "pathResponse", nonce }), NEW);
  }
  const other = atRest();
  other.hear(other.say(responseOf(sent, NEW)), NEW);
  for (const each of [pair, other]) {
    each.wait(10 * PATIENCE);
    assertEquals(addressOf(each), PEER);
  }
});

Deno.test("several addresses are looked at together: the one that answers is taken", () => {
  const pair = atRest();
  pair.hear(pair.say(message(0)), COPIER);
  const sent = pair.hear(pair.say(message(1)), NEW);
  pair.hear(pair.say(responseOf(sent, NEW)), NEW);
  pair.wait(PATIENCE);
  assertEquals(addressOf(pair), NEW);
});

Deno.test("no more than three times its bytes go to an unproven address, whatever comes from it", () => {
  withSeed(seedFromEnv(), (prng) => {
    const pair = atRest();
    let [received, sent] = [0, 0];
    const kinds: Frame[][] = [
      [],
      [{ kind: "connectionKeepalive" }],
      [message(0)],
      ...[1, 2, 3, 4, 5, 80].map((count) =>
        Array.from({ length: count }, (): Frame => ({ kind: "pathChallenge", nonce: prng.u64() }))
      ),
    ];
    for (let run = 0; run < 2000; run++) {
      const datagram = pair.say(...prng.pick(kinds));
      // It comes late, now and then.
      if (prng.chance(0.3)) pair.hear(pair.say(message(run)), prng.pick([PEER, NEW]));
      pair.connection.send("a text for the peer");
      received += datagram.length;
      const all = [...pair.hear(datagram, COPIER), ...pair.wait(prng.int(100))];
      sent += sizeOf(all.filter(({ to }) => to.hostname === COPIER.hostname));
      assertLessOrEqual(sent, AMPLIFICATION_MAX * received);
    }
    assert(sent > 0);
  });
});

Deno.test("a challenge is answered to where it came from, and to where the peer was", () => {
  const pair = atRest();
  const challenge = (nonce: bigint): Frame => ({ kind: "pathChallenge", nonce });
  const [answer, ...more] = pair.hear(pair.say(challenge(5n)));
  assertEquals([answer?.to, more], [PEER, []]);
  assertEquals(answer?.frames, [{ kind: "pathResponse", nonce: 5n }]);
  const elsewhere = pair.hear(pair.say(challenge(6n)), NEW);
  assertEquals(kindsTo(elsewhere, NEW), ["pathResponse"]);
  assertEquals(kindsTo(elsewhere, PEER), ["pathResponse"]);
  const many = pair.say(...Array.from({ length: 80 }, (_, index) => challenge(BigInt(index))));
  assertLess(many.length, DATAGRAM_SIZE_MAX);
  assertLessOrEqual(pair.hear(many).length, RESPONSES_MAX);
});

Deno.test("a requester talks to where it sent its Request; an Accept from elsewhere is a move", () => {
  const pair = atRest();
  const { messageTwo } = pair.peer;
  assert(messageTwo !== undefined);
  const sent = pair.hear(pair.sayEarly({ kind: "connectionAccept", messageTwo }), NEW);
  assertEquals(kindsTo(sent, PEER), ["pathChallenge", "ack"]);
  assertEquals(kindsTo(sent, NEW), ["pathChallenge"]);
  pair.hear(pair.say(responseOf(sent, NEW)), NEW);
  pair.wait(PATIENCE);
  assertEquals(addressOf(pair), NEW);
});

Deno.test("a responder sends three Accepts for a Request, and no text before one is confirmed", () => {
  const pair = new AgreedPair(random, "responder");
  pair.connection.send("not yet");
  const sent = [...pair.sent(), ...pair.wait(59_000)];
  assertEquals(kindsTo(sent, PEER), Array(3).fill("connectionAccept"));
  assertLessOrEqual(sizeOf(sent), AMPLIFICATION_MAX * REQUEST_SIZE);
  assertEquals(kindsTo(pair.hear(pair.say(ack(0))), PEER), ["message"]);
});

Deno.test("a responder sends the Accept to where the Request comes from again, and stays where it is confirmed", () => {
  // Either the first copy of the Request was a copier's, or the last.
  for (const from of [PEER, NEW]) {
    const pair = new AgreedPair(random, "responder");
    assertEquals(kindsTo(pair.sent(), PEER), ["connectionAccept"]);
    pair.connection.repeatAccept(NEW);
    assertEquals(kindsTo(pair.sent(), NEW), ["connectionAccept"]);
    assertEquals(pair.hear(pair.say(ack(0)), from), []);
    assertEquals(addressOf(pair), from);
    pair.connection.repeatAccept(COPIER);
    assertEquals(kindsTo(pair.sent(), COPIER), []);
  }
});

Deno.test("a confirmation from where no Accept went is a move, and needs proof", () => {
  const pair = new AgreedPair(random, "responder");
  pair.sent();
  const confirmed = pair.hear(pair.say(ack(0)), NEW);
  assertEquals(addressOf(pair), PEER);
  pair.hear(pair.say(responseOf(confirmed, NEW)), NEW);
  pair.wait(PATIENCE);
  assertEquals(addressOf(pair), NEW);
});
