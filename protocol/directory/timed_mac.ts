/**
 * Codes that a directory gives away and recognizes for a while, and keeps nowhere: the cookie of a
 * Challenge, and the number of a meeting.
 *
 * @module
 */
import { hmacSha256 } from "../crypto/hmac.ts";
import type { Instant, Random } from "../machine.ts";

/** Milliseconds in a time slot; a code is valid in its slot and the next. */
export const COOKIE_SLOT = 30_000;
/** Bytes in a code. */
const CODE_SIZE = 16;
/** Bytes in the key. */
const KEY_SIZE = 32;

/** Makes and checks codes with a random key: HMAC-SHA-256 of the subject and the time slot, cut. */
export class TimedMac {
  #key: Uint8Array;
  /** The key before, where others see to their change; then the time slot is always 0. */
  #previous: Uint8Array | undefined;
  readonly #slot = new Float64Array(1);
  readonly #slotBytes = new Uint8Array(this.#slot.buffer);

  /** Chooses a key. */
  constructor(random: Random) {
    this.#key = random(KEY_SIZE);
  }

  /**
   * Uses keys that several directories share, and change every {@linkcode COOKIE_SLOT}, instead of the
   * time: their clocks differ.
   */
  useKeys(current: Uint8Array, previous: Uint8Array): void {
    this.#key = current;
    this.#previous = previous;
  }

  /**
   * The code for a subject.
   *
   * @param age time slots ago: 0 for a new one.
   */
  make(now: Instant, subject: Uint8Array, age: 0 | 1 = 0): Uint8Array {
    const isShared = this.#previous !== undefined;
    this.#slot[0] = isShared ? 0 : Math.floor(now / COOKIE_SLOT) - age;
    const key = age === 0 ? this.#key : this.#previous ?? this.#key;
    return hmacSha256(key, subject, this.#slotBytes).subarray(0, CODE_SIZE);
  }

  /** Whether a code, or its beginning, was made for a subject in this time slot or the one before. */
  isValid(now: Instant, subject: Uint8Array, code: Uint8Array): boolean {
    return isBeginning(this.make(now, subject), code) ||
      isBeginning(this.make(now, subject, 1), code);
  }
}

/** Compares codes; how long that takes reveals nothing about them. */
function isBeginning(code: Uint8Array, shown: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < shown.length; i++) difference |= code[i]! ^ shown[i]!;
  return difference === 0;
}
