/**
 * Messages that wait, from one seq to the next, in arrays that are used again.
 *
 * Each is kept as the frame that goes on the wire, one after the other, so that sending a run of
 * them is one copy, and sending one again costs no encoding.
 *
 * @module
 */
import { FRAGMENT_SIZE_MAX, MESSAGE_HEADER_SIZE } from "../wire/frame.ts";
import { writeMessageHeader } from "../wire/message.ts";

/** UTF-8 bytes of the texts that wait, sent or not. */
export const QUEUE_SIZE_MAX = 4 * 1024 * 1024;
/** Messages that wait, sent or not, however short. */
export const QUEUE_LENGTH_MAX = 65_536;
/** Bytes of frames that an empty ring has room for. */
const STORE_SIZE_MIN = 4096;
/** Messages that an empty ring has room for. */
const LENGTH_MIN = 64;
/** The state of a Message that is the last of its text; the other bits are the user's. */
export const LAST = 4;
/** Characters in the longest text that is quicker encoded one by one. */
const SHORT_LENGTH_MAX = 128;
const SEQ_MAX = 0xffff_ffff;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** What is known of each Message, by its seq. */
class Slots {
  readonly mask: number;
  /** Where its frame starts in the store. */
  readonly start: Uint32Array;
  /** Bytes of its frame. */
  readonly size: Uint16Array;
  /** Bits that mean what the user of the ring wants. */
  readonly state: Uint8Array;
  /** How often it was sent, up to 255. */
  readonly transmissions: Uint8Array;
  /** How often it was sent because its timeout passed, up to 255. */
  readonly timeouts: Uint8Array;
  readonly firstSentAt: Float64Array;
  readonly lastSentAt: Float64Array;
  /** When it is sent again. */
  readonly deadline: Float64Array;
  /** The packet counter of the datagram that it was last in. */
  readonly packet: Float64Array;

  constructor(length: number) {
    this.mask = length - 1;
    this.start = new Uint32Array(length);
    this.size = new Uint16Array(length);
    this.state = new Uint8Array(length);
    this.transmissions = new Uint8Array(length);
    this.timeouts = new Uint8Array(length);
    this.firstSentAt = new Float64Array(length);
    this.lastSentAt = new Float64Array(length);
    this.deadline = new Float64Array(length);
    this.packet = new Float64Array(length);
  }

  /** The same in twice the room. */
  grown(first: number, next: number): Slots {
    const slots = new Slots(2 * (this.mask + 1));
    for (let seq = first; seq < next; seq++) {
      const [from, to] = [seq & this.mask, seq & slots.mask];
      slots.start[to] = this.start[from]!;
      slots.size[to] = this.size[from]!;
      slots.state[to] = this.state[from]!;
      slots.transmissions[to] = this.transmissions[from]!;
      slots.timeouts[to] = this.timeouts[from]!;
      slots.firstSentAt[to] = this.firstSentAt[from]!;
      slots.lastSentAt[to] = this.lastSentAt[from]!;
      slots.deadline[to] = this.deadline[from]!;
      slots.packet[to] = this.packet[from]!;
    }
    return slots;
  }
}

/** The Messages from `first` up to, and not including, `next`. */
export class MessageRing {
  readonly #sender: number;
  /** What is known of each; a Message's place is its seq and `slots.mask`. */
  slots = new Slots(LENGTH_MIN);
  /** The frames. */
  store = new Uint8Array(STORE_SIZE_MIN);
  #view = new DataView(this.store.buffer);
  /** The lowest seq. */
  first = 0;
  /** One above the highest seq. */
  next = 0;
  /** UTF-8 bytes of the texts. */
  size = 0;
  /** Where the next frame goes, if there is one before it. */
  #end = 0;

  /** @param sender the client id that every Message names. */
  constructor(sender: number) {
    this.#sender = sender;
  }

  /** UTF-8 bytes in the text of a Message. */
  textSize(seq: number): number {
    return this.slots.size[seq & this.slots.mask]! - MESSAGE_HEADER_SIZE;
  }

  /** Whether a Message is the last of its text. */
  isLast(seq: number): boolean {
    return (this.slots.state[seq & this.slots.mask]! & LAST) !== 0;
  }

  /** The text in a Message. */
  text(seq: number): string {
    const slot = seq & this.slots.mask;
    const start = this.slots.start[slot]!;
    return decoder.decode(
      this.store.subarray(start + MESSAGE_HEADER_SIZE, start + this.slots.size[slot]!),
    );
  }

  /** Adds a text, as one Message or more; false where it does not fit. */
  pushText(text: string): boolean {
    if (text.length <= SHORT_LENGTH_MAX) {
      if (this.#isFull(text.length, 1)) return false;
      if (this.#pushAscii(text)) return true;
    }
    const bytes = encoder.encode(text);
    let length = 1;
    for (let end = fragmentEnd(bytes, 0); end < bytes.length; length++) {
      end = fragmentEnd(bytes, end);
    }
    if (this.#isFull(bytes.length, length)) return false;
    let start = 0;
    do {
      const end = fragmentEnd(bytes, start);
      const at = this.#reserve(end - start);
      this.store.set(bytes.subarray(start, end), at);
      this.#push(end - start, end === bytes.length);
      start = end;
    } while (start < bytes.length);
    return true;
  }

  /** Forgets all below a seq. */
  dropBelow(seq: number): void {
    for (; this.first < seq; this.first++) this.size -= this.textSize(this.first);
    if (this.first < this.next) return;
    if (this.store.length > 16 * STORE_SIZE_MIN) this.#setStore(new Uint8Array(STORE_SIZE_MIN));
    if (this.slots.mask >= 16 * LENGTH_MIN) this.slots = new Slots(LENGTH_MIN);
  }

  /** Forgets all from a seq on. */
  dropFrom(seq: number): void {
    for (; this.next > seq; this.next--) this.size -= this.textSize(this.next - 1);
    const last = (seq - 1) & this.slots.mask;
    this.#end = this.slots.start[last]! + this.slots.size[last]!;
  }

  #isFull(size: number, length: number): boolean {
    return this.size + size > QUEUE_SIZE_MAX ||
      this.next - this.first + length > QUEUE_LENGTH_MAX ||
      this.next + length > SEQ_MAX;
  }

  /** Adds a text that needs no encoding; false where it is none. */
  #pushAscii(text: string): boolean {
    const { length } = text;
    const at = this.#reserve(length);
    const { store } = this;
    let bits = 0;
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index);
      bits |= code;
      store[at + index] = code;
    }
    if (bits > 0x7f) return false;
    this.#push(length, true);
    return true;
  }

  /** Makes room for a Message of so many bytes of text; returns where its text goes. */
  #reserve(size: number): number {
    if (this.next - this.first > this.slots.mask) {
      this.slots = this.slots.grown(this.first, this.next);
    }
    const needed = MESSAGE_HEADER_SIZE + size;
    if (!this.#fits(needed)) this.#grow();
    return this.#end + MESSAGE_HEADER_SIZE;
  }

  /** Adds the Message whose text was written where #reserve() said. */
  #push(size: number, isLast: boolean): void {
    const seq = this.next++;
    const { slots } = this;
    const slot = seq & slots.mask;
    const start = this.#end;
    writeMessageHeader(this.#view, start, size, { seq, sender: this.#sender, isLast });
    slots.start[slot] = start;
    slots.size[slot] = MESSAGE_HEADER_SIZE + size;
    slots.state[slot] = isLast ? LAST : 0;
    slots.transmissions[slot] = slots.timeouts[slot] = 0;
    this.#end = start + MESSAGE_HEADER_SIZE + size;
    this.size += size;
  }

  /** Whether so many bytes fit after the last frame, or in front of the first one. */
  #fits(needed: number): boolean {
    if (this.first === this.next) {
      this.#end = 0;
      return needed <= this.store.length;
    }
    const begin = this.slots.start[this.first & this.slots.mask]!;
    if (this.#end <= begin) return this.#end + needed <= begin;
    if (this.#end + needed <= this.store.length) return true;
    if (needed > begin) return false;
    this.#end = 0;
    return true;
  }

  /** Makes more room than any Message needs. */
  #grow(): void {
    const store = new Uint8Array(2 * this.store.length);
    const { start, size, mask } = this.slots;
    let end = 0;
    for (let seq = this.first; seq < this.next; seq++) {
      const slot = seq & mask;
      store.set(this.store.subarray(start[slot]!, start[slot]! + size[slot]!), end);
      start[slot] = end;
      end += size[slot]!;
    }
    this.#setStore(store);
    this.#end = end;
  }

  #setStore(store: Uint8Array<ArrayBuffer>): void {
    this.store = store;
    this.#view = new DataView(store.buffer);
  }
}

/** Where the fragment of a text that begins at `start` ends: between characters. */
export function fragmentEnd(bytes: Uint8Array, start: number): number {
  let end = Math.min(start + FRAGMENT_SIZE_MAX, bytes.length);
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
  return end;
}
