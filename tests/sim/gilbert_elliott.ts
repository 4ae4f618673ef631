/**
 * Losses in bursts: the Gilbert-Elliott channel with two states.
 *
 * @module
 */
import type { Prng } from "../support/random.ts";

/** Mean number of datagrams in a burst of losses. */
export const BURST = 4;

/** One direction of a path: it loses every datagram in the bad state, and none in the good one. */
export class GilbertElliott {
  readonly #prng: Prng;
  #isBad = false;

  /** Starts in the good state. */
  constructor(prng: Prng) {
    this.#prng = prng;
  }

  /**
   * Whether the next datagram is lost.
   *
   * @param loss the share of all datagrams that is lost, below 1.
   */
  loses(loss: number): boolean {
    const toBad = loss / (1 - loss) / BURST;
    this.#isBad = this.#prng.chance(this.#isBad ? 1 - 1 / BURST : toBad);
    return this.#isBad;
  }
}
