/**
 * libsodium, in WebAssembly: what is used of it, and places in its memory that are allocated once.
 *
 * @module
 */
import { DATAGRAM_SIZE_MAX, PACKET_SIZE_MAX, TAG_SIZE } from "../wire/frame.ts";

/** Bytes in a block of SHA-256: those of the longest key. */
const KEY_SIZE_MAX = 64;
/** Bytes in the longest nonce. */
const NONCE_SIZE_MAX = 24;

/** What of libsodium is used: addresses are those of its memory, sizes are two halves of 64 bits. */
interface Sodium {
  readonly HEAPU8: Uint8Array;
  _malloc(size: number): number;
  "_crypto_aead_chacha20poly1305_ietf_encrypt": Encrypt;
  "_crypto_aead_chacha20poly1305_ietf_decrypt": Decrypt;
  "_crypto_aead_xchacha20poly1305_ietf_encrypt": Encrypt;
  "_crypto_aead_xchacha20poly1305_ietf_decrypt": Decrypt;
  "_crypto_kdf_hkdf_sha256_extract": Extract;
}
/** Seals. */
export type Encrypt = (
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
/** Opens; 0 where it is authentic. */
export type Decrypt = (
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
type Extract = (
  code: number,
  key: number,
  keySize: number,
  text: number,
  textSize: number,
) => number;

/** The places. */
export interface Workspace {
  readonly sodium: Sodium;
  readonly memory: Uint8Array;
  readonly view: DataView;
  /** For what is sealed or opened; where each of them is. */
  readonly text: number;
  readonly nonce: number;
  readonly key: number;
  /** For what is signed, apart from what was opened: both may be in use. */
  readonly signed: number;
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
  const text = sodium._malloc(PACKET_SIZE_MAX + TAG_SIZE);
  const nonce = sodium._malloc(NONCE_SIZE_MAX);
  const key = sodium._malloc(KEY_SIZE_MAX);
  const signed = sodium._malloc(DATAGRAM_SIZE_MAX);
  // Only now, because allocating may have moved it.
  const memory = sodium.HEAPU8;
  const view = new DataView(memory.buffer);
  workspace = { sodium, memory, view, text, nonce, key, signed };
}

/** The places; loadCipher() must have come to its end. */
export function ready(): Workspace {
  if (workspace === undefined) throw new Error("Cannot seal, open or sign before loadCipher()");
  return workspace;
}
