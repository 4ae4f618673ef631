/**
 * When to acknowledge: at once what matters, else a little later, for more to come or data to ride on.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import type { Ack } from "../wire/frame.ts";
import type { Session } from "../session/session.ts";
import type { ReceiveQueue } from "./receive_queue.ts";
import { ACK_HOLD } from "../recovery/rtt.ts";
import type { TimerPolicy } from "../recovery/timer_policy.ts";

/** Datagrams with Messages that one Ack may wait for, at most. */
export const ACK_DATAGRAMS_MAX = 8;
/** Bytes of such datagrams, at most. */
export const ACK_SIZE_MAX = 16_384;
/** Milliseconds within which an Ack is not repeated for Messages that it already named. */
export const ACK_REPEAT = 25;
/** The largest delay that an Ack tells, in tenths of a millisecond. */
const DELAY_MAX = 0xffff;

/** What came in a datagram with Messages. */
export interface ReceivedMessages {
  /** Its packet counter. */
  packet: number;
  /** Its bytes. */
  size: number;
  /** Whether it held a Message that had not come before. */
  isNew: boolean;
  /** Whether something is missing, or came late. */
  isOutOfOrder: boolean;
}

/** Decides when the Ack is due that tells what has arrived. */
export class Acknowledger {
  readonly #policy: TimerPolicy;
  readonly #received: ReceiveQueue;
  readonly #session: Pick<Session, "receivedFrom">;
  #largestPacket = -1;
  #largestPacketAt: Instant = -Infinity;
  #sentAt: Instant = -Infinity;
  #dueAt: Instant | undefined;
  #datagrams = 0;
  #size = 0;

  /**
   * Starts with nothing to acknowledge.
   *
   * @param received the Messages that have arrived.
   * @param session knows the packets that have arrived.
   */
  constructor(policy: TimerPolicy, received: ReceiveQueue, session: Pick<Session, "receivedFrom">) {
    this.#policy = policy;
    this.#received = received;
    this.#session = session;
  }

  /** When an Ack is due, undefined where nothing waits for one. */
  get dueAt(): Instant | undefined {
    return this.#dueAt;
  }

  /** An Ack is due at once. */
  request(now: Instant): void {
    this.#dueAt = now;
  }

  /** Takes note of a datagram that asks for an Ack without a Message. */
  handleKeepalive(now: Instant, packet: number): void {
    this.#noteReceived(now, packet);
    this.request(now);
  }

  /** Takes note of a datagram with Messages. */
  handleMessages(now: Instant, { packet, size, isNew, isOutOfOrder }: ReceivedMessages): void {
    const isAfterPause = now > this.#largestPacketAt + ACK_HOLD;
    this.#noteReceived(now, packet);
    const isRepeat = !isNew && this.#dueAt === undefined && now < this.#sentAt + ACK_REPEAT;
    if (isRepeat && this.#policy.delaysAcks) return;
    this.#size += size;
    const isUrgent = isAfterPause || isOutOfOrder || !isNew || !this.#policy.delaysAcks ||
      ++this.#datagrams >= ACK_DATAGRAMS_MAX || this.#size >= ACK_SIZE_MAX;
    // It waits for the user, and goes when that took the text: see take() of a connection.
    const isHeld = this.#received.hasUntaken && !isOutOfOrder && isNew;
    if (isUrgent && !isHeld) this.request(now);
    else this.#dueAt ??= now + ACK_HOLD;
  }

  /** The Ack, as it is sent now. */
  take(now: Instant): Ack {
    this.#dueAt = undefined;
    this.#datagrams = this.#size = 0;
    this.#sentAt = now;
    if (this.#largestPacket < 0) return this.#received.ack();
    const delay = Math.min(Math.floor(10 * (now - this.#largestPacketAt)), DELAY_MAX);
    const packetBitmap = this.#session.receivedFrom(this.#largestPacket);
    return this.#received.ack(this.#largestPacket >>> 0, delay, packetBitmap);
  }

  #noteReceived(now: Instant, packet: number): void {
    if (packet <= this.#largestPacket) return;
    this.#largestPacket = packet;
    this.#largestPacketAt = now;
  }
}
