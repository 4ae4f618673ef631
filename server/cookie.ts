/**
 * The challenge cookie: shows that a client receives at its address, and is kept nowhere.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import type { Address } from "../protocol/address.ts";
import type { Instant, Random } from "../protocol/driven.ts";
import { hmacSha256 } from "../protocol/hmac.ts";

/** Milliseconds in a slot of time; a cookie is good in its slot and the next. */
export const COOKIE_SLOT = 30_000;
/** Bytes in a cookie. */
const COOKIE_SIZE = 16;
/** Bytes in the key, as many as SHA-256 gives (RFC 2104, section 3). */
const KEY_SIZE = 32;

const encoder = new TextEncoder();

/** Makes and checks cookies, under a key of its own. */
export class CookieJar {
  readonly #key: Uint8Array;

  constructor(random: Random) {
    this.#key = random(KEY_SIZE);
  }

  /** Whether a cookie was made for this address and nonce, in this slot or the one before. */
  isGood(now: Instant, from: Address, nonce: bigint, shown: Uint8Array): boolean {
    // The empty one of a first Register is the common case.
    if (shown.every((byte) => byte === 0)) return false;
    const slot = slotOf(now);
    return timingSafeEqual(shown, this.#make(slot, from, nonce)) ||
      timingSafeEqual(shown, this.#make(slot - 1, from, nonce));
  }

  /** The cookie that a Register has to come back with. */
  make(now: Instant, from: Address, nonce: bigint): Uint8Array {
    return this.#make(slotOf(now), from, nonce);
  }

  #make(slot: number, from: Address, nonce: bigint): Uint8Array {
    const text = `${from.hostname} ${from.port} ${nonce} ${slot}`;
    return hmacSha256(this.#key, encoder.encode(text)).subarray(0, COOKIE_SIZE);
  }
}

function slotOf(now: Instant): number {
  return Math.floor(now / COOKIE_SLOT);
}
