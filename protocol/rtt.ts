/**
 * Round-trip time and retransmission timeout, as in RFC 6298.
 *
 * @module
 */

/** Milliseconds after which anything unacknowledged is sent again at the latest. */
export const RESEND_INTERVAL = 10_000;
/** Milliseconds of the RTO before the first sample (RFC 6298, 2.1). */
export const RTO_INITIAL = 1_000;
/** Milliseconds that the RTO is at least. */
export const RTO_MIN = 50;
/** Milliseconds of clock granularity, the G of RFC 6298. */
const GRANULARITY = 1;
const ALPHA = 1 / 8;
const BETA = 1 / 4;
const K = 4;

/** When to send again: after an RTO that is measured, or after exactly {@linkcode RESEND_INTERVAL}. */
export type TimerMode = "adaptive" | "fixed";

/** An estimate of the round-trip time, and the timeouts that follow from it; all in milliseconds. */
export class RttEstimator {
  /** Whether the timeouts are measured. */
  readonly mode: TimerMode;
  #srtt: number | undefined;
  #rttvar = 0;

  /** Starts without a sample. */
  constructor(mode: TimerMode) {
    this.mode = mode;
  }

  /** The smoothed round-trip time, undefined before the first sample. */
  get srtt(): number | undefined {
    return this.#srtt;
  }

  /**
   * Takes a sample. It must be from something that was sent only once (Karn's algorithm, RFC 6298
   * section 3).
   */
  sample(rtt: number): void {
    if (this.#srtt === undefined) {
      this.#srtt = rtt;
      this.#rttvar = rtt / 2;
    } else {
      this.#rttvar = (1 - BETA) * this.#rttvar + BETA * Math.abs(this.#srtt - rtt);
      this.#srtt = (1 - ALPHA) * this.#srtt + ALPHA * rtt;
    }
  }

  /** How long to wait after the `transmissions`th time (1, 2, …) something was sent. */
  timeout(transmissions: number, rtoMin: number = RTO_MIN): number {
    if (this.mode === "fixed") return RESEND_INTERVAL;
    const rto = this.#srtt === undefined
      ? RTO_INITIAL
      : this.#srtt + Math.max(GRANULARITY, K * this.#rttvar);
    return Math.min(Math.max(rto, rtoMin) * 2 ** (transmissions - 1), RESEND_INTERVAL);
  }
}
