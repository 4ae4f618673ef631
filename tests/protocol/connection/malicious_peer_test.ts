// A peer that made a valid handshake, and then sends hostile frames. The connection neither throws
// nor grows, answers within bounds, and works afterwards. Hostile seqs are in malicious_acks_test.ts.
import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { FLUSH_TIMEOUT, LINGER } from "../../../protocol/connection/ending.ts";
import { encodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  HEADER_SIZE,
} from "../../../protocol/wire/frame.ts";
import { PATH_FRAMES_MAX } from "../../../protocol/session/path.ts";
import { WINDOW } from "../../../protocol/connection/send_queue.ts";
import {
  ack,
  ConnectionHarness,
  IDS,
  message,
  SESSION_ID,
  termination,
} from "../../support/connection_harness.ts";
import { mutate } from "../../fuzz/mutate.ts";
import { seedFromEnv, withSeed } from "../../support/random.ts";
import { formatCount, scaled } from "../../support/scale.ts";

const EXTREMES = [0, 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
const KEEPALIVE: Frame = { kind: "connectionKeepalive" };

/** An idle connection. */
function atRest(): ConnectionHarness {
  const harness = new ConnectionHarness();
  harness.sent();
  return harness;
}

Deno.test("64-bit and 32-bit extremes in every field are survived", () => {
  const harness = atRest();
  harness.connection.send("in flight");
  harness.sent();
  for (const a of EXTREMES) {
    for (const b of EXTREMES) {
      const frames: Frame[] = [
        ack(a, [b, a], [a, b]),
        message(Math.max(a, WINDOW), "", b & 0xff),
        message(b, "", 0, a === IDS.remote ? 0 : a),
        { kind: "connectionTerminationAck", sender: a, finalSeq: b },
        { kind: "pathChallenge", nonce: 2n ** 64n - 1n },
        { kind: "pathResponse", nonce: 2n ** 63n },
      ];
      harness.receiveBounded(harness.seal(...frames), 3);
    }
  }
  assertEquals(harness.connection.state, "open");
});

Deno.test("packet counters at the limits are rejected, and leave the window as it was", () => {
  const harness = atRest();
  const good = harness.seal(message(0));
  for (const packet of [2 ** 21, 2 ** 32, 2 ** 52, Number.MAX_SAFE_INTEGER]) {
    const header = { type: DatagramType.Packet, session: SESSION_ID, packet };
    const forged = new Uint8Array(100);
    forged.set(encodeDatagram(header, []));
    forged.set(good.subarray(HEADER_SIZE), HEADER_SIZE);
    harness.receiveBounded(forged, 0);
  }
  assertEquals(harness.receiveBounded(good, 1).length, 1);
  harness.assertAlive(1);
});

Deno.test("a flood of keepalives brings one Ack for each packet", () => {
  const harness = atRest();
  for (let left = 2000; left > 0; left--) harness.receiveBounded(harness.seal(KEEPALIVE), 1);
  assertEquals(
    harness.receiveBounded(harness.seal(...Array<Frame>(300).fill(KEEPALIVE)), 1).length,
    1,
  );
  harness.assertAlive();
});

Deno.test("a Termination ends the connection once; repeats are acknowledged, and only for 30 s", () => {
  const harness = atRest();
  const first = harness.seal(termination());
  assertEquals(harness.receiveBounded(first, 1)[0]?.frames[0]?.kind, "connectionTerminationAck");
  assertEquals(harness.events(), [{ kind: "terminated", by: "peer", undelivered: 0 }]);
  // The same packet again is ignored; the same frame in a new one is acknowledged.
  for (let left = 1000; left > 0; left--) harness.receiveBounded(first, 0);
  for (let left = 100; left > 0; left--) harness.receiveBounded(harness.seal(termination(left)), 1);
  harness.receiveBounded(harness.seal(...Array.from({ length: 60 }, () => termination())), 1);
  harness.advance(LINGER - 1);
  harness.receiveBounded(harness.seal(termination(), message(0)), 1);
  harness.advance(1);
  assertEquals(harness.connection.state, "gone");
  harness.receiveBounded(harness.seal(termination()), 0);
  assertEquals([harness.events(), harness.advance(120_000)], [[], []]);
});

Deno.test("an unexpected Termination Ack, or one with a final seq never reached, ends nothing early", () => {
  const harness = atRest();
  const finalAck: Frame = {
    kind: "connectionTerminationAck",
    sender: IDS.remote,
    finalSeq: 2 ** 32 - 1,
  };
  harness.receiveBounded(harness.seal(finalAck), 0);
  harness.assertAlive();
  harness.connection.terminate(harness.now);
  harness.sent();
  harness.receiveBounded(harness.seal(finalAck), 1);
  assertEquals(harness.connection.state, "terminating");
  harness.advance(FLUSH_TIMEOUT);
  assertEquals(harness.events().at(-1), { kind: "terminated", by: "local", undelivered: 0 });
});

Deno.test("a flood of path challenges gets one smaller answer for each packet", () => {
  const harness = atRest();
  const challenges = Array.from({ length: 100 }, (_, index): Frame => ({
    kind: "pathChallenge",
    nonce: BigInt(index),
  }));
  for (let left = 200; left > 0; left--) {
    const datagram = harness.seal(...challenges);
    const [answer] = harness.receiveBounded(datagram, 1);
    assertEquals(answer?.frames.length, PATH_FRAMES_MAX);
    assertLess(answer!.bytes.length, datagram.length / 2);
  }
  harness.assertAlive();
});

Deno.test("packets from a thousand addresses are challenged two by two, and none is remembered", () => {
  const harness = atRest();
  for (let port = 1; port <= 1000; port++) {
    const from = { hostname: "198.51.100.1", port };
    assertLessOrEqual(harness.receive(harness.seal(KEEPALIVE), from).length, 3);
  }
  harness.assertAlive();
});

Deno.test("Messages under another sender's id are not shown, and not acknowledged", () => {
  const harness = atRest();
  for (const sender of [0, IDS.local, IDS.remote + 1, 2 ** 32 - 1]) {
    harness.receiveBounded(harness.seal(message(0, "not me", 0, sender)), 0);
  }
  assertEquals(harness.events(), []);
  harness.assertAlive();
});

Deno.test("frames that are unknown, or have no place in a connection, are skipped", () => {
  const harness = atRest();
  const zeros = new Uint8Array(16);
  const misplaced: Frame[] = [
    { kind: "initiation", messageOne: new Uint8Array(100) },
    { kind: "macs", mac1: zeros, mac2: zeros },
    { kind: "response", messageTwo: new Uint8Array(52) },
    { kind: "cookieReply", nonce: new Uint8Array(24), cookie: new Uint8Array(32) },
    { kind: "connectionRequest", request: 5, requester: 2, responder: 1, name: "" },
    { kind: "ringing", responder: IDS.remote },
    { kind: "connectionReject", responder: IDS.remote + 1, reason: 1 },
    { kind: "leave" },
    { kind: "padding", size: 40 },
  ];
  harness.receiveBounded(harness.seal(...misplaced), 0);
  for (let type = 0; type < 256; type++) {
    harness.receiveBounded(harness.sealBytes(Uint8Array.of(type, 0, 0)), 1);
  }
  harness.receiveBounded(harness.sealBytes(new Uint8Array()), 0);
  assertEquals([harness.connection.state, harness.events()], ["open", []]);
  harness.assertAlive();
});

Deno.test("a packet with a bad frame is dropped whole, and its packet counter is used up", () => {
  const harness = atRest();
  // A Message, and then a frame that is cut short.
  const { session } = harness.peer;
  const writer = session.start();
  writer.add(message(0));
  writer.append(Uint8Array.of(0x35, 0, 9), 0, 3);
  const bad = session.seal().slice();
  assertEquals(harness.handle(bad), false);
  assertEquals([harness.sent(), harness.events()], [[], []]);
  assertEquals(harness.connection.session.receivedFrom(0), 1);
  harness.assertAlive();
});

const CHANGED = scaled(100_000, 2_000);

Deno.test(`${formatCount(CHANGED)} changed packets: no throw, 70 answers to one at most, and nothing grows`, () => {
  withSeed(seedFromEnv(), (prng) => {
    let harness = atRest();
    const before = Deno.memoryUsage().heapUsed;
    for (let left = CHANGED; left > 0; left--) {
      if (harness.connection.state !== "open" || left % 5000 === 0) harness = atRest();
      if (prng.chance(0.05)) harness.connection.send("x".repeat(prng.int(3000)));
      const seq = prng.int(40);
      const frames: Frame[] = [
        message(seq, "x".repeat(prng.int(30)), prng.int(2)),
        ack(seq, [seq + 1, seq + 1 + prng.int(3)]),
        { kind: "pathChallenge", nonce: prng.u64() },
        KEEPALIVE,
        { kind: "connectionTerminationAck", sender: IDS.remote, finalSeq: prng.u32() },
      ];
      const good = encodeDatagram(
        { type: DatagramType.Cookie, session: 0, packet: 0 },
        Array.from({ length: 1 + prng.int(4) }, () => prng.pick(frames)),
      );
      const bad = mutate(prng, good, HEADER_SIZE).subarray(HEADER_SIZE);
      harness.receiveBounded(
        harness.sealBytes(bad.subarray(0, DATAGRAM_SIZE_MAX - HEADER_SIZE - 16)),
        70,
      );
      harness.events();
      if (prng.chance(0.01)) harness.advance(prng.int(3000));
    }
    assertLess(Deno.memoryUsage().heapUsed - before, 128 * 1024 * 1024);
  });
});
