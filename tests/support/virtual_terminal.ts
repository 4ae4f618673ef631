/**
 * A terminal that knows the few codes that the client draws with, keeps what scrolls away, and
 * wraps its rows again when its width changes, as tmux and most others do. Each character takes one
 * column.
 *
 * @module
 */

/** A line as it was written, over as many rows as it needs. */
interface Line {
  cells: string[];
}

/** The terminal. */
export class VirtualTerminal {
  #columns: number;
  #height: number;
  #lines: Line[] = [{ cells: [] }];
  /** The line and the cell of the cursor; the cell may be one after a full row. */
  #line = 0;
  #cell = 0;
  /** The first row of the screen, counted from the first one ever. */
  #top = 0;

  constructor(columns: number, height: number) {
    this.#columns = columns;
    this.#height = height;
  }

  /** The columns of the screen. */
  get columns(): number {
    return this.#columns;
  }

  /** Column and row of the cursor on the screen. */
  get cursor(): [column: number, row: number] {
    const [row, column] = this.#position();
    return [column, row - this.#top];
  }

  /** All rows, those that scrolled away too, down to the last that is not empty. */
  all(): string[] {
    const rows = this.#allRows().map((row) => row.join("").trimEnd());
    return rows.slice(0, rows.findLastIndex((row) => row !== "") + 1);
  }

  /** The rows of the screen. */
  rows(): string[] {
    return this.all().slice(this.#top);
  }

  /** Changes the size; the lines are wrapped again, and the cursor stays at its cell. */
  resize(columns: number, height: number): void {
    this.#columns = columns;
    this.#height = height;
    const [row] = this.#position();
    const below = this.#allRows().length - 1 - row;
    // The rows below the cursor are kept on the screen if they fit.
    this.#top = Math.max(0, row + Math.min(below, height - 1) - height + 1);
    this.#top = Math.min(this.#top, row);
  }

  /** Writes text and codes. */
  write(text: string): void {
    // deno-lint-ignore no-control-regex
    for (const [token, count, code] of text.matchAll(/\x1b\[(\d*)([A-Z])|[^]/gu)) {
      if (code !== undefined) this.#control(code, Number(count || 1));
      else if (token === "\n") this.#feed();
      else if (token === "\r") this.#go(this.#position()[0], 0);
      else this.#put(token);
    }
  }

  #control(code: string, count: number): void {
    const [row, column] = this.#position();
    switch (code) {
      case "A":
        return this.#go(Math.max(this.#top, row - count), column);
      case "B":
        return this.#go(Math.min(this.#top + this.#height - 1, row + count), column);
      case "J":
        this.#lines[this.#line]!.cells.length = Math.min(
          this.#cell,
          this.#lines[this.#line]!.cells.length,
        );
        this.#lines.length = this.#line + 1;
        return;
      default:
        throw new Error(`Unknown code ${code}`);
    }
  }

  #put(character: string): void {
    const { cells } = this.#lines[this.#line]!;
    while (cells.length < this.#cell) cells.push(" ");
    cells[this.#cell++] = character;
    this.#scroll();
  }

  /** The next row: the next one of the line, or another line. */
  #feed(): void {
    const [row] = this.#position();
    if (row + 1 >= this.#allRows().length) this.#lines.push({ cells: [] });
    this.#go(row + 1, 0);
    this.#scroll();
  }

  #scroll(): void {
    const [row] = this.#position();
    this.#top = Math.max(this.#top, row - this.#height + 1);
  }

  /** The row, counted from the first one ever, and the column. */
  #position(): [row: number, column: number] {
    const before = this.#lines.slice(0, this.#line);
    const rows = before.reduce((sum, line) => sum + this.#rowsOf(line).length, 0);
    // After a full row the cursor waits in its last column.
    const isWaiting = this.#cell > 0 && this.#cell % this.#columns === 0 &&
      this.#cell >= this.#lines[this.#line]!.cells.length;
    const row = Math.floor(this.#cell / this.#columns) - (isWaiting ? 1 : 0);
    return [rows + row, isWaiting ? this.#columns - 1 : this.#cell % this.#columns];
  }

  #go(row: number, column: number): void {
    let left = row;
    for (const [index, line] of this.#lines.entries()) {
      const rows = this.#rowsOf(line).length;
      if (left < rows) {
        this.#line = index;
        this.#cell = left * this.#columns + column;
        return;
      }
      left -= rows;
    }
    this.#lines.push({ cells: [] });
    this.#go(row, column);
  }

  #allRows(): string[][] {
    return this.#lines.flatMap((line) => this.#rowsOf(line));
  }

  #rowsOf({ cells }: Line): string[][] {
    const rows: string[][] = [];
    for (let at = 0; at < cells.length; at += this.#columns) {
      rows.push(cells.slice(at, at + this.#columns));
    }
    return rows.length === 0 ? [[]] : rows;
  }
}
