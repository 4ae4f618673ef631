/**
 * Jumps between two clocks: one that never goes back, and that of the day.
 *
 * On Linux the first one stands still while the machine sleeps. So a jump is a sleep, or somebody set
 * the clock of the day.
 *
 * @module
 */
import type { Instant } from "./machine.ts";

/** Milliseconds of a jump at least: what is smaller is adjusted all the time. */
export const CLOCK_JUMP_MIN = 2_000;

/** Finds jumps. */
export class ClockJumps {
  #offset: number;

  /** Starts with what both clocks show. */
  constructor(now: Instant, wallNow: number) {
    this.#offset = wallNow - now;
  }

  /** By how many milliseconds the clock of the day jumped since the last call; undefined if it did not. */
  take(now: Instant, wallNow: number): number | undefined {
    const jump = wallNow - now - this.#offset;
    this.#offset += jump;
    return Math.abs(jump) < CLOCK_JUMP_MIN ? undefined : jump;
  }
}
