/**
 * Draws the draft below what is printed, as codes for a terminal.
 *
 * Every row of the draft ends by itself, not because the terminal wrapped it. So a terminal that
 * becomes wider, and wraps its lines again, never has fewer rows of the draft than were drawn, and
 * erasing the draft erases nothing above it.
 *
 * @module
 */
import { screenWidth } from "../../cli/wrap.ts";
import type { DraftPicture } from "./draft_layout.ts";

/** A picture that is on the screen. */
interface Drawn extends DraftPicture {
  /** The columns of the screen when it was drawn. */
  readonly columns: number;
}

/** Draws, and tracks what is drawn. */
export class Painter {
  #drawn: Drawn | undefined;

  /** Whether a draft is on the screen. */
  get isShown(): boolean {
    return this.#drawn !== undefined;
  }

  /** The rows of the draft on the screen. */
  get rows(): number {
    return this.#drawn?.rows.length ?? 0;
  }

  /**
   * Prints a text, whole rows, in place of the draft, and the draft below it.
   *
   * @returns the codes.
   */
  paint(printed: string, picture: DraftPicture, columns: number): string {
    const before = this.#drawn;
    this.#drawn = { ...picture, columns };
    if (printed === "" && before?.columns === columns) {
      if (isSame(before, picture)) return "";
      const added = addedAtEnd(before, picture);
      if (added !== undefined) return added;
    }
    return toStart(before, columns) + printed + draw(picture);
  }

  /** Erases the draft, and prints a text, whole rows, in its place. */
  erase(printed: string, columns: number): string {
    const before = this.#drawn;
    this.#drawn = undefined;
    return toStart(before, columns) + printed;
  }

  /** Leaves the draft on the screen, and begins a row below it. */
  leave(): string {
    const drawn = this.#drawn;
    this.#drawn = undefined;
    if (drawn === undefined) return "";
    return `${down(drawn.rows.length - 1 - drawn.cursorRow)}\r\n`;
  }

  /** How many rows the cursor is below the first row of the draft. */
  cursorRow(columns: number): number {
    return this.#drawn === undefined ? 0 : rowsAbove(this.#drawn, columns);
  }

  /** Forgets what is drawn: something else is on the screen now. */
  forget(): void {
    this.#drawn = undefined;
  }
}

function isSame(before: DraftPicture, after: DraftPicture): boolean {
  return before.cursorRow === after.cursorRow && before.beforeCursor === after.beforeCursor &&
    before.rows.join("\n") === after.rows.join("\n");
}

/** What only has to be written at the cursor, which is at the end; undefined if that is not all. */
function addedAtEnd(before: DraftPicture, after: DraftPicture): string | undefined {
  const last = before.rows.length - 1;
  const [old, row] = [before.rows[last]!, after.rows[last]];
  const isAtEnd = before.cursorRow === last && before.beforeCursor === old &&
    after.cursorRow === last && after.beforeCursor === row;
  if (!isAtEnd || after.rows.length !== before.rows.length || !row.startsWith(old)) {
    return undefined;
  }
  const isRestSame = before.rows.slice(0, -1).join("\n") === after.rows.slice(0, -1).join("\n");
  return isRestSame ? row.slice(old.length) : undefined;
}

/** Goes to the first row of what is drawn, and erases it. */
function toStart(drawn: Drawn | undefined, columns: number): string {
  return `${up(drawn === undefined ? 0 : rowsAbove(drawn, columns))}\r\x1b[J`;
}

/**
 * The rows between the first one and the cursor. If the terminal became narrower it has wrapped
 * them; the least number is right, since nothing above may be erased.
 */
function rowsAbove(
  { rows, cursorRow, beforeCursor, columns: before }: Drawn,
  columns: number,
): number {
  if (columns >= before) return cursorRow;
  const wrapped = rows.slice(0, cursorRow).map((row) =>
    Math.max(1, Math.ceil(screenWidth(row) / columns))
  );
  const within = Math.floor(Math.max(0, screenWidth(beforeCursor) - 1) / columns);
  return wrapped.reduce((sum, each) => sum + each, within);
}

/** Draws the rows, and places the cursor. What is before it is written once more: terminals differ in widths. */
function draw({ rows, cursorRow, beforeCursor }: DraftPicture): string {
  const back = up(rows.length - 1 - cursorRow);
  const isAtEnd = back === "" && beforeCursor === rows.at(-1);
  return rows.join("\r\n") + (isAtEnd ? "" : `${back}\r${beforeCursor}`);
}

function up(rows: number): string {
  return rows > 0 ? `\x1b[${rows}A` : "";
}

function down(rows: number): string {
  return rows > 0 ? `\x1b[${rows}B` : "";
}
