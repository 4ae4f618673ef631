/**
 * The challenge cookie: shows that a client receives at its address, and is kept nowhere.
 *
 * @module
 */
import { createCipheriv } from "node:crypto";
import type { Instant, Random } from "../protocol/machine.ts";
import { ENDPOINT_SIZE } from "../protocol/wire/endpoint_bytes.ts";

/** Milliseconds in a slot of time; a cookie is good in its slot and the next. */
export const COOKIE_SLOT = 30_000;
/** Bytes in a cookie, and in a block of AES. */
const COOKIE_SIZE = 16;
/** Bytes in the key. */
const KEY_SIZE = 32;
/** Bytes in the text: two blocks. */
const TEXT_SIZE: number = 2 * COOKIE_SIZE;
/** Where the nonce and the slot, in 6 bytes, are in the text. */
const NONCE_AT = ENDPOINT_SIZE;
const SLOT_AT = NONCE_AT + 8;

const NONE = new Uint8Array(COOKIE_SIZE);

/**
 * Makes and checks cookies, under a key of its own.
 *
 * They are CBC-MACs with AES-256 (ISO/IEC 9797-1, algorithm 1), which are as hard to guess as random
 * bytes, because all texts are equally long (Bellare, Kilian and Rogaway, "The security of the cipher
 * block chaining message authentication code"). A hash would do; but one cipher serves for all
 * cookies, while each hash leaves an object behind that takes memory until it is collected.
 */
export class CookieJar {
  readonly #cipher: ReturnType<typeof createCipheriv>;
  readonly #text = new Uint8Array(TEXT_SIZE);
  readonly #view = new DataView(this.#text.buffer);
  readonly #cookie = new Uint8Array(COOKIE_SIZE);

  constructor(random: Random) {
    this.#cipher = createCipheriv("aes-256-cbc", random(KEY_SIZE), this.#cookie);
  }

  /** Whether a cookie was made for this endpoint and nonce, in this slot or the one before. */
  isGood(now: Instant, endpoint: Uint8Array, nonce: bigint, shown: Uint8Array): boolean {
    // The empty one of a first Register is the common case.
    if (isEqual(NONE, shown)) return false;
    const slot = slotOf(now);
    return isEqual(this.#make(slot, endpoint, nonce), shown) ||
      isEqual(this.#make(slot - 1, endpoint, nonce), shown);
  }

  /** The cookie that a Register has to come back with; valid until the next call. */
  make(now: Instant, endpoint: Uint8Array, nonce: bigint): Uint8Array {
    return this.#make(slotOf(now), endpoint, nonce);
  }

  #make(slot: number, endpoint: Uint8Array, nonce: bigint): Uint8Array {
    const cookie = this.#cookie;
    this.#text.set(endpoint);
    this.#view.setBigUint64(NONCE_AT, nonce);
    this.#view.setUint16(SLOT_AT, slot / 2 ** 32);
    this.#view.setUint32(SLOT_AT + 2, slot);
    // The cipher chains on from the last cookie: taken out here, each text starts from zero.
    for (let i = 0; i < COOKIE_SIZE; i++) this.#text[i]! ^= cookie[i]!;
    const blocks = this.#cipher.update(this.#text);
    for (let i = 0; i < COOKIE_SIZE; i++) cookie[i] = blocks[COOKIE_SIZE + i]!;
    return cookie;
  }
}
function slotOf(now: Instant): number {
  return Math.floor(now / COOKIE_SLOT);
}

/** How long it takes tells nothing about the cookie. */
function isEqual(cookie: Uint8Array, shown: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < COOKIE_SIZE; i++) difference |= cookie[i]! ^ shown[i]!;
  return difference === 0;
}
