/**
 * Protection against replays of Registers that have had their effect.
 *
 * @module
 */
import type { Random } from "../../protocol/machine.ts";
import { ENDPOINT_SIZE } from "../../protocol/wire/endpoint_bytes.ts";
import { KeyedHash } from "./keyed_hash.ts";

/** Remembers Registers by the address that they came from and their nonce. */
export class RegisterReplayFilter {
  readonly #generationMax: number;
  readonly #hashes: readonly [KeyedHash, KeyedHash];
  readonly #text = new Uint8Array(ENDPOINT_SIZE + 8);
  readonly #view = new DataView(this.#text.buffer);
  #younger: MarkSet;
  #older: MarkSet;

  /**
   * @param generationMax Registers in a generation: when the younger one is full, it replaces the
   * older one.
   */
  constructor(generationMax: number, random: Random) {
    this.#generationMax = generationMax;
    this.#hashes = [new KeyedHash(random), new KeyedHash(random)];
    this.#younger = new MarkSet(generationMax);
    this.#older = new MarkSet(generationMax);
  }

  /** How many are remembered. */
  get size(): number {
    return this.#younger.size + this.#older.size;
  }

  /** Remembers one. */
  add(endpoint: Uint8Array, nonce: bigint): void {
    if (this.#younger.size >= this.#generationMax) {
      this.#older = this.#younger;
      this.#younger = new MarkSet(this.#generationMax);
    }
    const [high, low] = this.#markOf(endpoint, nonce);
    this.#younger.add(high, low);
  }

  /** Whether this one is remembered. */
  has(endpoint: Uint8Array, nonce: bigint): boolean {
    if (this.size === 0) return false;
    const [high, low] = this.#markOf(endpoint, nonce);
    return this.#younger.has(high, low) || this.#older.has(high, low);
  }

  /** 64 bits by secret keys: two Registers have the same mark only by chance. */
  #markOf(endpoint: Uint8Array, nonce: bigint): [high: number, low: number] {
    this.#text.set(endpoint);
    this.#view.setBigUint64(ENDPOINT_SIZE, nonce);
    const [high, low] = this.#hashes;
    // Not 0, which is an empty cell.
    return [high.hash(this.#text, this.#text.length) || 1, low.hash(this.#text, this.#text.length)];
  }
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
