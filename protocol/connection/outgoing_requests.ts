/**
 * The Connection Request that an endpoint's user wants, and cancelled ones.
 *
 * @module
 */
import type { Instant, Transmit } from "../machine.ts";
import { Allowance } from "../session/allowance.ts";
import { earlier } from "../timers.ts";
import type { CookieReply } from "../wire/frame.ts";
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

/** What this client wants to connect to. */
export interface OutgoingView {
  /** As the user named it. */
  readonly target: Target;
  /** Its client id, once it is known. */
  readonly peer: number | undefined;
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
  readonly target: Target;
  /** Follows when the address is known. */
  request: OutgoingRequest | undefined;
  /** A request that came while the peer is looked up, and says that it is from that peer. */
  held: RequestRecord | undefined;
}

/** What one client requests. */
export class OutgoingRequests {
  #intent: ConnectIntent | undefined;
  #cancelled: OutgoingRequest[] = [];
  readonly #cookies = new Allowance(COOKIES_PER_SECOND, COOKIES_PER_SECOND);

  /** What the user wants, until it is decided. */
  get intent(): ConnectIntent | undefined {
    return this.#intent;
  }

  /**
   * What the user wants of the peer that a request says it is from. Anybody can claim an id and a name: the
   * directory tells whose key that client has, and until then nothing is accepted in its name.
   */
  rivalOf(request: IncomingRequest): ConnectIntent | undefined {
    const intent = this.#intent;
    const isRival = intent !== undefined &&
      (intent.request?.ids.remote === request.requester || matchesTarget(intent.target, request));
    return isRival ? intent : undefined;
  }

  /** Notes that the user wants to connect. */
  want(target: Target): void {
    this.#intent = { target, request: undefined, held: undefined };
  }

  /** Forgets the intent, without a word to the peer. */
  forget(): void {
    this.#intent = undefined;
  }

  /** Forgets the intent; its request is taken back, unless it was decided. */
  cancel(): void {
    const request = this.#intent?.request;
    this.#intent = undefined;
    if (request === undefined || request.isDecided) return;
    request.cancel();
    this.#cancelled.push(request);
    if (this.#cancelled.length > CANCELLED_MAX) this.#cancelled.shift();
  }

  /** The request with this session id. */
  get(localId: number): OutgoingRequest | undefined {
    return this.#all().find((each) => each.hasSession(localId));
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
  pollEvent(): { request: OutgoingRequest; event: OutgoingRequestEvent } | undefined {
    if (this.#cancelled.length > 0) {
      this.#cancelled = this.#cancelled.filter(({ isDecided }) => !isDecided);
    }
    const request = this.#intent?.request;
    const event = request?.pollEvent();
    return request && event && { request, event };
  }

  #all(): OutgoingRequest[] {
    const request = this.#intent?.request;
    // Most of the time there is neither.
    return request === undefined ? this.#cancelled : [request, ...this.#cancelled];
  }
}

/** Whether a request is, in its own words, from the client that is meant. */
export function matchesTarget(target: Target, { requester, name }: IncomingRequest): boolean {
  if (target.id !== 0) return target.id === requester;
  return name !== "" && nameKey(target.name) === nameKey(name);
}
