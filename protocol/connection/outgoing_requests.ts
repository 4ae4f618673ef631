/**
 * The Connection Requests that an endpoint's user wants, and cancelled ones.
 *
 * @module
 */
import type { Instant, Transmit } from "../machine.ts";
import { Allowance } from "../session/allowance.ts";
import { earlier } from "../timers.ts";
import type { Address } from "../wire/address.ts";
import type { CookieReply } from "../wire/frame.ts";
import { isSameKey } from "../crypto/x25519.ts";
import { nameKey } from "../name/name.ts";
import type { IncomingRequest, RequestRecord } from "./incoming_requests.ts";
import type { OutgoingRequest, OutgoingRequestEvent } from "./outgoing_request.ts";

/** Cancelled requests whose cancellation is not acknowledged yet. */
export const CANCELLED_MAX = 4;
/** Cookie Replies that are opened, a second and at once. */
export const COOKIES_PER_SECOND = 20;

/** A client as its user names it. */
export interface Target {
  /** The client id, 0 where only the name is known. */
  readonly id: number;
  /** The name, empty where the id is known. */
  readonly name: string;
  /** The static key, where only its owner is meant. */
  readonly key?: Uint8Array | undefined;
}

/** The question to the directory for a target. */
export type CallQuery = Target & { readonly kind: "call" };

/** What this client wants to connect to. */
export interface OutgoingView {
  /** As the user named it. */
  readonly target: Target;
  /** Its client id, once it is known. */
  readonly peer: number | undefined;
  /** Its name, empty for none, or until it is known. */
  readonly name: string;
  /** How often the request was sent: 0 while the directory is asked. */
  readonly attempt: number;
  /** When it is sent again. */
  readonly nextAt: Instant;
  /** Whether the peer's user is being asked. */
  readonly isRinging: boolean;
}

/** What the user wants to connect to: first looked up, then requested. */
export interface ConnectIntent {
  /** As the user named it. */
  target: Target;
  /** What the directory is asked for it, until it answers. */
  query: CallQuery | undefined;
  /** Follows when the address is known. */
  request: OutgoingRequest | undefined;
  /** A request that came while the peer is looked up, and says that it is from that peer. */
  held: RequestRecord | undefined;
}

/** An intent, as it is shown. */
export function viewOf({ target, request }: ConnectIntent): OutgoingView {
  return {
    target,
    peer: request?.ids.remote,
    name: request?.ids.remoteName ?? target.name,
    attempt: request?.attempt ?? 0,
    nextAt: request?.nextAt ?? 0,
    isRinging: request?.isRinging ?? false,
  };
}

/** What one client requests. */
export class OutgoingRequests {
  #intents: readonly ConnectIntent[] = [];
  #cancelled: OutgoingRequest[] = [];
  readonly #cookies = new Allowance(COOKIES_PER_SECOND, COOKIES_PER_SECOND);

  /** What the user wants, until it is decided, the oldest first. */
  get intents(): readonly ConnectIntent[] {
    return this.#intents;
  }

  /** The one that a target means: named like that, or with that id. */
  meant(target: Target): ConnectIntent | undefined {
    return this.#intents.find((each) => isSameTarget(each.target, target)) ?? this.with(target.id);
  }

  /** The one for this client, once the directory has introduced it; under this key, if one is given. */
  with(id: number, key?: Uint8Array): ConnectIntent | undefined {
    return this.#intents.find(({ request }) =>
      request?.ids.remote === id && (key === undefined || isSameKey(request.ids.remoteKey, key))
    );
  }

  /**
   * What the user wants of the peer that a request says it is from. Anybody can claim an id and a name: the
   * directory tells whose key that client has, and until then nothing is accepted in its name.
   */
  rivalsOf({ requester, name }: IncomingRequest): readonly ConnectIntent[] {
    return this.#intents.filter(({ target, request }) =>
      request?.ids.remote === requester || matchesTarget(target, requester, name)
    );
  }

  /** Notes that the user wants to connect: a request, or forget(), follows. */
  want(target: Target, query: CallQuery): void {
    this.#intents = [...this.#intents, { target, query, request: undefined, held: undefined }];
  }

  /** Goes on with what is wanted under another target, of the same client. */
  retarget(from: Target, to: Target): void {
    for (const intent of this.#intents) if (intent.target === from) intent.target = to;
  }

  /** Forgets an intent, without a word to the peer. */
  forget(intent: ConnectIntent): void {
    this.#intents = this.#intents.filter((each) => each !== intent);
  }

  /** Forgets an intent; its request is taken back, unless it was decided. */
  cancel(intent: ConnectIntent): void {
    const { request } = intent;
    this.forget(intent);
    if (request === undefined || request.isDecided) return;
    request.cancel();
    this.#cancelled.push(request);
    if (this.#cancelled.length > CANCELLED_MAX) this.#cancelled.shift();
  }

  /** The request with this session id. */
  get(localId: number): OutgoingRequest | undefined {
    return this.#all().find((each) => each.hasSession(localId));
  }

  /** Takes a Punch; false where it is for none of these. */
  handlePunch(now: Instant, number: bigint, size: number, from: Address): boolean {
    return this.requests.some((request) => request.handlePunch(now, number, size, from));
  }

  /** Takes a Version datagram; false where it is for none of these. */
  handleVersion(now: Instant, version: number, from: Address): boolean {
    const heeded = this.requests.filter((each) => each.handleVersion(now, version, from));
    return heeded.length > 0;
  }

  /** Takes a Cookie Reply; false where it is for no Initiation of these, or too many came. */
  handleCookie(now: Instant, frame: CookieReply): boolean {
    return this.#cookies.take(now) &&
      this.#all().some((request) => request.handleCookie(now, frame));
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    for (const request of this.#all()) request.handleTimeout(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const request of this.#all()) timeout = earlier(timeout, request.nextTimeout());
    return timeout;
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    for (const request of this.#all()) {
      const transmit = request.pollTransmit(now);
      if (transmit !== undefined) return transmit;
    }
    return undefined;
  }

  /** See {@linkcode Machine}; what has become of a cancelled request, nobody needs to know. */
  pollEvent(): { intent: ConnectIntent; event: OutgoingRequestEvent } | undefined {
    if (this.#cancelled.length > 0) {
      this.#cancelled = this.#cancelled.filter(({ isDecided }) => !isDecided);
    }
    for (const intent of this.#intents) {
      const event = intent.request?.pollEvent();
      if (event !== undefined) return { intent, event };
    }
    return undefined;
  }

  /** The requests that the user wants. */
  get requests(): readonly OutgoingRequest[] {
    return this.#intents.map(({ request }) => request).filter((each) => each !== undefined);
  }

  #all(): readonly OutgoingRequest[] {
    // Most of the time there is neither.
    return this.#intents.length === 0 ? this.#cancelled : [...this.requests, ...this.#cancelled];
  }
}

/** Whether two targets are the same, as the user names them. */
function isSameTarget(one: Target, other: Target): boolean {
  return one.id === other.id && nameKey(one.name) === nameKey(other.name);
}

/** Whether the client with this id and name, which may be its own words, is the one that is meant. */
export function matchesTarget(target: Target, id: number, name: string): boolean {
  if (target.id !== 0) return target.id === id;
  return name !== "" && nameKey(target.name) === nameKey(name);
}
