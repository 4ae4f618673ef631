import { assert, assertEquals } from "@std/assert";
import { type Ack, FLAG_MORE, FRAGMENT_SIZE_MAX, type Message } from "../protocol/frame.ts";
import { RttEstimator, type TimerMode } from "../protocol/rtt.ts";
import {
  IN_FLIGHT_SIZE_MAX,
  QUEUE_LENGTH_MAX,
  QUEUE_SIZE_MAX,
  SendQueue,
  splitText,
  TEXT_SIZE_MAX,
  UNCONFIRMED_AFTER,
  WINDOW,
} from "../protocol/send_queue.ts";
import { type Prng, seedFromEnv, withSeed } from "./random.ts";

function makeQueue(mode: TimerMode = "adaptive"): { queue: SendQueue; rtt: RttEstimator } {
  const rtt = new RttEstimator(mode);
  return { queue: new SendQueue(1, rtt), rtt };
}

/** Sends what is due, in one datagram for each Message from packet `packet` on. */
function send(queue: SendQueue, now: number, packet = 0): Message[] {
  const sent: Message[] = [];
  for (let due = queue.due(); due !== undefined; due = queue.due()) {
    queue.markSent(now, packet++);
    sent.push(due);
  }
  return sent;
}

function seqs(messages: readonly Message[]): number[] {
  return messages.map(({ seq }) => seq);
}

/** An Ack with these ranges, each as its ends. */
function ack(next: number, ...ranges: [number, number][]): Ack {
  return { kind: "ack", next, ranges: ranges.map(([first, last]) => ({ first, last })) };
}

const sizeOf = (text: string): number => new TextEncoder().encode(text).length;

Deno.test("splitText() cuts between characters, into fragments as long as may be", () => {
  assertEquals(splitText(""), [""]);
  assertEquals(splitText("x".repeat(1000)), ["x".repeat(1000)]);
  assertEquals(splitText("x".repeat(1001)), ["x".repeat(1000), "x"]);
  assertEquals(splitText("€".repeat(334)).map(sizeOf), [999, 3]);
  assertEquals(splitText("x👋".repeat(201)).map(sizeOf), [1000, 5]);
  assertEquals(splitText(`${"x".repeat(998)}👋`).map(sizeOf), [998, 4]);
});

Deno.test("splitText() loses and adds nothing", () => {
  withSeed(seedFromEnv(), (prng: Prng) => {
    for (let round = 0; round < 200; round++) {
      const characters = Array.from({ length: prng.int(5000) }, () => prng.pick([..."aé€👋\n"]));
      const text = characters.join("");
      const fragments = splitText(text);
      assertEquals(fragments.join(""), text);
      for (const fragment of fragments) {
        assert(sizeOf(fragment) <= FRAGMENT_SIZE_MAX);
        assert(fragment.isWellFormed());
      }
      for (const fragment of fragments.slice(0, -1)) assert(sizeOf(fragment) > 996);
    }
  });
});

Deno.test("splitText() replaces half a surrogate pair", () => {
  assertEquals(splitText("a\ud83db"), ["a\ufffdb"]);
});

Deno.test("SendQueue numbers Messages and texts from 0, and flags all fragments but the last", () => {
  const { queue } = makeQueue();
  assertEquals([queue.push("hi"), queue.push("x".repeat(2500)), queue.push("")], [0, 1, 2]);
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

Deno.test("SendQueue.markSent() tells a text as sent when its last Message is, once", () => {
  const { queue } = makeQueue();
  queue.push("x".repeat(2500));
  assertEquals([0, 1, 2].map((packet) => queue.markSent(0, packet)), [undefined, undefined, 0]);
  assertEquals(queue.handleTimeout(1000), []);
  assertEquals(queue.markSent(1000, 3), undefined);
  assertEquals(queue.markSent(1000, 4), undefined);
  assertEquals(queue.markSent(1000, 5), undefined);
  assertEquals(queue.due(), undefined);
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

Deno.test("SendQueue has no more than 64 KiB in flight", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < 100; index++) queue.push("x".repeat(1000));
  assertEquals(send(queue, 0).length, Math.floor(IN_FLIGHT_SIZE_MAX / 1000));
  queue.handleAck(10, ack(2));
  assertEquals(seqs(send(queue, 10)), [65, 66]);
  // Acknowledged is acknowledged, before a gap or behind it.
  queue.handleAck(20, ack(2, [10, 12]));
  assertEquals(seqs(send(queue, 20)).filter((seq) => seq > 66), [67, 68, 69]);
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
  assertEquals(queue.push("x".repeat(1001)), undefined);
  assertEquals(queue.push("x".repeat(1000)), 64);
});

Deno.test("SendQueue.push() refuses what is more than the queue holds, by number", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < QUEUE_LENGTH_MAX; index++) assertEquals(queue.push(""), index);
  assertEquals(queue.push(""), undefined);
});

Deno.test("SendQueue.handleAck() tells texts as delivered, in order, with their times", () => {
  const { queue } = makeQueue();
  queue.push("one");
  queue.push("x".repeat(1500));
  queue.push("three");
  send(queue, 100);
  assertEquals(queue.handleAck(130, ack(2, [3, 3])), [{ seq: 0, rttMs: 30 }]);
  assertEquals(queue.undelivered, 2);
  assertEquals(queue.handleAck(140, ack(4)), [{ seq: 1, rttMs: 40 }, { seq: 2, rttMs: 40 }]);
  assertEquals([queue.undelivered, queue.isEmpty], [0, true]);
  assertEquals(queue.nextTimeout(), undefined);
});

Deno.test("SendQueue.handleAck() ignores an Ack for what was never sent", () => {
  const { queue, rtt } = makeQueue();
  queue.push("one");
  queue.push("two");
  assertEquals(queue.handleAck(0, ack(1)), []);
  queue.markSent(0, 0);
  for (
    const wrong of [
      ack(2),
      ack(0xffff_ffff),
      ack(0, [1, 1]),
      ack(0, [0, 1]),
      ack(1, [5, 0xffff_ffff]),
    ]
  ) {
    assertEquals(queue.handleAck(10, wrong), []);
  }
  assertEquals([queue.undelivered, queue.finalSeq, rtt.srtt], [2, 1, undefined]);
  assertEquals(queue.handleAck(20, ack(1)), [{ seq: 0, rttMs: 20 }]);
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
  assertEquals([queue.isEmpty, queue.due()], [true, undefined]);
});

Deno.test("SendQueue.handleAck() ignores an Ack that is older than another", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < 4; index++) queue.push(`${index}`);
  send(queue, 0);
  queue.handleAck(10, ack(3));
  assertEquals(queue.handleAck(11, ack(1, [2, 2])), []);
  assertEquals(queue.undelivered, 1);
});

Deno.test("SendQueue sends again after the timeout, doubled each time, up to 10 s", () => {
  const { queue } = makeQueue();
  queue.push("hi");
  let now = 0;
  const gaps: number[] = [];
  for (let transmissions = 0; transmissions < 8; transmissions++) {
    assertEquals(seqs(send(queue, now)), [0]);
    while (queue.due() === undefined) {
      const timeout = queue.nextTimeout()!;
      assertEquals(queue.handleTimeout(timeout - 0.01), []);
      assertEquals(queue.due(), undefined);
      queue.handleTimeout(timeout);
      if (queue.due() === undefined) continue;
      gaps.push(timeout - now);
      now = timeout;
    }
  }
  assertEquals(gaps, [1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000]);
});

Deno.test("SendQueue sends again what an Ack of a later datagram leaves out, with adaptive timers", () => {
  const { queue } = makeQueue();
  for (let index = 0; index < 5; index++) queue.push(`${index}`);
  send(queue, 0, 10);
  queue.handleAck(40, ack(1, [2, 2]));
  assertEquals(seqs(send(queue, 40, 20)), [1]);
  // Nothing newer arrived since it was sent again.
  queue.handleAck(41, ack(1, [2, 3]));
  assertEquals(queue.due(), undefined);
  queue.handleAck(42, ack(1, [2, 4]));
  assertEquals(queue.due(), undefined);
});

Deno.test("SendQueue does not take Messages of one datagram for lost by one another", () => {
  const { queue } = makeQueue();
  queue.push("one");
  queue.push("two");
  queue.markSent(0, 7);
  queue.markSent(0, 7);
  queue.handleAck(40, ack(0, [1, 1]));
  assertEquals(queue.due(), undefined);
});

Deno.test("SendQueue sends nothing again because of a gap with fixed timers", () => {
  const { queue } = makeQueue("fixed");
  queue.push("one");
  queue.push("two");
  send(queue, 0);
  queue.handleAck(40, ack(0, [1, 1]));
  assertEquals(queue.due(), undefined);
  queue.handleTimeout(9999);
  assertEquals(queue.due(), undefined);
  queue.handleTimeout(10_000);
  assertEquals(queue.due()?.seq, 0);
});

Deno.test("SendQueue samples the round-trip time of what was sent once, the newest of an Ack", () => {
  const { queue, rtt } = makeQueue();
  queue.push("one");
  send(queue, 0, 0);
  queue.push("two");
  send(queue, 60, 1);
  queue.handleAck(100, ack(2));
  assertEquals(rtt.srtt, 40);
  queue.push("three");
  send(queue, 1000, 2);
  queue.handleTimeout(5000);
  send(queue, 5000, 3);
  queue.handleAck(5001, ack(3));
  assertEquals(rtt.srtt, 40);
});

Deno.test("SendQueue.handleTimeout() tells texts as unconfirmed after 5 s, once", () => {
  const { queue } = makeQueue("fixed");
  queue.push("one");
  send(queue, 0);
  queue.push("x".repeat(1500));
  send(queue, 1000);
  assertEquals(queue.nextTimeout(), UNCONFIRMED_AFTER);
  assertEquals(queue.handleTimeout(4999), []);
  assertEquals(queue.handleTimeout(5000), [0]);
  assertEquals(queue.nextTimeout(), 6000);
  assertEquals(queue.handleTimeout(6000), [1]);
  assertEquals(queue.handleTimeout(9000), []);
  assertEquals(queue.nextTimeout(), 10_000);
});

Deno.test("SendQueue.handleTimeout() does not tell delivered texts as unconfirmed", () => {
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
  const { queue } = makeQueue();
  for (let index = 0; index < 3; index++) queue.push("x".repeat(60_000));
  const inFlight = send(queue, 0).length;
  queue.dropUnsent();
  assertEquals(queue.finalSeq, inFlight);
  assertEquals(queue.handleAck(10, ack(inFlight)).length, 1);
  assertEquals([queue.isEmpty, queue.undelivered, queue.due()], [true, 2, undefined]);
});
