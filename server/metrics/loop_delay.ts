/**
 * The delay of the event loop: how much later than due a timer fires.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { Histogram } from "./histogram.ts";

/** Milliseconds between two measurements. */
export const LOOP_DELAY_INTERVAL = 100;
/** The upper bounds of the buckets, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The clock and the timers. */
export interface Timing {
  readonly clock: () => Instant;
  /** Calls `action` once after so many milliseconds, unless the returned function is called before. */
  readonly after: (ms: number, action: () => void) => () => void;
}

/** Measures the delay of the event loop. */
export class LoopDelay {
  /** The delays in seconds. */
  readonly histogram = new Histogram(BUCKETS);
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
