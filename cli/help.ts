/**
 * Help texts, made from option tables.
 *
 * @module
 */
import { type Option, optionRows, type OptionTable } from "./options.ts";

/** Characters of the longest option whose help stands in the same row. */
const OPTION_WIDTH_MAX = 20;

/** The blocks of a help text, with an empty line between two. */
export function helpText(...blocks: readonly string[]): string {
  return blocks.join("\n\n");
}

/** A block with a title, in two columns. */
export function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return `${title}:\n${columns(rows).join("\n")}`;
}

/** The block of a command's options. */
export function optionSection(table: OptionTable): string {
  const rows = optionRows(table).map((option) => [optionUsage(option), option.help] as const);
  return `Options:\n${columns(rows, OPTION_WIDTH_MAX).join("\n")}`;
}

/** Rows of two columns, indented; after a left one of more than `widthMax` there is a line break. */
export function columns(
  rows: readonly (readonly [string, string])[],
  widthMax = Infinity,
): string[] {
  const widths = rows.map(([left]) => left.length).filter((width) => width <= widthMax);
  const width = Math.max(...widths);
  return rows.map(([left, right]) => {
    const gap = left.length > width ? `\n${" ".repeat(2 + width)}` : "";
    return `  ${left.padEnd(width)}${gap}  ${right}`;
  });
}

/** `-h, --help`, `--name NAME` */
function optionUsage({ name, value }: Option): string {
  const short = name === "help" ? "-h, " : "";
  return `${short}--${name} ${value}`.trimEnd();
}
