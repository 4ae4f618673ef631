/**
 * What a command says of itself, as the text of `--help`, made from option tables.
 *
 * @module
 */
import { type Option, optionRows, type OptionTable } from "./options.ts";

/** Characters of the longest option whose help stands in the same row. */
const OPTION_WIDTH_MAX = 20;

/** Two columns with a title. */
export interface HelpSection {
  readonly title: string;
  readonly rows: readonly (readonly [string, string])[];
  /** Characters of the longest left column that has the right one in the same row. */
  readonly widthMax: number;
}

/** What there is to say of a command. */
export interface Help {
  /** How it is called, as in `udp-chat client [OPTIONS]`. */
  readonly usage: string;
  /** Paragraphs and sections, in order. */
  readonly blocks: readonly (string | HelpSection)[];
}

/** A section with a title. */
export function section(title: string, rows: HelpSection["rows"]): HelpSection {
  return { title, rows, widthMax: Infinity };
}

/** The section of a command's options. */
export function optionSection(table: OptionTable): HelpSection {
  const rows = optionRows(table).map((option) => [optionUsage(option), option.help] as const);
  return { title: "Options", rows, widthMax: OPTION_WIDTH_MAX };
}

/** What `--help` prints: the blocks, with an empty line between two. */
export function helpText({ usage, blocks }: Help): string {
  const texts = blocks.map((block) =>
    typeof block === "string"
      ? block
      : `${block.title}:\n${columns(block.rows, block.widthMax).join("\n")}`
  );
  return [`Usage: ${usage}`, ...texts].join("\n\n");
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
