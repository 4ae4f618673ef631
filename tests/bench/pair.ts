/**
 * Two processes with wires between them, for a benchmark.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { Child, type Place } from "./child.ts";
import { cpuSeconds, isLinux } from "./machine.ts";
import type { Job, TalkConfig } from "./talk.ts";
import type { WireKind } from "./wire.ts";

/** The options of a pair. */
export interface PairOptions {
  readonly size: number;
  /** Number of wires; by default 1. */
  readonly wires?: number;
  /** The places of the sender and of the receiver. */
  readonly places?: readonly [Place, Place];
  /** Their addresses; by default the loopback. */
  readonly hostnames?: readonly [string, string];
  /** For "chat". */
  readonly directory?: Address;
}

/** Of the sender and of the receiver. */
type CpuSeconds = readonly [sender: number, taker: number];

const LOOPBACK = "127.0.0.1";
let pairs = 0;

/** Two processes, connected. */
export class Pair implements AsyncDisposable {
  readonly #sender: Child;
  readonly #taker: Child;

  private constructor(sender: Child, taker: Child) {
    this.#sender = sender;
    this.#taker = taker;
  }

  /** Starts both processes and waits until they are connected. */
  static async open(kind: WireKind, options: PairOptions): Promise<Pair> {
    const { size, wires = 1, places, hostnames, directory } = options;
    // Every end has a different name in the directory.
    const config = { kind, size, directory, name: `p${++pairs}x` };
    const start = (end: 0 | 1, peers: TalkConfig["peers"]): Child => {
      const hostname = hostnames?.[end] ?? LOOPBACK;
      return new Child("talk", { ...config, hostname, peers }, places?.[end]);
    };
    const taker = start(1, new Array(wires).fill(null));
    const sender = start(0, await taker.hear<Address[]>());
    await sender.hear();
    await Promise.all([sender.hear(), taker.hear()]);
    return new Pair(sender, taker);
  }

  /** Seconds of CPU time that each end has had; undefined where the system does not tell. */
  get cpu(): CpuSeconds | undefined {
    return isLinux ? [cpuSeconds(this.#sender.pid), cpuSeconds(this.#taker.pid)] : undefined;
  }

  /** The same since `before`. */
  cpuSince(before: CpuSeconds | undefined): CpuSeconds | undefined {
    const now = this.cpu;
    return before && now && [now[0] - before[0], now[1] - before[1]];
  }

  /** Runs a command in the sender. */
  send<T>(job: Job): Promise<T> {
    return this.#sender.ask<T>(job);
  }

  /** Runs a command in the receiver. */
  take<T>(job: Job): Promise<T> {
    return this.#taker.ask<T>(job);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#sender[Symbol.asyncDispose](), this.#taker[Symbol.asyncDispose]()]);
  }
}

/** A directory in a process. */
export class DirectoryProcess implements AsyncDisposable {
  readonly address: Address;
  readonly #child: Child;

  private constructor(child: Child, address: Address) {
    this.#child = child;
    this.address = address;
  }

  /** Starts it. */
  static async open(place: Place = {}, hostname = LOOPBACK): Promise<DirectoryProcess> {
    const child = new Child("directory", { hostname }, place);
    const { port } = await child.hear<Address>();
    return new DirectoryProcess(child, { hostname, port });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#child[Symbol.asyncDispose]();
  }
}
