/**
 * The leases that a directory renews in its store.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Lease } from "../store/store.ts";

/** The most leases that are renewed in one question. */
export const RENEWALS_MAX = 1000;
/** The most of these questions that wait for their answers: more than a store answers at once are lost. */
export const RENEWALS_IN_FLIGHT_MAX = 4;
/** Milliseconds after which an answer counts as lost. */
export const RENEWAL_TIMEOUT = 3_000;
/** The part of a lease after which it is renewed in the store, too. */
const RENEWAL_PART = 1 / 4;

/** The slots whose leases are to be renewed, and when each was last. */
export class Renewals {
  readonly #interval: number;
  readonly #due = new Set<number>();
  readonly #renewedAt: Float64Array;
  #inFlight = 0;
  #askedAt: Instant = -Infinity;

  /** @param lease how long a lease is, in milliseconds. */
  constructor(slots: number, lease: number) {
    this.#interval = lease * RENEWAL_PART;
    this.#renewedAt = new Float64Array(slots);
  }

  /** The lease in a slot has begun in the store. */
  note(now: Instant, slot: number): void {
    this.#renewedAt[slot] = now;
  }

  /** Something was heard of the client in a slot. */
  hear(now: Instant, slot: number): void {
    if (now - this.#renewedAt[slot]! >= this.#interval) this.add(slot);
  }

  /** The lease in a slot is to be renewed. */
  add(slot: number): void {
    this.#due.add(slot);
  }

  /**
   * Some leases that are to be renewed now, none while too many wait; `leaseOf` has undefined for a
   * client that is not here.
   */
  take(now: Instant, leaseOf: (slot: number) => Lease | undefined): Lease[] {
    if (now - this.#askedAt >= RENEWAL_TIMEOUT) this.#inFlight = 0;
    if (this.#inFlight === RENEWALS_IN_FLIGHT_MAX) return [];
    const leases: Lease[] = [];
    for (const slot of this.#due) {
      if (leases.length === RENEWALS_MAX) break;
      this.#due.delete(slot);
      const lease = leaseOf(slot);
      if (lease === undefined) continue;
      this.note(now, slot);
      leases.push(lease);
    }
    if (leases.length === 0) return [];
    this.#inFlight++;
    this.#askedAt = now;
    return leases;
  }

  /** The store has answered for some. */
  handleAnswer(): void {
    this.#inFlight = Math.max(0, this.#inFlight - 1);
  }

  /** None of those that wait is answered any more. */
  reset(): void {
    this.#inFlight = 0;
  }
}
