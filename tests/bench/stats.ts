/**
 * Statistics of the figures of several rounds: medians, quantiles, ratios.
 *
 * @module
 */

/** A summary of several rounds. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/**
 * The quantile `q` of sorted values, by the nearest rank; NaN without values.
 *
 * @param q from 0 to 1.
 */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  const rank = Math.max(1, Math.ceil(q * sorted.length));
  return sorted[rank - 1] ?? NaN;
}

/** Median, least and greatest; the median of an even number is the mean of the two in the middle. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = sorted.length >> 1;
  const lower = (sorted.length - 1) >> 1;
  const median = ((sorted[lower] ?? NaN) + (sorted[upper] ?? NaN)) / 2;
  return { median, min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN };
}

/** Each round's figure divided by that of the same round of the baseline. */
export function ratios(values: readonly number[], baseline: readonly number[]): number[] {
  return values.map((value, round) => value / (baseline[round] ?? NaN));
}

/** Quantiles of delays, in the unit of the delays. */
export interface Delays {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly worst: number;
}

/** The quantiles of delays in any order. */
export function delaysOf(values: readonly number[]): Delays {
  const sorted = Float64Array.from(values).sort();
  return {
    count: sorted.length,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    worst: quantile(sorted, 1),
  };
}
