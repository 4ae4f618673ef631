import { assertEquals } from "@std/assert";
import {
  ACK_DATAGRAMS_MAX,
  ACK_REPEAT,
  ACK_SIZE_MAX,
  Acknowledger,
} from "../../../protocol/connection/acknowledger.ts";
import { ReceivePool } from "../../../protocol/connection/receive_pool.ts";
import { ReceiveQueue } from "../../../protocol/connection/receive_queue.ts";
import { ACK_HOLD } from "../../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES, type TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import { ReplayWindow } from "../../../protocol/crypto/replay_window.ts";

/** What came in a packet, other than one new Message in order. */
interface Shape {
  size?: number;
  isNew?: boolean;
  isOutOfOrder?: boolean;
}

/** An acknowledger, and the packets that have come. */
class Stage {
  readonly received = new ReceiveQueue({ receivePool: new ReceivePool() });
  readonly #window = new ReplayWindow();
  readonly acknowledger: Acknowledger;

  constructor(mode: TimerMode = "adaptive") {
    const session = { receivedFrom: (packet: number) => this.#window.bitmapFrom(packet) };
    this.acknowledger = new Acknowledger(TIMER_POLICIES[mode], this.received, session);
  }

  get dueAt(): number | undefined {
    return this.acknowledger.dueAt;
  }

  /** A packet with Messages arrives. */
  messages(now: number, packet: number, shape: Shape = {}): this {
    this.other(packet);
    const { size = 100, isNew = true, isOutOfOrder = false } = shape;
    this.acknowledger.handleMessages(now, { packet, size, isNew, isOutOfOrder });
    return this;
  }

  /** A packet with a Connection Keepalive arrives. */
  keepalive(now: number, packet: number): this {
    this.other(packet);
    this.acknowledger.handleKeepalive(now, packet);
    return this;
  }

  /** Gets over what is urgent because it comes first: from 0 on nothing waits, and no pause was. */
  started(): this {
    this.messages(0, 0).acknowledger.take(0);
    return this;
  }

  /** A packet arrives that asks for no Ack. */
  other(packet: number): this {
    this.#window.accept(packet);
    return this;
  }
}

Deno.test("Acknowledger names no packet before the first one that asks for an Ack", () => {
  const stage = new Stage().other(0).other(1);
  assertEquals(stage.dueAt, undefined);
  const ack = stage.acknowledger.take(1000);
  assertEquals(ack, {
    kind: "ack",
    cumulativeSeq: 0,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  });
});

Deno.test("Acknowledger answers the first Message at once, and the first after a pause", () => {
  const stage = new Stage().messages(500, 0);
  assertEquals(stage.dueAt, 500);
  stage.acknowledger.take(500);
  stage.messages(500 + ACK_HOLD, 1);
  assertEquals(stage.dueAt, 500 + 2 * ACK_HOLD, "that was no pause");
  stage.acknowledger.take(506);
  stage.messages(503 + ACK_HOLD + 0.1, 2);
  assertEquals(stage.dueAt, 506.1);
});

Deno.test("Acknowledger holds an Ack for 3 ms from the first Message, and no longer for more", () => {
  assertEquals(ACK_HOLD, 3);
  const stage = new Stage().started().messages(1, 1);
  assertEquals(stage.dueAt, 4);
  stage.messages(2, 2).messages(3.9, 3);
  assertEquals(stage.dueAt, 4);
  stage.acknowledger.take(4);
  assertEquals(stage.dueAt, undefined);
});

Deno.test("Acknowledger waits for eight packets at most, counted from each Ack", () => {
  const stage = new Stage().started();
  let packet = 1;
  for (const start of [1, 2, 3]) {
    for (let count = 1; count < ACK_DATAGRAMS_MAX; count++) stage.messages(start, packet++);
    assertEquals(stage.dueAt, start + ACK_HOLD);
    stage.messages(start + 0.5, packet++);
    assertEquals(stage.dueAt, start + 0.5);
    stage.acknowledger.take(start + 0.5);
  }
});

Deno.test("Acknowledger waits for 16384 bytes at most, counted from each Ack", () => {
  const half = ACK_SIZE_MAX / 2;
  const stage = new Stage().started();
  for (const [start, packet] of [[1, 1], [2, 3]] as const) {
    stage.messages(start, packet, { size: half - 1 });
    assertEquals(stage.dueAt, start + ACK_HOLD);
    stage.messages(start + 0.5, packet + 1, { size: half + 1 });
    assertEquals(stage.dueAt, start + 0.5);
    stage.acknowledger.take(start + 0.5);
  }
  stage.messages(3, 5, { size: half - 1 }).messages(3.5, 6, { size: half });
  assertEquals(stage.dueAt, 6);
});

Deno.test("Acknowledger acknowledges at once what shows a loss (RFC 9000, 13.2.1)", () => {
  const stage = new Stage().started().messages(1, 1);
  stage.messages(2, 3, { isOutOfOrder: true });
  assertEquals(stage.dueAt, 2);
  stage.acknowledger.take(2);
  stage.messages(2.5, 2, { isOutOfOrder: true });
  assertEquals(stage.dueAt, 2.5);
});

Deno.test("Acknowledger answers each packet at once with fixed timers", () => {
  const stage = new Stage("fixed").started();
  for (const now of [1, 2, 3]) {
    stage.messages(now, now);
    assertEquals(stage.dueAt, now);
    stage.acknowledger.take(now);
  }
});

Deno.test("Acknowledger repeats no Ack for copies within 25 ms, but does so then", () => {
  assertEquals(ACK_REPEAT, 25);
  const stage = new Stage().started();
  stage.messages(8, 1, { isNew: false }).messages(24.9, 2, { isNew: false });
  assertEquals(stage.dueAt, undefined);
  stage.messages(25, 3, { isNew: false });
  assertEquals(stage.dueAt, 25, "the Ack may be lost");
  // 25 ms from the last Ack, not from the first.
  stage.acknowledger.take(25);
  stage.messages(49.9, 4, { isNew: false });
  assertEquals(stage.dueAt, undefined);
  stage.messages(50, 5, { isNew: false });
  assertEquals(stage.dueAt, 50);
});

Deno.test("Acknowledger does not count copies that it passes over towards the eight packets", () => {
  const stage = new Stage().started();
  for (let packet = 1; packet <= 20; packet++) {
    stage.messages(1, packet, { isNew: false, size: 1400 });
  }
  stage.messages(2, 21);
  assertEquals(stage.dueAt, 2 + ACK_HOLD);
});

Deno.test("Acknowledger answers a copy at once where an Ack waits anyway", () => {
  const stage = new Stage().started().messages(1, 1).messages(2, 2, { isNew: false });
  assertEquals(stage.dueAt, 2);
});

Deno.test("Acknowledger answers every copy with fixed timers: the Ack must have been lost", () => {
  const stage = new Stage("fixed").started().messages(1, 1, { isNew: false });
  assertEquals(stage.dueAt, 1);
});

Deno.test("Acknowledger answers a Connection Keepalive, and what is requested, at once", () => {
  const stage = new Stage().started().keepalive(1, 1);
  assertEquals(stage.dueAt, 1);
  assertEquals(stage.acknowledger.take(2).largestPacket, 1);
  stage.acknowledger.request(3);
  stage.acknowledger.request(3);
  assertEquals(stage.dueAt, 3);
  stage.acknowledger.take(3);
  assertEquals(stage.dueAt, undefined);
});

Deno.test("Acknowledger.take() names the largest packet that asked, those below it, and what is missing", () => {
  const stage = new Stage();
  for (const packet of [0, 3, 34, 33, 2]) stage.messages(packet, packet);
  for (const seq of [0, 2]) {
    const message = { kind: "message", seq, sender: 1, flags: 0, text: "" } as const;
    stage.received.handleMessage(message, []);
  }
  // It asks for no Ack; whatever was in a packet, below the largest one it is named.
  stage.other(35).other(32);
  const { cumulativeSeq, largestPacket, packetBitmap, ranges } = stage.acknowledger.take(40);
  assertEquals([cumulativeSeq, ranges], [1, [{ first: 2, last: 2 }]]);
  // Bit 31 is 31 below it: 3, and 2 is out of reach.
  assertEquals([largestPacket, packetBitmap], [34, 1 + 2 + 4 + 2 ** 31]);
});

Deno.test("Acknowledger.take() gives the delay of the largest packet (RFC 9002, 5.3)", () => {
  const stage = new Stage().messages(100, 5);
  assertEquals(
    stage.acknowledger.take(102.57).delay,
    25,
    "in tenths of a millisecond, rounded down",
  );
  // A reordered packet does not change what the peer measures.
  stage.messages(110, 4);
  assertEquals(stage.acknowledger.take(112).delay, 120);
  assertEquals(stage.acknowledger.take(6653.59).delay, 65_535);
  assertEquals(stage.acknowledger.take(1e9).delay, 65_535, "as long as a delay can be told");
  stage.keepalive(1e9, 6);
  assertEquals(stage.acknowledger.take(1e9 + 1).delay, 10);
});

Deno.test("Acknowledger.take() gives the low 32 bits of the packet counter", () => {
  for (const [packet, largest] of [[2 ** 32 - 1, 2 ** 32 - 1], [2 ** 32, 0], [2 ** 45 + 6, 6]]) {
    const { largestPacket, packetBitmap } = new Stage().messages(0, packet!).acknowledger.take(0);
    assertEquals([largestPacket, packetBitmap], [largest, 1]);
  }
});
