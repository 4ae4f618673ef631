/**
 * Help texts, made from option tables.
 *
 * @module
 */
import { type Option, optionRows, type OptionTable } from "./options.ts";

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
  return section("Options", optionRows(table).map((option) => [optionUsage(option), option.help]));
}

/** Rows of two columns, indented. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** `-h, --help`, `--name NAME` */
function optionUsage({ name, value }: Option): string {
  const short = name === "help" ? "-h, " : "";
  return `${short}--${name} ${value}`.trimEnd();
}
