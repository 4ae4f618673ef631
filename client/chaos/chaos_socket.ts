/**
 * A socket at the end of a bad line.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { CONNECTION_DATAGRAM_SIZE_MAX } from "../../protocol/wire/frame.ts";
import type { Socket, SocketAddress } from "../../protocol/udp.ts";
import { BadLine, type Chaos } from "./chaos.ts";

/** A datagram, and whom it is from or to. */
type Datagram = [bytes: Uint8Array, address: SocketAddress];

/** What a bad line needs from outside. */
export interface ChaosSystem {
  clock(): Instant;
  /** Calls `action` once. */
  after(ms: number, action: () => void): void;
}

/** Puts a bad line between a socket and who uses it. */
export class ChaosSocket implements Socket {
  readonly #socket: Socket;
  readonly #system: ChaosSystem;
  readonly #outgoing: BadLine<Datagram>;
  readonly #incoming: BadLine<Datagram>;
  readonly #buffer = new Uint8Array(CONNECTION_DATAGRAM_SIZE_MAX + 1);
  #sending = Promise.resolve();
  /** Settles when the socket below has received one more; undefined while nobody asks it. */
  #receiving: Promise<void> | undefined;
  /** When the next wake-up for what is to be sent comes. */
  #wakeAt: Instant = Infinity;
  /** The wake-up for what has been received. */
  #arrival: { at: Instant; promise: Promise<void> } | undefined;
  #isClosed = false;

  constructor(socket: Socket, chaos: Chaos, system: ChaosSystem) {
    this.#socket = socket;
    this.#system = system;
    this.#outgoing = new BadLine(chaos, "out");
    this.#incoming = new BadLine(chaos, "in");
  }

  /** Sends a datagram; settles when what is not delayed is out. */
  async send(bytes: Uint8Array, to: SocketAddress): Promise<number> {
    const now = this.#system.clock();
    this.#outgoing.put(now, [bytes.slice(), to]);
    this.#sendDue(now);
    await this.#sending;
    return bytes.length;
  }

  /** Receives a datagram; rejects as the socket below does. */
  async receive(buffer: Uint8Array): Promise<[Uint8Array, SocketAddress]> {
    for (;;) {
      const arrived = this.#incoming.take(this.#system.clock());
      if (arrived !== undefined) {
        const [bytes, from] = arrived;
        buffer.set(bytes);
        return [buffer.subarray(0, bytes.length), from];
      }
      this.#receiving ??= this.#receiveOne();
      const arrival = this.#nextArrival();
      await (arrival === undefined ? this.#receiving : Promise.race([this.#receiving, arrival]));
    }
  }

  /** Closes the socket below, once what is under way is out. */
  close(): void {
    this.#isClosed = true;
    this.#sendDue(Infinity);
    this.#sending.then(() => this.#socket.close());
  }

  /** Sends what has come through by then, and wakes up for the next. */
  #sendDue(now: Instant): void {
    for (let due = this.#outgoing.take(now); due !== undefined; due = this.#outgoing.take(now)) {
      const [bytes, to] = due;
      // What cannot be sent is lost.
      this.#sending = this.#sending.then(() => this.#socket.send(bytes, to)).then(
        () => {},
        () => {},
      );
    }
    const next = this.#outgoing.next();
    if (next === undefined || this.#wakeAt <= next) return;
    this.#wakeAt = next;
    this.#system.after(next - now, () => {
      if (this.#wakeAt === next) this.#wakeAt = Infinity;
      if (!this.#isClosed) this.#sendDue(this.#system.clock());
    });
  }

  async #receiveOne(): Promise<void> {
    try {
      const [bytes, from] = await this.#socket.receive(this.#buffer);
      this.#incoming.put(this.#system.clock(), [bytes.slice(), from]);
    } finally {
      this.#receiving = undefined;
    }
  }

  /** Settles when the next one on its way comes through. */
  #nextArrival(): Promise<void> | undefined {
    const next = this.#incoming.next();
    if (next === undefined) return undefined;
    if (this.#arrival?.at === next) return this.#arrival.promise;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#arrival = { at: next, promise };
    this.#system.after(next - this.#system.clock(), () => {
      this.#arrival = undefined;
      resolve();
    });
    return promise;
  }
}
