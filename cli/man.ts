/**
 * Manual pages in roff, in the macros of man(7), from what `--help` says.
 *
 * @module
 */
import type { Help } from "./help.ts";

/** What a page is about. */
export interface ManPage {
  /** The name of the page, as in `udp-chat-client`. */
  readonly name: string;
  /** What it is about, in one line. */
  readonly summary: string;
  readonly help: Help;
  /** Of the program. */
  readonly version: string;
  /** The names of other pages. */
  readonly seeAlso: readonly string[];
}

/** The section of the manual for programs. */
const SECTION = 1;

/** Characters that roff takes for others, or shows as others. */
const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\e",
  "-": "\\-",
  "'": "\\(aq",
  "`": "\\(ga",
  "^": "\\(ha",
  "~": "\\(ti",
};

/** The page. It has no date, so that it depends on nothing but the program. */
export function manPage({ name, summary, help, version, seeAlso }: ManPage): string {
  const program = `"udp\\-chat ${escapeRoff(version)}"`;
  return [
    `.TH ${escapeRoff(name.toUpperCase())} ${SECTION} "" ${program} "udp\\-chat"`,
    ".SH NAME",
    `${escapeRoff(name)} \\- ${escapeRoff(summary)}`,
    ".SH SYNOPSIS",
    synopsis(help.usage),
    ".SH DESCRIPTION",
    ...help.blocks.flatMap((block, index) =>
      typeof block === "string"
        ? [...index === 0 ? [] : [".PP"], ...textLines(block)]
        : [`.SH "${escapeRoff(block.title.toUpperCase())}"`, ...block.rows.flatMap(item)]
    ),
    '.SH "SEE ALSO"',
    ...seeAlso.map((page, index) =>
      `.BR ${escapeRoff(page)} (${SECTION})${index < seeAlso.length - 1 ? "," : ""}`
    ),
    "",
  ].join("\n");
}

/** The command in bold, and what stands for something else, in capitals, in italics. */
function synopsis(usage: string): string {
  return usage.split(" ").map((word) => {
    const [, before = "", placeholder, after] = /^(\[?)([A-Z]+)(\]?)$/.exec(word) ?? [];
    if (placeholder === undefined) return `\\fB${escapeRoff(word)}\\fR`;
    return `${before}\\fI${placeholder}\\fR${after}`;
  }).join(" ");
}

/** A row of two columns: what is described, and its description. */
function item([left, right]: readonly [string, string]): string[] {
  return [".TP", `\\fB${escapeRoff(left)}\\fR`, ...textLines(right)];
}

/** Lines of text, none of which is taken for a request: those begin with a dot or a quote. */
function textLines(text: string): string[] {
  return escapeRoff(text).split("\n").map((line) => line.startsWith(".") ? `\\&${line}` : line);
}

/** The text as roff writes it, in ASCII. */
function escapeRoff(text: string): string {
  return text.replace(/[\\'`^~-]/g, (character) => ESCAPES[character]!)
    .replace(/[^\n -~]/gu, (character) => {
      const code = character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0");
      return `\\[u${code}]`;
    });
}
