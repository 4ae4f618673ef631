/**
 * Which packet counters were seen: every datagram counts once, in any order (RFC 6479).
 *
 * @module
 */

/** Packet counters below the highest one that are still told apart. */
export const REPLAY_WINDOW = 2048;
const WORD_BITS = 32;
/** One word more than the window needs, so that the highest one can be cleared whole. */
const WORDS = REPLAY_WINDOW / WORD_BITS + 1;

/** The packet counters that were accepted: a ring of bits behind the highest one. */
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

  /** Of the 32 counters below this one, which came: bit n for `packet` − 1 − n. */
  below(packet: number): number {
    let bits = 0;
    for (let bit = 0; bit < WORD_BITS && bit < packet; bit++) {
      if (!this.isNew(packet - 1 - bit)) bits |= 1 << bit;
    }
    return bits >>> 0;
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

function wordOf(packet: number): number {
  return Math.floor(packet / WORD_BITS) % WORDS;
}

function bitOf(packet: number): number {
  return 1 << (packet % WORD_BITS);
}
