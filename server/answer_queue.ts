/**
 * The answers that wait to be sent.
 *
 * @module
 */
import type { Transmit } from "../protocol/machine.ts";
import type { Address } from "../protocol/wire/address.ts";
import { DATAGRAM_SIZE_MAX } from "../protocol/wire/frame.ts";

/** The most datagrams that wait; further ones are dropped, and the clients ask again. */
export const OUTPUT_MAX = 1024;
/** One more, for the one that is being sent. */
const RING_SIZE: number = OUTPUT_MAX + 1;

/** A queue of datagrams in memory that is allocated once. */
export class AnswerQueue {
  /** A ring of datagrams. */
  readonly #bytes = new Uint8Array(RING_SIZE * DATAGRAM_SIZE_MAX);
  readonly #sizes = new Uint16Array(RING_SIZE);
  readonly #to: Address[] = [];
  #first = 0;
  #length = 0;

  /** Whether there is room for answers that can be made later: half of it is for those that cannot. */
  get hasRoom(): boolean {
    return this.#length < OUTPUT_MAX / 2;
  }

  /** Adds a datagram; false if too many wait. */
  add(to: Address, bytes: Uint8Array): boolean {
    if (this.#length >= OUTPUT_MAX) return false;
    const place = (this.#first + this.#length++) % RING_SIZE;
    this.#bytes.set(bytes, place * DATAGRAM_SIZE_MAX);
    this.#sizes[place] = bytes.length;
    this.#to[place] = to;
    return true;
  }

  /** The next datagram; its bytes are valid until the next call. */
  poll(): Transmit | undefined {
    if (this.#length === 0) return undefined;
    const place = this.#first;
    this.#first = (place + 1) % RING_SIZE;
    this.#length--;
    const start = place * DATAGRAM_SIZE_MAX;
    return {
      bytes: this.#bytes.subarray(start, start + this.#sizes[place]!),
      to: this.#to[place]!,
    };
  }
}
