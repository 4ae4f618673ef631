/**
 * The challenge cookie, which proves that a client receives at its address; stateless.
 *
 * @module
 */
import { createCipheriv } from "node:crypto";
import type { Instant, Random } from "../machine.ts";
import { ENDPOINT_SIZE } from "../wire/endpoint_bytes.ts";

/** Milliseconds in a time slot; a cookie is valid in its slot and the next. */
export const COOKIE_SLOT = 30_000;
/** Bytes in a cookie, and in a block of AES. */
const COOKIE_SIZE = 16;
/** Bytes in the key. */
const KEY_SIZE = 32;
/** Bytes in the text that is authenticated: two blocks. */
const TEXT_SIZE: number = 2 * COOKIE_SIZE;
/** The offsets of the nonce and the slot, which has 6 bytes, in the text. */
const NONCE_AT = ENDPOINT_SIZE;
const SLOT_AT = NONCE_AT + 8;

const NONE = new Uint8Array(COOKIE_SIZE);

/**
 * Makes and checks cookies with a random key.
 *
 * They are CBC-MACs with AES-256 (ISO/IEC 9797-1, algorithm 1), which are as hard to guess as random
 * bytes, because all texts have the same length (Bellare, Kilian and Rogaway, "The security of the
 * cipher block chaining message authentication code"). One cipher object makes all of them; an HMAC
 * would take an object for each, which the garbage collector has to find.
 */
export class CookieJar {
  readonly #cipher: ReturnType<typeof createCipheriv>;
  readonly #text = new Uint8Array(TEXT_SIZE);
  readonly #view = new DataView(this.#text.buffer);
  readonly #cookie = new Uint8Array(COOKIE_SIZE);

  constructor(random: Random) {
    this.#cipher = createCipheriv("aes-256-cbc", random(KEY_SIZE), this.#cookie);
  }

  /** Whether a cookie was made for this endpoint and nonce, in this time slot or the one before. */
  isValid(now: Instant, endpoint: Uint8Array, nonce: bigint, cookie: Uint8Array): boolean {
    // The common case: a first Register has none.
    if (isEqual(NONE, cookie)) return false;
    const slot = slotOf(now);
    return isEqual(this.#make(slot, endpoint, nonce), cookie) ||
      isEqual(this.#make(slot - 1, endpoint, nonce), cookie);
  }

  /** The cookie that a Register has to be repeated with; the bytes are valid until the next call. */
  make(now: Instant, endpoint: Uint8Array, nonce: bigint): Uint8Array {
    return this.#make(slotOf(now), endpoint, nonce);
  }

  #make(slot: number, endpoint: Uint8Array, nonce: bigint): Uint8Array {
    const cookie = this.#cookie;
    this.#text.set(endpoint);
    this.#view.setBigUint64(NONCE_AT, nonce);
    this.#view.setUint16(SLOT_AT, slot / 2 ** 32);
    this.#view.setUint32(SLOT_AT + 2, slot);
    // The cipher adds the last cookie to the text, as CBC does: adding it here, too, cancels that.
    for (let i = 0; i < COOKIE_SIZE; i++) this.#text[i]! ^= cookie[i]!;
    const blocks = this.#cipher.update(this.#text);
    for (let i = 0; i < COOKIE_SIZE; i++) cookie[i] = blocks[COOKIE_SIZE + i]!;
    return cookie;
  }
}

function slotOf(now: Instant): number {
  return Math.floor(now / COOKIE_SLOT);
}

/** Compares cookies; how long that takes reveals nothing about them. */
function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < COOKIE_SIZE; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
