/**
 * The conversations that were open when an earlier run of this client was killed: their peers are
 * called again, one after the other, and accept without ringing.
 *
 * @module
 */
import { CONNECTION_TIMEOUT } from "../../protocol/connection/silence.ts";
import type { RequestEvent } from "../../protocol/connection/request_event.ts";
import { isSameKey } from "../../protocol/crypto/x25519.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { Instant } from "../../protocol/machine.ts";
import { Timers } from "../../protocol/timers.ts";
import type { OpenConversation } from "../view.ts";

/** Milliseconds in which the peers are called: after that, their ends of the connections are over, too. */
export const RETURN_PATIENCE: number = CONNECTION_TIMEOUT;
/** Milliseconds that one peer is called before it is the turn of the next one. */
export const RETURN_TURN = 5_000;

/**
 * Milliseconds in which a peer that rings has to accept after all: it may be on its way back, too.
 * Nobody is to be rung up for a conversation that is over.
 */
export const RINGING_PATIENCE = 1_000;

/** What the peers are called with. */
export type Caller = Pick<Endpoint, "connect" | "cancel" | "outgoing" | "isLeaving">;

/** Calls the peers of an earlier run. */
export class Returns {
  readonly #caller: Caller;
  readonly #turn: number;
  readonly #timers = new Timers<"turn" | "end">();
  #waiting: OpenConversation[];
  #called: OpenConversation | undefined;
  /** Whether the conversation with the peer that is called is over at the other end. */
  #isOver = false;
  #over: OpenConversation[] = [];
  #isStarted = false;

  /** @param repairDelay milliseconds that a timer policy waits longer before it repairs anything. */
  constructor(caller: Caller, conversations: readonly OpenConversation[], repairDelay: number) {
    this.#caller = caller;
    this.#waiting = [...conversations];
    this.#turn = RETURN_TURN + repairDelay;
  }

  /** Those that do not go on yet. */
  get pending(): readonly OpenConversation[] {
    return this.#called === undefined ? this.#waiting : [this.#called, ...this.#waiting];
  }

  /** Whether the request under way is one of these, and not one of the user's. */
  get isCalling(): boolean {
    return this.#called !== undefined;
  }

  /** Whether the client with this id and key is the peer of one. */
  includes(id: number, key: Uint8Array): boolean {
    return this.pending.some((each) => each.id === id && isSameKey(each.key, key));
  }

  /** Starts once this client is registered; in another entry than before no peer would know it. */
  start(now: Instant, isFormer: boolean): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    if (!isFormer) this.#waiting = [];
    else if (this.#waiting.length > 0) this.#timers.set("end", now + RETURN_PATIENCE);
  }

  /** Calls the next peer, where no other request is under way. */
  callNext(now: Instant): void {
    const { outgoing, isLeaving } = this.#caller;
    if (!this.#isStarted || outgoing !== undefined || isLeaving) return;
    const next = this.#waiting.shift();
    if (next === undefined) return this.#timers.clearAll();
    const { id, key } = next;
    if (!this.#caller.connect(now, { id, name: "", key }).ok) this.#over.push(next);
    else {
      this.#called = next;
      this.#timers.set("turn", now + this.#turn);
    }
  }

  /** Makes room for a request of the user's, whose peer comes first. */
  yield(now: Instant): void {
    if (this.isCalling) this.#caller.cancel(now);
  }

  /** Leaves a peer to the user: connected, or called by the user; false where it is none of these. */
  remove(id: number, key: Uint8Array): boolean {
    if (!this.includes(id, key)) return false;
    const isOther = (each: OpenConversation): boolean =>
      each.id !== id || !isSameKey(each.key, key);
    this.#waiting = this.#waiting.filter(isOther);
    if (this.#called === undefined || isOther(this.#called)) return true;
    this.#called = undefined;
    this.#isOver = false;
    return true;
  }

  /** Takes what comes of a call; false where that is for the user. */
  handleEvent(now: Instant, event: RequestEvent): boolean {
    const called = this.#called;
    if (called === undefined) return false;
    switch (event.kind) {
      case "requesting":
        return true;
      case "ringing":
        this.#isOver = true;
        this.#timers.set("turn", now + RINGING_PATIENCE);
        return true;
      case "requestFailed": {
        this.#called = undefined;
        const { why } = event.failure;
        const mayFollow = why === "cancelled" || why === "directoryTimeout" ||
          why === "peerTimeout";
        if (mayFollow && !this.#isOver) this.#waiting.push(called);
        else this.#over.push(called);
        this.#isOver = false;
        return true;
      }
      default:
        return false;
    }
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("end", now)) {
      this.#over.push(...this.#waiting);
      this.#waiting = [];
      this.#isOver = this.isCalling;
      this.yield(now);
    } else if (this.#timers.expire("turn", now)) this.yield(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** The next one that does not go on. */
  pollOver(): OpenConversation | undefined {
    return this.#over.shift();
  }
}
