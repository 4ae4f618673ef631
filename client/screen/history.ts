/**
 * The history of typed lines as the text of a file: one a line, the oldest first.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";

/** Lines that are kept. */
export const HISTORY_LINES_MAX = 1000;
/** Characters in the longest line that is kept. */
export const HISTORY_LINE_LENGTH_MAX = 1000;
/** Bytes in the largest file that is read. */
export const HISTORY_SIZE_MAX = 16 * 1024 * 1024;

/** Parses the text of a file; the oldest line first, of equal ones only the latest. */
export function parseHistory(text: string): string[] {
  // An editor can put anything into the file.
  const lines = text.split("\n").map((line) => cleanText(line)).filter(isKept);
  const latestFirst = [...new Set(lines.reverse())];
  return latestFirst.slice(0, HISTORY_LINES_MAX).reverse();
}

/** Makes the text of a file with these lines. */
export function formatHistory(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** Whether a line is worth keeping. */
export function isKept(line: string): boolean {
  return line.trim() !== "" && line.length <= HISTORY_LINE_LENGTH_MAX && !/[\r\n]/.test(line);
}
