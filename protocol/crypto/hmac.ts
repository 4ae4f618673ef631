/**
 * HMAC-SHA-256 (RFC 2104, FIPS 198-1), over libsodium in WebAssembly.
 *
 * Not over `node:crypto`, whose `createHmac()` prints a warning on Deno 2.4, and whose hash is an
 * object for each text, with memory outside the heap: twice the time, and much to collect.
 *
 * @module
 */
import { DATAGRAM_SIZE_MAX } from "../wire/frame.ts";
import { ready } from "./sodium.ts";

/** Bytes in a code. */
const DIGEST_SIZE = 32;

/**
 * The 32 bytes of the code for the parts, as if they were one text: together a datagram at most.
 *
 * @param key at most 64 bytes.
 */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const { sodium, memory, signed, key: keyAt } = ready();
  memory.set(key, keyAt);
  let size = 0;
  for (const part of parts) {
    if (size + part.length > DATAGRAM_SIZE_MAX) {
      throw new RangeError("Cannot sign: the text is too long");
    }
    memory.set(part, signed + size);
    size += part.length;
  }
  // The first step of HKDF is an HMAC (RFC 5869, 2.2). It writes the code over the text.
  sodium._crypto_kdf_hkdf_sha256_extract(signed, keyAt, key.length, signed, size);
  return memory.slice(signed, signed + DIGEST_SIZE);
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
