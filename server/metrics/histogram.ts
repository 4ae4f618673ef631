/**
 * A histogram with fixed buckets.
 *
 * @module
 */

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
