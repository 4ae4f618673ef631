/**
 * What the connections of one client hold of what they received: what came early, and what the user has
 * not taken yet.
 *
 * Each connection has a share that no other can take, so that a peer which fills the pool slows down
 * nobody but itself; the rest is for those that need more.
 *
 * @module
 */
import { RECEIVE_SIZE_MAX, WINDOW } from "./send_queue.ts";

/** Bytes that a Message that came early takes beside its text, at most. */
export const EARLY_OVERHEAD = 128;
/** Bytes that one connection may hold: all that a receiver does, in characters of two bytes. */
export const POOLED_SIZE_MAX: number = 2 * RECEIVE_SIZE_MAX + WINDOW * EARLY_OVERHEAD;
/** Bytes that it may hold whatever the other connections hold. */
export const POOLED_SHARE = 131_072;
/** Bytes that all connections may hold beyond their shares: one of them may have all. */
export const POOLED_COMMON: number = POOLED_SIZE_MAX;

/** What is left for the connections of one client. */
export class ReceivePool {
  #common = POOLED_COMMON;

  /**
   * A connection that holds `from` bytes wants to hold `to`; false where that is too much.
   *
   * @param isNeeded whether it cannot go on otherwise: then it may, and others may not meanwhile.
   */
  resize(from: number, to: number, isNeeded = false): boolean {
    const taken = beyondShare(to) - beyondShare(from);
    const isTooMuch = to > POOLED_SIZE_MAX || taken > Math.max(0, this.#common);
    if (isTooMuch && !isNeeded) return false;
    this.#common -= taken;
    return true;
  }
}

function beyondShare(size: number): number {
  return Math.max(0, size - POOLED_SHARE);
}
