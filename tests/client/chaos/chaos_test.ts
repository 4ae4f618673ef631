import { assert, assertEquals } from "@std/assert";
import {
  type Chaos,
  CHAOS_EXAMPLE,
  DELAY_MAX,
  describeChaos,
  ImpairedLink,
  IN_TRANSIT_MAX,
  parseChaos,
  REORDER_DELAY_MIN,
} from "../../../client/chaos/chaos.ts";
import { ChaosSocket } from "../../../client/chaos/chaos_socket.ts";
import { PACKET_SIZE_MAX } from "../../../protocol/wire/frame.ts";
import type { Socket } from "../../../protocol/udp.ts";

const UNIMPAIRED: Chaos = { loss: 0, duplicate: 0, reorder: 0, delay: 0, seed: 7 };

/** The items that come out of a link, and when; they go in a millisecond apart. */
function pass(chaos: Partial<Chaos>, count: number, direction: "in" | "out" = "out"): number[][] {
  const link = new ImpairedLink<number>({ ...UNIMPAIRED, ...chaos }, direction);
  const out: number[][] = [];
  const takeUntil = (until: number): void => {
    for (let at = link.next(); at !== undefined && at <= until; at = link.next()) {
      out.push([link.take(at)!, at]);
    }
  };
  for (let item = 0; item < count; item++) {
    takeUntil(item);
    link.put(item, item);
  }
  takeUntil(Infinity);
  return out;
}

Deno.test("parseChaos() parses the example, and shorter lists", () => {
  const chaos = { loss: 0.2, duplicate: 0.1, reorder: 0.1, delay: 50, seed: 7 };
  assertEquals(parseChaos(CHAOS_EXAMPLE), { ok: true, value: chaos });
  assertEquals(parseChaos("delay=2s, loss=1"), {
    ok: true,
    value: { ...UNIMPAIRED, delay: 2000, loss: 1, seed: 1 },
  });
  assertEquals(parseChaos("loss=.5"), { ok: true, value: { ...UNIMPAIRED, loss: 0.5, seed: 1 } });
});

Deno.test("parseChaos() reports what it expected", () => {
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

Deno.test("describeChaos() names each impairment", () => {
  assertEquals(
    describeChaos({ loss: 0.2, duplicate: 0.1, reorder: 0.005, delay: 50, seed: 7 }),
    "The line is made bad on purpose, each way: 20 % of the datagrams lost, 10 % twice, " +
      "0.5 % overtaken, 50 ms late (seed 7)",
  );
  assertEquals(
    describeChaos(UNIMPAIRED),
    "The line is made bad on purpose, each way: nothing at all (seed 7)",
  );
});

Deno.test("ImpairedLink passes everything on without impairment", () => {
  assertEquals(pass({}, 3), [[0, 0], [1, 1], [2, 2]]);
  assertEquals(pass({ delay: 50 }, 3), [[0, 50], [1, 51], [2, 52]]);
});

Deno.test("ImpairedLink loses and duplicates at the given rates", () => {
  assertEquals(pass({ loss: 1 }, 100), []);
  const some = pass({ loss: 0.2 }, 1000).length;
  assert(some > 750 && some < 850, `${some} of 1000 came through`);
  assertEquals(pass({ duplicate: 1 }, 2), [[0, 0], [0, 0], [1, 1], [1, 1]]);
  const twice = pass({ duplicate: 0.1 }, 1000).length;
  assert(twice > 1060 && twice < 1140, `${twice} of 1000 came through`);
});

Deno.test("ImpairedLink delays reordered items so that others overtake them", () => {
  const out = pass({ reorder: 0.1, delay: 5 }, 200);
  assertEquals(out.length, 200);
  const held = out.filter(([item = 0, at]) => at === item + 5 + REORDER_DELAY_MIN).length;
  assert(held > 5 && held < 40, `${held} reordered`);
  assertEquals(
    out.every(([item = 0, at = 0]) => [5, 5 + REORDER_DELAY_MIN].includes(at - item)),
    true,
  );
  assert(out.some(([item = 0], index) => item < (out[index - 1]?.[0] ?? 0)), "overtaken");
});

Deno.test("ImpairedLink repeats itself with the same seed, and differs by direction", () => {
  const chaos = { loss: 0.3, duplicate: 0.3, reorder: 0.3 };
  assertEquals(pass(chaos, 50), pass(chaos, 50));
  assert(`${pass(chaos, 50)}` !== `${pass({ ...chaos, seed: 8 }, 50)}`);
  assert(`${pass(chaos, 50)}` !== `${pass(chaos, 50, "in")}`);
  // Which ones are lost does not depend on the other settings.
  const survivors = (chaos: Partial<Chaos>): Set<number> =>
    new Set(pass(chaos, 50).map(([item = 0]) => item));
  assertEquals(
    [...survivors({ loss: 0.3, duplicate: 0.5 })],
    [...survivors({ loss: 0.3, duplicate: 0 })],
  );
});

Deno.test("ImpairedLink bounds the items in transit", () => {
  const link = new ImpairedLink<number>({ ...UNIMPAIRED, delay: 1000 }, "out");
  for (let item = 0; item < IN_TRANSIT_MAX + 5; item++) link.put(0, item);
  let count = 0;
  while (link.take(1000) !== undefined) count++;
  assertEquals(count, IN_TRANSIT_MAX);
});

/** A socket in memory, and a clock that the test advances. */
class Stage {
  now = 0;
  readonly sent: number[] = [];
  isClosed = false;
  /** The size of the buffer that the inner socket receives into. */
  bufferSize = 0;
  readonly socket: ChaosSocket;
  #timers: { at: number; action: () => void }[] = [];
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
    this.socket = new ChaosSocket(inner, { ...UNIMPAIRED, ...chaos }, {
      clock: () => this.now,
      after: (ms, action) => this.#timers.push({ at: this.now + ms, action }),
    });
  }

  get timers(): number {
    return this.#timers.length;
  }

  async advance(to: number): Promise<void> {
    this.now = to;
    const due = this.#timers.filter(({ at }) => at <= to);
    this.#timers = this.#timers.filter(({ at }) => at > to);
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

Deno.test("ChaosSocket delays what it sends with one timer, and sends the rest on close", async () => {
  const stage = new Stage({ delay: 50 });
  const buffer = Uint8Array.of(1);
  await stage.socket.send(buffer, TO);
  // The caller may use the bytes again.
  buffer[0] = 2;
  await stage.socket.send(buffer, TO);
  assertEquals([stage.sent, stage.timers], [[], 1]);
  await stage.advance(50);
  assertEquals([stage.sent, stage.timers], [[1, 2], 0]);
  await stage.socket.send(Uint8Array.of(3), TO);
  stage.socket.close();
  await settle();
  assertEquals([stage.sent, stage.isClosed], [[1, 2, 3], true]);
});

Deno.test("ChaosSocket delays and duplicates what it receives, and passes errors on", async () => {
  const stage = new Stage({ delay: 50, duplicate: 1 });
  const received: number[] = [];
  const errors: string[] = [];
  (async () => {
    for (;;) {
      try {
        received.push((await stage.socket.receive(new Uint8Array(10)))[0][0]!);
      } catch (error) {
        errors.push(String(error));
        if (errors.length === 2) return;
      }
    }
  })();
  await settle();
  assert(stage.bufferSize > PACKET_SIZE_MAX, "a large datagram is not cut");
  await stage.arrive(1);
  await stage.advance(20);
  await stage.arrive(2);
  assertEquals(received, []);
  await stage.advance(50);
  assertEquals(received, [1, 1]);
  await stage.fail();
  await stage.advance(70);
  assertEquals(received, [1, 1, 2, 2]);
  await stage.fail();
  assertEquals(errors, ["Error: closed", "Error: closed"]);
});

Deno.test("ChaosSocket is bound where the inner socket is", () => {
  const inner = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  const socket = new ChaosSocket(inner, UNIMPAIRED, { clock: () => 0, after() {} });
  assertEquals(socket.addr, inner.addr);
  inner.close();
});
