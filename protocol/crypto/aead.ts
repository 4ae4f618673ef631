/**
 * AES-256-GCM with the nonces of the Noise Protocol Framework, over `node:crypto`.
 *
 * @module
 */
import { type CipherGCM, createCipheriv, createDecipheriv, type DecipherGCM } from "node:crypto";

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

/** A cipher for the packet with this counter, to be used once: making it costs as much as using it. */
export function makeCipher(key: Uint8Array, counter: number | bigint): CipherGCM {
  return createCipheriv("aes-256-gcm", key, nonceOf(counter));
}

/** A decipher for the packet with this counter. */
export function makeDecipher(key: Uint8Array, counter: number | bigint): DecipherGCM {
  return createDecipheriv("aes-256-gcm", key, nonceOf(counter));
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
  sealed?: Uint8Array,
): Uint8Array {
  return sealWith(makeCipher(key, counter), associated, plain, sealed);
}

/** seal() with a cipher made ahead, which is used up. */
export function sealWith(
  cipher: CipherGCM,
  associated: Uint8Array,
  plain: Uint8Array,
  sealed: Uint8Array = new Uint8Array(plain.length + TAG_SIZE),
): Uint8Array {
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
  return openWith(makeDecipher(key, counter), associated, sealed);
}

/** open() with a decipher made ahead, which is used up. */
export function openWith(
  decipher: DecipherGCM,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const size = sealed.length - TAG_SIZE;
  if (size < 0) return undefined;
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
