/**
 * How much may be in flight, and how fast it leaves: NewReno and pacing, as in RFC 9002 section 7.
 *
 * Sizes are bytes of UDP payload, times milliseconds.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import { DATAGRAM_SIZE_MAX } from "../wire/frame.ts";

/**
 * Datagrams in flight until acks show that more is safe: a socket's receive buffer holds only 92 of
 * this size on Linux, and cannot be made larger from here.
 */
export const DATAGRAMS_UNPROVED = 80;
/** Bytes in flight until acks show that more is safe. */
export const WINDOW_UNPROVED: number = DATAGRAMS_UNPROVED * DATAGRAM_SIZE_MAX;
/** Datagrams that may leave at a timeout, whatever is in flight (RFC 9002, 6.2.4). */
export const TIMEOUT_PROBES = 2;
/** Full datagrams in the smallest window (RFC 9002, 7.2). */
const DATAGRAMS_MIN = 2;
/** What a loss leaves of the window (RFC 9002, 7.3.2). */
const LOSS_REDUCTION = 0.5;
/** Above {@linkcode WINDOW_UNPROVED} slow start adds this part of what arrived. */
const UNPROVED_GROWTH = 1 / 8;
/** How much faster than a window per round trip datagrams may leave (RFC 9002, 7.7). */
const PACING_GAIN = 1.25;
/** The same in slow start, where the window doubles in a round trip. */
const PACING_GAIN_SLOW_START = 2;
/** What a late timer may make up for at once. */
const TIMER_GRANULARITY = 2;

/** The window that a path starts with (RFC 9002, 7.2). */
export function initialWindow(datagramSize: number): number {
  return Math.min(10 * datagramSize, Math.max(2 * datagramSize, 14_720));
}

/** The congestion window of a path, and the pace at which it is used up. */
export class CongestionController {
  #datagramSize: number;
  #window: number;
  #slowStartThreshold = Infinity;
  /** When the window was last reduced: losses of what was sent before do not reduce it again. */
  #reducedAt = -Infinity;
  /** The most that was in flight since `#roundStart`: a window that is not used does not grow. */
  #peak = 0;
  /** When the round began: it ends when something that was sent later arrives. */
  #roundStart = -Infinity;
  /** When the next datagram would leave if there were no bursts. */
  #departure: Instant = -Infinity;
  /** Datagrams that may still leave whatever is in flight. */
  #probes = 0;

  /**
   * Starts with the initial window.
   *
   * @param datagramSize bytes in a full datagram.
   */
  constructor(datagramSize = DATAGRAM_SIZE_MAX) {
    this.#datagramSize = datagramSize;
    this.#window = initialWindow(datagramSize);
  }

  /** Bytes that may be in flight. */
  get window(): number {
    return this.#window;
  }

  /** Whether the window still looks for the path's limit by leaps. */
  get isSlowStart(): boolean {
    return this.#window < this.#slowStartThreshold;
  }

  /** Begins anew with the initial window: the path is another one (RFC 9000, 9.4). */
  restart(datagramSize = DATAGRAM_SIZE_MAX): void {
    this.#datagramSize = datagramSize;
    this.#window = initialWindow(datagramSize);
    this.#slowStartThreshold = Infinity;
    this.#reducedAt = this.#roundStart = this.#departure = -Infinity;
    this.#peak = this.#probes = 0;
  }

  /** Takes another size of full datagrams; the window stays, as far as it is not under the minimum. */
  setDatagramSize(datagramSize: number): void {
    const isUnused = this.#window === initialWindow(this.#datagramSize);
    this.#datagramSize = datagramSize;
    this.#window = isUnused
      ? initialWindow(datagramSize)
      : Math.max(this.#window, DATAGRAMS_MIN * datagramSize);
  }

  /**
   * When a datagram may leave: at once where that is not in the future; undefined where acks have to
   * come first.
   *
   * @param size its bytes, those of a full one where they are not known yet.
   * @param bytes in flight.
   * @param datagrams in flight.
   */
  sendableAt(size: number, bytes: number, datagrams: number): Instant | undefined {
    if (this.#probes > 0) return -Infinity;
    if (bytes > 0 && bytes + size > this.#window) return undefined;
    // Small datagrams fill a receive buffer, too: each takes more of it than its size.
    const datagramsMax = Math.max(DATAGRAMS_UNPROVED, this.#window / DATAGRAM_SIZE_MAX);
    return datagrams < datagramsMax ? this.#departure : undefined;
  }

  /** Lets {@linkcode TIMEOUT_PROBES} datagrams leave whatever is in flight: no ack came in time. */
  allowProbes(): void {
    this.#probes = TIMEOUT_PROBES;
  }

  /**
   * Notes a datagram that left.
   *
   * @param bytes in flight with it.
   * @param srtt the smoothed round-trip time, undefined where it is not known.
   */
  onSent(now: Instant, size: number, bytes: number, srtt: number | undefined): void {
    this.#probes = Math.max(0, this.#probes - 1);
    this.#peak = Math.max(this.#peak, bytes);
    // The initial window may leave at once (RFC 9002, 7.7), and before a sample there is no pace.
    if (srtt === undefined) return;
    const gain = this.isSlowStart ? PACING_GAIN_SLOW_START : PACING_GAIN;
    const interval = srtt / (gain * this.#window);
    const burst = Math.max(initialWindow(this.#datagramSize) * interval, TIMER_GRANULARITY);
    this.#departure = Math.max(this.#departure, now - burst) + size * interval;
  }

  /**
   * Notes that a datagram arrived.
   *
   * @param bytes that are still in flight.
   */
  onArrived(now: Instant, size: number, sentAt: Instant, bytes: number): void {
    if (sentAt > this.#roundStart) {
      this.#roundStart = now;
      this.#peak = bytes + size;
    }
    if (sentAt > this.#reducedAt && this.#isUsed()) this.#grow(size);
  }

  /** Notes that a datagram was lost. */
  onLost(now: Instant, sentAt: Instant): void {
    if (sentAt <= this.#reducedAt) return;
    this.#reducedAt = now;
    this.#window = Math.max(this.#window * LOSS_REDUCTION, this.#windowMin);
    this.#slowStartThreshold = this.#window;
  }

  /** Notes that nothing arrived for long: the path is not what it was (RFC 9002, 7.6). */
  onPersistentCongestion(): void {
    this.#window = this.#windowMin;
  }

  get #windowMin(): number {
    return DATAGRAMS_MIN * this.#datagramSize;
  }

  /** Whether the window was what held datagrams back (RFC 9002, 7.8). */
  #isUsed(): boolean {
    // Slow start goes to twice what was in flight, so half a window is enough for it.
    if (this.isSlowStart) return 2 * this.#peak > this.#window;
    // It may have grown by a datagram since it was full.
    return this.#peak + 2 * this.#datagramSize > this.#window;
  }

  #grow(size: number): void {
    if (!this.isSlowStart) {
      this.#window += this.#datagramSize * size / this.#window;
    } else if (this.#window < WINDOW_UNPROVED) {
      this.#window = Math.min(this.#window + size, WINDOW_UNPROVED);
    } else {
      this.#window += size * UNPROVED_GROWTH;
    }
  }
}
