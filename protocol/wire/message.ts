/**
 * Message frames, laid out by hand: of all frames they are the ones that come in bulk.
 *
 * @module
 */
import { type Reader, readU16, readU32 } from "./field.ts";
import { FLAG_MORE, FRAME_HEADER_SIZE, type Message, MESSAGE_HEADER_SIZE } from "./frame.ts";
import { LAYOUTS } from "./layout.ts";

const [MESSAGE_TYPE] = LAYOUTS.message;
/** Where the fields of a Message are, from the start of its frame. */
const SIZE_AT = 1;
const SEQ_AT = FRAME_HEADER_SIZE;
const SENDER_AT = SEQ_AT + 4;
const FLAGS_AT = SENDER_AT + 4;

/** What a Message says beside its text. */
export interface MessageHeader {
  readonly seq: number;
  readonly sender: number;
  /** Whether the text ends with it. */
  readonly isLast: boolean;
}

/** Writes all of a Message that stands before its text of so many bytes. */
export function writeMessageHeader(
  view: DataView,
  at: number,
  textSize: number,
  { seq, sender, isLast }: MessageHeader,
): void {
  view.setUint8(at, MESSAGE_TYPE);
  view.setUint16(at + SIZE_AT, MESSAGE_HEADER_SIZE - FRAME_HEADER_SIZE + textSize);
  view.setUint32(at + SEQ_AT, seq);
  view.setUint32(at + SENDER_AT, sender);
  view.setUint8(at + FLAGS_AT, isLast ? 0 : FLAG_MORE);
}

/** Reads the next frame if it is a Message of ASCII text, as most are; `texts` fills its text in. */
export function readAsciiMessage(reader: Reader, texts: TextBatch): Message | undefined {
  const { bytes, offset } = reader;
  if (offset + MESSAGE_HEADER_SIZE > bytes.length || bytes[offset] !== MESSAGE_TYPE) {
    return undefined;
  }
  const end = offset + FRAME_HEADER_SIZE + readU16(bytes, offset + SIZE_AT);
  const start = offset + MESSAGE_HEADER_SIZE;
  if (end < start || end > bytes.length) return undefined;
  const message: Message = {
    kind: "message",
    seq: readU32(bytes, offset + SEQ_AT),
    sender: readU32(bytes, offset + SENDER_AT),
    flags: bytes[offset + FLAGS_AT]!,
    text: "",
  };
  if (!texts.add(message, bytes, start, end)) return undefined;
  reader.offset = end;
  return message;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const SIZE_MIN = 2048;

/**
 * The texts of the Messages in a datagram, decoded with one call of the decoder instead of many: plain
 * ASCII, so that their bytes are their characters.
 */
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
