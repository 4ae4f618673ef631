/**
 * Protection against replays of Registers that have had their effect.
 *
 * @module
 */

/** Remembers Registers by the keys that they were sealed with. */
export class RegisterReplayFilter {
  readonly #generationMax: number;
  #younger: MarkSet;
  #older: MarkSet;

  /**
   * @param generationMax Registers in a generation: when the younger one is full, it replaces the
   * older one.
   */
  constructor(generationMax: number) {
    this.#generationMax = generationMax;
    this.#younger = new MarkSet(generationMax);
    this.#older = new MarkSet(generationMax);
  }

  /** How many are remembered. */
  get size(): number {
    return this.#younger.size + this.#older.size;
  }

  /** Remembers one. */
  add(key: Uint8Array): void {
    if (this.#younger.size >= this.#generationMax) {
      this.#older = this.#younger;
      this.#younger = new MarkSet(this.#generationMax);
    }
    this.#younger.add(...markOf(key));
  }

  /** Whether this one is remembered. */
  has(key: Uint8Array): boolean {
    if (this.size === 0) return false;
    const [high, low] = markOf(key);
    return this.#younger.has(high, low) || this.#older.has(high, low);
  }
}

/** 64 bits of a key, which is a hash: two have the same mark only by chance. */
function markOf(key: Uint8Array): [high: number, low: number] {
  const view = new DataView(key.buffer, key.byteOffset);
  // Not 0, which is an empty cell.
  return [view.getUint32(0) || 1, view.getUint32(4)];
}

/** A set of 64-bit marks, none of which is ever removed. */
class MarkSet {
  /** The two halves of each mark. */
  readonly #cells: Uint32Array;
  #size = 0;

  constructor(sizeMax: number) {
    this.#cells = new Uint32Array(2 * 2 ** Math.ceil(Math.log2(2 * sizeMax)));
  }

  get size(): number {
    return this.#size;
  }

  has(high: number, low: number): boolean {
    return this.#cells[this.#find(high, low)] !== 0;
  }

  add(high: number, low: number): void {
    const cell = this.#find(high, low);
    if (this.#cells[cell] !== 0) return;
    this.#cells[cell] = high;
    this.#cells[cell + 1] = low;
    this.#size++;
  }

  /** The cell of the mark, or the empty cell for it. */
  #find(high: number, low: number): number {
    const cells = this.#cells;
    const mask = cells.length - 1;
    let cell = 2 * low & mask;
    while (cells[cell] !== 0 && (cells[cell] !== high || cells[cell + 1] !== low)) {
      cell = (cell + 2) & mask;
    }
    return cell;
  }
}
