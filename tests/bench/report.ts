/**
 * What a run of the benchmarks found: the shape of `results.json`.
 *
 * @module
 */
import { ratios, summarize, type Summary } from "./stats.ts";

/** What is measured: this program, or what it is held against. */
export type Subject = "udp-chat" | "bare UDP" | "TCP" | "empty program";

/** One figure of one subject, of each round. */
export interface Row {
  readonly subject: Subject;
  /** What is measured, such as "messages" or "p99, 5% loss". */
  readonly metric: string;
  readonly unit: string;
  /** One for each round. */
  readonly rounds: readonly number[];
  /** The subject that the ratio is to, in the row with the same metric. */
  readonly baseline?: Subject;
}

/** What one benchmark found. */
export interface Found {
  readonly rows: readonly Row[];
  /** What a reader has to know to understand the figures. */
  readonly notes: readonly string[];
}

/** A benchmark in the report; where it found nothing, with the reason. */
export interface Section extends Found {
  readonly name: string;
  /** What it needs and this machine does not have. */
  readonly skipped?: string;
  /** What went wrong. */
  readonly failed?: string;
}

/** The machine that it ran on. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly os: string;
  readonly deno: string;
}

/** A whole run. */
export interface Report {
  readonly machine: Machine;
  /** ISO 8601. */
  readonly date: string;
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly sections: readonly Section[];
}

/** The figures of a row in short, and those of its ratio. */
export interface Figures {
  readonly value: Summary;
  readonly ratio: Summary | undefined;
}

/** Sums a row up; the ratios are made round by round, and then summed up. */
export function figuresOf(row: Row, rows: readonly Row[]): Figures {
  const baseline = rows.find(({ subject, metric }) =>
    subject === row.baseline && metric === row.metric
  );
  const ratio = baseline && summarize(ratios(row.rounds, baseline.rounds));
  return { value: summarize(row.rounds), ratio };
}

/** The row of a subject for a metric of a benchmark. */
export function findRow(
  report: Report,
  name: string,
  metric: string,
  subject: Subject = "udp-chat",
): { row: Row; figures: Figures } | undefined {
  const rows = report.sections.find((section) => section.name === name)?.rows ?? [];
  const row = rows.find((each) => each.subject === subject && each.metric === metric);
  return row && { row, figures: figuresOf(row, rows) };
}
