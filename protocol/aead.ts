/**
 * AES-256-GCM with the nonces of the Noise Protocol Framework, over `node:crypto`.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";

/** Bytes by which sealed text is longer than plain text. */
export const TAG_SIZE = 16;
const NONCE_SIZE = 12;

/** The nonce of a packet counter: 32 zero bits, then the counter, big-endian (Noise, 12.4). */
function nonceOf(counter: bigint): Uint8Array {
  const nonce = new Uint8Array(NONCE_SIZE);
  new DataView(nonce.buffer).setBigUint64(4, counter);
  return nonce;
}

/** Encrypts and authenticates `plain`, and authenticates `associated`. */
export function seal(
  key: Uint8Array,
  counter: bigint,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(counter));
  cipher.setAAD(associated);
  const sealed = new Uint8Array(plain.length + TAG_SIZE);
  sealed.set(cipher.update(plain));
  cipher.final();
  sealed.set(cipher.getAuthTag(), plain.length);
  return sealed;
}

/** Undoes seal(); undefined where a bit of anything is another than it was. */
export function open(
  key: Uint8Array,
  counter: bigint,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const size = sealed.length - TAG_SIZE;
  if (size < 0) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", key, nonceOf(counter));
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(size));
  const plain = decipher.update(sealed.subarray(0, size));
  try {
    decipher.final();
  } catch {
    return undefined;
  }
  // No Buffer, whose slice() and equality are others.
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.length);
}

/** The key that follows `key`: what an observer who learns it can not go back from (Noise, 11.3). */
export function rekey(key: Uint8Array): Uint8Array {
  return seal(key, 2n ** 64n - 1n, new Uint8Array(), new Uint8Array(32)).slice(0, 32);
}
