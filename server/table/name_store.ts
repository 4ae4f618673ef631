/**
 * The long names of entries, as bytes in linked cells.
 *
 * @module
 */
import { NAME_SIZE_MAX } from "../../protocol/name/name.ts";

/** Bytes in a cell: the number of the next one, and a piece of a name. */
const CELL_SIZE = 32;
const PIECE_SIZE = CELL_SIZE - 4;
/** Cells for the longest name. */
const CELLS_MAX = Math.ceil(NAME_SIZE_MAX / PIECE_SIZE);

/** Stores names of up to {@linkcode NAME_SIZE_MAX} bytes. */
export class NameStore {
  readonly #bytes: Uint8Array;
  readonly #u32: Uint32Array;
  /** Cells that have been in use; the others were never written. */
  #used = 1;
  /** The first of those that are free again, 0 for none. */
  #free = 0;

  constructor(namesMax: number) {
    const buffer = new ArrayBuffer((namesMax * CELLS_MAX + 1) * CELL_SIZE);
    this.#bytes = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
  }

  /** Stores a name, which must not be empty; returns its first cell. */
  add(name: Uint8Array): number {
    let next = 0;
    // From the end, because each piece has the number of the next one's cell.
    for (let at = (cellsOf(name.length) - 1) * PIECE_SIZE; at >= 0; at -= PIECE_SIZE) {
      const cell = this.#take();
      this.#u32[cell * (CELL_SIZE / 4)] = next;
      this.#bytes.set(name.subarray(at, at + PIECE_SIZE), cell * CELL_SIZE + 4);
      next = cell;
    }
    return next;
  }

  /** Removes a name of this size. */
  remove(first: number, size: number): void {
    let last = first;
    for (let left = cellsOf(size) - 1; left > 0; left--) last = this.#next(last);
    this.#u32[last * (CELL_SIZE / 4)] = this.#free;
    this.#free = first;
  }

  /** Writes a name of this size from `at` on. */
  copy(first: number, size: number, to: Uint8Array, at: number): void {
    let cell = first;
    for (let done = 0; done < size; done += PIECE_SIZE, cell = this.#next(cell)) {
      const start = cell * CELL_SIZE + 4;
      const end = Math.min(size - done, PIECE_SIZE);
      for (let i = 0; i < end; i++) to[at + done + i] = this.#bytes[start + i]!;
    }
  }

  #next(cell: number): number {
    return this.#u32[cell * (CELL_SIZE / 4)]!;
  }

  #take(): number {
    const cell = this.#free;
    if (cell === 0) return this.#used++;
    this.#free = this.#next(cell);
    return cell;
  }
}

function cellsOf(size: number): number {
  return Math.ceil(size / PIECE_SIZE);
}
