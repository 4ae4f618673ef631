/**
 * The receiving half of a connection: Messages in any order become texts, once and in order.
 *
 * @module
 */
import { Fifo } from "../fifo.ts";
import { type Ack, ACK_RANGES_MAX, type AckRange, FLAG_MORE, type Message } from "../wire/frame.ts";
import { EARLY_OVERHEAD, type ReceivePool } from "./receive_pool.ts";
import { RECEIVE_SIZE_MAX, TEXT_SIZE_MAX, WINDOW } from "./send_queue.ts";

/** What Messages are received with. */
export interface ReceiveOptions {
  /** What the connections of this client may hold. */
  readonly receivePool: ReceivePool;
  /**
   * Whether the last Message of a text is acknowledged only when take() says that the user has it; else
   * at once.
   */
  readonly holdsTexts?: boolean | undefined;
}

/** A text that is complete and whose turn it is. */
export interface ReceivedText {
  /** The kind of event that this is. */
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

/** A Message that came early, and the bytes that it takes. */
interface Early {
  readonly message: Message;
  readonly size: number;
}

/** A text that was handed out and not taken. */
interface Untaken {
  readonly text: ReceivedText;
  /** The seq of its last Message. */
  readonly last: number;
}

/** The Messages of one direction, as they arrive. */
export class ReceiveQueue {
  /** What it was made with. */
  readonly options: ReceiveOptions;
  /** What was handed out and not taken, the oldest first, and its characters. */
  readonly #untaken = new Fifo<Untaken>();
  readonly #handedOut = new WeakSet<ReceivedText>();
  #untakenLength = 0;
  /** What came early, by seq. */
  readonly #early = new Map<number, Early>();
  /** Its characters, and the bytes that it takes. */
  #earlyLength = 0;
  #earlySize = 0;
  /** Bytes that all of it takes in the pool. */
  #pooled = 0;
  #isClosed = false;
  #isForsaken = false;
  /** The seqs in `#early`, rising. */
  #ranges: AckRange[] = [];
  #next = 0;
  #texts = 0;
  /** The beginning of the text that is being put together, and its size. */
  #bytes: Uint8Array | undefined;
  #size = 0;

  /** Starts with nothing received. */
  constructor(options: ReceiveOptions) {
    this.options = options;
  }

  /** The first seq that has not arrived. */
  get next(): number {
    return this.#next;
  }

  /** Takes a Message, and gives on the texts that it completed. */
  handleMessage(message: Message, texts: TextSink): Reception {
    const { seq, text } = message;
    const length = this.#untakenLength + this.#size + text.length;
    const isInWindow = seq < this.#acknowledged + WINDOW && length <= RECEIVE_SIZE_MAX;
    if (seq === this.#next) {
      if (!isInWindow || !this.#makeRoom(text.length)) return "refused";
      const isTaken = this.#append(message, texts) && this.#takeEarly(texts);
      this.#pool(this.#held, true);
      return isTaken ? "new" : "violation";
    }
    if (seq < this.#next || this.#early.has(seq)) return "duplicate";
    if (!isInWindow || length + this.#earlyLength > RECEIVE_SIZE_MAX) return "refused";
    if (!this.#keep(message)) return "refused";
    this.#insertRange(seq);
    return "new";
  }

  /** Forgets what came early, at the end of its session, and takes no more; the Ack names it still. */
  close(): void {
    this.#early.clear();
    this.#pool(0, true);
    this.#isClosed = true;
  }

  /** Keeps a Message that came early; false where there is no room. */
  #keep(message: Message): boolean {
    // Where one character is not ASCII, each may take two bytes.
    const isShort = isAscii(message.text);
    const size = EARLY_OVERHEAD + (isShort ? 1 : 2) * message.text.length;
    if (!this.#pool(this.#held + size)) return false;
    this.#earlyLength += message.text.length;
    this.#earlySize += size;
    const kept = isShort ? { ...message, text: copyOf(message.text) } : message;
    this.#early.set(message.seq, { message: kept, size });
    return true;
  }

  /** Bytes that all of it takes: one character may make all those of its text take two. */
  get #held(): number {
    return this.#earlySize + 2 * (this.#untakenLength + this.#size);
  }

  /** Makes room for the next Message; where nothing waits for the user, nothing else would. */
  #makeRoom(length: number): boolean {
    return this.#pool(this.#held + 2 * length, !this.hasUntaken);
  }

  #pool(size: number, isNeeded = false): boolean {
    if (this.#isClosed) return false;
    const isPossible = this.options.receivePool.resize(this.#pooled, size, isNeeded);
    if (isPossible) this.#pooled = size;
    return isPossible;
  }

  /** Whether a text waits to be taken. */
  get hasUntaken(): boolean {
    return this.#untaken.first !== undefined;
  }

  /** The user has this text, and those before; false where it is none of this queue's. */
  take(text: ReceivedText): boolean {
    if (!this.#handedOut.delete(text)) return false;
    let oldest = this.#untaken.first;
    while (oldest !== undefined && oldest.text.textSeq <= text.textSeq) {
      this.#untakenLength -= oldest.text.text.length;
      this.#untaken.shift();
      oldest = this.#untaken.first;
    }
    this.#pool(this.#held, true);
    return true;
  }

  /** The user takes no more. */
  forsake(): void {
    this.#isForsaken = true;
  }

  /** Whether the user takes no more. */
  get isForsaken(): boolean {
    return this.#isForsaken;
  }

  /** Whether all below a seq has come, and the user has it, or takes no more. */
  isDone(seq: number): boolean {
    return (this.#isForsaken ? this.#next : this.#acknowledged) >= seq;
  }

  /** All below is acknowledged for good: it has come, and the user has it. */
  get #acknowledged(): number {
    return this.#untaken.first?.last ?? this.#next;
  }

  /** Whether something arrived above what is missing. */
  get hasGap(): boolean {
    return this.#ranges.length > 0;
  }

  /** The Ack that tells what has arrived so far; see {@linkcode Ack} for the parameters. */
  ack(largestPacket = 0, delay = 0, packetBitmap = 0): Ack {
    const cumulativeSeq = this.#acknowledged;
    const ranges = this.#ranges.slice(0, ACK_RANGES_MAX);
    if (cumulativeSeq < this.#next) {
      ranges.unshift({ first: cumulativeSeq, last: this.#next - 1 });
      ranges.length = Math.min(ranges.length, ACK_RANGES_MAX);
    }
    return { kind: "ack", cumulativeSeq, largestPacket, delay, packetBitmap, ranges };
  }

  /** Takes what came early and is next; false where a text grows too long. */
  #takeEarly(texts: TextSink): boolean {
    while (this.#early.size > 0) {
      const early = this.#early.get(this.#next);
      if (early === undefined) return true;
      const { message, size } = early;
      this.#early.delete(message.seq);
      this.#earlyLength -= message.text.length;
      this.#earlySize -= size;
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
    if (isLast) this.#handOut(seq, this.#whole(message), texts);
    return true;
  }

  #handOut(last: number, text: string, texts: TextSink): void {
    const received: ReceivedText = { kind: "message", textSeq: this.#texts++, text };
    if (this.options.holdsTexts === true) {
      this.#untaken.push({ text: received, last });
      this.#handedOut.add(received);
      this.#untakenLength += text.length;
    }
    texts.push(received);
  }

  /** The text that a Message completes. */
  #whole({ text }: Message): string {
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

/** Texts of ASCII are decoded together: each may be a slice that keeps all those of its packet. */
function copyOf(text: string): string {
  return decoder.decode(encoder.encode(text));
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
