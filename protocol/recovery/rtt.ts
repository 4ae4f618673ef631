/**
 * Round-trip time and retransmission timeout, as in RFC 6298.
 *
 * @module
 */
import type { TimerPolicy } from "./timer_policy.ts";

/** Milliseconds of the RTO before the first sample (RFC 6298, 2.1). */
export const RTO_INITIAL = 1_000;
/** Milliseconds that the RTO is at least. */
export const RTO_MIN = 50;
/** Milliseconds that an Ack may wait for company, at most. */
export const ACK_HOLD = 3;
/** By how much an assumed round trip is exceeded before anything is sent again. */
const ASSUMED_MARGIN = 1.5;
/** Milliseconds of clock granularity, the G of RFC 6298. */
const GRANULARITY = 1;
const ALPHA = 1 / 8;
const BETA = 1 / 4;
const K = 4;

/** An estimate of the round-trip time, and the timeouts that follow from it; all in milliseconds. */
export class RttEstimator {
  /** When to send again. */
  readonly policy: TimerPolicy;
  #srtt: number | undefined;
  #rttvar = 0;
  /** The longest that a round trip can have taken, as far as is known without a sample. */
  #assumed = Infinity;
  #latest = RTO_INITIAL;
  #min = Infinity;

  /** Starts without a sample. */
  constructor(policy: TimerPolicy) {
    this.policy = policy;
  }

  /** The smoothed round-trip time, undefined before the first sample. */
  get srtt(): number | undefined {
    return this.#srtt;
  }

  /** The longer of the smoothed round-trip time and the last sample; `RTO_INITIAL` before the first. */
  get longest(): number {
    return Math.max(this.#srtt ?? 0, this.#latest);
  }

  /** How long an answer may well take: three round trips. */
  get patience(): number {
    if (this.#srtt !== undefined) return 3 * this.#srtt;
    return this.#assumed < RTO_INITIAL ? 3 * this.#assumed : RTO_INITIAL;
  }

  /**
   * Takes what a round trip took at the longest: the answer may be to any transmission of what was
   * sent more than once. That is no sample, and counts only before the first one; and not at all where
   * it is longer than nothing known.
   */
  assume(longest: number): void {
    this.#assumed = Math.min(this.#assumed, longest);
  }

  /**
   * Takes a sample. It must be from something that was sent only once (Karn's algorithm, RFC 6298
   * section 3).
   *
   * @param delay milliseconds of it in which the remote held the answer back; not believed where
   * that makes the sample shorter than any before (RFC 9002, 5.3).
   */
  sample(measured: number, delay = 0): void {
    this.#min = Math.min(this.#min, measured);
    const rtt = measured - delay >= this.#min ? measured - delay : measured;
    this.#latest = rtt;
    if (this.#srtt === undefined) {
      this.#srtt = rtt;
      this.#rttvar = rtt / 2;
    } else {
      this.#rttvar = (1 - BETA) * this.#rttvar + BETA * Math.abs(this.#srtt - rtt);
      this.#srtt = (1 - ALPHA) * this.#srtt + ALPHA * rtt;
    }
  }

  /**
   * How long to wait after the `transmissions`th time (1, 2, …) something was sent.
   *
   * @param hold milliseconds that the remote may hold its answer back.
   */
  timeout(transmissions: number, rtoMin: number = RTO_MIN, hold = 0): number {
    const rto = this.#srtt === undefined
      ? Math.min(RTO_INITIAL, ASSUMED_MARGIN * this.#assumed)
      : this.#srtt + Math.max(GRANULARITY, K * this.#rttvar);
    return this.policy.resendTimeout(Math.max(rto + hold, rtoMin), transmissions);
  }
}
