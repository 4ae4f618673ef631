/**
 * The role of a process with one end of some wires, which sends or receives messages on command.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { openChat } from "./chat_wire.ts";
import { type Delays, delaysOf } from "./stats.ts";
import {
  type Amount,
  type Arrived,
  CLOCK_STRIDE,
  openTcp,
  openUdp,
  type Wire,
  type WireKind,
  type WireOptions,
} from "./wire.ts";
import type { Line } from "./worker.ts";

/** The configuration of this role. */
export interface TalkConfig extends Omit<WireOptions, "peer"> {
  readonly kind: WireKind;
  /** One wire for each. */
  readonly peers: readonly (Address | null)[];
}

/** Its commands. It answers when it is done, or, for "count" and "echo", has started. */
export type Job =
  | { readonly do: "flood"; readonly amount: Amount; readonly samples?: number }
  | { readonly do: "count"; readonly warmUpMs: number; readonly ms?: number }
  | { readonly do: "echo" | "listen" | "counted" | "listened" | "watched" | "close" }
  | { readonly do: "watch"; readonly messages: number; readonly samples: number }
  | { readonly do: "ping"; readonly warmUpMs: number; readonly ms: number }
  | { readonly do: "pace"; readonly interval: number; readonly messages: number };

/** Memory at one moment, in bytes. */
export interface MemorySample {
  readonly messages: number;
  readonly resident: number;
  readonly heap: number;
}

/** The resources that a process used. */
export interface Counted {
  readonly messages: number;
  /** By second, after the warm-up. */
  readonly rate: number;
  readonly datagrams: number;
}

/** The result of sending. */
export interface Sent {
  readonly seconds: number;
  readonly datagrams: number;
  readonly memory: readonly MemorySample[];
}

/** The result of the job "ping". */
export interface Pinged extends Delays {
  /** Round trips, those of the warm-up included. */
  readonly trips: number;
}

/** The result of the job "listen". */
export interface Listened extends Delays {
  readonly datagrams: number;
}

const OPEN = { chat: openChat, udp: openUdp, tcp: openTcp };

/** Opens the wires, reports their addresses, then runs commands. */
export async function talk({ kind, peers, ...options }: TalkConfig, line: Line): Promise<void> {
  const openings = peers.map((peer, index) => {
    const name = `${options.name ?? "peer"}${index}`;
    return OPEN[kind]({ ...options, name, peer: peer ?? undefined });
  });
  const addresses = await Promise.all(openings.map(({ address }) => address));
  line.tell(addresses.map(({ hostname, port }) => ({ hostname, port })));
  const wires = await Promise.all(openings.map(({ wire }) => wire));
  line.tell("connected");
  const talker = new Talker(wires, options.size);
  for (;;) {
    const job = await line.hear() as Job | undefined;
    if (job === undefined) return;
    line.tell(await talker.do(job) ?? "done");
  }
}

class Talker {
  readonly #wires: readonly Wire[];
  readonly #size: number;
  #counter = new Counter(0, Infinity);
  #delays: number[] = [];
  #memory: MemorySample[] = [];
  #datagramsBefore = 0;

  constructor(wires: readonly Wire[], size: number) {
    this.#wires = wires;
    this.#size = size;
  }

  get #datagrams(): number {
    return this.#wires.reduce((sum, { datagrams }) => sum + datagrams, 0);
  }

  async do(job: Job): Promise<unknown> {
    const wire = this.#wires[0]!;
    switch (job.do) {
      case "flood":
        return await this.#flood(wire, job.amount, job.samples ?? 0);
      case "count": {
        const counter = this.#counter = new Counter(job.warmUpMs, job.ms ?? Infinity);
        wire.onMessage = () => counter.count();
        return undefined;
      }
      case "counted":
        return { ...this.#counter.result(), datagrams: wire.datagrams };
      case "watch":
        return this.#watch(wire, job.messages / job.samples);
      case "watched":
        return this.#memory;
      case "echo": {
        const answer = this.#message();
        for (const each of this.#wires) each.onMessage = () => each.send(answer);
        return undefined;
      }
      case "ping":
        return await this.#ping(wire, job.warmUpMs, job.ms);
      case "listen":
        return this.#listen();
      case "listened":
        return { ...delaysOf(this.#delays), datagrams: this.#datagrams - this.#datagramsBefore };
      case "pace":
        return await this.#pace(job.interval, job.messages);
      case "close":
        return void await Promise.all(this.#wires.map((each) => each.close()));
    }
  }

  /** Counts messages, and measures the memory at each `step` of them. */
  #watch(wire: Wire, step: number): void {
    const counter = this.#counter = new Counter(0, Infinity);
    const memory: MemorySample[] = this.#memory = [];
    let messages = 0;
    wire.onMessage = () => {
      counter.count();
      if (messages++ >= step * memory.length) memory.push({ messages, ...usedMemory() });
    };
  }

  #message(start = ""): string {
    return start.padEnd(this.#size, "x");
  }

  async #flood(wire: Wire, amount: Amount, samples: number): Promise<Sent> {
    const memory: MemorySample[] = [];
    const step = (amount.messages ?? Infinity) / samples;
    const start = performance.now();
    const before = wire.datagrams;
    await wire.flood(this.#message(), amount, (messages) => {
      if (messages >= step * memory.length) memory.push({ messages, ...usedMemory() });
    });
    const seconds = (performance.now() - start) / 1000;
    return { seconds, datagrams: wire.datagrams - before, memory };
  }

  async #ping(wire: Wire, warmUpMs: number, ms: number): Promise<Pinged> {
    const delays: number[] = [];
    let trips = 0;
    const message = this.#message();
    const start = performance.now();
    for (let now = start; now < start + warmUpMs + ms;) {
      const arrival = Promise.withResolvers<void>();
      const sentAt = performance.now();
      wire.onMessage = () => {
        now = performance.now();
        trips++;
        if (sentAt > start + warmUpMs) delays.push(1000 * (now - sentAt));
        arrival.resolve();
      };
      await wire.send(message);
      await arrival.promise;
    }
    return { ...delaysOf(delays), trips };
  }

  #listen(): void {
    const toWallClock = wallClockOffset();
    const delays: number[] = this.#delays = [];
    this.#datagramsBefore = this.#datagrams;
    for (const wire of this.#wires) {
      wire.onMessage = (message) => {
        delays.push(performance.now() + toWallClock - parseFloat(textOf(message)));
      };
    }
  }

  /** Sends on each wire in turn, so that the sends do not coincide. */
  async #pace(interval: number, messages: number): Promise<Sent> {
    const toWallClock = wallClockOffset();
    const before = this.#datagrams;
    const start = performance.now();
    const step = interval / this.#wires.length;
    for (let count = 0; count < messages * this.#wires.length; count++) {
      const wait = start + count * step - performance.now();
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      const stamp = (performance.now() + toWallClock).toFixed(3);
      await this.#wires[count % this.#wires.length]!.send(this.#message(`${stamp} `));
    }
    const seconds = (performance.now() - start) / 1000;
    // The last ones may need a retransmission.
    await new Promise((resolve) => setTimeout(resolve, SETTLE));
    return { seconds, datagrams: this.#datagrams - before, memory: [] };
  }
}

/** Milliseconds for the last messages of "pace" to arrive. */
const SETTLE = 2000;
/** How often the wall clock is read for its offset. */
const CLOCK_TICKS = 5;

/** The offset of the wall clock from performance.now(), read when the wall clock ticks. */
function wallClockOffset(): number {
  let offset = -Infinity;
  for (let tick = 0; tick < CLOCK_TICKS; tick++) {
    const before = Date.now();
    let now = before;
    while (now === before) now = Date.now();
    offset = Math.max(offset, now - performance.now());
  }
  return offset;
}

function textOf(message: Arrived): string {
  return typeof message === "string" ? message : new TextDecoder().decode(message);
}

/** Memory after a garbage collection. */
function usedMemory(): { resident: number; heap: number } {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  const { rss, heapUsed } = Deno.memoryUsage();
  return { resident: rss, heap: heapUsed };
}

/** Counts messages, and measures their time after a warm-up. */
class Counter {
  #messages = 0;
  #startAt: number | undefined;
  readonly #warmUpMs: number;
  readonly #ms: number;
  #first: { messages: number; at: number } | undefined;
  #last: { messages: number; at: number } | undefined;

  constructor(warmUpMs: number, ms: number) {
    this.#warmUpMs = warmUpMs;
    this.#ms = ms;
  }

  count(): void {
    if (this.#messages++ % CLOCK_STRIDE !== 0) return;
    const at = performance.now();
    const since = at - (this.#startAt ??= at);
    if (since < this.#warmUpMs || since > this.#warmUpMs + this.#ms) return;
    this.#first ??= { messages: this.#messages, at };
    this.#last = { messages: this.#messages, at };
  }

  result(): Omit<Counted, "datagrams"> {
    const first = this.#first ?? { messages: 0, at: 0 };
    const last = this.#last ?? first;
    const rate = 1000 * (last.messages - first.messages) / (last.at - first.at);
    return { messages: this.#messages, rate };
  }
}
