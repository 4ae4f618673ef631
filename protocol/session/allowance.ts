/**
 * How much may be done in a time: a token bucket.
 *
 * @module
 */
import type { Instant } from "../machine.ts";

/** A bucket that fills at a steady rate, and starts full. */
export class Allowance {
  readonly #perSecond: number;
  readonly #max: number;
  #level: number;
  #since: Instant = 0;

  constructor(perSecond: number, max: number) {
    this.#perSecond = perSecond;
    this.#max = max;
    this.#level = max;
  }

  /** Takes one; false where none is left. */
  take(now: Instant): boolean {
    const grown = this.#level + (now - this.#since) / 1000 * this.#perSecond;
    this.#level = Math.min(this.#max, grown);
    this.#since = now;
    if (this.#level < 1) return false;
    this.#level--;
    return true;
  }
}
