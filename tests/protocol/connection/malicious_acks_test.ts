// A peer that made a valid handshake, and then sends false acks and seqs. The connection neither
// throws nor grows, answers within bounds, and works afterwards.
import { assert, assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";
import { FLUSH_TIMEOUT } from "../../../protocol/connection/ending.ts";
import { MessageRing, QUEUE_SIZE_MAX } from "../../../protocol/connection/message_ring.ts";
import { CONNECTION_TIMEOUT } from "../../../protocol/connection/silence.ts";
import { DATAGRAM_SIZE_MAX, FLAG_MORE, FRAGMENT_SIZE_MAX } from "../../../protocol/wire/frame.ts";
import { TEXT_SIZE_MAX, WINDOW } from "../../../protocol/connection/send_queue.ts";
import {
  ack,
  ConnectionHarness,
  message,
  packetAck,
  type Sent,
  termination,
} from "../../support/connection_harness.ts";
import { IS_FULL } from "../../support/scale.ts";

const EXTREMES = [2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];

/** An idle connection. */
function atRest(): ConnectionHarness {
  const harness = new ConnectionHarness();
  harness.sent();
  return harness;
}

Deno.test("acks for what was never sent acknowledge nothing", () => {
  const harness = atRest();
  for (const next of [1, 2, 1000, ...EXTREMES]) {
    harness.receiveBounded(harness.seal(ack(next)), 0);
    harness.receiveBounded(harness.seal(ack(0, [next, next])), 0);
    harness.receiveBounded(harness.seal(ack(0, [0, 2 ** 32 - 1])), 0);
    harness.receiveBounded(harness.seal(packetAck(next, 0)), 0);
  }
  harness.connection.send("one");
  harness.sent();
  harness.receiveBounded(harness.seal(ack(2)), 0);
  harness.receiveBounded(harness.seal(ack(0, [0, 1])), 0);
  assertEquals(harness.connection.undelivered, 1);
  harness.receiveBounded(harness.seal(ack(1)), 0);
  assertEquals(harness.connection.undelivered, 0);
  harness.assertAlive();
});

Deno.test("acks whose ranges overlap, run backwards or contradict one another do no harm", () => {
  const harness = atRest();
  for (let count = 0; count < 50; count++) harness.connection.send(`${count}`);
  harness.sent();
  const ranges: [number, number][][] = [
    [[30, 10], [5, 2], [40, 41]],
    [[20, 30], [20, 30], [25, 28], [20, 49]],
    [[49, 49], [0, 3]],
    [[2 ** 32 - 1, 0], [10, 11]],
  ];
  for (const each of ranges) harness.receiveBounded(harness.seal(ack(5, ...each)), 10);
  harness.receiveBounded(harness.seal(ack(3), ack(50), ack(0), ack(7, [2, 4])), 10);
  assertEquals(harness.connection.undelivered, 0);
  harness.assertAlive();
});

Deno.test("an Ack with as many ranges as a datagram holds is taken, ten times over, and the next one too", () => {
  const harness = atRest();
  const length = 150;
  for (let count = 0; count < length; count++) harness.connection.send("x");
  harness.sent();
  const ranges = Array.from({ length: 143 }, (): [number, number] => [0, length - 1]);
  const datagram = harness.seal(ack(0, ...ranges));
  assertLessOrEqual(datagram.length, DATAGRAM_SIZE_MAX);
  harness.receiveBounded(datagram, 2);
  for (let left = 9; left > 0; left--) harness.receiveBounded(harness.seal(ack(0, ...ranges)), 2);
  harness.receiveBounded(harness.seal(ack(length)), 70);
  assertEquals(harness.connection.undelivered, 0);
});

Deno.test("no run of acks has a Message sent again more than once before its timeout", () => {
  const harness = atRest();
  const length = 130;
  for (let count = 0; count < length; count++) harness.connection.send("x".repeat(60));
  const first = harness.sent();
  let bytes = first.reduce((sum, each) => sum + each.bytes.length, 0);
  const once = bytes;
  // From the newest to the oldest, so that each one leaves a gap; the last datagram arrived.
  for (let seq = length - 1; seq > 0; seq--) {
    const sent = harness.receiveBounded(harness.seal(packetAck(first.length, 0, [seq, seq])), 120);
    bytes += sent.reduce((sum, each) => sum + each.bytes.length, 0);
  }
  assertLess(1.2 * once, bytes);
  assertLessOrEqual(bytes, 2.2 * once);
  harness.receiveBounded(harness.seal(ack(length)), 1);
  harness.assertAlive();
});

Deno.test("a peer that acknowledges nothing gets 64 KiB in flight at most, again every few seconds", () => {
  const harness = atRest();
  while (harness.connection.send("x".repeat(60_000)) !== undefined);
  const size = (sent: Sent[]) => sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assertLessOrEqual(size(harness.sent()), 1.1 * TIMER_POLICIES.fixed.inFlightSizeMax);
  // After 1 s, then 2, 4, 8 and 10 more: the silence ends it in the end.
  assertLessOrEqual(
    size(harness.advance(CONNECTION_TIMEOUT - 1)),
    10 * TIMER_POLICIES.fixed.inFlightSizeMax,
  );
  harness.advance(1);
  assertEquals(harness.connection.state, "closed");
});

Deno.test("seqs far ahead of the window are not kept, and no more than the window is", () => {
  const harness = atRest();
  for (const seq of [WINDOW, WINDOW + 1, 2 * WINDOW, ...EXTREMES]) {
    const [answer] = harness.receiveBounded(harness.seal(message(seq)), 1);
    const [frame] = answer?.frames ?? [];
    assert(frame?.kind === "ack" && frame.cumulativeSeq === 0 && frame.ranges.length === 0);
  }
  for (let seq = WINDOW - 1; seq > 0; seq -= 2) {
    const [answer] = harness.receiveBounded(
      harness.seal(message(seq, "x".repeat(FRAGMENT_SIZE_MAX / 2))),
      1,
    );
    const [frame] = answer?.frames ?? [];
    assert(frame?.kind === "ack" && frame.cumulativeSeq === 0);
    assertLessOrEqual(frame.ranges.length, 16);
  }
  for (let seq = 0; seq < WINDOW; seq += 2) harness.receiveBounded(harness.seal(message(seq)), 1);
  assertEquals(harness.events().filter(({ kind }) => kind === "message").length, WINDOW);
  harness.assertAlive(WINDOW);
});

Deno.test("fragments without an end are taken up to the longest text, and then end the connection", () => {
  const harness = atRest();
  const fragment = "x".repeat(FRAGMENT_SIZE_MAX);
  const longest = Math.floor(TEXT_SIZE_MAX / FRAGMENT_SIZE_MAX);
  for (let seq = 0; seq < 1000; seq++) {
    harness.now += 10;
    const [answer] = harness.receiveBounded(harness.seal(message(seq, fragment, FLAG_MORE)), 1);
    const [frame] = answer?.frames ?? [];
    assert(frame?.kind === "ack");
    assertLessOrEqual(frame.cumulativeSeq, longest);
    assertEquals(harness.connection.state, seq < longest ? "open" : "terminating");
  }
  assertEquals(harness.events(), []);
  harness.receiveBounded(harness.seal(termination(2000)), 1);
  harness.advance(FLUSH_TIMEOUT);
  assertEquals(harness.events(), [{ kind: "terminated", by: "timeout", undelivered: 0 }]);
});

Deno.test("empty fragments without an end take no room", () => {
  const harness = atRest();
  const many = 80;
  const count = IS_FULL ? 200_000 : 40_000;
  const before = Deno.memoryUsage().heapUsed;
  for (let seq = 0; seq < count; seq += many) {
    const frames = Array.from({ length: many }, (_, index) => message(seq + index, "", FLAG_MORE));
    harness.receiveBounded(harness.seal(...frames), 1);
  }
  assertLess(Deno.memoryUsage().heapUsed - before, 64 * 1024 * 1024);
  assertEquals(harness.events(), []);
  harness.assertAlive(count);
});

Deno.test("a flood of acks gets no answer", () => {
  const harness = atRest();
  for (let left = 10_000; left > 0; left--) harness.receiveBounded(harness.seal(ack(0)), 0);
  harness.receiveBounded(harness.seal(...Array.from({ length: 60 }, () => ack(0))), 0);
  harness.assertAlive();
});

Deno.test("a connection that has ended holds nothing of what was never acknowledged", () => {
  const rings = new Set<MessageRing>();
  const { pushText } = MessageRing.prototype;
  MessageRing.prototype.pushText = function (this: MessageRing, text: string): boolean {
    rings.add(this);
    return pushText.call(this, text);
  };
  try {
    const harness = atRest();
    let texts = 0;
    while (harness.connection.send("x".repeat(TEXT_SIZE_MAX)) !== undefined) texts++;
    const held = (): number => [...rings].reduce((sum, { store }) => sum + store.length, 0);
    assert(held() >= QUEUE_SIZE_MAX);
    harness.sent();
    harness.receive(harness.seal(termination()));
    harness.advance(FLUSH_TIMEOUT);
    const [terminated] = harness.events().filter(({ kind }) => kind === "terminated");
    assertEquals(terminated, { kind: "terminated", by: "peer", undelivered: texts });
    assertLess(held(), QUEUE_SIZE_MAX / 100);
    // An Ack that comes late says nothing of what is forgotten.
    harness.receive(harness.seal(ack(1)));
    assertEquals([harness.events(), harness.connection.undelivered], [[], texts]);
  } finally {
    MessageRing.prototype.pushText = pushText;
  }
});
