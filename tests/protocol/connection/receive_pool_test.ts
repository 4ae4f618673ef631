// What Messages that came early may take: of one peer, and of all together.
import { assert, assertEquals } from "@std/assert";
import { CONNECTIONS_MAX } from "../../../protocol/connection/connections.ts";
import {
  EARLY_OVERHEAD,
  POOLED_COMMON,
  POOLED_SHARE,
  POOLED_SIZE_MAX,
  ReceivePool,
} from "../../../protocol/connection/receive_pool.ts";
import { type ReceivedText, ReceiveQueue } from "../../../protocol/connection/receive_queue.ts";
import { WINDOW } from "../../../protocol/connection/send_queue.ts";
import { FLAG_MORE, type Message } from "../../../protocol/wire/frame.ts";
import {
  ConnectionHarness,
  message as harnessMessage,
  termination,
} from "../../support/connection_harness.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";

const ROUNDS = 20_000;

function message(seq: number, text: string): Message {
  return { kind: "message", seq, sender: 1, flags: 0, text };
}

/** Gives a queue Messages that come early until it refuses one; returns how many it took. */
function fill(queue: ReceiveQueue, text: string): number {
  let seq = 1;
  while (queue.handleMessage(message(seq, text), []) === "new") seq++;
  return seq - 1;
}

function newQueues(): ReceiveQueue[] {
  const pool = new ReceivePool();
  return Array.from({ length: CONNECTIONS_MAX }, () => new ReceiveQueue({ receivePool: pool }));
}

Deno.test("ReceivePool.resize() keeps a share for each connection, whatever the others take", () => {
  const pool = new ReceivePool();
  for (let other = 1; other < CONNECTIONS_MAX; other++) {
    let size = 0;
    while (size <= POOLED_SIZE_MAX && pool.resize(size, size + 1000)) size += 1000;
    assert(size >= POOLED_SHARE - 1000, `${size}`);
  }
  assertEquals(pool.resize(0, POOLED_SHARE), true);
  assertEquals(pool.resize(POOLED_SHARE, POOLED_SHARE + 1000), false);
});

Deno.test("ReceivePool.resize() lets no connection take more than all that a receiver holds", () => {
  const pool = new ReceivePool();
  assertEquals(pool.resize(0, POOLED_SIZE_MAX + 1), false);
  assertEquals(pool.resize(0, POOLED_SIZE_MAX), true);
});

Deno.test("ReceivePool.resize() keeps the total whatever connections take and give back", () => {
  withSeed(seedFromEnv(), (prng: Prng) => {
    const pool = new ReceivePool();
    const sizes = Array<number>(CONNECTIONS_MAX).fill(0);
    for (let round = 0; round < ROUNDS; round++) {
      const index = prng.int(CONNECTIONS_MAX);
      const to = prng.int(POOLED_SIZE_MAX);
      if (pool.resize(sizes[index]!, to)) sizes[index] = to;
      const common = sizes.reduce((sum, size) => sum + Math.max(0, size - POOLED_SHARE), 0);
      assert(common <= POOLED_COMMON, `${common}`);
    }
    for (const size of sizes) assert(pool.resize(size, 0));
    assert(pool.resize(0, POOLED_SIZE_MAX), "all was given back");
  });
});

Deno.test("peers that leave out seq 0 make a client keep no more than all may, in any alphabet", () => {
  for (
    const [text, bytes] of [["x".repeat(65_000), 65_000], ["é".repeat(32_000), 64_000]] as const
  ) {
    const taken = newQueues().map((queue) => fill(queue, text));
    const total = taken.reduce((sum, count) => sum + count * (bytes + EARLY_OVERHEAD), 0);
    assert(total <= CONNECTIONS_MAX * POOLED_SHARE + POOLED_COMMON, `${total}`);
    // The last one has its share all the same.
    assertEquals(taken.at(-1), Math.floor(POOLED_SHARE / (bytes + EARLY_OVERHEAD)));
  }
});

Deno.test("a queue gives back what its turn came for, and at the end of its connection the rest", () => {
  const pool = new ReceivePool();
  const [first, second] = [1, 2].map(() => new ReceiveQueue({ receivePool: pool }));
  // Not ASCII, and so of two bytes each: all that a receiver holds takes all that there is.
  const text = "é".repeat(280);
  assertEquals(fill(first!, text), WINDOW - 1);
  assert(fill(second!, text) < WINDOW - 1);
  const before = second!.ack();
  second!.close();
  assertEquals(second!.ack(), before);
  assertEquals(first!.handleMessage(message(0, text), []), "new");
  assertEquals(first!.next, WINDOW);
  assertEquals(fill(new ReceiveQueue({ receivePool: pool }), text), WINDOW - 1);
});

Deno.test("a connection gives all back when it ends, and when it goes on in another session", () => {
  const endings: ((harness: ConnectionHarness) => void)[] = [
    ({ connection, now }) => connection.abandon(now, "timeout"),
    (harness) => harness.receive(harness.seal(termination())),
    (harness) => harness.resume(true),
    (harness) => harness.resume(false),
  ];
  for (const end of endings) {
    const harness = new ConnectionHarness("responder");
    for (let seq = 1; seq < WINDOW; seq++) {
      harness.deliver(harnessMessage(seq, "é".repeat(280)));
      harness.sent();
    }
    assertEquals(harness.receivePool.resize(0, POOLED_SIZE_MAX), false);
    end(harness);
    assertEquals(harness.receivePool.resize(0, POOLED_SIZE_MAX), true);
  }
});

Deno.test("texts that nobody takes fill the pool of all; each peer gets one text through all the same", () => {
  const pool = new ReceivePool();
  const queues = Array.from(
    { length: CONNECTIONS_MAX },
    () => new ReceiveQueue({ receivePool: pool, holdsTexts: true }),
  );
  const text = "x".repeat(1000);
  const counts = queues.map((queue) => {
    let seq = 0;
    while (queue.handleMessage(message(seq, text), []) === "new") seq++;
    return seq;
  });
  const total = counts.reduce((sum, count) => sum + count * 2 * text.length, 0);
  assert(total <= CONNECTIONS_MAX * POOLED_SHARE + POOLED_COMMON, `${total}`);
  assertEquals(counts.at(-1), Math.floor(POOLED_SHARE / (2 * text.length)));
  // A text that is larger than the share finds its way, piece by piece.
  const last = new ReceiveQueue({ receivePool: pool, holdsTexts: true });
  const texts: ReceivedText[] = [];
  for (let seq = 0; seq < 65; seq++) {
    const flags = seq < 64 ? FLAG_MORE : 0;
    assertEquals(last.handleMessage({ ...message(seq, text), flags }, texts), "new");
  }
  for (let seq = 65; seq < 70; seq++) {
    const taken = last.handleMessage(message(seq, text), texts);
    if (taken === "new") continue;
    assert(last.take(texts.shift()!));
    assertEquals(last.handleMessage(message(seq, text), texts), "new");
  }
  for (const queue of [...queues, last]) queue.close();
  assert(pool.resize(0, POOLED_SIZE_MAX), "all was given back");
});
