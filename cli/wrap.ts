/**
 * The width of text on a terminal, and text cut or wrapped to a width.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";

/** Columns that a row has for text, even on a narrower terminal. */
const COLUMNS_MIN = 10;

const graphemes = new Intl.Segmenter();

/** Variation selector 16, for emoji presentation: terminals differ in the width that it gives. */
const EMOJI_SELECTOR = /\ufe0f/g;

/** The columns that a text takes, or the most where terminals differ. */
export function screenWidth(text: string): number {
  return unicodeWidth(text) + (text.match(EMOJI_SELECTOR)?.length ?? 0);
}

/** The text, or as much of its beginning as fits, with an ellipsis; never part of a grapheme. */
export function cutToWidth(text: string, columns: number): string {
  if (screenWidth(text) <= columns) return text;
  if (columns < 1) return "";
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
 * `prefix` and `text`, with every row but the first indented.
 *
 * As no other row starts at the left edge, no text can look like several. Without `columns`, only
 * the line breaks of the text start new rows.
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

/** Rows of at most `first` columns for the first one and `rest` for each other. */
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
