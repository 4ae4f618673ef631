/**
 * ChaCha20-Poly1305 (RFC 8439), over libsodium in WebAssembly.
 *
 * Not over `node:crypto`, whose cipher is a stream object that costs eight times as much for a small
 * datagram, and that is never freed where a datagram turns out not to be authentic.
 *
 * @module
 */
import { PACKET_SIZE_MAX, TAG_SIZE } from "../wire/frame.ts";

/** Bytes in a key. */
const KEY_SIZE = 32;
/** Bytes in the longer of the two nonces, that of {@linkcode sealRandom}. */
const NONCE_SIZE = 24;

/** What of libsodium is used: addresses are those of its memory, sizes are two halves of 64 bits. */
interface Sodium {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  "_crypto_aead_chacha20poly1305_ietf_encrypt": Encrypt;
  "_crypto_aead_chacha20poly1305_ietf_decrypt": Decrypt;
  "_crypto_aead_xchacha20poly1305_ietf_encrypt": Encrypt;
  "_crypto_aead_xchacha20poly1305_ietf_decrypt": Decrypt;
}
type Encrypt = (
  sealed: number,
  sealedSize: 0,
  plain: number,
  plainSize: number,
  plainSizeHigh: 0,
  associated: number,
  associatedSize: number,
  associatedSizeHigh: 0,
  secretNonce: 0,
  nonce: number,
  key: number,
) => number;
type Decrypt = (
  plain: number,
  plainSize: 0,
  secretNonce: 0,
  sealed: number,
  sealedSize: number,
  sealedSizeHigh: 0,
  associated: number,
  associatedSize: number,
  associatedSizeHigh: 0,
  nonce: number,
  key: number,
) => number;

/** The memory of libsodium, and places in it that are allocated once. */
class Workspace {
  readonly sodium: Sodium;
  readonly #memory: Uint8Array;
  readonly #view: DataView;
  /** Clear bytes, and after them what is sealed or opened. */
  readonly #text: number;
  readonly #nonce: number;
  readonly #key: number;

  constructor(sodium: Sodium) {
    this.sodium = sodium;
    this.#text = sodium._malloc(PACKET_SIZE_MAX + TAG_SIZE);
    this.#nonce = sodium._malloc(NONCE_SIZE);
    this.#key = sodium._malloc(KEY_SIZE);
    // Only now, because allocating may have moved it.
    this.#memory = sodium.HEAPU8;
    this.#view = new DataView(this.#memory.buffer);
  }

  /** The nonce of a counter: 32 bits, then the counter, little-endian (Noise, 12.3). */
  setCounter(counter: number | bigint, prefix: number): void {
    const view = this.#view;
    view.setUint32(this.#nonce, prefix, true);
    if (typeof counter === "bigint") {
      view.setBigUint64(this.#nonce + 4, counter, true);
    } else {
      view.setUint32(this.#nonce + 4, counter >>> 0, true);
      view.setUint32(this.#nonce + 8, Math.floor(counter / 2 ** 32), true);
    }
  }

  setNonce(nonce: Uint8Array): void {
    this.#memory.set(nonce, this.#nonce);
  }

  /** Seals what is between the clear bytes and the room for the tag. */
  encrypt(encrypt: Encrypt, key: Uint8Array, bytes: Uint8Array, clearSize: number): void {
    const text = this.#text;
    const from = text + clearSize;
    this.#memory.set(key, this.#key);
    this.#memory.set(bytes, text);
    const size = bytes.length - clearSize - TAG_SIZE;
    encrypt(from, 0, from, size, 0, text, clearSize, 0, 0, this.#nonce, this.#key);
    bytes.set(this.#memory.subarray(from, text + bytes.length), clearSize);
  }

  /** Opens what is after the clear bytes. */
  decrypt(
    decrypt: Decrypt,
    key: Uint8Array,
    bytes: Uint8Array,
    clearSize: number,
  ): Uint8Array | undefined {
    const sealedSize = bytes.length - clearSize;
    if (sealedSize < TAG_SIZE || bytes.length > PACKET_SIZE_MAX) return undefined;
    const text = this.#text;
    const from = text + clearSize;
    this.#memory.set(key, this.#key);
    this.#memory.set(bytes, text);
    // deno-fmt-ignore: in the order of libsodium's parameters
    const status = decrypt(from, 0, 0, from, sealedSize, 0, text, clearSize, 0, this.#nonce, this.#key);
    if (status !== 0) return undefined;
    return this.#memory.subarray(from, from + sealedSize - TAG_SIZE);
  }
}

let workspace: Workspace | undefined;
let loading: Promise<void> | undefined;

/**
 * Makes the ciphers ready for use; drive() does, and handles no datagram before.
 *
 * That takes a few hundredths of a second, in which a program can show its first line.
 */
export function loadCipher(): Promise<void> {
  return loading ??= load();
}

async function load(): Promise<void> {
  const { default: libsodium } = await import("libsodium");
  const sodium: Sodium = await libsodium();
  workspace = new Workspace(sodium);
}

function ready(): Workspace {
  if (workspace === undefined) throw new Error("Cannot seal or open before loadCipher()");
  return workspace;
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
  space.setCounter(counter, prefix);
  space.encrypt(space.sodium._crypto_aead_chacha20poly1305_ietf_encrypt, key, bytes, clearSize);
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
  space.setCounter(counter, prefix);
  const decrypt = space.sodium._crypto_aead_chacha20poly1305_ietf_decrypt;
  return space.decrypt(decrypt, key, bytes, clearSize);
}

/** The seal of `plain` under a counter, with `associated` authenticated (Noise, 5.1: ENCRYPT). */
export function seal(
  key: Uint8Array,
  counter: number | bigint,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const space = ready();
  space.setCounter(counter, 0);
  const encrypt = space.sodium._crypto_aead_chacha20poly1305_ietf_encrypt;
  return encryptJoined(space, encrypt, key, associated, plain);
}

/** Undoes seal() (Noise, 5.1: DECRYPT); undefined where a bit of anything is another than it was. */
export function open(
  key: Uint8Array,
  counter: number | bigint,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const space = ready();
  space.setCounter(counter, 0);
  const decrypt = space.sodium._crypto_aead_chacha20poly1305_ietf_decrypt;
  const bytes = joined(associated, sealed, 0);
  return space.decrypt(decrypt, key, bytes, associated.length)?.slice();
}

/** seal() with 24 random bytes as the nonce: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha). */
export function sealRandom(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const space = ready();
  space.setNonce(nonce);
  const encrypt = space.sodium._crypto_aead_xchacha20poly1305_ietf_encrypt;
  return encryptJoined(space, encrypt, key, associated, plain);
}

/** Undoes sealRandom(), like open(). */
export function openRandom(
  key: Uint8Array,
  nonce: Uint8Array,
  associated: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const space = ready();
  space.setNonce(nonce);
  const decrypt = space.sodium._crypto_aead_xchacha20poly1305_ietf_decrypt;
  const bytes = joined(associated, sealed, 0);
  return space.decrypt(decrypt, key, bytes, associated.length)?.slice();
}

function encryptJoined(
  space: Workspace,
  encrypt: Encrypt,
  key: Uint8Array,
  associated: Uint8Array,
  plain: Uint8Array,
): Uint8Array {
  const bytes = joined(associated, plain, TAG_SIZE);
  space.encrypt(encrypt, key, bytes, associated.length);
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
