/**
 * Lines that fit a terminal.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";

/** Columns that a row has for text, however narrow the terminal is. */
const COLUMNS_MIN = 10;

const graphemes = new Intl.Segmenter();

/** Asks for the picture of a character that may also be a sign: terminals differ in its width. */
const PICTURE = /\ufe0f/g;

/** The columns that a text takes, or takes at most where terminals differ. */
export function screenWidth(text: string): number {
  return unicodeWidth(text) + (text.match(PICTURE)?.length ?? 0);
}

/** The text, or as much of its beginning as fits, with an ellipsis. */
export function cutToWidth(text: string, columns: number): string {
  if (screenWidth(text) <= columns) return text;
  let cut = "";
  let left = columns - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= screenWidth(segment);
    if (left < 0) break;
    cut += segment;
  }
  return `${cut}…`;
}

/**
 * `text` behind `prefix`, with every further row indented.
 *
 * So no row but the first starts at the left edge, and no text can be written that looks like
 * several. Without `columns`, only the line breaks of the text begin new rows.
 *
 * @param prefixWidth the columns that `prefix` takes, which may hold color codes.
 */
export function hang(
  prefix: string,
  prefixWidth: number,
  text: string,
  indent: number,
  columns?: number,
): string {
  const rows: string[] = [];
  for (const line of text.split("\n")) {
    if (columns === undefined) {
      rows.push(line);
      continue;
    }
    const first = rows.length === 0 ? columns - prefixWidth : columns - indent;
    rows.push(...wrap(line, first, columns - indent));
  }
  return prefix + rows.join(`\n${" ".repeat(indent)}`);
}

/** Rows of at most `first` columns for the first one and `rest` for the others. */
function wrap(line: string, first: number, rest: number): string[] {
  const rows: string[] = [];
  let row = "";
  let left = Math.max(first, COLUMNS_MIN);

  function breakRow(): void {
    rows.push(row.trimEnd());
    row = "";
    left = Math.max(rest, COLUMNS_MIN);
  }

  for (const [token] of line.matchAll(/\s+|\S+/g)) {
    const width = screenWidth(token);
    const isSpace = /^\s/.test(token);
    if (width > left && row !== "") {
      breakRow();
      if (isSpace) continue;
    }
    if (width <= left) {
      row += token;
      left -= width;
      continue;
    }
    for (const { segment } of graphemes.segment(token)) {
      const width = screenWidth(segment);
      if (width > left) breakRow();
      row += segment;
      left -= width;
    }
  }
  return [...rows, row];
}
