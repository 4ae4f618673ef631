/**
 * The receiving half of a connection: Messages in any order become texts, once and in order.
 *
 * @module
 */
import {
  type Ack,
  ACK_RANGES_MAX,
  type AckRange,
  FLAG_MORE,
  FRAGMENT_SIZE_MAX,
  type Message,
} from "../wire/frame.ts";
import { TEXT_SIZE_MAX, WINDOW } from "./send_queue.ts";

/** UTF-8 bytes of the Messages that came early, at most: a window of the largest ones. */
export const EARLY_SIZE_MAX: number = WINDOW * FRAGMENT_SIZE_MAX;

/** A text that is complete and whose turn it is. */
export interface ReceivedText {
  /** What it is to those whom it is told. */
  kind: "message";
  /** The text's number, from 0. */
  textSeq: number;
  /** As it was sent. */
  text: string;
}

/**
 * What became of a Message: it was taken; it had arrived before; it is beyond what may come early, and
 * was not taken; it makes its text longer than a text may be, so that nothing can follow it.
 */
export type Reception = "new" | "duplicate" | "refused" | "violation";

/** Takes texts as they are completed. */
export interface TextSink {
  /** Takes one. */
  push(text: ReceivedText): void;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The Messages of one direction, as they arrive. */
export class ReceiveQueue {
  /** What came early, by seq. */
  readonly #early = new Map<number, Message>();
  /** What came early has at least so many bytes: its characters are counted. */
  #earlySize = 0;
  /** The seqs in `#early`, rising. */
  #ranges: AckRange[] = [];
  #next = 0;
  #texts = 0;
  /** The beginning of the text that is being put together, and its size. */
  #bytes: Uint8Array | undefined;
  #size = 0;

  /** The first seq that has not arrived. */
  get next(): number {
    return this.#next;
  }

  /** Takes a Message, and gives on the texts that it completed. */
  handleMessage(message: Message, texts: TextSink): Reception {
    const { seq, text } = message;
    if (seq === this.#next) {
      if (!this.#append(message, texts)) return "violation";
      return this.#takeEarly(texts) ? "new" : "violation";
    }
    if (seq < this.#next || this.#early.has(seq)) return "duplicate";
    const earlySize = this.#earlySize + text.length;
    if (seq >= this.#next + WINDOW || earlySize > EARLY_SIZE_MAX) return "refused";
    this.#earlySize = earlySize;
    // A copy: the text may be a slice that keeps all texts of its packet.
    this.#early.set(seq, { ...message, text: decoder.decode(encoder.encode(text)) });
    this.#insertRange(seq);
    return "new";
  }

  /** Whether something arrived above what is missing. */
  get hasGap(): boolean {
    return this.#ranges.length > 0;
  }

  /** The Ack that tells what has arrived so far; see {@linkcode Ack} for the parameters. */
  ack(largestPacket = 0, delay = 0, packetBitmap = 0): Ack {
    const ranges = this.#ranges.slice(0, ACK_RANGES_MAX);
    return { kind: "ack", cumulativeSeq: this.#next, largestPacket, delay, packetBitmap, ranges };
  }

  /** Takes what came early and is next; false where a text grows too long. */
  #takeEarly(texts: TextSink): boolean {
    while (this.#early.size > 0) {
      const message = this.#early.get(this.#next);
      if (message === undefined) return true;
      this.#early.delete(message.seq);
      this.#earlySize -= message.text.length;
      this.#dropFromRanges(message.seq);
      if (!this.#append(message, texts)) return false;
    }
    return true;
  }

  /** Adds the next Message to the text that is being put together; false where that grows too long. */
  #append(message: Message, texts: TextSink): boolean {
    const { seq, flags } = message;
    const isLast = (flags & FLAG_MORE) === 0;
    if (this.#size > 0 || !isLast) {
      const bytes = this.#bytes ??= new Uint8Array(TEXT_SIZE_MAX);
      const { read, written } = encoder.encodeInto(message.text, bytes.subarray(this.#size));
      if (read < message.text.length) return false;
      this.#size += written;
    }
    this.#next = seq + 1;
    if (isLast) texts.push({ kind: "message", textSeq: this.#texts++, text: this.#take(message) });
    return true;
  }

  /** The text that a Message completes. */
  #take({ text }: Message): string {
    const whole = this.#size > 0 ? decoder.decode(this.#bytes?.subarray(0, this.#size)) : text;
    this.#size = 0;
    return whole;
  }

  #insertRange(seq: number): void {
    const at = this.#ranges.findIndex(({ last }) => last >= seq - 1);
    const range = this.#ranges[at];
    if (range === undefined) {
      this.#ranges.push({ first: seq, last: seq });
    } else if (seq < range.first - 1) {
      this.#ranges.splice(at, 0, { first: seq, last: seq });
    } else if (seq === range.first - 1) {
      this.#ranges[at] = { first: seq, last: range.last };
    } else {
      const following = this.#ranges[at + 1];
      const touches = following?.first === seq + 1;
      this.#ranges.splice(at, touches ? 2 : 1, {
        first: range.first,
        last: touches ? following.last : seq,
      });
    }
  }

  /** The lowest seq of the ranges is taken out of them. */
  #dropFromRanges(seq: number): void {
    const [range] = this.#ranges;
    if (range === undefined) return;
    if (range.last === seq) this.#ranges.shift();
    else this.#ranges[0] = { first: seq + 1, last: range.last };
  }
}
