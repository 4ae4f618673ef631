// A peer that changes its address, and an attacker that copies its datagrams.
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import { DATAGRAM_SIZE_MAX, type Frame } from "../../../protocol/wire/frame.ts";
import { AMPLIFICATION_MAX } from "../../../protocol/session/candidate.ts";
import {
  CHALLENGE_INTERVAL,
  PATH_FRAMES_MAX,
  PATH_PATIENCE,
  RETURN_LIMIT,
} from "../../../protocol/session/path.ts";
import { RTO_INITIAL } from "../../../protocol/recovery/rtt.ts";
import {
  ack,
  ConnectionHarness,
  kindsTo,
  message,
  packetAck,
  PEER,
  type Sent,
} from "../../support/connection_harness.ts";
import { seedFromEnv, withSeed } from "../../support/random.ts";
import { IS_FULL } from "../../support/scale.ts";

/** Where the peer moves to. */
const NEW: Address = { hostname: "198.51.100.7", port: 7 };
/** An attacker that sees datagrams on the path, and sends copies from its own address. */
const COPIER: Address = { hostname: "203.0.113.66", port: 666 };
/** The time for the old address to answer, before the first RTT sample. */
const PATIENCE = RTO_INITIAL;

/** An idle connection at its first address. */
function atRest(): ConnectionHarness {
  const harness = new ConnectionHarness();
  harness.sent();
  return harness;
}

/** The address that a text goes to. */
function addressOf(harness: ConnectionHarness): Address | undefined {
  harness.connection.send("where?");
  return harness.sent()[0]?.to;
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
  const harness = atRest();
  const sent = harness.receive(harness.seal(message(0)), NEW);
  assertEquals(kindsTo(sent, NEW), ["pathChallenge"]);
  assertEquals(kindsTo(sent, PEER), ["pathChallenge", "ack"]);
  harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
  assertEquals(addressOf(harness), PEER);
  harness.advance(PATIENCE - 1);
  assertEquals(addressOf(harness), PEER);
  harness.advance(1);
  assertEquals(addressOf(harness), NEW);
});

Deno.test("a peer that answers late is followed, after the old address had another chance", () => {
  const harness = atRest();
  const sent = harness.receive(harness.seal(message(0)), NEW);
  harness.advance(3 * PATIENCE);
  harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
  assertEquals(addressOf(harness), PEER);
  harness.advance(PATH_PATIENCE);
  assertEquals(addressOf(harness), NEW);
});

Deno.test("the old address has three round trips to answer, once they are measured, and 300 ms at least", () => {
  for (const [rtt, patience] of [[10, PATH_PATIENCE], [500, 1500]] as const) {
    const harness = atRest();
    harness.connection.send("to measure");
    harness.sent();
    harness.now += rtt;
    harness.receive(harness.seal(packetAck(1, 1)));
    const sent = harness.receive(harness.seal(message(0)), NEW);
    harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
    harness.advance(patience - 1);
    assertEquals(addressOf(harness), PEER);
    harness.advance(1);
    assertEquals(addressOf(harness), NEW);
  }
});

Deno.test("a peer may move on and on, and back again", () => {
  const harness = atRest();
  for (const to of [NEW, COPIER, PEER, NEW, PEER]) {
    const sent = harness.receive(harness.seal({ kind: "connectionKeepalive" }), to);
    if (kindsTo(sent, to).includes("pathChallenge")) {
      harness.receive(harness.seal(responseOf(sent, to)), to);
    }
    harness.advance(PATIENCE);
    assertEquals(addressOf(harness), to);
  }
});

Deno.test("a peer that speaks from where it was before is there at once, for 60 s", () => {
  for (const [wait, isAtOnce] of [[RETURN_LIMIT, true], [RETURN_LIMIT + 1, false]] as const) {
    const harness = atRest();
    const sent = harness.receive(harness.seal(message(0)), NEW);
    harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
    harness.advance(PATIENCE);
    assertEquals(addressOf(harness), NEW);
    // Its timeouts are not due: only the time of the move counts.
    harness.now += wait;
    const back = harness.receive(harness.seal(message(1)), PEER);
    assertEquals(kindsTo(back, PEER).includes("pathChallenge"), !isAtOnce);
    assertEquals(addressOf(harness), isAtOnce ? PEER : NEW);
  }
});

Deno.test("an older packet from where the peer was before is no return", () => {
  const harness = atRest();
  const late = harness.seal(message(0));
  const sent = harness.receive(harness.seal(message(1)), NEW);
  harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
  harness.advance(PATIENCE);
  harness.receive(late, PEER);
  assertEquals(addressOf(harness), NEW);
});

Deno.test("a lost challenge is followed by another after 1 s, and after each packet from the address", () => {
  for (const way of ["timer", "packet"]) {
    const harness = atRest();
    harness.receive(harness.seal(message(0, "x".repeat(100))), NEW);
    const sent = way === "packet"
      ? harness.receive(harness.seal(message(1)), NEW)
      : harness.advance(CHALLENGE_INTERVAL);
    assertEquals(kindsTo(sent, NEW), ["pathChallenge"]);
    assert(kindsTo(sent, PEER).includes("pathChallenge"));
    harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
    harness.advance(PATIENCE);
    assertEquals(addressOf(harness), NEW);
  }
});

Deno.test("an older datagram from another address moves nothing, and is not challenged", () => {
  const harness = atRest();
  const late = harness.seal(message(0));
  harness.receive(harness.seal(message(1)));
  const sent = harness.receive(late, NEW);
  assertEquals(sent.map(({ to }) => to), [PEER]);
});

Deno.test("a forged or an old datagram from another address is not taken for a move", () => {
  const harness = atRest();
  const old = harness.seal(message(0));
  harness.receive(old);
  harness.receive(harness.seal(message(1)));
  assertEquals(harness.receive(old, COPIER), []);
  const forged = harness.seal(message(2));
  for (const at of [12, 15, 20, 40]) {
    assertEquals(harness.receive(forged.with(at, forged[at]! ^ 1), COPIER), []);
  }
  assertEquals(addressOf(harness), PEER);
});

Deno.test("an altered copy of the newest datagram is not taken for a move, even with its tag", () => {
  const harness = atRest();
  const newest = harness.seal(message(0));
  harness.receive(newest);
  for (const at of [16, 20, newest.length - 1]) {
    const altered = newest.slice();
    altered[at]! ^= 1;
    assertEquals(harness.receive(altered, COPIER), []);
  }
  assertEquals(kindsTo(harness.receive(newest, COPIER), COPIER), ["pathChallenge"]);
});

Deno.test("a copier whose copies come first can neither take over nor stall the connection", () => {
  const harness = atRest();
  for (let seq = 0; seq < 200; seq++) {
    const genuine = harness.seal(message(seq));
    const all = [...harness.receive(genuine, COPIER), ...harness.receive(genuine)];
    assert(kindsTo(all, PEER).includes("ack"));
    assertEquals(kindsTo(all, COPIER).filter((kind) => kind !== "pathChallenge"), []);
    assertEquals(addressOf(harness), PEER);
    harness.receive(harness.seal(ack(seq + 1)), COPIER);
    for (const { to } of harness.advance(50)) assertEquals(to, PEER);
  }
  assertEquals(harness.events().filter(({ kind }) => kind === "message").length, 200);
});

Deno.test("a copier that gets its challenge answered takes nothing over while the old address answers", () => {
  const harness = atRest();
  const copy = harness.receive(harness.seal(message(0)), COPIER);
  // It relays the challenge to the peer, and the answer back.
  harness.receive(harness.seal(responseOf(copy, COPIER)), COPIER);
  // The challenge to the old address brings an answer from there, in time.
  harness.advance(PATIENCE - 1);
  harness.receive(harness.seal(responseOf(copy, PEER)));
  harness.advance(30_000);
  harness.receive(harness.seal(message(1)));
  assertEquals(addressOf(harness), PEER);
});

Deno.test("an old address that answers keeps the connection, from whichever address its answer comes", () => {
  for (const way of [PEER, NEW, COPIER]) {
    const harness = atRest();
    const sent = harness.receive(harness.seal(message(0)), NEW);
    harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
    harness.receive(harness.seal(responseOf(sent, PEER)), way);
    harness.advance(10 * PATIENCE);
    assertEquals(addressOf(harness), PEER);
  }
});

Deno.test("a response to another challenge, or to none, moves nothing", () => {
  const harness = atRest();
  const sent = harness.receive(harness.seal(message(0)), NEW);
  for (const nonce of [0n, 1n, 2n ** 64n - 1n]) {
    harness.receive(harness.seal({ kind: "pathResponse", nonce }), NEW);
  }
  const other = atRest();
  other.receive(other.seal(responseOf(sent, NEW)), NEW);
  for (const each of [harness, other]) {
    each.advance(10 * PATIENCE);
    assertEquals(addressOf(each), PEER);
  }
});

Deno.test("several addresses are challenged together: the one that answers is used", () => {
  const harness = atRest();
  harness.receive(harness.seal(message(0)), COPIER);
  const sent = harness.receive(harness.seal(message(1)), NEW);
  harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
  harness.advance(PATIENCE);
  assertEquals(addressOf(harness), NEW);
});

Deno.test("no more than three times its bytes go to an unvalidated address, whatever comes from it", () => {
  withSeed(seedFromEnv(), (prng) => {
    const harness = atRest();
    let [received, sent] = [0, 0];
    const kinds: Frame[][] = [
      [],
      [{ kind: "connectionKeepalive" }],
      [message(0)],
      ...[1, 2, 3, 4, 5, 80].map((count) =>
        Array.from({ length: count }, (): Frame => ({ kind: "pathChallenge", nonce: prng.u64() }))
      ),
    ];
    for (let run = 0; run < (IS_FULL ? 2000 : 500); run++) {
      const datagram = harness.seal(...prng.pick(kinds));
      // At times it is late.
      if (prng.chance(0.3)) harness.receive(harness.seal(message(run)), prng.pick([PEER, NEW]));
      harness.connection.send("a text for the peer");
      received += datagram.length;
      const all = [...harness.receive(datagram, COPIER), ...harness.advance(prng.int(100))];
      sent += sizeOf(all.filter(({ to }) => to.hostname === COPIER.hostname));
      assertLessOrEqual(sent, AMPLIFICATION_MAX * received);
    }
    assert(sent > 0);
  });
});

Deno.test("a challenge is answered to its source, and to the peer's address", () => {
  const harness = atRest();
  const challenge = (nonce: bigint): Frame => ({ kind: "pathChallenge", nonce });
  const [answer, ...more] = harness.receive(harness.seal(challenge(5n)));
  assertEquals([answer?.to, more], [PEER, []]);
  assertEquals(answer?.frames, [{ kind: "pathResponse", nonce: 5n }]);
  const elsewhere = harness.receive(harness.seal(challenge(6n)), NEW);
  assertEquals(kindsTo(elsewhere, NEW), ["pathResponse"]);
  assertEquals(kindsTo(elsewhere, PEER), ["pathResponse"]);
  const many = harness.seal(...Array.from({ length: 80 }, (_, index) => challenge(BigInt(index))));
  assertLess(many.length, DATAGRAM_SIZE_MAX);
  assertLessOrEqual(harness.receive(many).length, PATH_FRAMES_MAX);
});

Deno.test("a requester sends to where its Initiation went; an answer from elsewhere is a move", () => {
  const harness = atRest();
  const accept: Frame = { kind: "connectionAccept", responder: 2, flags: 0, name: "" };
  const sent = harness.receive(harness.seal(accept), NEW);
  assertEquals(kindsTo(sent, PEER), ["pathChallenge", "ack"]);
  assertEquals(kindsTo(sent, NEW), ["pathChallenge"]);
  harness.receive(harness.seal(responseOf(sent, NEW)), NEW);
  harness.advance(PATIENCE);
  assertEquals(addressOf(harness), NEW);
});

Deno.test("a responder sends only Accepts before one is confirmed, from the address of the Request on", () => {
  const harness = new ConnectionHarness("responder");
  harness.connection.send("not yet");
  const sent = [...harness.sent(), ...harness.advance(59_000)];
  assertEquals(new Set(kindsTo(sent, PEER)), new Set(["connectionAccept"]));
  assertEquals(kindsTo(sent, NEW), []);
  assertEquals(kindsTo(harness.receive(harness.seal(ack(0))), PEER), ["message"]);
});

Deno.test("a confirmation from elsewhere is a move, and is challenged", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  const confirmed = harness.receive(harness.seal(ack(0)), NEW);
  assertEquals(addressOf(harness), PEER);
  harness.receive(harness.seal(responseOf(confirmed, NEW)), NEW);
  harness.advance(PATIENCE);
  assertEquals(addressOf(harness), NEW);
});
