/**
 * The index of the entries by name.
 *
 * @module
 */
import type { Random } from "../../protocol/machine.ts";
import { nameKey } from "../../protocol/name/name.ts";
import type { Entries } from "./entries.ts";
import { HashIndex } from "./hash_index.ts";
import { KeyedHash } from "./keyed_hash.ts";
import { NO_SLOT } from "./table.ts";
import { writeUtf8 } from "../../protocol/wire/utf8.ts";

/** Finds entries by name; names that count as the same are one. */
export class NameIndex {
  readonly #entries: Entries;
  readonly #hash: KeyedHash;
  readonly #index: HashIndex;
  /** The name that is looked up, and one that is stored: the size of a name is one byte. */
  readonly #sought = new Uint8Array(255);
  readonly #stored = new Uint8Array(255);

  constructor(entries: Entries, slotsMax: number, random: Random) {
    this.#entries = entries;
    this.#hash = new KeyedHash(random);
    this.#index = new HashIndex(slotsMax, (slot) => this.#hashOf(this.#storedKey(slot)));
  }

  /** The slot with this name, or one that counts as the same. */
  find(name: string): number {
    const key = this.#keyOf(name);
    const index = this.#index;
    for (let cell = index.first(this.#hashOf(key));; cell = index.next(cell)) {
      const slot = index.at(cell);
      if (slot === NO_SLOT || isEqual(this.#storedKey(slot), key)) return slot;
    }
  }

  /** Adds an entry, whose name no other has. */
  add(slot: number): void {
    this.#index.add(this.#hashOf(this.#storedKey(slot)), slot);
  }

  /** Removes an entry. */
  remove(slot: number): void {
    this.#index.remove(slot);
  }

  #hashOf(key: Uint8Array): number {
    return this.#hash.hash(key, key.length);
  }

  /** nameKey() in bytes, valid until the next call. */
  #keyOf(name: string): Uint8Array {
    for (let i = 0; i < name.length; i++) {
      const code = name.charCodeAt(i);
      if (code >= 0x80 || i === this.#sought.length) return writeUtf8(nameKey(name));
      this.#sought[i] = toUpper(code);
    }
    return this.#sought.subarray(0, name.length);
  }

  /** nameKey() of the stored name in bytes, valid until the next call. */
  #storedKey(slot: number): Uint8Array {
    const size = this.#entries.nameSize(slot);
    const bytes = this.#stored;
    this.#entries.copyName(slot, bytes, 0);
    let isAscii = true;
    for (let i = 0; i < size; i++) {
      if (bytes[i]! >= 0x80) isAscii = false;
      bytes[i] = toUpper(bytes[i]!);
    }
    if (isAscii) return bytes.subarray(0, size);
    return writeUtf8(nameKey(this.#entries.name(slot)));
  }
}

/** An ASCII character in upper case. */
function toUpper(code: number): number {
  return code >= 0x61 && code <= 0x7a ? code - 0x20 : code;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
