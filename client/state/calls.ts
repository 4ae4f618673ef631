/**
 * The calls of this client to which nothing came back, so that the user may be told why that may be.
 *
 * @module
 */
import type { OutgoingView, Target } from "../../protocol/connection/outgoing_requests.ts";
import type { Instant } from "../../protocol/machine.ts";
import { earlier } from "../../protocol/timers.ts";
import type { ClientEvent } from "../event.ts";
import { peerOf } from "../peer.ts";

/** Milliseconds in which nothing came back to a request after which the user is told why that may be. */
export const UNANSWERED_AFTER = 4_000;

type UnansweredEvent = Extract<ClientEvent, { kind: "unanswered" }>;

/** A call that nothing came back to. */
interface Waiting {
  readonly target: Target;
  /** When the user is told. */
  at: Instant;
  /** Whom the user was told to be waiting for. */
  by: UnansweredEvent["by"] | undefined;
}

/** All of them; each is reported once for the directory, and once for the peer. */
export class UnansweredCalls {
  readonly #patience: number;
  #waiting: Waiting[] = [];

  /** @param repairDelay milliseconds after which a lost datagram is sent again. */
  constructor(repairDelay: number) {
    this.#patience = repairDelay + UNANSWERED_AFTER;
  }

  /** Takes a call that begins. */
  begin(now: Instant, target: Target): void {
    this.#waiting.push({ target, at: now + this.#patience, by: undefined });
  }

  /** Forgets what rings, and what is over; `calls` are those that are under way. */
  update(calls: readonly OutgoingView[]): void {
    this.#waiting = this.#waiting.filter(({ target }) => {
      const call = calls.find((each) => each.target === target);
      return call !== undefined && !call.isRinging;
    });
  }

  /** When to call takeDue() next. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const { at } of this.#waiting) timeout = earlier(timeout, at);
    return timeout;
  }

  /** What the user is to be told by now. */
  takeDue(now: Instant, calls: readonly OutgoingView[]): UnansweredEvent[] {
    this.update(calls);
    const events: UnansweredEvent[] = [];
    for (const waiting of this.#waiting.filter(({ at }) => at <= now)) {
      const { peer, name, attempt } = calls.find(({ target }) => target === waiting.target)!;
      const by = attempt === 0 ? "directory" : "peer";
      waiting.at = by === "directory" ? now + this.#patience : Infinity;
      if (waiting.by === by) continue;
      waiting.by = by;
      events.push({ kind: "unanswered", peer: peer ?? peerOf(waiting.target), name, by });
    }
    return events;
  }
}
