/**
 * A socket behind an impaired link.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { PACKET_SIZE_MAX } from "../../protocol/wire/frame.ts";
import type { Socket, SocketAddress } from "../../protocol/udp.ts";
import { type Chaos, ImpairedLink } from "./chaos.ts";

/** A datagram, and the address that it is from or to. */
type Datagram = [bytes: Uint8Array, address: SocketAddress];

/** What an impaired socket needs of the system. */
export interface ChaosSystem {
  clock(): Instant;
  /** Calls `action` once after this time. */
  after(ms: number, action: () => void): void;
}

/** Puts an impaired link in front of a socket. */
export class ChaosSocket implements Socket {
  readonly #socket: Socket;
  readonly #system: ChaosSystem;
  readonly #outgoing: ImpairedLink<Datagram>;
  readonly #incoming: ImpairedLink<Datagram>;
  readonly #buffer = new Uint8Array(PACKET_SIZE_MAX + 1);
  #sending = Promise.resolve();
  /** The pending receive of the inner socket, if any. */
  #receiving: Promise<void> | undefined;
  /** When the timer for the next datagram to send expires. */
  #sendTimerAt: Instant = Infinity;
  /** The timer for the next received datagram. */
  #arrival: { at: Instant; promise: Promise<void> } | undefined;
  #isClosed = false;

  constructor(socket: Socket, chaos: Chaos, system: ChaosSystem) {
    this.#socket = socket;
    this.#system = system;
    this.#outgoing = new ImpairedLink(chaos, "out");
    this.#incoming = new ImpairedLink(chaos, "in");
  }

  /** Where the inner socket is bound. */
  get addr(): SocketAddress | undefined {
    return this.#socket.addr;
  }

  /** Sends a datagram; resolves when all datagrams that are due are sent. */
  async send(bytes: Uint8Array, to: SocketAddress): Promise<number> {
    const now = this.#system.clock();
    this.#outgoing.put(now, [bytes.slice(), to]);
    this.#sendDue(now);
    await this.#sending;
    return bytes.length;
  }

  /** Receives a datagram; rejects as the inner socket does. */
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

  /** Closes the inner socket, after sending the datagrams in transit. */
  close(): void {
    this.#isClosed = true;
    this.#sendDue(Infinity);
    this.#sending.then(() => this.#socket.close());
  }

  /** Sends the datagrams that are due, and sets a timer for the next one. */
  #sendDue(now: Instant): void {
    for (let due = this.#outgoing.take(now); due !== undefined; due = this.#outgoing.take(now)) {
      const [bytes, to] = due;
      // A datagram that cannot be sent is lost.
      this.#sending = this.#sending.then(() => this.#socket.send(bytes, to)).then(
        () => {},
        () => {},
      );
    }
    const next = this.#outgoing.next();
    if (next === undefined || this.#sendTimerAt <= next) return;
    this.#sendTimerAt = next;
    this.#system.after(next - now, () => {
      if (this.#sendTimerAt === next) this.#sendTimerAt = Infinity;
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

  /** Resolves when the next datagram in transit arrives. */
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
