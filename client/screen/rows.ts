/**
 * Which printed rows are still on the screen, so that they can be written to again.
 *
 * @module
 */
import { screenWidth } from "../../cli/wrap.ts";
import { withoutStyle } from "../../cli/style.ts";

/**
 * Rows by their number, counted from the first that was printed. The prompt stands below the last.
 *
 * Where the prompt stands on the screen is not known; but everything down to the lowest row that was
 * ever reached has been on it, so that as many rows up from there as the screen has still are.
 */
export class Rows {
  #next = 0;
  #lowest = 0;
  /** Rows above this one may have moved. */
  #sureFrom = 0;

  /** The number of the row that is printed next, where the prompt begins. */
  get next(): number {
    return this.#next;
  }

  /** So many rows were printed, and the prompt moved down; or up again, where it is negative. */
  print(count: number): void {
    this.#next += count;
    this.reach(1);
  }

  /** The prompt and what follows it take so many rows. */
  reach(count: number): void {
    this.#lowest = Math.max(this.#lowest, this.#next + count - 1);
  }

  /** From now on nothing above the prompt is sure to be where it was. */
  forget(): void {
    this.#sureFrom = this.#next;
    this.#lowest = this.#next;
  }

  /** How far above the prompt's first row a printed one is; undefined if it has left the screen. */
  above(row: number, screenRows: number): number | undefined {
    const top = Math.max(this.#sureFrom, this.#lowest - screenRows + 1);
    return row >= top && row < this.#next ? this.#next - row : undefined;
  }
}

/** The rows that a text takes on a screen, with the codes of a style in it. */
export function countRows(text: string, columns: number): number {
  let rows = 0;
  for (const line of withoutStyle(text).split("\n")) {
    rows += Math.max(1, Math.ceil(screenWidth(line) / columns));
  }
  return rows;
}

/** The most rows that a line takes in which a wide character may not have fitted into a row. */
export function mostRows(line: string, columns: number): number {
  const width = screenWidth(withoutStyle(line));
  return width < columns ? 1 : Math.ceil(width / Math.max(1, columns - 1)) + 1;
}
