/**
 * Texts in columns of a terminal.
 *
 * @module
 */
import { unicodeWidth } from "@std/cli/unicode-width";

/** What stands between two columns, and in front of the first. */
export const GAP = "  ";
/** Columns of the terminal that the name gets at least. */
const NAME_WIDTH_MIN = 4;

/** A row of the table. */
export type Row = readonly [id: string, name: string, address: string, time: string];

/** The rows as lines: ids and times to the right, names cut where the terminal is narrow. */
export function alignRows(rows: readonly Row[], columns = Infinity): string[] {
  const [idWidth = 0, nameWidth = 0, addressWidth = 0, timeWidth = 0] = [0, 1, 2, 3].map((column) =>
    rows.reduce((width, row) => Math.max(width, unicodeWidth(row[column]!)), 0)
  );
  const spare = columns - idWidth - addressWidth - timeWidth - 4 * GAP.length;
  const cutWidth = Math.min(nameWidth, Math.max(spare, NAME_WIDTH_MIN));
  return rows.map(([id, name, address, time]) => {
    const cut = cutToWidth(name, cutWidth);
    return GAP + [
      id.padStart(idWidth),
      cut + " ".repeat(cutWidth - unicodeWidth(cut)),
      address.padEnd(addressWidth),
      time.padStart(timeWidth),
    ].join(GAP);
  });
}

/** The text, or its beginning and an ellipsis, in so many columns. */
export function cutToWidth(text: string, columns: number): string {
  if (unicodeWidth(text) <= columns) return text;
  let cut = "";
  let width = 0;
  for (const character of text) {
    width += unicodeWidth(character);
    if (width > columns - 1) break;
    cut += character;
  }
  return columns < 1 ? "" : `${cut}…`;
}
