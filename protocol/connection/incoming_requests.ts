/**
 * The Connection Requests of others: those that wait for the user, and what was answered.
 *
 * @module
 */
import { isSameKey } from "../crypto/x25519.ts";
import type { Instant, Transmit } from "../machine.ts";
import type { Session } from "../session/session.ts";
import { earlier } from "../timers.ts";
import type { Connection } from "./connection.ts";
import { LINGER } from "./ending.ts";
import { sameAddress } from "../wire/address.ts";
import { type ConnectionRequest, type Frame, RejectReason } from "../wire/frame.ts";

/** Requests that may wait for the user at a time. */
export const PENDING_REQUESTS_MAX = 16;
/** How many of them may be of strangers: the other places are for those whose keys are known. */
export const PENDING_STRANGERS_MAX = 8;
/** How many of them may be of one key, under several client ids. */
export const PENDING_PER_KEY_MAX = 4;
/** Requests that are remembered in all. */
export const REQUESTS_MAX = 128;
/** Milliseconds after which a pending request that is not repeated is forgotten. */
export const PENDING_EXPIRY = 35_000;
/** Milliseconds that an answered request is remembered after its last repeat, or its connection's end. */
export const REQUEST_MEMORY = 60_000;

/** A request that arrived. */
export interface IncomingRequest {
  /** The requester's client id. */
  readonly requester: number;
  /** The requester's name, empty for none. */
  readonly name: string;
  /** The requester's static key, which it has shown to have. */
  readonly key: Uint8Array;
}

/** `ended`: cancelled, crossed by one of this client's, or its connection is over. */
export type RequestState = "pending" | "accepted" | "rejected" | "ended";

/** A request as this end keeps it. */
export interface RequestRecord extends IncomingRequest {
  /** Names the request in all its sessions. */
  readonly request: number;
  /** Whether its key is known, and not that of a stranger. */
  readonly isKnown: boolean;
  /** The client id that was asked for. */
  readonly responder: number;
  /** What the request, or its last repeat, came in. */
  session: Session;
  /** How it was answered. */
  state: RequestState;
  /** What it became where it was accepted. */
  connection: Connection | undefined;
  /** With `rejected` and `ended`: one of `RejectReason`. */
  reason: number;
  /** When it is forgotten: not while its connection lasts. */
  expiresAt: Instant | undefined;
}

/** The requests that are remembered, oldest first. */
export class IncomingRequests {
  #records: RequestRecord[] = [];
  /** The sessions in which a cancellation overtook its request. */
  readonly #cancelled = new WeakSet<Session>();

  /** What waits for the user, oldest first. */
  get pending(): RequestRecord[] {
    return this.#records.filter(({ state }) => state === "pending");
  }

  /** Whether a pending request may wait, beside the others. */
  hasPlace(request: RequestRecord): boolean {
    const { pending } = this;
    const strangers = pending.filter(({ isKnown }) => !isKnown);
    const same = pending.filter(({ key }) => isSameKey(key, request.key));
    return pending.length <= PENDING_REQUESTS_MAX && same.length <= PENDING_PER_KEY_MAX &&
      (request.isKnown || strangers.length <= PENDING_STRANGERS_MAX);
  }

  /** The request that came last in the session with this id. */
  findBySession(localId: number): RequestRecord | undefined {
    return this.#records.findLast(({ session }) => session.localId === localId);
  }

  /** The request that this frame repeats, in whichever session of the same client it comes. */
  find(frame: ConnectionRequest, key: Uint8Array): RequestRecord | undefined {
    return this.#records.find((record) =>
      record.request === frame.request && record.requester === frame.requester &&
      isSameKey(record.key, key)
    );
  }

  /**
   * The pending requests of the client whose session this is, made under another id in an earlier run:
   * they have its key and its address.
   */
  ofEarlierRuns(id: number, { remoteKey, address, since }: Session): RequestRecord[] {
    return this.pending.filter(({ requester, key, session }) =>
      requester !== id && session.since < since && isSameKey(key, remoteKey) &&
      sameAddress(session.address, address)
    );
  }

  /** Notes that the requester has taken back what is still to come in this session. */
  cancel(session: Session): void {
    this.#cancelled.add(session);
  }

  /** Whether what comes in this session was taken back before. */
  isCancelled(session: Session): boolean {
    return this.#cancelled.has(session);
  }

  /** Notes that a request is still wanted, and in which session. */
  refresh(now: Instant, record: RequestRecord, session: Session): void {
    record.session = session;
    record.expiresAt = expiryOf(now, record.state);
  }

  /** Takes a new request as pending; the oldest one that was answered makes room. */
  add(now: Instant, frame: ConnectionRequest, session: Session, isKnown: boolean): RequestRecord {
    if (this.#records.length >= REQUESTS_MAX) {
      const oldest = this.#records.findIndex(({ state }) => state !== "pending");
      this.#records.splice(Math.max(0, oldest), 1);
    }
    const record: RequestRecord = {
      requester: frame.requester,
      name: frame.name,
      key: session.remoteKey,
      isKnown,
      request: frame.request,
      responder: frame.responder,
      session,
      state: "pending",
      connection: undefined,
      reason: RejectReason.declined,
      expiresAt: expiryOf(now, "pending"),
    };
    this.#records.push(record);
    return record;
  }

  /** Notes how a request was answered. */
  answer(
    now: Instant,
    record: RequestRecord,
    state: Exclude<RequestState, "pending">,
    reason: number = RejectReason.declined,
  ): void {
    record.state = state;
    record.reason = reason;
    record.expiresAt = expiryOf(now, state);
  }

  /** Notes that a connection is over, or goes on for another request. */
  end(now: Instant, connection: Connection): void {
    for (const record of this.#records) {
      if (record.connection !== connection) continue;
      record.connection = undefined;
      this.answer(now, record, "ended");
      // As long as it lingers, it takes the repeats in its session by itself.
      record.expiresAt = now + LINGER + REQUEST_MEMORY;
    }
  }

  /** See {@linkcode Machine}; returns the pending requests that were forgotten. */
  handleTimeout(now: Instant): RequestRecord[] {
    for (const { state, session } of this.#records) {
      if (state !== "accepted") session.handleTimeout(now);
    }
    const expired = this.#records.filter(({ expiresAt = Infinity }) => expiresAt <= now);
    if (expired.length > 0) {
      this.#records = this.#records.filter(({ expiresAt = Infinity }) => expiresAt > now);
    }
    return expired.filter(({ state }) => state === "pending");
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const { expiresAt, state, session } of this.#records) {
      timeout = earlier(timeout, expiresAt);
      // The session of one that was accepted is its connection's.
      if (state !== "accepted") timeout = earlier(timeout, session.nextTimeout());
    }
    return timeout;
  }

  /** See {@linkcode Machine}: what the paths of sessions have to send. */
  pollTransmit(): Transmit | undefined {
    for (const { state, session } of this.#records) {
      const transmit = state === "accepted" ? undefined : session.pollTransmit();
      if (transmit !== undefined) return transmit;
    }
    return undefined;
  }
}

function expiryOf(now: Instant, state: RequestState): Instant | undefined {
  if (state === "accepted") return undefined;
  return now + (state === "pending" ? PENDING_EXPIRY : REQUEST_MEMORY);
}

/** The Ringing or Reject that answers a request as it stands. */
export function answerTo({ responder, reason, state }: RequestRecord): Frame {
  return state === "pending"
    ? { kind: "ringing", responder }
    : { kind: "connectionReject", responder, reason };
}
