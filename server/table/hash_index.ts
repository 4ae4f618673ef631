/**
 * A hash table of slots.
 *
 * @module
 */

/**
 * Slots by the hash of a field of their entries: open addressing with linear probing, at most half
 * full.
 *
 * It has its full size from the start, so that it never stops the server to grow. The system gives
 * it memory only for what is written.
 */
export class HashIndex {
  /** Slots plus 1; 0 is empty. */
  readonly #cells: Uint32Array;
  readonly #mask: number;
  readonly #hashOf: (slot: number) => number;

  /** @param hashOf the hash for a slot that is in the index. */
  constructor(slotsMax: number, hashOf: (slot: number) => number) {
    const size = 2 ** Math.ceil(Math.log2(2 * slotsMax));
    this.#cells = new Uint32Array(size);
    this.#mask = size - 1;
    this.#hashOf = hashOf;
  }

  /** The first cell to search for a hash; then next(), until at() is `NO_SLOT`. */
  first(hash: number): number {
    return hash & this.#mask;
  }

  /** The cell after this one. */
  next(cell: number): number {
    return (cell + 1) & this.#mask;
  }

  /** The slot in this cell, `NO_SLOT` if it is empty. */
  at(cell: number): number {
    return this.#cells[cell]! - 1;
  }

  /** Adds a slot, which must not be in the index. */
  add(hash: number, slot: number): void {
    let cell = this.first(hash);
    while (this.#cells[cell] !== 0) cell = this.next(cell);
    this.#cells[cell] = slot + 1;
  }

  /** Removes a slot, which must be in the index; the field that is hashed must not have changed. */
  remove(slot: number): void {
    let hole = this.first(this.#hashOf(slot));
    while (this.at(hole) !== slot) hole = this.next(hole);
    // Later slots that may be in the hole are moved there, so that no search ends too early.
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
