/**
 * The challenge cookie: shows that a client receives at its address, and is kept nowhere.
 *
 * @module
 */
import type { Instant, Random } from "../protocol/driven.ts";
import { HmacSha256 } from "../protocol/hmac.ts";
import { ENDPOINT_SIZE } from "./host_bytes.ts";

/** Milliseconds in a slot of time; a cookie is good in its slot and the next. */
export const COOKIE_SLOT = 30_000;
/** Bytes in a cookie. */
const COOKIE_SIZE = 16;
/** Bytes in the key, as many as SHA-256 gives (RFC 2104, section 3). */
const KEY_SIZE = 32;
/** Where the nonce and the slot are in the text. */
const NONCE_AT = ENDPOINT_SIZE;
const SLOT_AT = NONCE_AT + 8;

const NONE = new Uint8Array(COOKIE_SIZE);

/** Makes and checks cookies, under a key of its own. */
export class CookieJar {
  readonly #code: HmacSha256;
  readonly #text = new Uint8Array(SLOT_AT + 8);
  readonly #view = new DataView(this.#text.buffer);

  constructor(random: Random) {
    this.#code = new HmacSha256(random(KEY_SIZE));
  }

  /** Whether a cookie was made for this endpoint and nonce, in this slot or the one before. */
  isGood(now: Instant, endpoint: Uint8Array, nonce: bigint, shown: Uint8Array): boolean {
    // The empty one of a first Register is the common case.
    if (isEqual(NONE, shown)) return false;
    const slot = slotOf(now);
    return isEqual(this.#make(slot, endpoint, nonce), shown) ||
      isEqual(this.#make(slot - 1, endpoint, nonce), shown);
  }

  /** The cookie that a Register has to come back with. */
  make(now: Instant, endpoint: Uint8Array, nonce: bigint): Uint8Array {
    return this.#make(slotOf(now), endpoint, nonce);
  }

  #make(slot: number, endpoint: Uint8Array, nonce: bigint): Uint8Array {
    this.#text.set(endpoint);
    this.#view.setBigUint64(NONCE_AT, nonce);
    this.#view.setFloat64(SLOT_AT, slot);
    return this.#code.sign(this.#text).subarray(0, COOKIE_SIZE);
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
