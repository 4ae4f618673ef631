/**
 * Keeps one key that was pressed too often from ending a conversation.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";

/** Milliseconds in which the second key has to follow. */
export const LEAVE_WINDOW = 2000;

/** Asks for a second key before the client leaves. */
export class LeaveGuard {
  #askedAt: Instant | undefined;

  /** Whether this is the second key in time; if not, the user is to be asked for one. */
  isSecond(now: Instant): boolean {
    const isInTime = this.#askedAt !== undefined && now - this.#askedAt <= LEAVE_WINDOW;
    this.#askedAt = isInTime ? undefined : now;
    return isInTime;
  }

  /** The user did something else: the next key is the first one again. */
  reset(): void {
    this.#askedAt = undefined;
  }
}
