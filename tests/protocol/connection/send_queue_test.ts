import { assert, assertEquals } from "@std/assert";
import { TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";
import {
  fragmentEnd,
  QUEUE_LENGTH_MAX,
  QUEUE_SIZE_MAX,
} from "../../../protocol/connection/message_ring.ts";
import { FLAG_MORE, FRAGMENT_SIZE_MAX } from "../../../protocol/wire/frame.ts";
import {
  type Delivery,
  RECEIVE_WINDOW,
  TEXT_SIZE_MAX,
  UNCONFIRMED_AFTER,
  WINDOW,
} from "../../../protocol/connection/send_queue.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import {
  ack,
  makeQueue,
  packetAck,
  send,
  sendOne,
  seqs,
} from "../../support/send_queue_harness.ts";

/** Of each delivered text, its number and time. */
function delivered(deliveries: readonly Delivery[]): [number, number][] {
  return deliveries.map(({ textSeq: seq, rttMs }) => [seq, rttMs]);
}

/** The fragments that a text is cut into. */
function cut(text: string): string[] {
  const bytes = new TextEncoder().encode(text);
  const fragments: string[] = [];
  let start = 0;
  do {
    const end = fragmentEnd(bytes, start);
    fragments.push(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.slice(start, end)));
    start = end;
  } while (start < bytes.length);
  return fragments;
}

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

Deno.test("fragmentEnd() cuts between characters, into fragments as long as may be", () => {
  assertEquals(cut(""), [""]);
  const n = FRAGMENT_SIZE_MAX;
  assertEquals(cut("x".repeat(n)), ["x".repeat(n)]);
  assertEquals(cut("x".repeat(n + 1)), ["x".repeat(n), "x"]);
  assertEquals(cut("€".repeat(91)).map(sizeOf), [270, 3]);
  assertEquals(cut("x👋".repeat(55)).map(sizeOf), [271, 4]);
  assertEquals(cut(`${"x".repeat(n - 2)}👋`).map(sizeOf), [n - 2, 4]);
});

Deno.test("fragmentEnd() loses and adds nothing", () => {
  withSeed(seedFromEnv(), (prng: Prng) => {
    for (let round = 0; round < 200; round++) {
      const characters = Array.from({ length: prng.int(5000) }, () => prng.pick([..."aé€👋\n"]));
      const text = characters.join("");
      const fragments = cut(text);
      assertEquals(fragments.join(""), text);
      for (const fragment of fragments) {
        assert(sizeOf(fragment) <= FRAGMENT_SIZE_MAX);
        assert(fragment.isWellFormed());
      }
      for (const fragment of fragments.slice(0, -1)) {
        assert(sizeOf(fragment) > FRAGMENT_SIZE_MAX - 4);
      }
    }
  });
});

Deno.test("fragmentEnd() replaces half a surrogate pair", () => {
  assertEquals(cut("a\ud83db"), ["a\ufffdb"]);
});

Deno.test("SendQueue numbers Messages and texts from 0, and flags all fragments but the last", () => {
  const { queue } = makeQueue();
  assertEquals([
    queue.push("hi"),
    queue.push("x".repeat(2 * FRAGMENT_SIZE_MAX + 1)),
    queue.push(""),
  ], [0, 1, 2]);
  const sent = send(queue, 0);
  assertEquals(sent.map(({ seq, flags, sender }) => [seq, flags, sender]), [
    [0, 0, 1],
    [1, FLAG_MORE, 1],
    [2, FLAG_MORE, 1],
    [3, 0, 1],
    [4, 0, 1],
  ]);
  assertEquals(queue.finalSeq, 5);
});

Deno.test("SendQueue counts a text as sent when its last Message is, once", () => {
  const { queue } = makeQueue();
  queue.push("x".repeat(2 * FRAGMENT_SIZE_MAX + 1));
  const counts = [0, 1, 2].map((packet) => {
    sendOne(queue, 0, packet);
    return queue.textsSent;
  });
  assertEquals(counts, [0, 0, 1]);
  assertEquals(queue.handleTimeout(2000), []);
  assertEquals(send(queue, 2000, 3).length, 3);
  assertEquals(queue.textsSent, 1);
  assertEquals(queue.dueSize, 0);
});

Deno.test("SendQueue sends no more than the window, however short the texts", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < WINDOW + 10; index++) queue.push("");
  assertEquals(send(queue, 0).length, WINDOW);
  // What came after a gap opens no window.
  queue.handleAck(10, ack(0, [1, WINDOW - 1]));
  queue.handleAck(10, ack(3));
  assertEquals(seqs(send(queue, 10)), [WINDOW, WINDOW + 1, WINDOW + 2]);
});

Deno.test("SendQueue sends no more bytes than the receiver takes, wherever they are", () => {
  const { queue } = makeQueue();
  const count = Math.floor(RECEIVE_WINDOW / FRAGMENT_SIZE_MAX);
  for (let index = 0; index < count + 10; index++) queue.push("x".repeat(FRAGMENT_SIZE_MAX));
  assertEquals(send(queue, 0).length, count);
  // All of it came, and none of it is taken: it is not sent again, and nothing follows.
  queue.handleAck(10, ack(0, [0, count - 1]));
  assertEquals([queue.undelivered, send(queue, 10)], [count + 10, []]);
  assertEquals(queue.handleAck(20, ack(2, [2, count - 1])).length, 2);
  assertEquals(seqs(send(queue, 20)), [count, count + 1]);
});

Deno.test("SendQueue has no more than 64 KiB in flight with fixed timers", () => {
  const { queue } = makeQueue("fixed");
  const size = 250;
  for (let index = 0; index < 300; index++) queue.push("x".repeat(size));
  const count = Math.floor(TIMER_POLICIES.fixed.inFlightSizeMax / size);
  assertEquals(send(queue, 0).length, count);
  queue.handleAck(10, ack(2));
  assertEquals(seqs(send(queue, 10)), [count, count + 1]);
  // Acks count before and after a gap.
  queue.handleAck(20, ack(2, [10, 12]));
  assertEquals(seqs(send(queue, 20)).filter((seq) => seq > count + 1), [
    count + 2,
    count + 3,
    count + 4,
  ]);
});

Deno.test("SendQueue.push() refuses what is more than the queue holds, by size", () => {
  const { queue } = makeQueue();
  const text = "x".repeat(TEXT_SIZE_MAX);
  for (let size = 0; size < QUEUE_SIZE_MAX; size += TEXT_SIZE_MAX) {
    assert(queue.push(text) !== undefined);
  }
  assertEquals(queue.push("x"), undefined);
  assertEquals(queue.undelivered, QUEUE_SIZE_MAX / TEXT_SIZE_MAX);
  send(queue, 0);
  queue.handleAck(1, ack(1));
  assertEquals(queue.push("x".repeat(FRAGMENT_SIZE_MAX + 1)), undefined);
  assertEquals(queue.push("x".repeat(FRAGMENT_SIZE_MAX)), 64);
});

Deno.test("SendQueue.push() refuses what is more than the queue holds, by number", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < QUEUE_LENGTH_MAX; index++) assertEquals(queue.push(""), index);
  assertEquals(queue.push(""), undefined);
});

Deno.test("SendQueue.handleAck() reports texts as delivered, in order, with their times", () => {
  const { queue } = makeQueue();
  queue.push("one");
  queue.push("x".repeat(FRAGMENT_SIZE_MAX + 1));
  queue.push("three");
  send(queue, 100);
  assertEquals(delivered(queue.handleAck(130, ack(2, [3, 3]))), [[0, 30]]);
  assertEquals(queue.undelivered, 2);
  assertEquals(delivered(queue.handleAck(140, ack(4))), [[1, 40], [2, 40]]);
  assertEquals([queue.undelivered, queue.isEmpty], [0, true]);
  assertEquals(queue.nextTimeout(), undefined);
});

Deno.test("SendQueue.handleAck() ignores an Ack for what was never sent", () => {
  const { queue, rtt } = makeQueue();
  queue.push("one");
  queue.push("two");
  assertEquals(queue.handleAck(0, ack(1)), []);
  sendOne(queue, 0, 0);
  for (
    const wrong of [
      ack(2),
      ack(0xffff_ffff),
      ack(0, [1, 1]),
      ack(0, [0, 1]),
      ack(1, [5, 0xffff_ffff]),
      packetAck(1, 0),
      packetAck(0xffff_fffe, 1),
    ]
  ) {
    assertEquals(queue.handleAck(10, wrong), []);
  }
  assertEquals([queue.undelivered, queue.finalSeq, rtt.srtt], [2, 1, undefined]);
  assertEquals(delivered(queue.handleAck(20, ack(1))), [[0, 20]]);
});

Deno.test("SendQueue.handleAck() survives ranges that overlap, descend or are huge", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < 10; index++) queue.push(`${index}`);
  send(queue, 0);
  assertEquals(queue.handleAck(10, ack(0, [4, 6], [5, 7], [1, 2])), []);
  assertEquals(queue.handleAck(10, ack(0, [9, 3], [0, 0xffff_ffff], [8, 8])), []);
  assertEquals(queue.handleAck(10, ack(3, [0, 1])).length, 3);
  assertEquals(queue.undelivered, 7);
  assertEquals(queue.handleAck(10, ack(10)).length, 7);
  assertEquals([queue.isEmpty, queue.dueSize], [true, 0]);
});

Deno.test("SendQueue.handleAck() ignores an Ack that is older than another", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < 4; index++) queue.push(`${index}`);
  send(queue, 0);
  queue.handleAck(10, ack(3));
  assertEquals(queue.handleAck(11, ack(1, [2, 2])), []);
  assertEquals(queue.undelivered, 1);
});

Deno.test("SendQueue.handleTimeout() reports texts as unconfirmed after 5 s, once", () => {
  const { queue } = makeQueue("fixed");
  queue.push("one");
  send(queue, 0);
  queue.push("x".repeat(FRAGMENT_SIZE_MAX + 1));
  send(queue, 1000);
  assertEquals(queue.nextTimeout(), UNCONFIRMED_AFTER);
  assertEquals(queue.handleTimeout(4999), []);
  assertEquals(queue.handleTimeout(5000), [0]);
  assertEquals(queue.nextTimeout(), 6000);
  assertEquals(queue.handleTimeout(6000), [1]);
  assertEquals(queue.handleTimeout(9000), []);
  assertEquals(queue.nextTimeout(), 10_000);
});

Deno.test("SendQueue.handleTimeout() does not report delivered texts as unconfirmed", () => {
  const { queue } = makeQueue("fixed");
  queue.push("one");
  send(queue, 0);
  queue.push("two");
  send(queue, 2000);
  queue.handleAck(3000, ack(1));
  assertEquals(queue.handleTimeout(5000), []);
  assertEquals(queue.handleTimeout(7000), [1]);
});

Deno.test("SendQueue.dropUnsent() leaves what is in flight, and counts the rest as undelivered", () => {
  const { queue } = makeQueue("fixed");
  for (let index = 0; index < 3; index++) queue.push("x".repeat(60_000));
  const inFlight = send(queue, 0).length;
  queue.dropUnsent();
  assertEquals(queue.finalSeq, inFlight);
  assertEquals(queue.handleAck(10, ack(inFlight)).length, 1);
  assertEquals([queue.isEmpty, queue.undelivered, queue.dueSize], [true, 2, 0]);
});
