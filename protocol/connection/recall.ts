/**
 * When the directory is asked again where the peer of a connection is.
 *
 * @module
 */
import type { Instant } from "../machine.ts";

/** Milliseconds of silence from the peer where something of this end's waits for an answer. */
export const SILENCE_WAITING = 5_000;
/** The same where nothing does: a Connection Keepalive was not answered. */
export const SILENCE_IDLE = 11_500;
/** Milliseconds between two calls while the peer is silent; with fixed timers 10 s. */
export const CALL_INTERVAL = 5_000;
/** Milliseconds between two calls while datagrams are carried: the number of a meeting ends. */
export const CARRIED_CALL_INTERVAL = 25_000;
/** Calls of a peer that is heard, but of which the directory's word did not come. */
export const UNTOLD_CALLS_MAX = 3;

/** Watches the silence of one peer: the address of either end may have changed. */
export class Recall {
  readonly #repairDelay: number;
  #heardAt: Instant;
  #calledAt: Instant;
  /** When this end first sent, since the peer was heard, what asks for an answer. */
  #askedAt: Instant | undefined;
  #untoldCalls = 0;
  #hasWoken = false;

  /** @param repairDelay milliseconds that a timer policy waits longer before it repairs anything. */
  constructor(now: Instant, repairDelay: number) {
    this.#heardAt = this.#calledAt = now;
    this.#repairDelay = repairDelay;
  }

  /** Notes that the peer was heard; returns whether it left this end waiting for long. */
  onHeard(now: Instant): boolean {
    const wasSilent = now >= (this.#askedAt ?? Infinity) + SILENCE_WAITING;
    this.#heardAt = now;
    this.#askedAt = undefined;
    this.#hasWoken = false;
    return wasSilent;
  }

  /** Notes that something was sent that the peer has to answer. */
  onAsked(now: Instant): void {
    this.#askedAt ??= now;
  }

  /** Notes that the directory was asked. */
  onCall(now: Instant, isUntold = false): void {
    this.#calledAt = now;
    this.#hasWoken = false;
    if (isUntold) this.#untoldCalls++;
  }

  /** Notes that this end slept: the directory is asked at once, unless the peer is heard first. */
  handleWake(): void {
    this.#hasWoken = true;
  }

  /**
   * When the directory is to be asked.
   *
   * @param isCarried whether the directory carries the datagrams.
   * @param isUntold whether the peer knows more of where both are than the directory told.
   */
  callAt(isCarried: boolean, isUntold = false): Instant {
    if (this.#hasWoken) return this.#calledAt;
    const waitedAt = (this.#askedAt ?? Infinity) + SILENCE_WAITING;
    const soonest = this.#calledAt + Math.max(CALL_INTERVAL, this.#repairDelay);
    if (isUntold && this.#untoldCalls < UNTOLD_CALLS_MAX) return soonest;
    const silentAt = Math.max(
      Math.min(waitedAt, this.#heardAt + SILENCE_IDLE) + this.#repairDelay,
      soonest,
    );
    return isCarried ? Math.min(silentAt, this.#calledAt + CARRIED_CALL_INTERVAL) : silentAt;
  }
}
