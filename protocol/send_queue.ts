/**
 * The sending half of a connection: texts become Messages, which wait here until acknowledged.
 *
 * @module
 */
import type { Instant } from "./driven.ts";
import { type Ack, FLAG_MORE, FRAGMENT_SIZE_MAX, type Message } from "./frame.ts";
import type { RttEstimator } from "./rtt.ts";
import { earlier } from "./timers.ts";

/** UTF-8 bytes in the longest text. */
export const TEXT_SIZE_MAX = 65_536;
/** Messages from the first unacknowledged one to the last that may be sent. */
export const WINDOW = 1024;
/** UTF-8 bytes sent and not acknowledged, so that the receiver's socket buffer holds them. */
export const IN_FLIGHT_SIZE_MAX = 65_536;
/** UTF-8 bytes of the texts that wait, sent or not. */
export const QUEUE_SIZE_MAX = 4 * 1024 * 1024;
/** Messages that wait, sent or not, however short. */
export const QUEUE_LENGTH_MAX = 65_536;
/** Milliseconds from a text's first transmission until it counts as unconfirmed. */
export const UNCONFIRMED_AFTER = 5_000;
const SEQ_MAX = 0xffff_ffff;

/** A Message that waits. */
interface Entry {
  readonly frame: Message;
  /** UTF-8 bytes of its text. */
  readonly size: number;
  /** Which text it is a fragment of, counted from 0. */
  readonly textSeq: number;
  isAcked: boolean;
  /** To be sent again as soon as may be. */
  isLost: boolean;
  transmissions: number;
  firstSentAt: Instant;
  lastSentAt: Instant;
  /** When it is sent again. */
  deadline: Instant;
  /** The packet counter of the datagram that it was last in. */
  packet: number;
}

/** A text whose every Message was acknowledged. */
export interface Delivery {
  /** The text's number. */
  seq: number;
  /** Milliseconds from its first transmission to its acknowledgement. */
  rttMs: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Cuts a text into fragments of at most {@linkcode FRAGMENT_SIZE_MAX} bytes, between characters. */
export function splitText(text: string): string[] {
  const fragments: string[] = [];
  const bytes = encoder.encode(text);
  let start = 0;
  do {
    let end = Math.min(start + FRAGMENT_SIZE_MAX, bytes.length);
    while (isInsideCharacter(bytes, end)) end--;
    fragments.push(decoder.decode(bytes.subarray(start, end)));
    start = end;
  } while (start < bytes.length);
  return fragments;
}

/** Whether the byte at `at` continues the character of the byte before it. */
function isInsideCharacter(bytes: Uint8Array, at: number): boolean {
  return at < bytes.length && (bytes[at]! & 0xc0) === 0x80;
}

/** The Messages of one direction, from the first unacknowledged one on. */
export class SendQueue {
  readonly #rtt: RttEstimator;
  readonly #sender: number;
  /** The entries from `#firstSeq` on; the ones below `#sentSeq` were sent. */
  #entries: Entry[] = [];
  #firstSeq = 0;
  #sentSeq = 0;
  #nextSeq = 0;
  #size = 0;
  #sizeInFlight = 0;
  #texts = 0;
  #textsDelivered = 0;
  /** Texts below this were told to be unconfirmed. */
  #textsUnconfirmed = 0;
  /** No deadline is earlier than this. */
  #earliest: Instant | undefined;
  #unconfirmedAt: Instant | undefined;
  #lost = 0;

  /**
   * Starts empty.
   *
   * @param sender the client id that every Message names.
   */
  constructor(sender: number, rtt: RttEstimator) {
    this.#sender = sender;
    this.#rtt = rtt;
  }

  /** One above the highest seq that was sent. */
  get finalSeq(): number {
    return this.#sentSeq;
  }

  /** Texts that were queued and are not known to be delivered. */
  get undelivered(): number {
    return this.#texts - this.#textsDelivered;
  }

  /** Whether everything that was queued is acknowledged. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /**
   * Queues a text.
   *
   * @returns its number, or undefined where the queue is full.
   */
  push(text: string): number | undefined {
    const fragments = splitText(text);
    const sizes = fragments.map((fragment) => encoder.encode(fragment).length);
    const size = sizes.reduce((sum, each) => sum + each, 0);
    const isFull = this.#size + size > QUEUE_SIZE_MAX ||
      this.#entries.length + fragments.length > QUEUE_LENGTH_MAX ||
      this.#nextSeq + fragments.length > SEQ_MAX;
    if (isFull) return undefined;
    const textSeq = this.#texts++;
    for (const [index, fragment] of fragments.entries()) {
      const flags = index < fragments.length - 1 ? FLAG_MORE : 0;
      this.#entries.push({
        frame: {
          kind: "message",
          seq: this.#nextSeq++,
          sender: this.#sender,
          flags,
          text: fragment,
        },
        size: sizes[index]!,
        textSeq,
        isAcked: false,
        isLost: false,
        transmissions: 0,
        firstSentAt: 0,
        lastSentAt: 0,
        deadline: 0,
        packet: 0,
      });
    }
    this.#size += size;
    return textSeq;
  }

  /** Forgets what was never sent; it counts as undelivered. */
  dropUnsent(): void {
    for (const entry of this.#entries.splice(this.#sentSeq - this.#firstSeq)) {
      this.#size -= entry.size;
    }
    this.#nextSeq = this.#sentSeq;
  }

  /** The Message that is due now: first what was lost, then what is new and fits into the window. */
  due(): Message | undefined {
    return this.#dueEntry()?.frame;
  }

  /**
   * Notes that the Message that is due was sent, in the datagram with this packet counter.
   *
   * @returns the number of the text that is now sent for the first time to its end, if one is.
   */
  markSent(now: Instant, packet: number): number | undefined {
    const entry = this.#dueEntry();
    if (entry === undefined) return undefined;
    const isFirst = entry.transmissions === 0;
    entry.transmissions++;
    entry.lastSentAt = now;
    entry.packet = packet;
    entry.deadline = now + this.#rtt.timeout(entry.transmissions);
    this.#earliest = earlier(this.#earliest, entry.deadline);
    if (!isFirst) {
      entry.isLost = false;
      this.#lost--;
      return undefined;
    }
    entry.firstSentAt = now;
    this.#sentSeq++;
    this.#sizeInFlight += entry.size;
    if ((entry.frame.flags & FLAG_MORE) !== 0) return undefined;
    this.#unconfirmedAt ??= now + UNCONFIRMED_AFTER;
    return entry.textSeq;
  }

  /**
   * Takes an Ack.
   *
   * A text counts as delivered when everything up to its end has arrived: what arrived after a gap
   * is not shown to the other user yet.
   */
  handleAck(now: Instant, ack: Ack): Delivery[] {
    const highest = ack.ranges.at(-1)?.last ?? ack.next - 1;
    if (Math.max(ack.next - 1, highest) >= this.#sentSeq) return [];
    let newest: Entry | undefined;
    const acknowledge = (first: number, last: number): void => {
      for (let seq = Math.max(first, this.#firstSeq); seq <= last; seq++) {
        const entry = this.#entries[seq - this.#firstSeq]!;
        if (entry.isAcked) continue;
        this.#acknowledge(entry);
        if (entry.transmissions > 1) continue;
        if (newest === undefined || entry.packet > newest.packet) newest = entry;
      }
    };
    acknowledge(0, ack.next - 1);
    for (const { first, last } of ack.ranges) acknowledge(first, Math.min(last, this.#sentSeq - 1));
    if (newest !== undefined) {
      this.#rtt.sample(now - newest.lastSentAt);
      if (ack.ranges.length > 0) this.#findGaps(newest.packet);
    }
    return this.#removeDelivered(now, ack.next);
  }

  /** Marks what was not acknowledged in time; returns the numbers of texts that are unconfirmed. */
  handleTimeout(now: Instant): number[] {
    if (this.#earliest !== undefined && this.#earliest <= now) {
      this.#earliest = undefined;
      for (const entry of this.#sent()) {
        if (entry.isAcked || entry.isLost) continue;
        if (entry.deadline <= now) this.#markLost(entry);
        else this.#earliest = earlier(this.#earliest, entry.deadline);
      }
    }
    return this.#findUnconfirmed(now);
  }

  /** When something may have to be sent again, or a text is to be called unconfirmed. */
  nextTimeout(): Instant | undefined {
    return earlier(this.#earliest, this.#unconfirmedAt);
  }

  #dueEntry(): Entry | undefined {
    if (this.#lost > 0) {
      for (const entry of this.#sent()) if (entry.isLost) return entry;
    }
    const entry = this.#entries[this.#sentSeq - this.#firstSeq];
    const isOpen = entry !== undefined && this.#sentSeq < this.#firstSeq + WINDOW &&
      this.#sizeInFlight + entry.size <= IN_FLIGHT_SIZE_MAX;
    return isOpen ? entry : undefined;
  }

  *#sent(): Generator<Entry> {
    const length = this.#sentSeq - this.#firstSeq;
    for (let index = 0; index < length; index++) yield this.#entries[index]!;
  }

  #acknowledge(entry: Entry): void {
    entry.isAcked = true;
    this.#sizeInFlight -= entry.size;
    if (entry.isLost) {
      entry.isLost = false;
      this.#lost--;
    }
  }

  #markLost(entry: Entry): void {
    entry.isLost = true;
    this.#lost++;
  }

  /** What was last sent in an earlier datagram than one that arrived is taken for lost. */
  #findGaps(packet: number): void {
    if (this.#rtt.mode === "fixed") return;
    for (const entry of this.#sent()) {
      if (!entry.isAcked && !entry.isLost && entry.packet < packet) this.#markLost(entry);
    }
  }

  #removeDelivered(now: Instant, next: number): Delivery[] {
    const removed = this.#entries.splice(0, Math.max(0, next - this.#firstSeq));
    this.#firstSeq += removed.length;
    const delivered: Delivery[] = [];
    for (const entry of removed) {
      this.#size -= entry.size;
      if ((entry.frame.flags & FLAG_MORE) === 0) {
        delivered.push({ seq: entry.textSeq, rttMs: now - entry.firstSentAt });
      }
    }
    this.#textsDelivered += delivered.length;
    if (this.#firstSeq === this.#sentSeq) {
      this.#earliest = undefined;
      this.#unconfirmedAt = undefined;
    }
    return delivered;
  }

  #findUnconfirmed(now: Instant): number[] {
    if (this.#unconfirmedAt === undefined || this.#unconfirmedAt > now) return [];
    this.#unconfirmedAt = undefined;
    const unconfirmed: number[] = [];
    for (const { frame, textSeq, firstSentAt } of this.#sent()) {
      if ((frame.flags & FLAG_MORE) !== 0 || textSeq < this.#textsUnconfirmed) continue;
      if (firstSentAt + UNCONFIRMED_AFTER > now) {
        this.#unconfirmedAt = firstSentAt + UNCONFIRMED_AFTER;
        break;
      }
      unconfirmed.push(textSeq);
      this.#textsUnconfirmed = textSeq + 1;
    }
    return unconfirmed;
  }
}
