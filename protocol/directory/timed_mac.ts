/**
 * Codes that a directory gives away and recognizes for a while, and keeps nowhere: the cookie of a
 * Challenge, and the number of a meeting.
 *
 * @module
 */
import { createCipheriv } from "node:crypto";
import type { Instant, Random } from "../machine.ts";

/** Milliseconds in a time slot; a code is valid in its slot and the next. */
export const COOKIE_SLOT = 30_000;
/** Bytes in a code, and in a block of AES. */
const CODE_SIZE = 16;
/** Bytes in the key. */
const KEY_SIZE = 32;
/** Bytes in all that is authenticated: two blocks. */
const TEXT_SIZE: number = 2 * CODE_SIZE;
/** Bytes of it that the caller chooses; the slot, in 6 bytes, follows. */
export const SUBJECT_SIZE: number = TEXT_SIZE - 6;

/**
 * Makes and checks codes with a random key.
 *
 * They are CBC-MACs with AES-256 (ISO/IEC 9797-1, algorithm 1), which are as hard to guess as random
 * bytes, because all texts have the same length (Bellare, Kilian and Rogaway, "The security of the
 * cipher block chaining message authentication code"). One cipher object makes all of them; an HMAC
 * would take an object for each, which the garbage collector has to find.
 */
export class TimedMac {
  readonly #cipher: ReturnType<typeof createCipheriv>;
  readonly #text = new Uint8Array(TEXT_SIZE);
  readonly #view = new DataView(this.#text.buffer);
  readonly #code = new Uint8Array(CODE_SIZE);

  /** Chooses a key. */
  constructor(random: Random) {
    this.#cipher = createCipheriv("aes-256-cbc", random(KEY_SIZE), this.#code);
  }

  /**
   * The code for {@linkcode SUBJECT_SIZE} bytes; valid until the next call.
   *
   * @param age time slots ago: 0 for a new one.
   */
  make(now: Instant, subject: Uint8Array, age: 0 | 1 = 0): Uint8Array {
    const slot = Math.floor(now / COOKIE_SLOT) - age;
    const code = this.#code;
    this.#text.set(subject);
    this.#view.setUint16(SUBJECT_SIZE, slot / 2 ** 32);
    this.#view.setUint32(SUBJECT_SIZE + 2, slot);
    // The cipher adds the last code to the text, as CBC does: adding it here, too, cancels that.
    for (let i = 0; i < CODE_SIZE; i++) this.#text[i]! ^= code[i]!;
    const blocks = this.#cipher.update(this.#text);
    for (let i = 0; i < CODE_SIZE; i++) code[i] = blocks[CODE_SIZE + i]!;
    return code;
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
