/**
 * Where the entries with some property are: a hash table of slots.
 *
 * @module
 */

/** What no slot is. */
export const NO_SLOT = -1;

/**
 * Slots by the hash of what they hold: open addressing with linear probing, at most half full.
 *
 * It has room for all from the start, so that it never has to grow in one go; memory that was never
 * written to takes none.
 */
export class HashIndex {
  /** Slots plus 1; 0 is empty. */
  readonly #cells: Uint32Array;
  readonly #mask: number;
  readonly #hashOf: (slot: number) => number;

  /** @param hashOf the hash of what a slot in the index holds. */
  constructor(slotsMax: number, hashOf: (slot: number) => number) {
    const size = 2 ** Math.ceil(Math.log2(2 * slotsMax));
    this.#cells = new Uint32Array(size);
    this.#mask = size - 1;
    this.#hashOf = hashOf;
  }

  /** Where the search for a hash begins; then next(), until at() is {@linkcode NO_SLOT}. */
  first(hash: number): number {
    return hash & this.#mask;
  }

  /** The cell behind this one. */
  next(cell: number): number {
    return (cell + 1) & this.#mask;
  }

  /** The slot in this cell. */
  at(cell: number): number {
    return this.#cells[cell]! - 1;
  }

  /** Adds a slot that is not in the index. */
  add(hash: number, slot: number): void {
    let cell = this.first(hash);
    while (this.#cells[cell] !== 0) cell = this.next(cell);
    this.#cells[cell] = slot + 1;
  }

  /** Takes a slot out that is in the index; what it holds must still be there. */
  remove(slot: number): void {
    let hole = this.first(this.#hashOf(slot));
    while (this.at(hole) !== slot) hole = this.next(hole);
    // Those behind it that could be in the hole move there, so that no search ends too early.
    for (let cell = this.next(hole); this.#cells[cell] !== 0; cell = this.next(cell)) {
      const home = this.first(this.#hashOf(this.at(cell)));
      const isReachable = ((cell - home) & this.#mask) >= ((cell - hole) & this.#mask);
      if (!isReachable) continue;
      this.#cells[hole] = this.#cells[cell]!;
      hole = cell;
    }
    this.#cells[hole] = 0;
  }
}
