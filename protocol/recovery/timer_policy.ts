/**
 * When anything is sent again: adaptively, or by the letter of the specification.
 *
 * Both keep the outer bound: nothing that is unacknowledged or unanswered waits longer than
 * {@linkcode RESEND_INTERVAL} for its next transmission. Everything in which the two differ is here.
 *
 * @module
 */

/** Milliseconds after which anything unacknowledged is sent again at the latest. */
export const RESEND_INTERVAL = 10_000;

/** The names of the policies. */
export type TimerMode = "adaptive" | "fixed";

/** When to send again, and what may be inferred before that. Times in milliseconds, sizes in bytes. */
export interface TimerPolicy {
  /** Its name. */
  readonly mode: TimerMode;
  /**
   * How long to wait after the `transmissions`th time (1, 2, …) something was sent.
   *
   * @param timeout the wait after the first time, as measured.
   */
  resendTimeout(timeout: number, transmissions: number): number;
  /** What is added to a wait for a sign of life, because one lost datagram is repaired that late. */
  readonly repairDelay: number;
  /** Whether acks decide what is lost, how much is in flight and how large datagrams are (RFC 9002). */
  readonly hasLossRecovery: boolean;
  /** Bytes of text in flight where congestion control sets no limit. */
  readonly inFlightSizeMax: number;
  /** Whether the few messages of a conversation are sent more than once, unasked. */
  readonly sendsCopies: boolean;
  /** Whether an Ack may wait for more to acknowledge. */
  readonly delaysAcks: boolean;
}

/** The policies by their names. */
export const TIMER_POLICIES: Readonly<Record<TimerMode, TimerPolicy>> = {
  /** The default: timeouts are measured and doubled with each transmission (RFC 6298). */
  adaptive: {
    mode: "adaptive",
    resendTimeout: (timeout, transmissions) =>
      Math.min(timeout * 2 ** (transmissions - 1), RESEND_INTERVAL),
    repairDelay: 0,
    hasLossRecovery: true,
    inFlightSizeMax: Infinity,
    sendsCopies: true,
    delaysAcks: true,
  },
  /** Nothing is sent again before the interval of the specification has passed. */
  fixed: {
    mode: "fixed",
    resendTimeout: () => RESEND_INTERVAL,
    repairDelay: RESEND_INTERVAL,
    hasLossRecovery: false,
    // A burst that the receive buffer of a socket holds.
    inFlightSizeMax: 65_536,
    sendsCopies: false,
    delaysAcks: false,
  },
};
