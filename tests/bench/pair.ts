/**
 * Two processes with wires between them, for a benchmark.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { Child, type Place } from "./child.ts";
import type { Job, TalkConfig } from "./talk.ts";
import type { WireKind } from "./wire.ts";

/** How a pair is made. */
export interface PairOptions {
  readonly size: number;
  /** Wires between the two; 1 where left out. */
  readonly wires?: number;
  /** The process that sends, and the one that takes. */
  readonly places?: readonly [Place, Place];
  /** Their addresses; the loopback where left out. */
  readonly hostnames?: readonly [string, string];
  /** For "chat". */
  readonly directory?: Address;
}

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
    // Every end has a name of its own in the directory.
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

  /** Has the process that sends do something. */
  send<T>(job: Job): Promise<T> {
    return this.#sender.ask<T>(job);
  }

  /** Has the process that takes do something. */
  take<T>(job: Job): Promise<T> {
    return this.#taker.ask<T>(job);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#sender[Symbol.asyncDispose](), this.#taker[Symbol.asyncDispose]()]);
  }
}

/** A directory in a process of its own. */
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
