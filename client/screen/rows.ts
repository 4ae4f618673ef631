/**
 * Tracks which printed rows are still on the screen, and can be written over.
 *
 * @module
 */
import { screenWidth } from "../../cli/wrap.ts";
import { withoutCodes } from "./whole_run.ts";

/**
 * Rows by their number, counted from the first printed one. The prompt is below the last.
 *
 * The place of the prompt on the screen is not known. But the lowest row that was ever reached has
 * been on the screen, so that the rows from there up to the height of the screen still are.
 */
export class Rows {
  #next = 0;
  #lowest = 0;
  /** Rows above this one may have moved. */
  #certainFrom = 0;

  /** The number of the row that is printed next, where the prompt begins. */
  get next(): number {
    return this.#next;
  }

  /** This many rows were printed and the prompt moved down, or up again if it is negative. */
  print(count: number): void {
    this.#next += count;
    this.reach(1);
  }

  /** The prompt and the draft take this many rows. */
  reach(count: number): void {
    this.#lowest = Math.max(this.#lowest, this.#next + count - 1);
  }

  /** From now on the rows above the prompt may have moved. */
  forget(): void {
    this.#certainFrom = this.#next;
    this.#lowest = this.#next;
  }

  /** Whether a row has left the screen, as far as that is known after a resize. */
  isGone(row: number, screenRows: number): boolean {
    return row <= this.#lowest - screenRows;
  }

  /** How far a row is above the first row of the prompt; undefined if it has left the screen. */
  above(row: number, screenRows: number): number | undefined {
    const top = Math.max(this.#certainFrom, this.#lowest - screenRows + 1);
    return row >= top && row < this.#next ? this.#next - row : undefined;
  }
}

/** The rows that a text, which may hold the codes of a style or of a whole run, takes on a screen. */
export function countRows(text: string, columns: number): number {
  let rows = 0;
  for (const line of withoutCodes(text).split("\n")) {
    rows += Math.max(1, Math.ceil(screenWidth(line) / columns));
  }
  return rows;
}
