/**
 * Whether the user is to be told why a request has no answer yet.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";

/** Milliseconds in which nothing came back to a request after which the user is told why that may be. */
export const UNANSWERED_AFTER = 4_000;

/** Watches the request of the user. */
export class UnansweredRequest {
  readonly #patience: number;
  #tellAt: Instant | undefined;
  /** Whom the user was told to be waiting for. */
  #awaited: "directory" | "peer" | undefined;

  /** @param repairDelay milliseconds that a timer policy waits longer before it repairs anything. */
  constructor(repairDelay: number) {
    this.#patience = repairDelay + UNANSWERED_AFTER;
  }

  /** A request begins. */
  begin(now: Instant): void {
    this.#awaited = undefined;
    this.#tellAt = now + this.#patience;
  }

  /** Nobody has to be waited for any more. */
  end(): void {
    this.#tellAt = undefined;
  }

  /**
   * Whom the user is to be told to be waiting for, if it is time: first the directory, then the peer.
   *
   * @param attempt how often the request was sent: 0 while the directory is asked; undefined for no
   * request.
   */
  handleTimeout(now: Instant, attempt: number | undefined): "directory" | "peer" | undefined {
    if (this.#tellAt === undefined || this.#tellAt > now) return undefined;
    this.#tellAt = undefined;
    if (attempt === undefined) return undefined;
    const by = attempt === 0 ? "directory" : "peer";
    if (by === "directory") this.#tellAt = now + this.#patience;
    if (this.#awaited === by) return undefined;
    this.#awaited = by;
    return by;
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#tellAt;
  }
}
