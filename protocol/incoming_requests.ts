/**
 * The Connection Requests of others: those that wait for the user, and what was answered.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { encodeDatagram } from "./datagram.ts";
import { type Instant, type Random, randomU32, type Transmit } from "./driven.ts";
import { type ConnectionRequest, DatagramType, type Frame, RejectReason } from "./frame.ts";

/** Requests that may wait for the user at a time. */
export const PENDING_REQUESTS_MAX = 16;
/** Requests that are remembered in all. */
export const REQUESTS_MAX = 128;
/** Milliseconds after which a pending request that is not repeated is forgotten. */
export const PENDING_EXPIRY = 35_000;
/** Milliseconds that an answered request is remembered after its last repeat. */
export const REQUEST_MEMORY = 60_000;

/** A request that arrived. */
export interface IncomingRequest {
  /** The requester's client id. */
  readonly requester: number;
  /** The requester's name, empty for none. */
  readonly name: string;
  /** The client id that was asked for: this client's, when the request came. */
  readonly responder: number;
  /** The requester's connection id. */
  readonly remoteConnection: number;
  /** The connection id that this client chose for its own end. */
  readonly localConnection: number;
  /** Where it last came from. */
  address: Address;
  /** The packet counter of the next datagram to the requester. */
  packet: number;
  /** `ended`: cancelled, or its connection is over. */
  state: "pending" | "accepted" | "rejected" | "ended";
  /** With `rejected` and `ended`: one of `RejectReason`. */
  reason: number;
  /** When it is forgotten. */
  expiresAt: Instant;
}

/** The book of incoming requests, oldest first. */
export class IncomingRequests {
  readonly #random: Random;
  readonly #requests = new Map<string, IncomingRequest>();

  /** Starts empty. */
  constructor(random: Random) {
    this.#random = random;
  }

  /** What waits for the user, oldest first. */
  pending(): IncomingRequest[] {
    return [...this.#requests.values()].filter(({ state }) => state === "pending");
  }

  /** The request that this frame repeats, now known to be still wanted. */
  repeated(now: Instant, frame: ConnectionRequest, from: Address): IncomingRequest | undefined {
    const request = this.find(frame.requester, frame.connection);
    if (request === undefined) return undefined;
    request.address = from;
    request.expiresAt = now + (request.state === "pending" ? PENDING_EXPIRY : REQUEST_MEMORY);
    return request;
  }

  /** The request with the requester's client id and connection id. */
  find(requester: number, remoteConnection: number): IncomingRequest | undefined {
    return this.#requests.get(`${requester}:${remoteConnection}`);
  }

  /**
   * Writes a new request down as pending; the oldest one that was answered makes room.
   *
   * @param localConnection the connection id of this client's end.
   */
  add(
    now: Instant,
    frame: ConnectionRequest,
    from: Address,
    localConnection: number = randomU32(this.#random),
  ): IncomingRequest {
    if (this.#requests.size >= REQUESTS_MAX) {
      const isOver = ({ state }: IncomingRequest) => state === "rejected" || state === "ended";
      const [key] = [...this.#requests].find(([, request]) => isOver(request)) ?? [];
      if (key !== undefined) this.#requests.delete(key);
    }
    const request: IncomingRequest = {
      requester: frame.requester,
      name: frame.name,
      responder: frame.responder,
      remoteConnection: frame.connection,
      localConnection,
      address: from,
      packet: 0,
      state: "pending",
      reason: 0,
      expiresAt: now + PENDING_EXPIRY,
    };
    this.#requests.set(`${frame.requester}:${frame.connection}`, request);
    return request;
  }

  /** Notes how a request was answered. */
  answer(
    now: Instant,
    request: IncomingRequest,
    state: "accepted" | "rejected" | "ended",
    reason: number = RejectReason.declined,
  ): void {
    request.state = state;
    request.reason = reason;
    request.expiresAt = now + REQUEST_MEMORY;
  }

  /** Forgets what is due; returns the requests that were still pending. */
  expire(now: Instant): IncomingRequest[] {
    const expired: IncomingRequest[] = [];
    for (const [key, request] of this.#requests) {
      if (request.expiresAt > now) continue;
      this.#requests.delete(key);
      if (request.state === "pending") expired.push(request);
    }
    return expired;
  }

  /** When the next request is to be forgotten. */
  nextTimeout(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const { expiresAt } of this.#requests.values()) {
      if (earliest === undefined || expiresAt < earliest) earliest = expiresAt;
    }
    return earliest;
  }
}

/** The Ringing or Reject that answers a request as it stands. */
export function answerTo(request: IncomingRequest): Transmit {
  const { responder } = request;
  const frame: Frame = request.state === "pending"
    ? { kind: "ringing", responder, connection: request.localConnection }
    : { kind: "connectionReject", responder, reason: request.reason };
  const connection = request.remoteConnection;
  // Once it was accepted, the connection counts on from there.
  const packet = request.state === "ended" ? 0 : request.packet++;
  const header = { type: DatagramType.Handshake, connection, packet };
  return { bytes: encodeDatagram(header, [frame]), to: request.address };
}
