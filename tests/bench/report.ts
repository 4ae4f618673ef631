/**
 * The results of a run of the benchmarks: the schema of `results.json`.
 *
 * @module
 */
import { ratios, summarize, type Summary } from "./stats.ts";

/** The subject of a measurement: this program, or what it is compared with. */
export type Subject = "udp-chat" | "bare UDP" | "TCP" | "empty program";

/** One figure of one subject, of each round. */
export interface Row {
  readonly subject: Subject;
  /** What is measured, such as "messages" or "p99, 5% loss". */
  readonly metric: string;
  readonly unit: string;
  /** One for each round. */
  readonly rounds: readonly number[];
  /** The subject to compare with, in the row with the same metric. */
  readonly baseline?: Subject;
}

/** The results of one benchmark. */
export interface Found {
  readonly rows: readonly Row[];
  /** Notes that are needed to understand the figures. */
  readonly notes: readonly string[];
}

/** A benchmark in the report, with the reason if it has no results. */
export interface Section extends Found {
  readonly name: string;
  /** What this machine lacks for it. */
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

/** A run. */
export interface Report {
  readonly machine: Machine;
  /** ISO 8601. */
  readonly date: string;
  readonly rounds: number;
  readonly isQuick: boolean;
  readonly sections: readonly Section[];
}

/** The summary of a row, and of its ratio. */
export interface Figures {
  readonly value: Summary;
  readonly ratio: Summary | undefined;
}

/** Summarises a row; ratios are taken round by round. */
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
