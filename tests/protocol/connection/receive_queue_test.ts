import { assert, assertEquals } from "@std/assert";
import { type Ack, ACK_RANGES_MAX, FLAG_MORE, type Message } from "../../../protocol/wire/frame.ts";
import { ReceivePool } from "../../../protocol/connection/receive_pool.ts";
import { type ReceivedText, ReceiveQueue } from "../../../protocol/connection/receive_queue.ts";
import {
  RECEIVE_SIZE_MAX,
  TEXT_SIZE_MAX,
  WINDOW,
} from "../../../protocol/connection/send_queue.ts";
import { ack } from "../../support/connection_harness.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { IS_FULL } from "../../support/scale.ts";

function message(seq: number, text = `text ${seq}`, flags = 0): Message {
  return { kind: "message", seq, sender: 1, flags, text };
}

/** Takes a Message that must be new, and returns the texts that it completed. */
function take(
  queue: ReceiveQueue,
  ...args: Parameters<typeof message>
): Omit<ReceivedText, "kind">[] {
  const texts: ReceivedText[] = [];
  const reception = queue.handleMessage(message(...args), texts);
  assert(reception === "new", `${args[0]}: ${reception}`);
  return texts.map(({ textSeq, text }) => ({ textSeq, text }));
}

function outcome(queue: ReceiveQueue, ...args: Parameters<typeof message>): string {
  return queue.handleMessage(message(...args), []);
}

Deno.test("ReceiveQueue hands texts out in order, each as soon as its turn comes", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  assertEquals(take(queue, 1), []);
  assertEquals(take(queue, 3), []);
  assertEquals(take(queue, 0), [{ textSeq: 0, text: "text 0" }, { textSeq: 1, text: "text 1" }]);
  assertEquals(take(queue, 2), [{ textSeq: 2, text: "text 2" }, { textSeq: 3, text: "text 3" }]);
  assertEquals(queue.next, 4);
});

Deno.test("ReceiveQueue recognises a duplicate, waiting or handed out", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  take(queue, 0);
  take(queue, 2);
  assertEquals([0, 2, 0].map((seq) => outcome(queue, seq)), [
    "duplicate",
    "duplicate",
    "duplicate",
  ]);
  assertEquals(take(queue, 1).length, 2);
  assertEquals(outcome(queue, 2), "duplicate");
});

Deno.test("ReceiveQueue joins fragments, and counts texts rather than Messages", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  assertEquals(take(queue, 0, "one ", FLAG_MORE), []);
  assertEquals(take(queue, 2, "text", 0), []);
  assertEquals(take(queue, 1, "long ", FLAG_MORE), [{ textSeq: 0, text: "one long text" }]);
  assertEquals(take(queue, 3, "", 0), [{ textSeq: 1, text: "" }]);
});

Deno.test("ReceiveQueue ignores flags that it does not know", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  assertEquals(take(queue, 0, "hi", 0xfe), [{ textSeq: 0, text: "hi" }]);
  assertEquals(take(queue, 1, "hi", 0xff), []);
});

Deno.test("ReceiveQueue takes what is in the window and nothing beyond it", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  assertEquals(outcome(queue, WINDOW), "refused");
  assertEquals(outcome(queue, 0xffff_ffff), "refused");
  assertEquals(outcome(queue, WINDOW - 1), "new");
  take(queue, 0);
  assertEquals(outcome(queue, WINDOW), "new");
  assertEquals(outcome(queue, WINDOW + 1), "refused");
  assertEquals(queue.ack(), ack(1, [WINDOW - 1, WINDOW]));
});

Deno.test("ReceiveQueue.ack() names what came early, in ranges that do not touch", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  assertEquals(queue.ack(), ack(0));
  for (const seq of [5, 2, 9, 3, 8, 4]) take(queue, seq);
  assertEquals(queue.ack(), ack(0, [2, 5], [8, 9]));
  take(queue, 0);
  assertEquals(queue.ack(), ack(1, [2, 5], [8, 9]));
  take(queue, 1);
  assertEquals(queue.ack(), ack(6, [8, 9]));
  take(queue, 7);
  take(queue, 6);
  assertEquals(queue.ack(), ack(10));
});

Deno.test("ReceiveQueue.ack() names the lowest ranges where there are too many", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  for (let seq = 2 * 40; seq > 0; seq -= 2) take(queue, seq);
  const { ranges } = queue.ack();
  assertEquals(ranges.length, ACK_RANGES_MAX);
  assertEquals(ranges[0], { first: 2, last: 2 });
  assertEquals(ranges.at(-1), { first: 2 * ACK_RANGES_MAX, last: 2 * ACK_RANGES_MAX });
});

Deno.test("ReceiveQueue.ack() keeps its value when more Messages come", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  take(queue, 2);
  const before = queue.ack();
  take(queue, 3);
  take(queue, 0);
  assertEquals(before, ack(0, [2, 2]));
});

Deno.test("ReceiveQueue agrees with a simple one in any order", () => {
  withSeed(seedFromEnv(), (prng: Prng) => {
    for (let round = 0; round < (IS_FULL ? 300 : 60); round++) {
      const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
      const arrived = new Set<number>();
      const received: string[] = [];
      for (let step = 0; step < 200; step++) {
        const seq = prng.int(60);
        const isNew = !arrived.has(seq);
        arrived.add(seq);
        const texts: ReceivedText[] = [];
        const reception = queue.handleMessage(message(seq), texts);
        assertEquals(reception, isNew ? "new" : "duplicate");
        received.push(...texts.map(({ text }) => text));
        assertEquals(queue.ack(), simpleAck(arrived));
      }
      assertEquals(received, Array.from({ length: queue.next }, (_, seq) => `text ${seq}`));
    }
  });
});

function simpleAck(arrived: ReadonlySet<number>): Ack {
  let next = 0;
  while (arrived.has(next)) next++;
  const ranges: [number, number][] = [];
  for (const seq of [...arrived].filter((each) => each > next).sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last?.[1] === seq - 1) last[1] = seq;
    else ranges.push([seq, seq]);
  }
  return ack(next, ...ranges.slice(0, ACK_RANGES_MAX));
}

Deno.test("ReceiveQueue takes a text of 64 KiB, and calls what makes it longer a violation", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  const kilobyte = "é".repeat(512);
  for (let seq = 0; seq < TEXT_SIZE_MAX / 1024; seq++) take(queue, seq, kilobyte, FLAG_MORE);
  const seq = TEXT_SIZE_MAX / 1024;
  assertEquals(outcome(queue, seq, "x", FLAG_MORE), "violation");
  assertEquals(outcome(queue, seq, "x"), "violation");
  // It is not acknowledged.
  assertEquals(queue.ack(), ack(seq));
  const [text] = take(queue, seq, "");
  assertEquals(text?.text, kilobyte.repeat(64));
  assertEquals(take(queue, seq + 1, "next"), [{ textSeq: 1, text: "next" }]);
});

Deno.test("ReceiveQueue calls what makes a text too long a violation when it came early, too", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  const kilobyte = "x".repeat(1024);
  for (let seq = 99; seq > 0; seq--) assertEquals(take(queue, seq, kilobyte, FLAG_MORE), []);
  assertEquals(outcome(queue, 0, kilobyte, FLAG_MORE), "violation");
  assertEquals(queue.ack(), ack(64, [65, 99]));
});

Deno.test("ReceiveQueue does not grow with endless empty fragments", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool() });
  for (let seq = 0; seq < 1_000_000; seq++) {
    if (queue.handleMessage(message(seq, "", FLAG_MORE), []) !== "new") {
      throw new Error(`${seq}`);
    }
  }
  assertEquals(take(queue, 1_000_000, "end"), [{ textSeq: 0, text: "end" }]);
});

/** A queue that holds texts, and what it handed out of so many Messages. */
function held(count: number): { queue: ReceiveQueue; texts: ReceivedText[] } {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool(), holdsTexts: true });
  const texts: ReceivedText[] = [];
  for (let seq = 0; seq < count; seq++) {
    assertEquals(queue.handleMessage(message(seq), texts), "new");
  }
  return { queue, texts };
}

Deno.test("ReceiveQueue that holds texts says that they came, and acknowledges what was taken", () => {
  const { queue, texts } = held(4);
  assertEquals([queue.next, queue.hasUntaken, queue.ack()], [4, true, ack(0, [0, 3])]);
  assert(queue.take(texts[1]!));
  assertEquals(queue.ack(), ack(2, [2, 3]));
  assertEquals(outcome(queue, 3), "duplicate");
  take(queue, 5);
  assertEquals(queue.ack(), ack(2, [2, 3], [5, 5]));
  assert(queue.take(texts[3]!));
  assertEquals([queue.hasUntaken, queue.ack()], [false, ack(4, [5, 5])]);
});

Deno.test("ReceiveQueue that holds texts acknowledges the beginning of a long one", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool(), holdsTexts: true });
  take(queue, 0, "a long ", FLAG_MORE);
  assertEquals(queue.ack(), ack(1));
  take(queue, 1, "text");
  assertEquals(queue.ack(), ack(1, [1, 1]));
});

Deno.test("ReceiveQueue.take() knows only the texts of its queue, and each once", () => {
  const { queue, texts } = held(2);
  const before = held(2).texts;
  assertEquals([queue.take(before[1]!), queue.ack()], [false, ack(0, [0, 1])]);
  assertEquals([queue.take(texts[0]!), queue.take(texts[0]!)], [true, false]);
  assertEquals(queue.ack(), ack(1, [1, 1]));
});

Deno.test("ReceiveQueue refuses what is more than it holds, until texts are taken", () => {
  const queue = new ReceiveQueue({ receivePool: new ReceivePool(), holdsTexts: true });
  const texts: ReceivedText[] = [];
  const text = "x".repeat(TEXT_SIZE_MAX);
  const count = Math.floor(RECEIVE_SIZE_MAX / TEXT_SIZE_MAX);
  for (let seq = 0; seq < count; seq++) queue.handleMessage(message(seq, text), texts);
  assertEquals(texts.length, count);
  assertEquals([count, count + 1].map((seq) => outcome(queue, seq, "x")), ["refused", "refused"]);
  queue.take(texts[0]!);
  assertEquals([count, count + 1].map((seq) => outcome(queue, seq, "x")), ["new", "new"]);
});

Deno.test("ReceiveQueue holds no more texts than the window, however short", () => {
  const { queue, texts } = held(WINDOW);
  assertEquals(outcome(queue, WINDOW, ""), "refused");
  queue.take(texts[0]!);
  assertEquals(outcome(queue, WINDOW, ""), "new");
});
