/**
 * The texts of a datagram's Messages, decoded together: one call of the decoder instead of many.
 *
 * @module
 */
import type { Message } from "./frame.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const SIZE_MIN = 2048;

/** Texts that are plain ASCII, so that their bytes are their characters. */
export class TextBatch {
  #bytes = new Uint8Array(SIZE_MIN);
  #size = 0;
  #messages: Message[] = [];
  #ends: number[] = [];

  /** Takes the text of a Message, to be filled in by finish(); false where it is no ASCII. */
  add(message: Message, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#size + end - start > this.#bytes.length) this.#grow(end - start);
    const target = this.#bytes;
    const shift = this.#size - start;
    let bits = 0;
    for (let at = start; at < end; at++) {
      const byte = bytes[at]!;
      bits |= byte;
      target[at + shift] = byte;
    }
    if (bits > 0x7f) return false;
    this.#size += end - start;
    this.#messages.push(message);
    this.#ends.push(this.#size);
    return true;
  }

  /** Fills in the texts. */
  finish(): void {
    const { length } = this.#messages;
    if (length === 0) return;
    const all = decoder.decode(this.#bytes.subarray(0, this.#size));
    let start = 0;
    for (let index = 0; index < length; index++) {
      const end = this.#ends[index]!;
      this.#messages[index]!.text = all.substring(start, end);
      start = end;
    }
    this.clear();
  }

  /** Forgets what was added. */
  clear(): void {
    this.#size = this.#messages.length = this.#ends.length = 0;
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(2 * this.#bytes.length + needed);
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}
