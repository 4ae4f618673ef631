/**
 * Which packet counters were seen: every datagram counts once, in any order (RFC 6479).
 *
 * @module
 */

/** Packet counters below the highest one that are still told apart. */
export const REPLAY_WINDOW = 2048;
/** The same for the requests of one of many clients. */
export const REQUEST_WINDOW = 32;
const WORD_BITS = 32;
/** One word more than the window needs, so that the highest one can be cleared whole. */
const WORDS = REPLAY_WINDOW / WORD_BITS + 1;

/** The packet counters that were accepted: a ring of bits up to the highest one. */
export class ReplayWindow {
  readonly #bits = new Uint32Array(WORDS);
  #highest = -1;

  /** The highest counter accepted, -1 for none. */
  get highest(): number {
    return this.#highest;
  }

  /** Whether a datagram with this counter is new; says nothing of its authenticity. */
  isNew(packet: number): boolean {
    if (packet > this.#highest) return true;
    if (packet <= this.#highest - REPLAY_WINDOW) return false;
    return (this.#bits[wordOf(packet)]! & bitOf(packet)) === 0;
  }

  /**
   * Of the 32 counters from this one down, which came: bit n for `packet` − n.
   *
   * @param packet a counter that was accepted.
   */
  bitmapFrom(packet: number): number {
    // What is no longer told apart is not said to have come.
    if (packet <= this.#highest - REPLAY_WINDOW + WORD_BITS) return 1;
    const bit = packet % WORD_BITS;
    const upper = this.#bits[wordOf(packet)]! << (WORD_BITS - 1 - bit);
    const isInOneWord = bit === WORD_BITS - 1 || packet < WORD_BITS;
    const lower = isInOneWord ? 0 : this.#bits[wordOf(packet - WORD_BITS)]! >>> (bit + 1);
    return reversed(upper | lower);
  }

  /** Notes the counter of a datagram that is new and authentic. */
  accept(packet: number): void {
    const from = Math.floor(this.#highest / WORD_BITS);
    const to = Math.floor(packet / WORD_BITS);
    for (let word = Math.max(from, to - WORDS) + 1; word <= to; word++) {
      this.#bits[word % WORDS] = 0;
    }
    this.#bits[wordOf(packet)]! |= bitOf(packet);
    this.#highest = Math.max(this.#highest, packet);
  }
}

/** The bits in the opposite order. */
function reversed(bits: number): number {
  let result = bits;
  result = result >>> 1 & 0x5555_5555 | (result & 0x5555_5555) << 1;
  result = result >>> 2 & 0x3333_3333 | (result & 0x3333_3333) << 2;
  result = result >>> 4 & 0x0f0f_0f0f | (result & 0x0f0f_0f0f) << 4;
  result = result >>> 8 & 0x00ff_00ff | (result & 0x00ff_00ff) << 8;
  return (result >>> 16 | result << 16) >>> 0;
}

function wordOf(packet: number): number {
  return Math.floor(packet / WORD_BITS) % WORDS;
}

function bitOf(packet: number): number {
  return 1 << (packet % WORD_BITS);
}
