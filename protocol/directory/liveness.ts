/**
 * Whether the directory still answers.
 *
 * @module
 */
import type { Instant } from "../machine.ts";

/** Milliseconds that a Lease Keepalive is unanswered when the directory counts as lost. */
export const DIRECTORY_LOST_AFTER = 5_000;

/** What a client knows of its directory's answering. */
export class Liveness {
  readonly #repairDelay: number;
  #deadline: Instant | undefined;
  #isLost = false;

  /** `repairDelay`: milliseconds after which a lost datagram is sent again. */
  constructor(repairDelay: number) {
    this.#repairDelay = repairDelay;
  }

  /** Whether it does not answer. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /**
   * An answer is expected: from now on, or `anew` where another one came meanwhile.
   *
   * @param patience milliseconds until it is missed.
   */
  expect(now: Instant, patience: number, anew: boolean): void {
    if (this.#isLost || (this.#deadline !== undefined && !anew)) return;
    this.#deadline = now + this.#repairDelay + patience;
  }

  /** Something authentic came; returns whether the directory had been lost. */
  handleProof(): boolean {
    const isBack = this.#isLost;
    this.clear();
    this.#isLost = false;
    return isBack;
  }

  /** Returns whether an answer is missing now. */
  handleTimeout(now: Instant): boolean {
    if (this.#deadline === undefined || now < this.#deadline) return false;
    this.clear();
    return true;
  }

  /** The directory is lost from now on. */
  lose(): void {
    this.clear();
    this.#isLost = true;
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    return this.#deadline;
  }

  /** Expects nothing any more. */
  clear(): void {
    this.#deadline = undefined;
  }
}
