/**
 * AES-256-GCM with the nonces of the Noise Protocol Framework, over `node:crypto`.
 *
 * @module
 */
import { createCipheriv, createDecipheriv } from "node:crypto";

/** Bytes by which sealed text is longer than plain text. */
export const TAG_SIZE = 16;
const NONCE_SIZE = 12;
/** Used again for each: the cipher takes a copy. */
const nonce = new Uint8Array(NONCE_SIZE);
const nonceView = new DataView(nonce.buffer);

/** The nonce of a packet counter: 32 zero bits, then the counter, big-endian (Noise, 12.4). */
function nonceOf(counter: number | bigint): Uint8Array {
  if (typeof counter === "bigint") {
    nonceView.setBigUint64(4, counter);
  } else {
    nonceView.setUint32(4, Math.floor(counter / 2 ** 32));
    nonceView.setUint32(8, counter >>> 0);
  }
  return nonce;
}

/**
 * Encrypts and authenticates `plain`, and authenticates `associated`.
 *
 * @param sealed where the result goes; it may begin where `plain` does.
 */
export function seal(
  key: Uint8Array,
  counter: number | bigint,
  associated: Uint8Array,
  plain: Uint8Array,
  sealed: Uint8Array = new Uint8Array(plain.length + TAG_SIZE),
): Uint8Array {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(counter));
  cipher.setAAD(associated);
  const { length } = plain;
  sealed.set(cipher.update(plain));
  cipher.final();
  sealed.set(cipher.getAuthTag(), length);
  return sealed;
}

/** Undoes seal(); undefined where a bit of anything is another than it was. */
export function open(
  key: Uint8Array,
  counter: number | bigint,
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
