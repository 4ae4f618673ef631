/**
 * The table of clients in aligned columns.
 *
 * @module
 */
import { cutToWidth, screenWidth } from "../../cli/wrap.ts";

/** The space before each column. */
export const GAP = "  ";
/** The least width of a cut name. */
const NAME_WIDTH_MIN = 4;

/** A row of the table. */
export type Row = readonly [id: string, name: string, address: string, time: string];

/** The rows as lines: ids and times aligned to the right, names cut if `columns` are too few. */
export function alignRows(rows: readonly Row[], columns = Infinity): string[] {
  const [idWidth = 0, nameWidth = 0, addressWidth = 0, timeWidth = 0] = [0, 1, 2, 3].map((column) =>
    rows.reduce((width, row) => Math.max(width, screenWidth(row[column]!)), 0)
  );
  const spare = columns - idWidth - addressWidth - timeWidth - 4 * GAP.length;
  const cutWidth = Math.min(nameWidth, Math.max(spare, NAME_WIDTH_MIN));
  return rows.map(([id, name, address, time]) => {
    const cut = cutToWidth(name, cutWidth);
    return GAP + [
      id.padStart(idWidth),
      cut + " ".repeat(cutWidth - screenWidth(cut)),
      address.padEnd(addressWidth),
      time.padStart(timeWidth),
    ].join(GAP);
  });
}
