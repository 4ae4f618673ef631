/**
 * The draft in rows of the screen, and the part of a tall one that is shown.
 *
 * @module
 */
import { cutToWidth, screenWidth } from "../../cli/wrap.ts";
import type { DraftState } from "./draft.ts";

const graphemes = new Intl.Segmenter();

/** A row of the draft. */
export interface DraftRow {
  /** The prompt, in the first row. */
  readonly prompt: string;
  /** The part of the text. */
  readonly text: string;
  /** Where that part begins in the text. */
  readonly start: number;
}

/** What is on the screen of a draft. */
export interface DraftPicture {
  readonly rows: readonly string[];
  /** The number of the row with the cursor. */
  readonly cursorRow: number;
  /** What stands before the cursor in that row. */
  readonly beforeCursor: string;
}

/** The rows that a prompt and a text take; the last one has room for the cursor. */
export function draftRows(prompt: string, text: string, columns: number): DraftRow[] {
  const rows: DraftRow[] = [];
  let start = 0;
  for (const line of text.split("\n")) {
    rows.push(...lineRows(rows.length === 0 ? prompt : "", line, start, columns));
    start += line.length + 1;
  }
  return rows;
}

/** The number of the row with the cursor. */
export function rowOf(rows: readonly DraftRow[], cursor: number): number {
  return Math.max(0, rows.findLastIndex(({ start }) => start <= cursor));
}

/** The column of the cursor in its row. */
export function columnOf(rows: readonly DraftRow[], cursor: number): number {
  const { prompt, text, start } = rows[rowOf(rows, cursor)]!;
  return screenWidth(prompt + text.slice(0, cursor - start));
}

/** Where the cursor is in the text when it is in this column of a row, or as near as it can be. */
export function cursorAt({ prompt, text, start }: DraftRow, column: number): number {
  let width = screenWidth(prompt);
  let at = start;
  for (const { segment } of graphemes.segment(text)) {
    width += screenWidth(segment);
    if (width > column) break;
    at += segment.length;
  }
  return at;
}

/**
 * The rows to show. If there are more than `rowsMax`, those around the cursor, and in one more row
 * how many are hidden.
 *
 * @param top the first row that was shown before.
 */
export function pictureOf(
  prompt: string,
  { text, cursor }: DraftState,
  size: { columns: number; rowsMax: number },
  top = 0,
): DraftPicture & { top: number } {
  const rows = draftRows(prompt, text, size.columns);
  const at = rowOf(rows, cursor);
  const { prompt: first, text: cursorText, start } = rows[at]!;
  const beforeCursor = first + cursorText.slice(0, cursor - start);
  const shown = rows.map((row) => row.prompt + row.text);
  if (rows.length <= size.rowsMax) return { rows: shown, cursorRow: at, beforeCursor, top: 0 };
  const body = Math.max(1, size.rowsMax - 1);
  const from = Math.max(0, at - body + 1, Math.min(top, at, rows.length - body));
  const part = shown.slice(from, from + body);
  if (size.rowsMax < 2) return { rows: part, cursorRow: at - from, beforeCursor, top: from };
  const below = rows.length - from - body;
  if (from === 0) {
    const note = cutToWidth(`↓ ${below} more`, size.columns);
    return { rows: [...part, note], cursorRow: at, beforeCursor, top: 0 };
  }
  const note = `${prompt}↑ ${from} more${below > 0 ? ` · ↓ ${below} more` : ""}`;
  return {
    rows: [cutToWidth(note, size.columns), ...part],
    cursorRow: at - from + 1,
    beforeCursor,
    top: from,
  };
}

/** The rows of a line; one more if the last is full, for the cursor. */
function lineRows(prompt: string, line: string, start: number, columns: number): DraftRow[] {
  const rows: DraftRow[] = [];
  let row = { prompt, text: "", start };
  let width = screenWidth(prompt);
  const breakRow = (): void => {
    rows.push(row);
    row = { prompt: "", text: "", start: row.start + row.text.length };
    width = 0;
  };
  for (const { segment } of graphemes.segment(line)) {
    const added = screenWidth(segment);
    if (width + added > columns && width > 0) breakRow();
    row.text += segment;
    width += added;
  }
  if (width >= columns) breakRow();
  return [...rows, row];
}
