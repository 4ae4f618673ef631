/**
 * ChaCha20-Poly1305 (RFC 8439), over libsodium in WebAssembly.
 *
 * Not over `node:crypto`, whose cipher is a stream object that costs eight times as much for a small
 * datagram, and that is never freed where a datagram turns out not to be authentic.
 *
 * @module
 */
import { PACKET_SIZE_MAX, TAG_SIZE } from "../wire/frame.ts";
import { type Decrypt, type Encrypt, ready, type Workspace } from "./sodium.ts";

/** Bytes in a key. */
const KEY_SIZE = 32;

/** Writes the nonce of a counter: 32 bits, then the counter, little-endian (Noise, 12.3). */
function setCounter(
  { view, nonce }: Workspace,
  counter: number | bigint,
  prefix: number,
): void {
  view.setUint32(nonce, prefix, true);
  if (typeof counter === "bigint") {
    view.setBigUint64(nonce + 4, counter, true);
  } else {
    view.setUint32(nonce + 4, counter >>> 0, true);
    view.setUint32(nonce + 8, Math.floor(counter / 2 ** 32), true);
  }
}

/** Seals what is between the clear bytes and the room for the tag. */
function encrypt(
  { memory, text, nonce, key: keyAt }: Workspace,
  cipher: Encrypt,
  key: Uint8Array,
  bytes: Uint8Array,
  clearSize: number,
): void {
  const from = text + clearSize;
  memory.set(key, keyAt);
  memory.set(bytes, text);
  const size = bytes.length - clearSize - TAG_SIZE;
  cipher(from, 0, from, size, 0, text, clearSize, 0, 0, nonce, keyAt);
  bytes.set(memory.subarray(from, text + bytes.length), clearSize);
}

/** Opens what is after the clear bytes. */
function decrypt(
  { memory, text, nonce, key: keyAt }: Workspace,
  cipher: Decrypt,
  key: Uint8Array,
  bytes: Uint8Array,
  clearSize: number,
): Uint8Array | undefined {
  const sealedSize = bytes.length - clearSize;
  if (sealedSize < TAG_SIZE || bytes.length > PACKET_SIZE_MAX) return undefined;
  const from = text + clearSize;
  memory.set(key, keyAt);
  memory.set(bytes, text);
  const status = cipher(from, 0, 0, from, sealedSize, 0, text, clearSize, 0, nonce, keyAt);
  if (status !== 0) return undefined;
  return memory.subarray(from, from + sealedSize - TAG_SIZE);
}

/**
 * Seals bytes in their place: encrypts and authenticates what is between the clear bytes at the
 * beginning, which are authenticated, too, and the room for the tag at the end.
 *
 * @param counter never used before with this key and prefix.
 * @param prefix the first 32 bits of the nonce: 0 in Noise.
 */
export function sealInPlace(
  key: Uint8Array,
  counter: number | bigint,
  bytes: Uint8Array,
  clearSize: number,
  prefix = 0,
): void {
  const space = ready();
  setCounter(space, counter, prefix);
  const cipher = space.sodium._crypto_aead_chacha20poly1305_ietf_encrypt;
  encrypt(space, cipher, key, bytes, clearSize);
}

/**
 * Opens what sealInPlace() sealed; undefined where a bit of anything is another than it was.
 *
 * @returns a view that is valid until the next call of any function here.
 */
export function openSealed(
  key: Uint8Array,
  counter: number | bigint,
  bytes: Uint8Array,
  clearSize: number,
  prefix = 0,
): Uint8Array | undefined {
  const space = ready();
  setCounter(space, counter, prefix);
  const cipher = space.sodium._crypto_aead_chacha20poly1305_ietf_decrypt;
  return decrypt(space, cipher, key, bytes, clearSize);
}

/** The seal of `plain` under a counter, with `associated` authenticated (Noise, 5.1: ENCRYPT). */
export function seal(
  key: Uint8Array,
  counter: number | bigint,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const space = ready();
  setCounter(space, counter, 0);
  const cipher = space.sodium._crypto_aead_chacha20poly1305_ietf_encrypt;
  return encryptJoined(space, cipher, key, associated, plain);
}

/** Undoes seal() (Noise, 5.1: DECRYPT); undefined where a bit of anything is another than it was. */
export function open(
  key: Uint8Array,
  counter: number | bigint,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const space = ready();
  setCounter(space, counter, 0);
  const cipher = space.sodium._crypto_aead_chacha20poly1305_ietf_decrypt;
  const bytes = joined(associated, sealed, 0);
  return decrypt(space, cipher, key, bytes, associated.length)?.slice();
}

/** seal() with 24 random bytes as the nonce: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha). */
export function sealRandom(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const space = ready();
  space.memory.set(nonce, space.nonce);
  const cipher = space.sodium._crypto_aead_xchacha20poly1305_ietf_encrypt;
  return encryptJoined(space, cipher, key, associated, plain);
}

/** Undoes sealRandom(), like open(). */
export function openRandom(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const space = ready();
  space.memory.set(nonce, space.nonce);
  const cipher = space.sodium._crypto_aead_xchacha20poly1305_ietf_decrypt;
  const bytes = joined(associated, sealed, 0);
  return decrypt(space, cipher, key, bytes, associated.length)?.slice();
}

function encryptJoined(
  space: Workspace,
  cipher: Encrypt,
  key: Uint8Array,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const bytes = joined(associated, plain, TAG_SIZE);
  encrypt(space, cipher, key, bytes, associated.length);
  return bytes.subarray(associated.length);
}

function joined(first: Uint8Array, second: Uint8Array, room: number): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length + room);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

/** The key that follows `key`: what an observer who learns it can not go back from (Noise, 11.3). */
export function rekey(key: Uint8Array): Uint8Array {
  return seal(key, 2n ** 64n - 1n, new Uint8Array(), new Uint8Array(KEY_SIZE)).slice(0, KEY_SIZE);
}
