/**
 * The Registers that have had their effect: shown again, they have none.
 *
 * @module
 */
import { type Address, formatAddress } from "../protocol/address.ts";

/**
 * Registers that are remembered, at most; of more, the older half goes. Their cookies are good for a
 * minute at most, and a directory for 10,000 clients grants no more than 22,000 in one.
 */
export const SPENT_MAX = 65_536;

/** Remembers Registers by the address that they came from and their nonce. */
export class SpentRegisters {
  #younger = new Set<string>();
  #older = new Set<string>();

  /** How many are remembered. */
  get size(): number {
    return this.#younger.size + this.#older.size;
  }

  /** Remembers one. */
  add(address: Address, nonce: bigint): void {
    if (this.#younger.size >= SPENT_MAX / 2) {
      this.#older = this.#younger;
      this.#younger = new Set();
    }
    this.#younger.add(keyOf(address, nonce));
  }

  /** Whether this one is remembered. */
  has(address: Address, nonce: bigint): boolean {
    const key = keyOf(address, nonce);
    return this.#younger.has(key) || this.#older.has(key);
  }
}

function keyOf(address: Address, nonce: bigint): string {
  return `${formatAddress(address)} ${nonce}`;
}
