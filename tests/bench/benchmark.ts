/**
 * What a benchmark is.
 *
 * @module
 */
import type { Found, Row, Subject } from "./report.ts";

/** Rounds of each benchmark that repeats itself. */
export const ROUNDS = 5;
/** The same with `--quick`. */
export const ROUNDS_QUICK = 2;

/** Digits of a figure that are kept. */
const DIGITS = 6;

/** How much to do. */
export interface Plan {
  readonly rounds: number;
  readonly isQuick: boolean;
}

/** One benchmark. */
export interface Benchmark {
  readonly name: string;
  /** What it measures, in a line. */
  readonly summary: string;
  /** Why it cannot run here; undefined where it can. */
  problem(): string | undefined;
  run(plan: Plan): Promise<Found>;
}

/** Figures that are gathered round by round. */
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

/** Lets time pass. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
