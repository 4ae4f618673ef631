/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1).
 *
 * Over the hash of `node:crypto`, because its `createHmac()` prints a warning on Deno 2.4.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Bytes in a block of SHA-256. */
const BLOCK_SIZE = 64;

/**
 * The 32 bytes of the code for the parts, as if they were one text.
 *
 * @param key at most 64 bytes.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE);
  block.set(key);
  const inner = createHash("sha256").update(block.map((byte) => byte ^ 0x36));
  for (const part of parts) inner.update(part);
  return createHash("sha256").update(block.map((byte) => byte ^ 0x5c)).update(inner.digest())
    .digest();
}
