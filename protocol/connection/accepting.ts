/**
 * The Accept of the end that accepted: sent until the requester shows that it came.
 *
 * @module
 */
import { ACCEPT_TRIES } from "./connection_limits.ts";
import type { Instant } from "../machine.ts";
import type { RttEstimator } from "../recovery/rtt.ts";

/** Knows whether an Accept is due. */
export class AcceptRetransmitter {
  readonly #rtt: RttEstimator;
  #transmissions = 0;
  #timeoutAt: Instant | undefined;
  /** Whether the requester may not know it yet. */
  isUnconfirmed: boolean;
  /** Whether it is to be sent now. */
  isDue: boolean;

  /** @param isAccepter whether this end accepted. */
  constructor(rtt: RttEstimator, isAccepter: boolean) {
    this.#rtt = rtt;
    this.isUnconfirmed = this.isDue = isAccepter;
  }

  /** The Request came again. */
  repeat(): void {
    this.#transmissions = 0;
    this.isDue = true;
  }

  /** The requester knows, or it does not matter any more. */
  confirm(): void {
    this.isUnconfirmed = false;
    this.stop();
  }

  /** Sends it no more. */
  stop(): void {
    this.isDue = false;
    this.#timeoutAt = undefined;
  }

  /** Notes that it was sent. */
  onSent(now: Instant): void {
    this.isDue = false;
    const timeout = this.#rtt.timeout(++this.#transmissions);
    this.#timeoutAt = this.#transmissions < ACCEPT_TRIES ? now + timeout : undefined;
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    return this.#timeoutAt;
  }

  /** Lets it be sent again when it is time. */
  handleTimeout(now: Instant): void {
    if (this.#timeoutAt === undefined || this.#timeoutAt > now) return;
    this.#timeoutAt = undefined;
    this.isDue = true;
  }
}
