import { assert, assertEquals } from "@std/assert";
import { decodeFrames } from "../../../protocol/wire/datagram.ts";
import { FLAG_MORE, FRAGMENT_SIZE_MAX, type Message } from "../../../protocol/wire/frame.ts";
import { LAST, MessageRing } from "../../../protocol/connection/message_ring.ts";
import { QUEUE_LENGTH_MAX, QUEUE_SIZE_MAX } from "../../../protocol/connection/message_ring.ts";
import { Prng } from "../../support/random.ts";

const SENDER = 0x1234_5678;
const SEQ_MAX = 0xffff_ffff;
/** What an empty ring has room for. */
const [STORE_SIZE, LENGTH] = [4096, 64];
/** Bytes of a Message around its text. */
const OVERHEAD = 12;
const encoder = new TextEncoder();

/** A ring whose first Message has this seq. */
function ringFrom(seq: number): MessageRing {
  const ring = new MessageRing(SENDER);
  ring.first = ring.next = seq;
  return ring;
}

/** The Messages as they would go on the wire, one by one. */
function read(ring: MessageRing): Message[] {
  const { slots, store, first, next } = ring;
  return Array.from({ length: next - first }, (_, index) => {
    const slot = (first + index) & slots.mask;
    const start = slots.start[slot]!;
    const decoded = decodeFrames(store.subarray(start, start + slots.size[slot]!));
    assert(decoded?.frames.length === 1, `seq ${first + index} is no frame`);
    const [message] = decoded.frames;
    assert(message?.kind === "message");
    assertEquals([message.seq, message.sender], [first + index, SENDER]);
    const isLast = (message.flags & FLAG_MORE) === 0;
    assertEquals((slots.state[slot]! & LAST) !== 0, isLast);
    return message;
  });
}

/** The texts, joined again; each must have come to its end. */
function texts(ring: MessageRing): string[] {
  const joined: string[] = [];
  let text = "";
  for (const { text: part, flags } of read(ring)) {
    text += part;
    if ((flags & FLAG_MORE) !== 0) continue;
    joined.push(text);
    text = "";
  }
  assertEquals(text, "");
  return joined;
}

/** Adds texts that all fit. */
function push(ring: MessageRing, ...added: string[]): void {
  for (const text of added) assert(ring.pushText(text));
}

Deno.test("MessageRing keeps each text as the frame that goes on the wire", () => {
  const ring = new MessageRing(SENDER);
  const all = ["hi", "", "zoë", "€", "👋🏽", "\0\n", "x".repeat(FRAGMENT_SIZE_MAX)];
  push(ring, ...all);
  assertEquals(texts(ring), all);
  assertEquals(read(ring).length, all.length);
  assertEquals(ring.size, encoder.encode(all.join("")).length);
  for (const [seq, text] of all.entries()) {
    assertEquals(ring.textSize(seq), encoder.encode(text).length);
  }
});

Deno.test("MessageRing keeps Messages one after the other", () => {
  const ring = new MessageRing(SENDER);
  push(ring, "one", "zwei", "три", "");
  const { size } = ring;
  const decoded = decodeFrames(ring.store.subarray(0, size + 4 * OVERHEAD));
  assertEquals(decoded?.frames, read(ring));
});

Deno.test("MessageRing splits a text between characters", () => {
  const n = FRAGMENT_SIZE_MAX;
  const splits: [string, number[]][] = [
    ["x".repeat(n + 1), [n, 1]],
    ["x".repeat(3 * n), [n, n, n]],
    ["x".repeat(n - 1) + "é", [n - 1, 2]],
    ["x".repeat(n - 2) + "é", [n]],
    ["x".repeat(n - 3) + "👋", [n - 3, 4]],
    ["x".repeat(n - 4) + "👋y", [n, 1]],
    // As many UTF-16 units as fit, and more bytes than do.
    ["€".repeat(n), [n - 2, n - 2, n - 2, 6]],
  ];
  for (const [text, sizes] of splits) {
    const ring = new MessageRing(SENDER);
    push(ring, "before", text, "after");
    assertEquals(texts(ring), ["before", text, "after"]);
    assertEquals(sizes.map((_, index) => ring.textSize(1 + index)), sizes);
    assertEquals(ring.next, 2 + sizes.length);
  }
});

Deno.test("MessageRing keeps what is known of each Message where the slots wrap and grow", () => {
  for (const first of [0, 1, LENGTH - 1, LENGTH, 1000, 2 ** 31 - 10, 2 ** 32 - 1000]) {
    const ring = ringFrom(first);
    const fields = ["transmissions", "timeouts", "firstSentAt", "lastSentAt", "deadline", "packet"];
    for (let index = 0; index < 500; index++) {
      push(ring, `${index}`);
      const { slots } = ring;
      const slot = (first + index) & slots.mask;
      assertEquals([slots.transmissions[slot], slots.timeouts[slot]], [0, 0]);
      slots.state[slot]! |= 8 * (index % 16);
      slots.transmissions[slot] = index % 256;
      slots.timeouts[slot] = index % 251;
      slots.firstSentAt[slot] = index + 0.25;
      slots.lastSentAt[slot] = index + 0.5;
      slots.deadline[slot] = index + 0.75;
      slots.packet[slot] = 2 ** 52 + index;
    }
    const { slots } = ring;
    assertEquals(slots.mask, 511);
    assertEquals(texts(ring), Array.from({ length: 500 }, (_, index) => `${index}`));
    for (let index = 0; index < 500; index++) {
      const slot = (first + index) & slots.mask;
      const known = [index % 256, index % 251, index + 0.25, index + 0.5, index + 0.75];
      assertEquals(
        fields.map((field) => slots[field as "packet"][slot]),
        [...known, 2 ** 52 + index],
      );
      assertEquals(slots.state[slot]! >> 3, index % 16);
    }
  }
});

Deno.test("MessageRing clears what was known of the Message that had the place before", () => {
  const ring = new MessageRing(SENDER);
  push(ring, "x".repeat(FRAGMENT_SIZE_MAX + 1));
  ring.slots.state.fill(0xff);
  ring.slots.transmissions.fill(9);
  ring.slots.timeouts.fill(9);
  ring.dropBelow(2);
  for (let seq = 2; seq < 2 + LENGTH; seq++) push(ring, "");
  assertEquals([...ring.slots.state], Array(LENGTH).fill(LAST));
  assertEquals([...ring.slots.transmissions, ...ring.slots.timeouts], Array(2 * LENGTH).fill(0));
});

Deno.test("MessageRing uses its store again, round and round", () => {
  for (const length of [0, 1, 89, 90, FRAGMENT_SIZE_MAX]) {
    const ring = new MessageRing(SENDER);
    const text = (seq: number): string => String.fromCharCode(65 + seq % 26).repeat(length);
    for (let seq = 0; seq < 1000; seq++) {
      push(ring, text(seq));
      if (seq >= 2) ring.dropBelow(seq - 1);
      const kept = Math.min(seq + 1, 2);
      assertEquals(
        texts(ring),
        Array.from({ length: kept }, (_, index) => text(seq + 1 - kept + index)),
      );
    }
    assertEquals([ring.store.length, ring.slots.mask], [STORE_SIZE, LENGTH - 1]);
    assertEquals(ring.size, 2 * length);
  }
});

Deno.test("MessageRing fills its store to the last byte before it grows", () => {
  const text = "x".repeat(STORE_SIZE / 16 - OVERHEAD);
  const full = Array<string>(16).fill(text);
  // At the end; then again at the front, before the oldest.
  for (const dropped of [0, 1, 3]) {
    const ring = new MessageRing(SENDER);
    push(ring, ...full);
    ring.dropBelow(dropped);
    push(ring, ...full.slice(0, dropped));
    assertEquals([ring.store.length, texts(ring)], [STORE_SIZE, full]);
    push(ring, "");
    assertEquals([ring.store.length, texts(ring)], [2 * STORE_SIZE, [...full, ""]]);
  }
});

Deno.test("MessageRing grows where a Message has a byte too much", () => {
  const text = "x".repeat(STORE_SIZE / 16 - OVERHEAD);
  const kept = Array<string>(15).fill(text);
  for (const dropped of [0, 1, 3]) {
    const ring = new MessageRing(SENDER);
    push(ring, ...kept);
    if (dropped > 0) push(ring, text);
    ring.dropBelow(dropped);
    push(ring, ...kept.slice(0, Math.max(0, dropped - 1)), `${text}y`);
    assertEquals([ring.store.length, texts(ring)], [2 * STORE_SIZE, [...kept, `${text}y`]]);
  }
});

Deno.test("MessageRing.pushText() takes 4 MiB, and refuses what is more without a trace", () => {
  const ring = new MessageRing(SENDER);
  const text = "x".repeat(2 ** 16);
  for (let size = 0; size < QUEUE_SIZE_MAX; size += text.length) push(ring, text);
  const { next } = ring;
  for (const more of ["x", "é", text]) assertEquals(ring.pushText(more), false);
  assertEquals([ring.next, ring.size], [next, QUEUE_SIZE_MAX]);
  push(ring, "");
  ring.dropBelow(1);
  assertEquals(ring.size, QUEUE_SIZE_MAX - FRAGMENT_SIZE_MAX);
  // Characters count by their bytes.
  assertEquals(ring.pushText("é".repeat(FRAGMENT_SIZE_MAX / 2 + 1)), false);
  push(ring, "é".repeat(Math.floor(FRAGMENT_SIZE_MAX / 2)));
  assertEquals(texts(ring).length, 65 + 1, "the rest of the first, and all others");
});

Deno.test("MessageRing.pushText() takes 65536 Messages, however short", () => {
  const ring = new MessageRing(SENDER);
  for (let count = 0; count < QUEUE_LENGTH_MAX - 1; count++) push(ring, "");
  assertEquals(ring.pushText("x".repeat(FRAGMENT_SIZE_MAX + 1)), false, "that would be two");
  push(ring, "");
  assertEquals([ring.pushText(""), ring.pushText("é")], [false, false]);
  ring.dropBelow(1);
  push(ring, "é");
  assertEquals(ring.next - ring.first, QUEUE_LENGTH_MAX);
});

Deno.test("MessageRing.pushText() refuses what the seqs do not suffice for", () => {
  const ring = ringFrom(SEQ_MAX - 2);
  assertEquals(ring.pushText("x".repeat(2 * FRAGMENT_SIZE_MAX + 1)), false);
  push(ring, "last but one", "last");
  assertEquals(ring.pushText(""), false);
  assertEquals(read(ring).map(({ seq }) => seq), [SEQ_MAX - 2, SEQ_MAX - 1]);
});

Deno.test("MessageRing.dropBelow() gives large arrays back when it is empty, and only then", () => {
  const ring = new MessageRing(SENDER);
  for (let count = 0; count < 2000; count++) push(ring, "x".repeat(100));
  ring.dropBelow(1999);
  assertEquals(texts(ring), ["x".repeat(100)]);
  assert(ring.store.length > 100_000 && ring.slots.mask === 2047);
  ring.dropBelow(2000);
  ring.dropBelow(2000);
  assertEquals([ring.store.length, ring.slots.mask + 1], [STORE_SIZE, LENGTH]);
  assertEquals([ring.first, ring.next, ring.size], [2000, 2000, 0]);
  push(ring, "on", "and on");
  assertEquals(texts(ring), ["on", "and on"]);
});

Deno.test("MessageRing.dropFrom() drops the newest, and continues after the rest", () => {
  const ring = new MessageRing(SENDER);
  push(ring, "a", "b", "cé", "d");
  ring.dropFrom(4);
  assertEquals(texts(ring), ["a", "b", "cé", "d"]);
  ring.dropFrom(2);
  assertEquals([ring.size, ring.next], [2, 2]);
  push(ring, "C");
  assertEquals(texts(ring), ["a", "b", "C"]);
  assertEquals(ring.slots.start[2], 2 * (OVERHEAD + 1), "nothing is wasted");
  ring.dropBelow(1);
  ring.dropFrom(1);
  assertEquals([ring.first, ring.next, ring.size], [1, 1, 0]);
  push(ring, "e");
  assertEquals([texts(ring), ring.slots.start[1]], [["e"], 0]);
});

Deno.test("MessageRing agrees with an array over pushes and drops at random", () => {
  const prng = new Prng(1);
  for (let run = 0; run < 30; run++) {
    const ring = ringFrom(prng.pick([0, 60, 2 ** 31 - 50, 2 ** 32 - 5000]));
    const lengthMax = prng.pick([3, 60, FRAGMENT_SIZE_MAX]);
    const kept: string[] = [];
    for (let step = 0; step < 300; step++) {
      const roll = prng.next();
      if (roll < 0.6) {
        const filling = prng.pick(["x", "yz", "é", "👋"]);
        const text = filling.repeat(prng.int(lengthMax) / encoder.encode(filling).length);
        push(ring, text);
        kept.push(text);
      } else if (roll < 0.9) {
        const count = prng.int(1 + Math.min(kept.length, 8));
        kept.splice(0, count);
        ring.dropBelow(ring.first + count);
      } else {
        const count = prng.int(1 + Math.min(kept.length, 3));
        kept.length -= count;
        ring.dropFrom(ring.next - count);
      }
      assertEquals(texts(ring), kept);
      assertEquals(ring.size, encoder.encode(kept.join("")).length);
    }
  }
});
