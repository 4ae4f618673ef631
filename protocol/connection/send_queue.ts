/**
 * The sending half of a connection: texts become Messages, which wait here until acknowledged.
 *
 * @module
 */
import type { DatagramWriter } from "../wire/datagram.ts";
import type { Instant } from "../machine.ts";
import {
  type Ack,
  ACK_RANGES_MAX,
  HEADER_SIZE,
  MESSAGE_HEADER_SIZE,
  TAG_SIZE,
} from "../wire/frame.ts";
import type { Flight } from "../recovery/flight.ts";
import { LAST, MessageRing } from "./message_ring.ts";
import { ACK_HOLD, RTO_MIN, type RttEstimator } from "../recovery/rtt.ts";
import { RESEND_INTERVAL } from "../recovery/timer_policy.ts";
import { earlier } from "../timers.ts";

/** UTF-8 bytes in the longest text. */
export const TEXT_SIZE_MAX = 65_536;
/** Messages from the first unacknowledged one to the last that may be sent. */
export const WINDOW = 4096;
/** UTF-8 bytes from the first unacknowledged Message to the last that may be sent. */
export const RECEIVE_WINDOW = 1024 * 1024;
/** UTF-8 bytes that a receiver holds at most: the window, and two texts of which a part is acknowledged. */
export const RECEIVE_SIZE_MAX: number = RECEIVE_WINDOW + 2 * TEXT_SIZE_MAX;
/** Milliseconds from a text's first transmission until it counts as unconfirmed. */
export const UNCONFIRMED_AFTER = 5_000;
/** Messages in flight up to which each datagram carries earlier ones, too. */
export const SPARSE_LENGTH_MAX = 16;
/** UTF-8 bytes in flight up to which it does. */
export const SPARSE_SIZE_MAX = 1000;
/** Earlier Messages that a datagram carries, at most. */
export const CARRIED_MAX = 3;
/** Milliseconds after which a copy follows what no other datagram has carried. */
export const COPY_DELAY = 8;

/** A text whose every Message was acknowledged. */
export interface Delivery {
  /** The kind of event that this is. */
  kind: "delivered";
  /** The text's number. */
  textSeq: number;
  /** Milliseconds from its first transmission to its acknowledgement. */
  rttMs: number;
}

/** What a queue hands on to the one that follows it. */
export interface UndeliveredTexts {
  /** The number of the first text. */
  readonly first: number;
  /** Those that are not known to be delivered, in their order. */
  readonly texts: readonly string[];
  /** Texts below this were reported as unconfirmed. */
  readonly unconfirmed: number;
}

/** What the state of a Message is made of. */
const ACKED = 1;
/** To be sent again as soon as may be. */
const LOST = 2;

/** The Messages of one direction, from the first unacknowledged one on. */
export class SendQueue {
  readonly #rtt: RttEstimator;
  readonly #ring: MessageRing;
  readonly #flight: Flight;
  /** What is below was sent. */
  #sentSeq = 0;
  #sizeUnsent = 0;
  #sizeInFlight = 0;
  #lengthInFlight = 0;
  #texts = 0;
  #textsSent = 0;
  #textsDelivered = 0;
  /** Texts below this were told to be unconfirmed. */
  #textsUnconfirmed = 0;
  /** No deadline is earlier than this. */
  #earliest: Instant | undefined;
  #unconfirmedAt: Instant | undefined;
  #copyAt: Instant | undefined;
  #isCopyDue = false;
  #lost = 0;
  /** The last Ack said of everything below this whether it arrived. */
  #toldUpTo = Infinity;
  /** Whether something that is lost must not wait any longer. */
  #isOverdue = false;
  /** Nothing below this is lost. */
  #lostFrom = 0;
  /** The texts of more than one Message, by their numbers: a part of them may be acknowledged. */
  readonly #longTexts = new Map<number, string>();

  /**
   * Starts empty.
   *
   * @param sender the client id that every Message names.
   * @param flight knows what became of the packets that they were in.
   * @param undelivered texts of an earlier queue that go first, under their numbers.
   */
  constructor(sender: number, rtt: RttEstimator, flight: Flight, undelivered?: UndeliveredTexts) {
    this.#flight = flight;
    this.#ring = new MessageRing(sender);
    this.#rtt = rtt;
    if (undelivered === undefined) return;
    this.#texts = this.#textsSent = this.#textsDelivered = undelivered.first;
    this.#textsUnconfirmed = undelivered.unconfirmed;
    for (const text of undelivered.texts) this.push(text);
  }

  /** One above the highest seq that was sent. */
  get finalSeq(): number {
    return this.#sentSeq;
  }

  /** Texts that were sent to their end, at least once. */
  get textsSent(): number {
    return this.#textsSent;
  }

  /** Texts that were queued and are not known to be delivered. */
  get undelivered(): number {
    return this.#texts - this.#textsDelivered;
  }

  /** Whether everything that was queued is acknowledged. */
  get isEmpty(): boolean {
    return this.#ring.first === this.#ring.next;
  }

  /**
   * Queues a text.
   *
   * @returns its number, or undefined where the queue is full.
   */
  push(text: string): number | undefined {
    const { size, next } = this.#ring;
    if (!this.#ring.pushText(text)) return undefined;
    this.#sizeUnsent += this.#ring.size - size;
    if (this.#ring.next - next > 1) this.#longTexts.set(this.#texts, text);
    return this.#texts++;
  }

  /** Empties the queue: the texts that are not known to be delivered go on in another one. */
  takeUndelivered(): UndeliveredTexts {
    const { first, next } = this.#ring;
    const texts: string[] = [];
    for (let seq = first; seq < next; seq++) {
      if (!this.#ring.isLast(seq)) continue;
      texts.push(this.#longTexts.get(this.#textsDelivered + texts.length) ?? this.#ring.text(seq));
    }
    const undelivered = {
      first: this.#textsDelivered,
      texts,
      unconfirmed: this.#textsUnconfirmed,
    };
    this.#ring.dropBelow(next);
    this.#texts = this.#textsDelivered;
    return undelivered;
  }

  /** Forgets what was never sent; it counts as undelivered. */
  dropUnsent(): void {
    this.#sizeUnsent = 0;
    this.#ring.dropFrom(this.#sentSeq);
  }

  /** Forgets all, as nothing is sent any more; what was not delivered still counts as undelivered. */
  close(): void {
    this.#sizeUnsent = 0;
    this.#ring.dropBelow(this.#ring.next);
    this.#longTexts.clear();
  }

  /** When what is due may leave, undefined where acks have to come first. */
  sendableAt(): Instant | undefined {
    return this.#isOverdue
      ? -Infinity
      : this.#flight.sendableAt(this.dueSize + HEADER_SIZE + TAG_SIZE);
  }

  /** UTF-8 bytes that wait to be sent for the first time. */
  get sizeUnsent(): number {
    return this.#sizeUnsent;
  }

  /** Bytes of the frame that is due now, 0 where none is. */
  get dueSize(): number {
    const { slots, next } = this.#ring;
    if (this.#lost > 0) return slots.size[this.#firstLost() & slots.mask]!;
    if (this.#isOpen()) return slots.size[this.#sentSeq & slots.mask]!;
    return this.#isCopyDue && next > 0 ? slots.size[(this.#sentSeq - 1) & slots.mask]! : 0;
  }

  /**
   * Writes what is due into the datagram with this packet counter, as much as fits: what was lost,
   * then what is new and fits into the window, then earlier Messages where there are few.
   */
  write(now: Instant, packet: number, writer: DatagramWriter): void {
    const before = writer.size;
    const { slots } = this.#ring;
    let isSecond = false;
    while (this.#lost > 0) {
      const seq = this.#firstLost();
      isSecond ||= slots.timeouts[seq & slots.mask]! <= 1;
      if (!this.#writeAgain(now, packet, writer, seq)) return;
    }
    this.#isOverdue = false;
    const newFrom = this.#sentSeq;
    this.#writeNew(now, packet, writer);
    if (writer.size === before && !this.#isCopyDue) return;
    this.#isCopyDue = false;
    if (!this.#isSparse()) return;
    this.#writeEarlier(now, packet, writer);
    if (this.#sentSeq > newFrom || isSecond) this.#copyAt = now + COPY_DELAY;
  }

  /**
   * Takes an Ack.
   *
   * A text counts as delivered when everything up to its end has arrived: what arrived after a gap
   * is not shown to the other user yet.
   */
  handleAck(now: Instant, ack: Ack): Delivery[] {
    const highest = ack.ranges.at(-1)?.last ?? ack.cumulativeSeq - 1;
    if (Math.max(ack.cumulativeSeq - 1, highest) >= this.#sentSeq) return [];
    if (!this.#flight.handleAck(now, ack)) return [];
    this.#acknowledge(this.#ring.first, ack.cumulativeSeq - 1);
    for (const { first, last } of ack.ranges) {
      this.#acknowledge(Math.max(first, this.#ring.first), Math.min(last, this.#sentSeq - 1));
    }
    const deliveries = this.#removeDelivered(now, ack.cumulativeSeq);
    // What is above the ranges of a full Ack may have arrived.
    const isFull = ack.ranges.length >= ACK_RANGES_MAX;
    this.#toldUpTo = isFull ? highest : Infinity;
    this.#findGaps();
    return deliveries;
  }

  /** Marks what was not acknowledged in time; returns the numbers of texts that are unconfirmed. */
  handleTimeout(now: Instant): number[] {
    if (this.#copyAt !== undefined && this.#copyAt <= now) {
      this.#copyAt = undefined;
      this.#isCopyDue = this.#isSparse() && this.#lengthInFlight > 0;
    }
    if ((this.#flight.nextTimeout() ?? Infinity) <= now) {
      this.#flight.update(now);
      this.#findGaps();
    }
    if (this.#earliest !== undefined && this.#earliest <= now) this.#findLate(now);
    return this.#findUnconfirmed(now);
  }

  /** Sends again at once what timed out before: the peer can be reached again. */
  retry(): void {
    const { first, slots } = this.#ring;
    for (let seq = first; seq < this.#sentSeq; seq++) {
      const slot = seq & slots.mask;
      if (slots.timeouts[slot] === 0 || !this.#rtt.policy.hasLossRecovery) continue;
      slots.timeouts[slot] = 0;
      if ((slots.state[slot]! & (ACKED | LOST)) === 0) this.#markLost(seq, slot);
    }
    // What was sent in vain fills the window: an Ack has to say that it is gone.
    if (this.#lost > 0) this.#flight.allowProbes();
  }

  /** When something may have to be sent again, or a text is to be called unconfirmed. */
  nextTimeout(): Instant | undefined {
    const copyAt = earlier(this.#copyAt, this.#flight.nextTimeout());
    return earlier(copyAt, earlier(this.#earliest, this.#unconfirmedAt));
  }

  /** Whether the next Message may be sent for the first time. */
  #isOpen(): boolean {
    const ring = this.#ring;
    return this.#sentSeq < ring.next && this.#sentSeq < ring.first + WINDOW &&
      ring.size - this.#sizeUnsent + ring.textSize(this.#sentSeq) <= RECEIVE_WINDOW &&
      this.#sizeInFlight + ring.textSize(this.#sentSeq) <= this.#rtt.policy.inFlightSizeMax;
  }

  /** Whether so little is in flight that sending it again costs next to nothing. */
  #isSparse(): boolean {
    return this.#rtt.policy.sendsCopies && this.#sentSeq === this.#ring.next &&
      this.#lengthInFlight <= SPARSE_LENGTH_MAX && this.#sizeInFlight <= SPARSE_SIZE_MAX;
  }

  /** The lowest seq that is lost; there must be one. */
  #firstLost(): number {
    const { first, slots } = this.#ring;
    let seq = Math.max(this.#lostFrom, first);
    while ((slots.state[seq & slots.mask]! & LOST) === 0) seq++;
    return this.#lostFrom = seq;
  }

  #writeAgain(now: Instant, packet: number, writer: DatagramWriter, seq: number): boolean {
    const { slots, store } = this.#ring;
    const slot = seq & slots.mask;
    const start = slots.start[slot]!;
    if (!writer.append(store, start, start + slots.size[slot]!)) return false;
    if ((slots.state[slot]! & LOST) !== 0) {
      slots.state[slot]! &= ~LOST;
      this.#lost--;
    }
    this.#noteSent(now, packet, slot, this.#deadline(now, slots.timeouts[slot]!));
    return true;
  }

  /** Writes a run of new Messages at a time: as long as they lie one after the other. */
  #writeNew(now: Instant, packet: number, writer: DatagramWriter): void {
    const ring = this.#ring;
    const { slots, store } = ring;
    const deadline = this.#deadline(now, 0);
    while (this.#isOpen()) {
      const start = slots.start[this.#sentSeq & slots.mask]!;
      let end = start;
      while (this.#isOpen()) {
        const slot = this.#sentSeq & slots.mask;
        const size = slots.size[slot]!;
        if (slots.start[slot] !== end || end + size - start > writer.room) break;
        end += size;
        this.#sentSeq++;
        this.#sizeInFlight += size - MESSAGE_HEADER_SIZE;
        this.#sizeUnsent -= size - MESSAGE_HEADER_SIZE;
        this.#lengthInFlight++;
        slots.firstSentAt[slot] = now;
        this.#noteSent(now, packet, slot, deadline);
        if ((slots.state[slot]! & LAST) !== 0) this.#textsSent++;
      }
      if (end === start) return;
      writer.append(store, start, end);
      this.#unconfirmedAt ??= now + UNCONFIRMED_AFTER;
    }
  }

  /** Writes the newest of what is unacknowledged and not in this datagram yet. */
  #writeEarlier(now: Instant, packet: number, writer: DatagramWriter): void {
    const { first, slots } = this.#ring;
    let left = CARRIED_MAX;
    for (let seq = this.#sentSeq - 1; seq >= first && left > 0; seq--) {
      const slot = seq & slots.mask;
      const isMeant = (slots.state[slot]! & ACKED) === 0 && slots.packet[slot] !== packet;
      if (!isMeant) continue;
      if (!this.#writeAgain(now, packet, writer, seq)) return;
      left--;
    }
  }

  /** When what is sent now, after so many timeouts, has to be sent again. */
  #deadline(now: Instant, timeouts: number): Instant {
    return now + this.#rtt.timeout(1 + timeouts, RTO_MIN, ACK_HOLD);
  }

  #noteSent(now: Instant, packet: number, slot: number, deadline: Instant): void {
    const { slots } = this.#ring;
    if (slots.transmissions[slot]! < 255) slots.transmissions[slot]!++;
    slots.lastSentAt[slot] = now;
    slots.packet[slot] = packet;
    slots.deadline[slot] = deadline;
    if (this.#earliest === undefined || deadline < this.#earliest) this.#earliest = deadline;
  }

  /** Both ends included. */
  #acknowledge(first: number, last: number): void {
    const { slots } = this.#ring;
    for (let seq = first; seq <= last; seq++) {
      const slot = seq & slots.mask;
      const state = slots.state[slot]!;
      if ((state & ACKED) !== 0) continue;
      this.#sizeInFlight -= this.#ring.textSize(seq);
      this.#lengthInFlight--;
      if ((state & LOST) !== 0) this.#lost--;
      slots.state[slot] = state & ~LOST | ACKED;
    }
  }

  #markLost(seq: number, slot: number): void {
    this.#ring.slots.state[slot]! |= LOST;
    this.#lost++;
    if (seq < this.#lostFrom) this.#lostFrom = seq;
  }

  /** What is unacknowledged although its last datagram arrived, or was overtaken, is lost. */
  #findGaps(): void {
    if (!this.#rtt.policy.hasLossRecovery) return;
    const { first, slots } = this.#ring;
    const { resolvedUpTo } = this.#flight;
    const end = Math.min(this.#sentSeq, this.#toldUpTo);
    for (let seq = first; seq < end; seq++) {
      const slot = seq & slots.mask;
      const state = slots.state[slot]!;
      if (slots.packet[slot]! <= resolvedUpTo) {
        if ((state & (ACKED | LOST)) === 0) this.#markLost(seq, slot);
      } else if (slots.transmissions[slot] === 1) {
        // What was sent later for the first time is in no earlier datagram.
        return;
      }
    }
  }

  #findLate(now: Instant): void {
    this.#earliest = undefined;
    const { first, slots } = this.#ring;
    let isLate = false;
    for (let seq = first; seq < this.#sentSeq; seq++) {
      const slot = seq & slots.mask;
      const state = slots.state[slot]!;
      if ((state & ACKED) !== 0) continue;
      const isLost = (state & LOST) !== 0;
      // What the window holds back is sent all the same when its time is up.
      const deadline = isLost ? slots.lastSentAt[slot]! + RESEND_INTERVAL : slots.deadline[slot]!;
      if (deadline > now) {
        if (this.#earliest === undefined || deadline < this.#earliest) this.#earliest = deadline;
      } else if (isLost) {
        this.#isOverdue = true;
      } else {
        if (slots.timeouts[slot]! < 255) slots.timeouts[slot]!++;
        this.#markLost(seq, slot);
        this.#earliest = earlier(this.#earliest, slots.lastSentAt[slot]! + RESEND_INTERVAL);
        isLate = true;
      }
    }
    if (isLate) this.#flight.onTimeout(now);
  }

  #removeDelivered(now: Instant, next: number): Delivery[] {
    const ring = this.#ring;
    const { slots } = ring;
    const delivered: Delivery[] = [];
    if (next <= ring.first) return delivered;
    for (let seq = ring.first; seq < next; seq++) {
      const slot = seq & slots.mask;
      if ((slots.state[slot]! & LAST) === 0) continue;
      const rttMs = now - slots.firstSentAt[slot]!;
      this.#longTexts.delete(this.#textsDelivered);
      delivered.push({ kind: "delivered", textSeq: this.#textsDelivered++, rttMs });
    }
    ring.dropBelow(next);
    if (next === this.#sentSeq) {
      this.#earliest = this.#unconfirmedAt = this.#copyAt = undefined;
      this.#isCopyDue = false;
      // Copies may still be under way: arrived or lost, they hold nothing back.
      this.#flight.forget();
    }
    return delivered;
  }

  #findUnconfirmed(now: Instant): number[] {
    if (this.#unconfirmedAt === undefined || this.#unconfirmedAt > now) return [];
    this.#unconfirmedAt = undefined;
    const unconfirmed: number[] = [];
    const { first, slots } = this.#ring;
    let text = this.#textsDelivered;
    for (let seq = first; seq < this.#sentSeq; seq++) {
      const slot = seq & slots.mask;
      if ((slots.state[slot]! & LAST) === 0) continue;
      const number = text++;
      if (number < this.#textsUnconfirmed) continue;
      const firstSentAt = slots.firstSentAt[slot]!;
      if (firstSentAt + UNCONFIRMED_AFTER > now) {
        this.#unconfirmedAt = firstSentAt + UNCONFIRMED_AFTER;
        break;
      }
      unconfirmed.push(number);
      this.#textsUnconfirmed = number + 1;
    }
    return unconfirmed;
  }
}
