/**
 * The receiving half of a connection: Messages in any order become texts, once and in order.
 *
 * @module
 */
import { type Ack, ACK_RANGES_MAX, type AckRange, FLAG_MORE, type Message } from "../wire/frame.ts";
import { TEXT_SIZE_MAX, WINDOW } from "./send_queue.ts";

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
 * What became of a Message: it was taken; it had arrived before; it is beyond the window, or makes
 * its text longer than a text may be, and was not taken.
 */
export type Reception = "new" | "duplicate" | "refused";

/** Takes texts as they are completed. */
export interface TextSink {
  /** Takes one. */
  push(text: ReceivedText): void;
}

const encoder = new TextEncoder();

/** The Messages of one direction, as they arrive. */
export class ReceiveQueue {
  /** What came early, by seq. */
  readonly #early = new Map<number, Message>();
  /** The seqs in `#early`, rising. */
  #ranges: AckRange[] = [];
  #next = 0;
  #texts = 0;
  /** The beginning of the text that is being put together, and its bytes. */
  #text = "";
  #size = 0;

  /** The first seq that has not arrived. */
  get next(): number {
    return this.#next;
  }

  /** Takes a Message, and gives on the texts that it completed. */
  handleMessage(message: Message, texts: TextSink): Reception {
    const { seq } = message;
    if (seq === this.#next) {
      if (!this.#append(message, texts)) return "refused";
      if (this.#early.size > 0) this.#takeEarly(texts);
      return "new";
    }
    if (seq < this.#next || this.#early.has(seq)) return "duplicate";
    if (seq >= this.#next + WINDOW) return "refused";
    this.#early.set(seq, message);
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

  #takeEarly(texts: TextSink): void {
    for (;;) {
      const message = this.#early.get(this.#next);
      if (message === undefined) return;
      this.#early.delete(message.seq);
      this.#dropFromRanges(message.seq);
      if (!this.#append(message, texts)) return;
    }
  }

  /** Adds the next Message to the text that is being put together; false where that grows too long. */
  #append(message: Message, texts: TextSink): boolean {
    const isWhole = this.#size === 0 && this.#text === "" && (message.flags & FLAG_MORE) === 0;
    if (isWhole) {
      this.#next = message.seq + 1;
      texts.push({ kind: "message", textSeq: this.#texts++, text: message.text });
      return true;
    }
    const size = encoder.encode(message.text).length;
    if (this.#size + size > TEXT_SIZE_MAX) return false;
    this.#size += size;
    this.#text += message.text;
    this.#next = message.seq + 1;
    if ((message.flags & FLAG_MORE) !== 0) return true;
    texts.push({ kind: "message", textSeq: this.#texts++, text: this.#text });
    this.#text = "";
    this.#size = 0;
    return true;
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
