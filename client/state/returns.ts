/**
 * The conversations that were open when an earlier run of this client was killed: their peers are
 * called again, and accept without ringing.
 *
 * @module
 */
import { connectionTimeout } from "../../protocol/connection/silence.ts";
import type { Target } from "../../protocol/connection/outgoing_requests.ts";
import type { RequestEvent } from "../../protocol/connection/request_event.ts";
import { isSameKey } from "../../protocol/crypto/x25519.ts";
import type { Endpoint } from "../../protocol/endpoint.ts";
import type { Instant } from "../../protocol/machine.ts";
import { earlier } from "../../protocol/timers.ts";
import { matchesIdOrName, type Peer, targetOf } from "../peer.ts";
import type { OpenConversation } from "../view.ts";

/**
 * Milliseconds in which a peer that rings has to accept after all: it may be on its way back, too.
 * Nobody is to be rung up for a conversation that is over.
 */
export const RINGING_PATIENCE = 1_000;

/** What the peers are called with. */
export type Caller = Pick<Endpoint, "connect" | "retarget" | "cancel" | "isLeaving">;

/** Calls the peers of an earlier run. */
export class Returns {
  readonly #caller: Caller;
  /** Milliseconds in which the peers are called: after that, their ends are over, too. */
  readonly #patience: number;
  /** Those that do not go on yet. */
  #open: readonly OpenConversation[];
  readonly #calls = new Map<Target, OpenConversation>();
  /** Until when those that ring may accept. */
  readonly #ringing = new Map<Target, Instant>();
  #endsAt: Instant | undefined;
  #over: OpenConversation[] = [];
  #isStarted = false;

  /** @param repairDelay milliseconds after which a lost datagram is sent again. */
  constructor(
    caller: Caller,
    conversations: readonly OpenConversation[],
    repairDelay: number,
  ) {
    this.#caller = caller;
    this.#patience = connectionTimeout(repairDelay);
    this.#open = conversations;
  }

  /** Those that do not go on yet. */
  get pending(): readonly OpenConversation[] {
    return this.#open;
  }

  /** Whether the call with this target is one of these, and not one of the user's. */
  isCall(target: Target): boolean {
    return this.#calls.has(target);
  }

  /** Whether the client with this id and key is the peer of one. */
  includes(id: number, key: Uint8Array): boolean {
    return this.#open.some((each) => each.id === id && isSameKey(each.key, key));
  }

  /** Starts once this client is registered; in another entry than before no peer would know it. */
  start(now: Instant, isFormer: boolean): void {
    if (this.#isStarted || this.#caller.isLeaving) return;
    this.#isStarted = true;
    if (!isFormer) this.#open = [];
    if (this.#open.length > 0) this.#endsAt = now + this.#patience;
    for (const conversation of this.#open) {
      const { id, key } = conversation;
      const target: Target = { id, name: "", key };
      this.#calls.set(target, conversation);
      if (!this.#caller.connect(now, target).ok) this.#giveUp(now, target);
    }
  }

  /**
   * Leaves the call of a peer to the user, who calls it, too; its target, undefined where there is none.
   * It is not taken back: the peer may have accepted it, and would take that for the end.
   */
  handOver(peer: Peer): Target | undefined {
    for (const [target, { id, name, key }] of this.#calls) {
      if (!matchesIdOrName(peer, id, name)) continue;
      const called = { ...targetOf(peer), key };
      this.#caller.retarget(target, called);
      this.#forget(target);
      return called;
    }
    return undefined;
  }

  /** Takes a peer that is connected; false where it is none of these. */
  remove(id: number, key: Uint8Array): boolean {
    const found = this.#open.find((each) => each.id === id && isSameKey(each.key, key));
    if (found === undefined) return false;
    this.#open = this.#open.filter((each) => each !== found);
    for (const [target, each] of this.#calls) if (each === found) this.#forget(target);
    return true;
  }

  /** Takes the event of a call; false where that is for the user. */
  handleEvent(now: Instant, event: RequestEvent): boolean {
    switch (event.kind) {
      case "requesting":
        return this.#callOf(event.peer) !== undefined;
      case "ringing": {
        const target = this.#callOf(event.peer);
        if (target !== undefined) this.#ringing.set(target, now + RINGING_PATIENCE);
        return target !== undefined;
      }
      case "requestFailed": {
        const conversation = this.#calls.get(event.target);
        if (conversation === undefined) return false;
        this.#forget(event.target);
        if (event.failure.why !== "cancelled") this.#end(conversation);
        return true;
      }
      default:
        return false;
    }
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    for (const [target, deadline] of this.#ringing) {
      if (deadline <= now) this.#giveUp(now, target);
    }
    if (this.#endsAt === undefined || this.#endsAt > now) return;
    this.#endsAt = undefined;
    for (const target of this.#calls.keys()) this.#giveUp(now, target);
    for (const conversation of this.#open) this.#end(conversation);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout = this.#open.length === 0 ? undefined : this.#endsAt;
    for (const deadline of this.#ringing.values()) timeout = earlier(timeout, deadline);
    return timeout;
  }

  /** The next one that does not go on. */
  pollOver(): OpenConversation | undefined {
    return this.#over.shift();
  }

  #callOf(peer: number): Target | undefined {
    return this.#calls.keys().find(({ id }) => id === peer);
  }

  /** Its cancelling follows as an event. */
  #giveUp(now: Instant, target: Target): void {
    const conversation = this.#calls.get(target);
    this.#ringing.delete(target);
    if (conversation === undefined) return;
    this.#end(conversation);
    if (!this.#caller.cancel(now, target)) this.#forget(target);
  }

  #end(conversation: OpenConversation): void {
    if (!this.#open.includes(conversation)) return;
    this.#open = this.#open.filter((each) => each !== conversation);
    this.#over.push(conversation);
  }

  #forget(target: Target): void {
    this.#calls.delete(target);
    this.#ringing.delete(target);
  }
}
