/**
 * The delay of the event loop: how much later than due a timer fires.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { DELAY_BUCKETS, Histogram } from "./histogram.ts";

/** Milliseconds between two measurements. */
export const LOOP_DELAY_INTERVAL = 100;

/** The clock and the timers. */
export interface Timing {
  readonly clock: () => Instant;
  /** Calls `action` once after so many milliseconds, unless the returned function is called before. */
  readonly after: (ms: number, action: () => void) => () => void;
}

/** Measures the delay of the event loop. */
export class LoopDelay {
  /** The delays in seconds. */
  readonly histogram = new Histogram(DELAY_BUCKETS);
  readonly #timing: Timing;
  #cancel = (): void => {};

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** Measures from now on. */
  start(): void {
    const { clock, after } = this.#timing;
    const due = clock() + LOOP_DELAY_INTERVAL;
    this.#cancel = after(LOOP_DELAY_INTERVAL, () => {
      this.histogram.observe(Math.max(0, clock() - due) / 1000);
      this.start();
    });
  }

  /** Measures no longer. */
  stop(): void {
    this.#cancel();
  }
}
