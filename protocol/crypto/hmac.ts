/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1).
 *
 * Over the hash of `node:crypto`, because its `createHmac()` prints a warning on Deno 2.4. As text in
 * one call, and in memory that is allocated once: an object or bytes of its own for each hash take a
 * multiple of the time, and memory outside the heap, which is given back late and in pieces.
 *
 * @module
 */
import { hash } from "node:crypto";

/** Bytes in a block of SHA-256. */
const BLOCK_SIZE = 64;
/** Bytes in a digest. */
const DIGEST_SIZE = 32;

/** The key and, after it, what is hashed: the text, then the digest of that. */
let inner = new Uint8Array(BLOCK_SIZE);
const outer = new Uint8Array(BLOCK_SIZE + DIGEST_SIZE);

/** Makes codes under one key. */
export class HmacSha256 {
  readonly #key = new Uint8Array(BLOCK_SIZE);

  /**
   * Takes a key.
   *
   * @param key at most 64 bytes.
   */
  constructor(key: Uint8Array) {
    this.#key.set(key);
  }

  /** The 32 bytes of the code for the parts, as if they were one text. */
  sign(...parts: readonly Uint8Array[]): Uint8Array {
    let size = BLOCK_SIZE;
    for (const part of parts) size += part.length;
    if (inner.length < size) inner = new Uint8Array(size);
    for (let i = 0; i < BLOCK_SIZE; i++) {
      inner[i] = this.#key[i]! ^ 0x36;
      outer[i] = this.#key[i]! ^ 0x5c;
    }
    let at = BLOCK_SIZE;
    for (const part of parts) {
      inner.set(part, at);
      at += part.length;
    }
    writeSha256(inner.subarray(0, size), outer, BLOCK_SIZE);
    const code = new Uint8Array(DIGEST_SIZE);
    writeSha256(outer, code, 0);
    return code;
  }
}

/**
 * The 32 bytes of the code for the parts, as if they were one text.
 *
 * @param key at most 64 bytes.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  return new HmacSha256(key).sign(...parts);
}

/**
 * 32 bytes of key material (RFC 5869, HKDF-SHA-256).
 *
 * @param salt at most 64 bytes, which both ends had a part in.
 * @param input what only the two can know.
 * @param info what the key is for.
 */
export function hkdf(salt: Uint8Array, input: Uint8Array, info: Uint8Array): Uint8Array {
  return hmacSha256(hmacSha256(salt, input), info, Uint8Array.of(1));
}

/** Writes the hash from `at` on. */
function writeSha256(bytes: Uint8Array, to: Uint8Array, at: number): void {
  const digits = hash("sha256", bytes, "hex");
  for (let i = 0; i < DIGEST_SIZE; i++) {
    to[at + i] = valueOf(digits.charCodeAt(2 * i)) << 4 | valueOf(digits.charCodeAt(2 * i + 1));
  }
}

/** What a digit, 0 to 9 or a to f, stands for. How long it takes tells nothing about it. */
function valueOf(digit: number): number {
  return (digit & 0xf) + 9 * (digit >> 6);
}
