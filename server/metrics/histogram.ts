/**
 * A histogram with fixed buckets.
 *
 * @module
 */

/** The upper bounds of the buckets for delays, in seconds. */
export const DELAY_BUCKETS: readonly number[] = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
];

/** Counts values by their size, in memory that does not grow. */
export class Histogram {
  /** The upper bounds of the buckets but the last, which has none; rising. */
  readonly bounds: readonly number[];
  /** How many values are in each bucket, and not in the ones before. */
  readonly counts: number[];
  /** The sum of all values. */
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Array(bounds.length + 1).fill(0);
  }

  /** Counts a value. */
  observe(value: number): void {
    const index = this.bounds.findIndex((bound) => value <= bound);
    this.counts[index < 0 ? this.bounds.length : index]! += 1;
    this.sum += value;
  }
}
