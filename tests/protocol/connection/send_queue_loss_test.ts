import { assertEquals } from "@std/assert";
import { ACK_HOLD } from "../../../protocol/recovery/rtt.ts";
import {
  COPY_DELAY,
  type SendQueue,
  SPARSE_LENGTH_MAX,
  SPARSE_SIZE_MAX,
} from "../../../protocol/connection/send_queue.ts";
import {
  makeQueue,
  packetAck,
  send,
  sendOne,
  sendPacket,
  seqs,
} from "../../support/send_queue_harness.ts";

Deno.test("SendQueue sends a copy soon, both again after the timeout, then one after it doubled, up to 10 s", () => {
  const { queue } = makeQueue();
  queue.push("hi");
  let now = 0;
  const gaps: number[] = [];
  for (let transmissions = 0; transmissions < 8; transmissions++) {
    assertEquals(seqs(send(queue, now, transmissions)), [0]);
    while (queue.dueSize === 0) {
      const timeout = queue.nextTimeout()!;
      assertEquals(queue.handleTimeout(timeout - 0.01), []);
      assertEquals(queue.dueSize, 0);
      queue.handleTimeout(timeout);
      if (queue.dueSize === 0) continue;
      gaps.push(timeout - now);
      now = timeout;
    }
  }
  // The peer may delay its Ack.
  const rto = 1000 + ACK_HOLD;
  assertEquals(gaps, [COPY_DELAY, rto, COPY_DELAY, 2 * rto, 4 * rto, 8 * rto, 10_000, 10_000]);
});

/** A queue that is busy: more is in flight than it sends twice. */
function busyQueue(count = 2 * SPARSE_LENGTH_MAX): SendQueue {
  const { queue } = makeQueue();
  for (let index = 0; index < count; index++) queue.push(`${index}`);
  assertEquals(seqs(send(queue, 0, 10)).length, count);
  return queue;
}

Deno.test("SendQueue sends again what three datagrams that arrived had overtaken", () => {
  const queue = busyQueue();
  queue.handleAck(40, packetAck(13, 1, [2, 3]));
  assertEquals(queue.dueSize, 0);
  queue.handleAck(41, packetAck(14, 1, [2, 4]));
  assertEquals(seqs(send(queue, 41, 50)), [1]);
  // Nothing newer arrived since it was sent again.
  queue.handleAck(42, packetAck(41, 1, [2, 31]));
  assertEquals(queue.dueSize, 0);
});

Deno.test("SendQueue sends again what one datagram had overtaken an eighth of a round trip ago", () => {
  const queue = busyQueue();
  queue.handleAck(40, packetAck(12, 1, [2, 2]));
  assertEquals(queue.dueSize, 0);
  assertEquals(queue.nextTimeout(), 45);
  queue.handleTimeout(45);
  assertEquals(seqs(send(queue, 45, 50)), [1]);
});

Deno.test("SendQueue does not take for lost what a full Ack has no room for", () => {
  const queue = busyQueue(100);
  const ranges = Array.from({ length: 16 }, (_, n): [number, number] => [2 * n + 1, 2 * n + 1]);
  queue.handleAck(40, packetAck(109, 0, ...ranges));
  assertEquals(seqs(send(queue, 40, 200)), Array.from({ length: 16 }, (_, n) => 2 * n));
});

Deno.test("SendQueue sends again what was refused in a datagram that arrived", () => {
  const { queue } = makeQueue();
  queue.push("one");
  queue.push("two");
  assertEquals(sendPacket(queue, 0, 7).length, 2);
  queue.handleAck(40, packetAck(7, 0, [1, 1]));
  assertEquals(seqs(send(queue, 40, 8)), [0]);
});

Deno.test("SendQueue carries the three newest unacknowledged Messages in each datagram", () => {
  const { queue } = makeQueue();
  const sent = [0, 1, 2, 3, 4, 5].map((seq) => {
    queue.push(`${seq}`);
    return seqs(sendPacket(queue, 20 * seq, seq));
  });
  assertEquals(sent, [[0], [1, 0], [2, 1, 0], [3, 2, 1, 0], [4, 3, 2, 1], [5, 4, 3, 2]]);
  queue.handleAck(110, packetAck(4, 3, [4, 4]));
  queue.push("6");
  assertEquals(seqs(sendPacket(queue, 120, 6)), [6, 5, 3]);
});

Deno.test("SendQueue carries nothing where much is in flight, by number or by size, or waits", () => {
  const queue = busyQueue();
  queue.push("more");
  assertEquals(seqs(sendPacket(queue, 1, 90)), [2 * SPARSE_LENGTH_MAX]);
  const { queue: large } = makeQueue();
  const [size, carried] = [250, SPARSE_SIZE_MAX / 250];
  for (let seq = 0; seq <= carried; seq++) {
    large.push("x".repeat(size));
    const earlier = Array.from({ length: seq }, (_, index) => seq - 1 - index);
    const isSparse = seq < carried;
    assertEquals(seqs(sendPacket(large, seq, seq)), [seq, ...isSparse ? earlier : []]);
  }
  large.handleTimeout(1 + COPY_DELAY);
  assertEquals(large.dueSize, 0);
  const { queue: waiting } = makeQueue();
  for (let seq = 0; seq < 3; seq++) waiting.push("x".repeat(200));
  assertEquals([0, 1, 2].map((packet) => seqs(sendPacket(waiting, 0, packet, 400))), [
    [0],
    [1],
    [2],
  ]);
});

Deno.test("SendQueue sends no copy of what was acknowledged before", () => {
  const { queue } = makeQueue();
  queue.push("hi");
  send(queue, 0);
  queue.handleAck(COPY_DELAY - 1, packetAck(0, 1));
  assertEquals([queue.nextTimeout(), queue.dueSize], [undefined, 0]);
});

Deno.test("SendQueue sends nothing again because of a gap with fixed timers", () => {
  const { queue } = makeQueue("fixed");
  queue.push("one");
  queue.push("two");
  send(queue, 0);
  queue.handleAck(40, packetAck(1, 0, [1, 1]));
  assertEquals(queue.dueSize, 0);
  queue.handleTimeout(9999);
  assertEquals(queue.dueSize, 0);
  queue.handleTimeout(10_000);
  assertEquals(sendOne(queue, 10_000, 2)?.seq, 0);
});

Deno.test("SendQueue samples the round trip of the datagram that an Ack names, once", () => {
  const { queue, rtt } = makeQueue();
  queue.push("one");
  send(queue, 0, 0);
  queue.push("two");
  send(queue, 60, 1);
  queue.handleAck(100, packetAck(1, 2));
  assertEquals(rtt.srtt, 40);
  queue.handleAck(500, packetAck(1, 2));
  queue.handleAck(500, packetAck(0, 2));
  assertEquals(rtt.srtt, 40);
  queue.push("three");
  send(queue, 1000, 2);
  queue.handleTimeout(5000);
  send(queue, 5000, 3);
  // The Ack names the transmission, so the RTT is known; the peer delayed it for 2 ms.
  queue.handleAck(5042, { ...packetAck(3, 3), delay: 20 });
  assertEquals(rtt.srtt, 40);
});

Deno.test("SendQueue.retry() lets datagrams leave although those of a silent time fill the window", () => {
  const { queue, rtt } = makeQueue();
  rtt.sample(50);
  queue.push("hi");
  let packet = 0;
  // Packets that nothing acknowledges: at first, and after the timeout.
  for (const now of [0, 1_000]) {
    queue.handleTimeout(now);
    for (; queue.sendableAt() !== undefined; packet++) sendPacket(queue, now, packet);
  }
  queue.retry();
  assertEquals(queue.sendableAt(), -Infinity);
});
