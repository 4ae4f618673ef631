/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1).
 *
 * Over the hash of `node:crypto`, because its `createHmac()` prints a warning on Deno 2.4; in one call
 * each, because what `createHash()` makes has to be collected.
 *
 * @module
 */
import { hash } from "node:crypto";

/** Bytes in a block of SHA-256. */
const BLOCK_SIZE = 64;
/** Bytes in a digest. */
const DIGEST_SIZE = 32;

/** Makes codes under one key. */
export class HmacSha256 {
  /** The key and, behind it, what is hashed. */
  #inner: Uint8Array;
  readonly #outer = new Uint8Array(BLOCK_SIZE + DIGEST_SIZE);

  /**
   * Takes a key.
   *
   * @param key at most 64 bytes.
   */
  constructor(key: Uint8Array) {
    const block = new Uint8Array(BLOCK_SIZE);
    block.set(key);
    this.#inner = block.map((byte) => byte ^ 0x36);
    this.#outer.set(block.map((byte) => byte ^ 0x5c));
  }

  /** The 32 bytes of the code for the parts, as if they were one text. */
  sign(...parts: readonly Uint8Array[]): Uint8Array {
    const size = parts.reduce((sum, part) => sum + part.length, BLOCK_SIZE);
    if (this.#inner.length !== size) {
      const inner = new Uint8Array(size);
      inner.set(this.#inner.subarray(0, BLOCK_SIZE));
      this.#inner = inner;
    }
    let at = BLOCK_SIZE;
    for (const part of parts) {
      this.#inner.set(part, at);
      at += part.length;
    }
    this.#outer.set(sha256(this.#inner), BLOCK_SIZE);
    return sha256(this.#outer);
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

function sha256(bytes: Uint8Array): Uint8Array {
  return hash("sha256", bytes, "buffer");
}
