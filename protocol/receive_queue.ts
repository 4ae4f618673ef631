/**
 * The receiving half of a connection: Messages in any order become texts, once and in order.
 *
 * @module
 */
import { type Ack, ACK_RANGES_MAX, type AckRange, FLAG_MORE, type Message } from "./frame.ts";
import { TEXT_SIZE_MAX, WINDOW } from "./send_queue.ts";

/** A text that is complete and whose turn it is. */
export interface ReceivedText {
  /** The text's number, from 0. */
  seq: number;
  /** As it was sent. */
  text: string;
}

/** What became of a Message. */
export type Reception =
  /** It was taken, and completed these texts. */
  | { outcome: "new"; texts: ReceivedText[] }
  /** It had arrived before. */
  | { outcome: "duplicate" }
  /** It is beyond the window, or makes its text longer than a text may be: not taken. */
  | { outcome: "refused" };

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

  /** Takes a Message. */
  handleMessage(message: Message): Reception {
    const { seq } = message;
    if (seq < this.#next || this.#early.has(seq)) return { outcome: "duplicate" };
    if (seq >= this.#next + WINDOW) return { outcome: "refused" };
    if (seq > this.#next) {
      this.#early.set(seq, message);
      this.#insertRange(seq);
      return { outcome: "new", texts: [] };
    }
    const texts: ReceivedText[] = [];
    if (!this.#append(message, texts)) return { outcome: "refused" };
    this.#takeEarly(texts);
    return { outcome: "new", texts };
  }

  /** The Ack that tells what has arrived so far. */
  ack(): Ack {
    return { kind: "ack", next: this.#next, ranges: this.#ranges.slice(0, ACK_RANGES_MAX) };
  }

  #takeEarly(texts: ReceivedText[]): void {
    for (;;) {
      const message = this.#early.get(this.#next);
      if (message === undefined) return;
      this.#early.delete(message.seq);
      this.#dropFromRanges(message.seq);
      if (!this.#append(message, texts)) return;
    }
  }

  /** Adds the next Message to the text that is being put together; false where that grows too long. */
  #append(message: Message, texts: ReceivedText[]): boolean {
    const size = encoder.encode(message.text).length;
    if (this.#size + size > TEXT_SIZE_MAX) return false;
    this.#size += size;
    this.#text += message.text;
    this.#next = message.seq + 1;
    if ((message.flags & FLAG_MORE) !== 0) return true;
    texts.push({ seq: this.#texts++, text: this.#text });
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
