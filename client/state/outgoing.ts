/**
 * The outgoing Connection Requests of a client: the one of its user, and cancelled ones.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { type Instant, randomU32, type Transmit } from "../../protocol/machine.ts";
import { type CookieReply, type Header, RejectReason, VERSION } from "../../protocol/wire/frame.ts";
import type { IncomingRequest } from "../../protocol/connection/incoming_requests.ts";
import {
  OutgoingRequest,
  type OutgoingRequestEvent,
} from "../../protocol/connection/outgoing_request.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { earlier } from "../../protocol/timers.ts";
import type { ClientEvent } from "../event.ts";
import { matchesIdOrName, type Peer } from "../peer.ts";
import type { Self } from "./directory_link.ts";
import type { ClientOptions } from "../view.ts";

/** Cancelled requests whose cancellation is not acknowledged yet; the oldest is dropped. */
export const CANCELLED_MAX = 4;

/** The intent of the user to connect: a look-up, then a request. */
export interface ConnectIntent {
  readonly target: Peer;
  request: OutgoingRequest | undefined;
  /** A request that arrived during the look-up, and claims to be from the target. */
  heldRequest: IncomingRequest | undefined;
}

/** Whether a client id or name refers to the target. */
export function isTarget(peer: Peer, { target, request }: Readonly<ConnectIntent>): boolean {
  if (peer === request?.ids.remote) return true;
  return typeof target === "number" ? peer === target : matchesIdOrName(peer, 0, target);
}

/** The outgoing requests of one client. */
export class OutgoingRequests {
  readonly #options: ClientOptions;
  #intent: ConnectIntent | undefined;
  #cancelled: OutgoingRequest[] = [];

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** The intent of the user, until it is decided. */
  get intent(): ConnectIntent | undefined {
    return this.#intent;
  }

  /** Records that the user wants to connect; request() follows when the address is known. */
  want(target: Peer): void {
    this.#intent = { target, request: undefined, heldRequest: undefined };
  }

  /** Creates the Connection Request; false if the static key is invalid. */
  request(
    now: Instant,
    self: Self,
    remote: number,
    to: Address,
    remoteKey: Uint8Array,
    timestamp: bigint,
  ): boolean {
    if (this.#intent === undefined) return false;
    const { timers, identity, random } = this.#options;
    const localConnection = randomU32(random);
    const ids = { local: self.id, localName: self.name, remote, localConnection, remoteKey };
    try {
      const request = new OutgoingRequest(
        now,
        ids,
        to,
        TIMER_POLICIES[timers],
        identity,
        timestamp,
        random,
      );
      this.#intent.request = request;
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  /** Drops the intent; cancels its request, unless it is decided. */
  drop(): void {
    const request = this.#intent?.request;
    this.#intent = undefined;
    if (request === undefined || request.isDecided) return;
    request.cancel();
    this.#cancelled.push(request);
    if (this.#cancelled.length > CANCELLED_MAX) this.#cancelled.shift();
  }

  /** Takes a cookie for the request. */
  handleCookie(now: Instant, { connection }: Header, frame: CookieReply): void {
    const request = this.#intent?.request;
    if (request?.ids.localConnection === connection) request.handleCookie(now, frame);
  }

  /** Takes a Handshake datagram; false if it is for none of these requests, or not authentic. */
  handleDatagram(now: Instant, datagram: Uint8Array, header: Header, from: Address): boolean {
    const { connection, packet } = header;
    const request = this.#all().find(({ ids }) => ids.localConnection === connection);
    return request?.handleDatagram(now, datagram, packet, from) ?? false;
  }

  /** See `Machine`. */
  handleTimeout(now: Instant): void {
    for (const request of this.#all()) request.handleTimeout(now);
  }

  /** See `Machine`. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const request of this.#all()) timeout = earlier(timeout, request.nextTimeout());
    return timeout;
  }

  /** See `Machine`. */
  pollTransmit(now: Instant): Transmit | undefined {
    for (const request of this.#all()) {
      const transmit = request.pollTransmit(now);
      if (transmit !== undefined) return transmit;
    }
    return undefined;
  }

  /** See `Machine`; cancelled requests have no events. */
  pollEvent(): { request: OutgoingRequest; event: OutgoingRequestEvent } | undefined {
    this.#cancelled = this.#cancelled.filter(({ isDecided }) => !isDecided);
    const request = this.#intent?.request;
    const event = request?.pollEvent();
    return request && event && { request, event };
  }

  #all(): OutgoingRequest[] {
    const request = this.#intent?.request;
    return request === undefined ? this.#cancelled : [request, ...this.#cancelled];
  }
}

/** The event of the client for an event of its request to `peer`. */
export function toClientEvent(
  peer: number,
  event: Exclude<OutgoingRequestEvent, { kind: "accepted" }>,
): ClientEvent {
  switch (event.kind) {
    case "requesting":
    case "ringing":
      return { ...event, peer };
    case "timeout":
      return { kind: "error", code: "peerTimeout", message: `Client ${peer} does not answer` };
    case "otherVersion": {
      const versions = `speaks version ${event.version}, this client ${VERSION}`;
      return { kind: "error", code: "version", message: `Client ${peer} ${versions}` };
    }
    case "rejected":
      return event.reason === RejectReason.notThisClient
        ? { kind: "inactive", peer }
        : { kind: "rejected", peer, reason: event.reason };
  }
}
