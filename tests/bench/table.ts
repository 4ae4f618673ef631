/**
 * Reports as tables, for a terminal and in Markdown.
 *
 * @module
 */
import { figuresOf, type Machine, type Report, type Row, type Section } from "./report.ts";
import type { Summary } from "./stats.ts";

const HEAD = ["what", "who", "median", "min to max", "ratio", "min to max"];
/** Columns that hold figures. */
const RIGHT = [false, false, true, true, true, true];

/** A figure with three digits or, where it is larger, all of its digits in groups. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return String(Number(value.toFixed(Math.min(digits, 6))));
}

function range({ min, max }: Summary): string {
  return min === max ? "" : `${formatNumber(min)} to ${formatNumber(max)}`;
}

function cells(row: Row, rows: readonly Row[]): string[] {
  const { value, ratio } = figuresOf(row, rows);
  return [
    row.metric,
    row.subject,
    `${formatNumber(value.median)} ${row.unit}`.trim(),
    range(value),
    ratio === undefined ? "" : `${formatNumber(ratio.median)} ×`,
    ratio === undefined ? "" : range(ratio),
  ];
}

/** The machine in words. */
export function describeMachine({ cpu, cores, os, deno }: Machine): string {
  return `${cpu}, ${cores} cores, ${os}, Deno ${deno}`;
}

/** The head of a report: where and how it came about. */
export function describeRun({ machine, date, rounds, isQuick }: Report): string {
  const how = `${rounds} rounds${isQuick ? ", shortened with --quick" : ""}`;
  return `${describeMachine(machine)}; ${date.slice(0, 10)}, ${how}`;
}

/** Why a section has no figures, if it has none. */
function reasonOf({ skipped, failed }: Section): string | undefined {
  if (failed !== undefined) return `failed: ${failed}`;
  return skipped === undefined ? undefined : `skipped: ${skipped}`;
}

/** A section for a terminal. */
export function sectionText(section: Section): string {
  const { name, rows, notes } = section;
  const reason = reasonOf(section);
  if (reason !== undefined) return `${name}\n  ${reason}\n`;
  const table = [HEAD, ...rows.map((row) => cells(row, rows))];
  const widths = HEAD.map((_, column) => Math.max(...table.map((line) => line[column]!.length)));
  const lines = table.map((line) => {
    const padded = line.map((cell, column) =>
      RIGHT[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    );
    return `  ${padded.join("  ")}`.trimEnd();
  });
  return [name, ...lines, ...notes.map((note) => `  ${note}`), ""].join("\n");
}

/** A whole report in Markdown; `deno fmt` aligns the columns. */
export function reportMarkdown(report: Report): string {
  const parts = [`${describeRun(report)}.`];
  for (const section of report.sections) {
    const { name, rows, notes } = section;
    const reason = reasonOf(section);
    const table = markdownTable(HEAD, rows.map((row) => cells(row, rows)));
    parts.push(`### ${name}`, reason ?? table);
    for (const note of notes) parts.push(`- ${note}`);
  }
  return parts.join("\n\n").replace(/(?<=^- .*)\n\n(?=- )/gm, "\n");
}

/** A table in Markdown, all columns but the first two aligned to the right. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  isRight: readonly boolean[] = RIGHT,
): string {
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const rule = head.map((_, column) => isRight[column] ? "--:" : "---");
  return [line(head), line(rule), ...rows.map(line)].join("\n");
}

/** Replaces what stands between the two comments that `marker` names. */
export function replaceMarked(page: string, marker: string, content: string): string {
  const begin = `<!-- ${marker}: made by \`deno task chart\` -->`;
  const end = `<!-- end of ${marker} -->`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`Cannot find the section "${marker}" in the page`);
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`;
}
