/**
 * The interface of a benchmark.
 *
 * @module
 */
import type { Found, Row, Subject } from "./report.ts";

/** Rounds of a benchmark. */
export const ROUNDS = 5;
/** The same with `--quick`. */
export const ROUNDS_QUICK = 2;

/** Significant digits of a figure. */
const DIGITS = 6;

/** How much to do. */
export interface Plan {
  readonly rounds: number;
  readonly isQuick: boolean;
}

/** One benchmark. */
export interface Benchmark {
  readonly name: string;
  /** What it measures, in one line. */
  readonly summary: string;
  /** Why it cannot run on this machine; undefined if it can. */
  problem(): string | undefined;
  run(plan: Plan): Promise<Found>;
}

/** Figures by round. */
export class Figures {
  readonly #rows: (Row & { readonly rounds: number[] })[] = [];

  /** Adds the figure of a round. */
  add(subject: Subject, metric: string, unit: string, value: number, baseline?: Subject): void {
    let row = this.#rows.find((each) => each.subject === subject && each.metric === metric);
    if (row === undefined) {
      row = { subject, metric, unit, rounds: [], ...baseline !== undefined && { baseline } };
      this.#rows.push(row);
    }
    row.rounds.push(Number(value.toPrecision(DIGITS)));
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }
}

/** Waits. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
