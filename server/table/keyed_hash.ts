/**
 * The keyed hash of the hash tables: without the key, nobody can choose fields that collide.
 *
 * @module
 */
import type { Random } from "../../protocol/machine.ts";

/** Rounds after the last word. */
const FINAL_ROUNDS = 3;

/** HalfSipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF") with a random key. */
export class KeyedHash {
  readonly #k0: number;
  readonly #k1: number;

  constructor(random: Random) {
    const key = random(8);
    const view = new DataView(key.buffer, key.byteOffset);
    this.#k0 = view.getInt32(0);
    this.#k1 = view.getInt32(4);
  }

  /** 32 bits for the first `size` bytes. */
  hash(bytes: Uint8Array, size: number): number {
    const words = (size >>> 2) + 1;
    let v0 = this.#k0;
    let v1 = this.#k1;
    let v2 = this.#k0 ^ 0x6c796765;
    let v3 = this.#k1 ^ 0x74656462;
    for (let i = 0; i < words + FINAL_ROUNDS; i++) {
      const word = i < words ? wordAt(bytes, 4 * i, size) : 0;
      if (i === words) v2 ^= 0xff;
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = (v1 << 5 | v1 >>> 27) ^ v0;
      v0 = v0 << 16 | v0 >>> 16;
      v2 = (v2 + v3) | 0;
      v3 = (v3 << 8 | v3 >>> 24) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = (v3 << 7 | v3 >>> 25) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = (v1 << 13 | v1 >>> 19) ^ v2;
      v2 = v2 << 16 | v2 >>> 16;
      v0 ^= word;
    }
    return (v1 ^ v3) >>> 0;
  }
}

/** A little-endian word; the last one is padded with zeros, and its highest byte is the size. */
function wordAt(bytes: Uint8Array, at: number, size: number): number {
  if (at + 4 <= size) {
    return bytes[at]! | bytes[at + 1]! << 8 | bytes[at + 2]! << 16 | bytes[at + 3]! << 24;
  }
  let word = size << 24;
  for (let i = at; i < size; i++) word |= bytes[i]! << 8 * (i - at);
  return word;
}
