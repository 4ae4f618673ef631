import { assert, assertEquals } from "@std/assert";
import {
  BadLine,
  type Chaos,
  CHAOS_EXAMPLE,
  DELAY_MAX,
  describeChaos,
  HOLD_BACK_MIN,
  parseChaos,
  UNDER_WAY_MAX,
} from "../../../client/chaos/chaos.ts";
import { ChaosSocket } from "../../../client/chaos/chaos_socket.ts";
import { CONNECTION_DATAGRAM_SIZE_MAX } from "../../../protocol/wire/frame.ts";
import type { Socket } from "../../../protocol/udp.ts";

const FAIR: Chaos = { loss: 0, duplicate: 0, reorder: 0, delay: 0, seed: 7 };

/** What comes out of a line, and when, of items put in a millisecond apart. */
function pass(chaos: Partial<Chaos>, count: number, direction: "in" | "out" = "out"): number[][] {
  const line = new BadLine<number>({ ...FAIR, ...chaos }, direction);
  const out: number[][] = [];
  const takeUntil = (until: number): void => {
    for (let at = line.next(); at !== undefined && at <= until; at = line.next()) {
      out.push([line.take(at)!, at]);
    }
  };
  for (let item = 0; item < count; item++) {
    takeUntil(item);
    line.put(item, item);
  }
  takeUntil(Infinity);
  return out;
}

Deno.test("parseChaos() understands the example, and parts of it", () => {
  const chaos = { loss: 0.2, duplicate: 0.1, reorder: 0.1, delay: 50, seed: 7 };
  assertEquals(parseChaos(CHAOS_EXAMPLE), { ok: true, value: chaos });
  assertEquals(parseChaos("delay=2s, loss=1"), {
    ok: true,
    value: { ...FAIR, delay: 2000, loss: 1, seed: 1 },
  });
  assertEquals(parseChaos("loss=.5"), { ok: true, value: { ...FAIR, loss: 0.5, seed: 1 } });
});

Deno.test("parseChaos() says what it expected", () => {
  const list = `expected a list such as ${CHAOS_EXAMPLE}, got`;
  const errors: [string, string][] = [
    ["", `${list} ""`],
    ["loss", `${list} "loss"`],
    ["loss=0.1,", `${list} ""`],
    ["lose=0.1", `${list} "lose=0.1"`],
    ["toString=1", `${list} "toString=1"`],
    ["loss=20%", 'expected loss to be a probability from 0 to 1, got "20%"'],
    ["loss=1.1", 'expected loss to be a probability from 0 to 1, got "1.1"'],
    ["loss=-0.1", 'expected loss to be a probability from 0 to 1, got "-0.1"'],
    ["loss=", 'expected loss to be a probability from 0 to 1, got ""'],
    ["delay=50", 'expected delay to be a time up to 60s, such as 50ms, got "50"'],
    ["delay=61s", 'expected delay to be a time up to 60s, such as 50ms, got "61s"'],
    ["seed=4294967296", 'expected seed to be a number from 0 to 4294967295, got "4294967296"'],
    ["loss=0.1,loss=0.2", "expected loss only once"],
  ];
  for (const [text, error] of errors) assertEquals(parseChaos(text), { ok: false, error }, text);
  assert(parseChaos(`delay=${DELAY_MAX}ms`).ok);
});

Deno.test("describeChaos() names what is done", () => {
  assertEquals(
    describeChaos({ loss: 0.2, duplicate: 0.1, reorder: 0.005, delay: 50, seed: 7 }),
    "The line is made bad on purpose, each way: 20 % of the datagrams lost, 10 % twice, " +
      "0.5 % overtaken, 50 ms late (seed 7)",
  );
  assertEquals(
    describeChaos(FAIR),
    "The line is made bad on purpose, each way: nothing at all (seed 7)",
  );
});

Deno.test("BadLine: a fair line changes nothing", () => {
  assertEquals(pass({}, 3), [[0, 0], [1, 1], [2, 2]]);
  assertEquals(pass({ delay: 50 }, 3), [[0, 50], [1, 51], [2, 52]]);
});

Deno.test("BadLine: loses and repeats about as many as it should", () => {
  assertEquals(pass({ loss: 1 }, 100), []);
  const some = pass({ loss: 0.2 }, 1000).length;
  assert(some > 750 && some < 850, `${some} of 1000 came through`);
  assertEquals(pass({ duplicate: 1 }, 2), [[0, 0], [0, 0], [1, 1], [1, 1]]);
  const twice = pass({ duplicate: 0.1 }, 1000).length;
  assert(twice > 1060 && twice < 1140, `${twice} of 1000 came through`);
});

Deno.test("BadLine: what is held back is overtaken", () => {
  const out = pass({ reorder: 0.1, delay: 5 }, 200);
  assertEquals(out.length, 200);
  const held = out.filter(([item = 0, at]) => at === item + 5 + HOLD_BACK_MIN).length;
  assert(held > 5 && held < 40, `${held} held back`);
  assertEquals(out.every(([item = 0, at = 0]) => [5, 5 + HOLD_BACK_MIN].includes(at - item)), true);
  assert(out.some(([item = 0], index) => item < (out[index - 1]?.[0] ?? 0)), "overtaken");
});

Deno.test("BadLine: the same seed is the same fate; the directions differ", () => {
  const chaos = { loss: 0.3, duplicate: 0.3, reorder: 0.3 };
  assertEquals(pass(chaos, 50), pass(chaos, 50));
  assert(`${pass(chaos, 50)}` !== `${pass({ ...chaos, seed: 8 }, 50)}`);
  assert(`${pass(chaos, 50)}` !== `${pass(chaos, 50, "in")}`);
  // Which ones are lost does not depend on what else is done.
  const survivors = (chaos: Partial<Chaos>): Set<number> =>
    new Set(pass(chaos, 50).map(([item = 0]) => item));
  assertEquals(
    [...survivors({ loss: 0.3, duplicate: 0.5 })],
    [...survivors({ loss: 0.3, duplicate: 0 })],
  );
});

Deno.test("BadLine: holds so many at most", () => {
  const line = new BadLine<number>({ ...FAIR, delay: 1000 }, "out");
  for (let item = 0; item < UNDER_WAY_MAX + 5; item++) line.put(0, item);
  let count = 0;
  while (line.take(1000) !== undefined) count++;
  assertEquals(count, UNDER_WAY_MAX);
});

/** A socket in memory, and time that the test moves. */
class Bench {
  now = 0;
  readonly sent: number[] = [];
  isClosed = false;
  /** Bytes that the socket below may receive. */
  bufferSize = 0;
  readonly socket: ChaosSocket;
  #alarms: { at: number; action: () => void }[] = [];
  #receivers: PromiseWithResolvers<[Uint8Array<ArrayBuffer>, Deno.Addr]>[] = [];

  constructor(chaos: Partial<Chaos>) {
    const inner: Socket = {
      send: (bytes) => {
        this.sent.push(bytes[0]!);
        return Promise.resolve(bytes.length);
      },
      receive: (buffer) => {
        this.bufferSize = buffer.length;
        const receiver = Promise.withResolvers<[Uint8Array<ArrayBuffer>, Deno.Addr]>();
        this.#receivers.push(receiver);
        return receiver.promise;
      },
      close: () => {
        this.isClosed = true;
      },
    };
    this.socket = new ChaosSocket(inner, { ...FAIR, ...chaos }, {
      clock: () => this.now,
      after: (ms, action) => this.#alarms.push({ at: this.now + ms, action }),
    });
  }

  get alarms(): number {
    return this.#alarms.length;
  }

  async advance(to: number): Promise<void> {
    this.now = to;
    const due = this.#alarms.filter(({ at }) => at <= to);
    this.#alarms = this.#alarms.filter(({ at }) => at > to);
    for (const { action } of due) action();
    await settle();
  }

  async arrive(byte: number): Promise<void> {
    this.#receivers.shift()?.resolve([Uint8Array.of(byte), TO]);
    await settle();
  }

  async fail(): Promise<void> {
    this.#receivers.shift()?.reject(new Error("closed"));
    await settle();
  }
}

const TO: Deno.NetAddr = { transport: "udp", hostname: "10.0.0.1", port: 1 };

/** Lets all promises settle that can. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

Deno.test("ChaosSocket: sends late, with one alarm; closing lets out what is under way", async () => {
  const bench = new Bench({ delay: 50 });
  const buffer = Uint8Array.of(1);
  await bench.socket.send(buffer, TO);
  // The caller may use the bytes again.
  buffer[0] = 2;
  await bench.socket.send(buffer, TO);
  assertEquals([bench.sent, bench.alarms], [[], 1]);
  await bench.advance(50);
  assertEquals([bench.sent, bench.alarms], [[1, 2], 0]);
  await bench.socket.send(Uint8Array.of(3), TO);
  bench.socket.close();
  await settle();
  assertEquals([bench.sent, bench.isClosed], [[1, 2, 3], true]);
});

Deno.test("ChaosSocket: receives late, twice, and tells errors", async () => {
  const bench = new Bench({ delay: 50, duplicate: 1 });
  const received: number[] = [];
  const errors: string[] = [];
  (async () => {
    for (;;) {
      try {
        received.push((await bench.socket.receive(new Uint8Array(10)))[0][0]!);
      } catch (error) {
        errors.push(String(error));
        if (errors.length === 2) return;
      }
    }
  })();
  await settle();
  assert(bench.bufferSize > CONNECTION_DATAGRAM_SIZE_MAX, "a large one is not cut");
  await bench.arrive(1);
  await bench.advance(20);
  await bench.arrive(2);
  assertEquals(received, []);
  await bench.advance(50);
  assertEquals(received, [1, 1]);
  await bench.fail();
  await bench.advance(70);
  assertEquals(received, [1, 1, 2, 2]);
  await bench.fail();
  assertEquals(errors, ["Error: closed", "Error: closed"]);
});
