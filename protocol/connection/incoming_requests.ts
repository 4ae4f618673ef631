/**
 * The Connection Requests of others: those that wait for the user, and what was answered.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import { decodeFrames } from "../wire/datagram.ts";
import { type Instant, type Random, randomU32, type Transmit } from "../machine.ts";
import {
  type ConnectionRequest,
  DatagramType,
  type Frame,
  type Header,
  HEADER_SIZE,
  RejectReason,
} from "../wire/frame.ts";
import {
  encodeSealed,
  type RequestContent,
  responderEarlySeals,
  type Seals,
} from "../session/handshake.ts";
import type { Responder } from "../crypto/noise.ts";

/** Requests that may wait for the user at a time. */
export const PENDING_REQUESTS_MAX = 16;
/** Requests that are remembered in all. */
export const REQUESTS_MAX = 128;
/** Requests of one connection id whose keys are tried on a datagram: those that came first. */
export const SHARED_IDS_MAX = 4;
/** Keys whose last request is remembered, so that a recording of an older one is known. */
export const TIMESTAMPS_MAX = 1024;
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
  /** The requester's static key. */
  readonly key: Uint8Array;
  /** The client id that was asked for: this client's, when the request came. */
  readonly responder: number;
  /** The requester's connection id. */
  readonly remoteConnection: number;
  /** The connection id that this client chose for its own end. */
  readonly localConnection: number;
  /** Where it, or its last repeat, came from. */
  address: Address;
  /** The handshake, to be finished by an Accept. */
  readonly handshake: Responder;
  /** For what is said before that. */
  readonly early: Seals;
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
  readonly #epoch: number;
  readonly #requests = new Map<string, IncomingRequest>();
  /** By static key, the one that was heard last at the end. */
  readonly #timestamps = new Map<string, { last: bigint; isAccepted: boolean }>();

  /**
   * Starts empty.
   *
   * @param epoch what the instant 0 is, in milliseconds since 1970.
   */
  constructor(random: Random, epoch: number) {
    this.#random = random;
    this.#epoch = epoch;
  }

  /** What waits for the user, oldest first. */
  pending(): IncomingRequest[] {
    return [...this.#requests.values()].filter(({ state }) => state === "pending");
  }

  /**
   * The request that this frame repeats, now known to be still wanted.
   *
   * Its answers go to where the repeat came from: the first copy may have been somebody else's.
   */
  repeated(now: Instant, frame: ConnectionRequest, from: Address): IncomingRequest | undefined {
    const request = this.#requests.get(keyOf(frame));
    if (request !== undefined) refresh(now, request, from);
    return request;
  }

  /**
   * The request that this one is, too: its handshake was begun anew because no answer came. The
   * handshake that is known stands.
   */
  renewed(
    now: Instant,
    frame: ConnectionRequest,
    content: RequestContent,
    key: Uint8Array,
    from: Address,
  ): IncomingRequest | undefined {
    const request = this.find(content.requester, frame.connection, key);
    if (request === undefined) return undefined;
    this.note(key, content.timestamp);
    refresh(now, request, from);
    for (const [known, each] of this.#requests) {
      if (each === request) this.#requests.delete(known);
    }
    this.#requests.set(keyOf(frame), request);
    return request;
  }

  /** The request with the requester's client id, connection id and static key. */
  find(
    requester: number,
    remoteConnection: number,
    key: Uint8Array,
  ): IncomingRequest | undefined {
    return [...this.#requests.values()].find((request) =>
      request.requester === requester && request.remoteConnection === remoteConnection &&
      request.key.every((byte, index) => byte === key[index])
    );
  }

  /** The request that a Handshake datagram is about, with the frames in it, if it is authentic. */
  open(datagram: Uint8Array, { connection, packet }: Header):
    | { request: IncomingRequest; frames: Frame[] }
    | undefined {
    let tries = 0;
    for (const request of this.#requests.values()) {
      if (request.remoteConnection !== connection) continue;
      // Strangers choose their ids: many alike must not make every datagram cost as many keys.
      if (++tries > SHARED_IDS_MAX) return undefined;
      const header = datagram.subarray(0, HEADER_SIZE);
      const plain = request.early.opener.open(packet, header, datagram.subarray(HEADER_SIZE));
      const decoded = plain && decodeFrames(plain);
      if (decoded !== undefined) return { request, frames: decoded.frames };
    }
    return undefined;
  }

  /**
   * Whether a request is newer than all that this key made before, as far as is remembered: an old
   * one is a recording.
   */
  isNewer(key: Uint8Array, { timestamp }: RequestContent): boolean {
    return timestamp > (this.#timestamps.get(key.join())?.last ?? -1n);
  }

  /**
   * Remembers the timestamp of a request, or of the Accept that opened a connection, so that a
   * recording of what was before it is known.
   */
  note(key: Uint8Array, timestamp: bigint, isAccept = false): void {
    const timestampKey = key.join();
    const isAccepted = isAccept || (this.#timestamps.get(timestampKey)?.isAccepted ?? false);
    this.#timestamps.delete(timestampKey);
    // Anybody can make new keys: they must not push out those that the user talks with.
    makeRoom(this.#timestamps, TIMESTAMPS_MAX, (each) => !each.isAccepted);
    makeRoom(this.#timestamps, TIMESTAMPS_MAX, () => true);
    this.#timestamps.set(timestampKey, { last: timestamp, isAccepted });
  }

  /**
   * Writes a new request down as pending; the oldest one that was answered makes room.
   *
   * @param localConnection the connection id of this client's end, where it has one already.
   */
  add(
    now: Instant,
    frame: ConnectionRequest,
    content: RequestContent,
    handshake: Responder,
    from: Address,
    localConnection = randomU32(this.#random),
  ): IncomingRequest {
    makeRoom(
      this.#requests,
      REQUESTS_MAX,
      ({ state }) => state === "rejected" || state === "ended",
    );
    this.note(handshake.remoteStatic, content.timestamp);
    const request: IncomingRequest = {
      requester: content.requester,
      name: content.name,
      key: handshake.remoteStatic,
      responder: content.responder,
      remoteConnection: frame.connection,
      localConnection,
      address: { hostname: from.hostname, port: from.port },
      handshake,
      early: responderEarlySeals(handshake.earlyKeys(), this.#epoch + now, this.#random),
      state: "pending",
      reason: 0,
      expiresAt: now + PENDING_EXPIRY,
    };
    this.#requests.set(keyOf(frame), request);
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
    const timestamp = this.#timestamps.get(request.key.join());
    if (timestamp !== undefined && state === "accepted") timestamp.isAccepted = true;
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
  const { responder, reason, early, remoteConnection, address } = request;
  const frame: Frame = request.state === "pending"
    ? { kind: "ringing", responder }
    : { kind: "connectionReject", responder, reason };
  const bytes = encodeSealed(DatagramType.Handshake, remoteConnection, early.sealer, [frame]);
  return { bytes, to: address };
}

/** Notes that a request is still wanted, and from where. */
function refresh(now: Instant, request: IncomingRequest, { hostname, port }: Address): void {
  request.address = { hostname, port };
  request.expiresAt = now + (request.state === "pending" ? PENDING_EXPIRY : REQUEST_MEMORY);
}

/** A Request is known by its every byte: another one with the same connection id is another. */
function keyOf({ connection, messageOne }: ConnectionRequest): string {
  return `${connection}:${messageOne.join()}`;
}

/** Deletes the oldest entry that may go, where a table is full. */
function makeRoom<V>(table: Map<string, V>, max: number, mayGo: (value: V) => boolean): void {
  if (table.size < max) return;
  for (const [key, value] of table) {
    if (!mayGo(value)) continue;
    table.delete(key);
    return;
  }
}
