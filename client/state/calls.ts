/**
 * The calls of the user: Connection Requests, until they are decided.
 *
 * @module
 */
import type { OutgoingView, Target } from "../../protocol/connection/outgoing_requests.ts";
import type { Endpoint, EndpointProblem } from "../../protocol/endpoint.ts";
import type { Instant } from "../../protocol/machine.ts";
import { type Result, success } from "../../protocol/result.ts";
import { earlier } from "../../protocol/timers.ts";
import type { ClientEvent } from "../event.ts";
import { matchesIdOrName, type Peer, peerOf, targetOf } from "../peer.ts";
import type { Returns } from "./returns.ts";

/** Milliseconds in which nothing came back to a request after which the user is told why that may be. */
export const UNANSWERED_AFTER = 4_000;

type UnansweredEvent = Extract<ClientEvent, { kind: "unanswered" }>;

/** A call that nothing came back to. */
interface Waiting {
  readonly target: Target;
  /** When the user is told. */
  at: Instant;
  /** Which answer the user was told to be waiting for. */
  by: UnansweredEvent["by"] | undefined;
}

/** All of them. One without an answer is reported once for the directory, and once for the peer. */
export class Calls {
  readonly #endpoint: Endpoint;
  readonly #returns: Returns;
  readonly #patience: number;
  #waiting: Waiting[] = [];

  /**
   * Begins without any.
   *
   * @param returns the calls that are not the user's.
   * @param repairDelay milliseconds after which a lost datagram is sent again.
   */
  constructor(endpoint: Endpoint, returns: Returns, repairDelay: number) {
    this.#endpoint = endpoint;
    this.#returns = returns;
    this.#patience = repairDelay + UNANSWERED_AFTER;
  }

  /** Those that are under way, the oldest first. */
  get all(): readonly OutgoingView[] {
    return this.#endpoint.calls.filter(({ target }) => !this.#returns.isCall(target));
  }

  /** The one of this peer. */
  with(peer: Peer): OutgoingView | undefined {
    return this.all.find(({ peer: id, name, target }) =>
      matchesIdOrName(peer, id ?? target.id, name)
    );
  }

  /** Calls a peer; returns the events for what is known already. */
  begin(now: Instant, peer: Peer): Result<ClientEvent[], EndpointProblem> {
    const called = this.#returns.handOver(peer);
    const target = called ?? targetOf(peer);
    if (called === undefined) {
      const result = this.#endpoint.connect(now, target);
      if (!result.ok) return result;
    }
    this.#waiting.push({ target, at: now + this.#patience, by: undefined });
    return success(called === undefined ? [] : this.#progress(now, called));
  }

  /** Takes back the call of this peer, or the latest; false where there is none. */
  cancel(now: Instant, peer: Peer | undefined): boolean {
    const call = peer === undefined ? this.all.at(-1) : this.with(peer);
    return call !== undefined && this.#endpoint.cancel(now, call.target);
  }

  /** Notes that the endpoint reported something about a call. */
  update(): void {
    if (this.#waiting.length === 0) return;
    const calls = this.all;
    this.#waiting = this.#waiting.filter(({ target }) => {
      const call = calls.find((each) => each.target === target);
      return call !== undefined && !call.isRinging;
    });
  }

  /** When to call takeUnanswered() next. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const { at } of this.#waiting) timeout = earlier(timeout, at);
    return timeout;
  }

  /** What the user is to be told by now of calls without an answer. */
  takeUnanswered(now: Instant): UnansweredEvent[] {
    this.update();
    const events: UnansweredEvent[] = [];
    for (const waiting of this.#waiting.filter(({ at }) => at <= now)) {
      const { peer, name, attempt } = this.#find(waiting.target)!;
      const by = attempt === 0 ? "directory" : "peer";
      waiting.at = by === "directory" ? now + this.#patience : Infinity;
      if (waiting.by === by) continue;
      waiting.by = by;
      events.push({ kind: "unanswered", peer: peer ?? peerOf(waiting.target), name, by });
    }
    return events;
  }

  /** How far a call is, as if it were told now. */
  #progress(now: Instant, target: Target): ClientEvent[] {
    const call = this.#find(target);
    if (call?.peer === undefined || call.attempt === 0) return [];
    const { peer, name, attempt, nextAt, isRinging } = call;
    const nextInMs = Math.max(0, nextAt - now);
    const requesting: ClientEvent = { kind: "requesting", peer, name, attempt, nextInMs };
    return isRinging ? [requesting, { kind: "ringing", peer, name }] : [requesting];
  }

  #find(target: Target): OutgoingView | undefined {
    return this.all.find((each) => each.target === target);
  }
}
