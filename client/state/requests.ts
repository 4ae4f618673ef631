/**
 * The Connection Requests of a client: outgoing, incoming, and crossing ones.
 *
 * The rules are those of `protocol/README.md`, "Connecting".
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import type { Connection } from "../../protocol/connection/connection.ts";
import type { Instant, Transmit } from "../../protocol/machine.ts";
import {
  type ConnectionRequest,
  type CookieReply,
  DatagramType,
  type Header,
  RejectReason,
} from "../../protocol/wire/frame.ts";
import {
  encodeAcceptContent,
  encodeSealed,
  sessionKeys,
} from "../../protocol/session/handshake.ts";
import {
  answerTo,
  type IncomingRequest,
  IncomingRequests,
  PENDING_REQUESTS_MAX,
} from "../../protocol/connection/incoming_requests.ts";
import type {
  OutgoingRequest,
  OutgoingRequestEvent,
} from "../../protocol/connection/outgoing_request.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { earlier } from "../../protocol/timers.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { type Connections, CONNECTIONS_MAX } from "./connections.ts";
import { HandshakeGuard, type OpenedRequest } from "../../protocol/session/handshake_guard.ts";
import type { ClientEvent, MissedRequest } from "../event.ts";
import { MissedRequests } from "./missed.ts";
import { type ConnectIntent, OutgoingRequests, toClientEvent } from "./outgoing.ts";
import type { Self } from "./directory_link.ts";
import { isSameKey, matchesClient, matchesIdOrName, type Peer } from "../peer.ts";
import type { ClientOptions } from "../view.ts";

/** Answers that wait to be sent; more are dropped, as a network may drop them. */
export const ANSWERS_MAX = 64;

/** The requests of one client; accepted ones become connections. */
export class Requests {
  readonly #options: ClientOptions;
  readonly #connections: Connections;
  readonly #incoming: IncomingRequests;
  readonly #guard: HandshakeGuard;
  readonly #outgoing: OutgoingRequests;
  readonly #missed = new MissedRequests();
  #answers: Transmit[] = [];
  #events: ClientEvent[] = [];
  #timestamp = 0n;

  constructor(now: Instant, options: ClientOptions, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
    this.#incoming = new IncomingRequests(options.random, options.epoch);
    this.#guard = new HandshakeGuard(now, options.identity, options.random);
    this.#outgoing = new OutgoingRequests(options);
  }

  /** The outgoing request of the user. */
  get outgoing(): Readonly<ConnectIntent> | undefined {
    return this.#outgoing.intent;
  }

  /** Whether one more connection would be too many. */
  get isFull(): boolean {
    const wanted = this.#outgoing.intent === undefined ? 0 : 1;
    return this.#connections.size + wanted >= CONNECTIONS_MAX;
  }

  /** The pending request from the client with this id that has this static key. */
  findPendingFrom(peer: number, key: Uint8Array): IncomingRequest | undefined {
    return this.pending().find((each) => each.requester === peer && isSameKey(each.key, key));
  }

  /** The requests that wait for the user, oldest first. */
  pending(): IncomingRequest[] {
    return this.#incoming.pending();
  }

  /** The pending requests that claim this id or name, or have this fingerprint. */
  pendingOf(peer: Peer): IncomingRequest[] {
    return this.pending().filter(({ requester, name, key }) =>
      matchesClient(peer, requester, name, key)
    );
  }

  /** The requests that ended before the user answered them, the latest first. */
  missed(now: Instant): MissedRequest[] {
    return this.#missed.list(now);
  }

  /** Records that the user wants to connect; request() follows when the address is known. */
  lookUp(target: Peer): void {
    this.#outgoing.want(target);
  }

  /** Sends the Connection Request; false if the static key is invalid. */
  request(now: Instant, self: Self, remote: number, to: Address, remoteKey: Uint8Array): boolean {
    this.#releaseHeld();
    const timestamp = this.#nextTimestamp(now);
    return this.#outgoing.request(now, self, remote, to, remoteKey, timestamp);
  }

  /** Cancels the outgoing request; false if there is none. */
  cancel(): boolean {
    const intent = this.#outgoing.intent;
    if (intent === undefined) return false;
    this.giveUp();
    this.#events.push({ kind: "cancelled", peer: intent.request?.ids.remote ?? intent.target });
    return true;
  }

  /** Drops the outgoing request without an event. */
  giveUp(): void {
    this.#releaseHeld();
    this.#outgoing.drop();
  }

  /** Reports the incoming request that was held back because it may be from the target. */
  #releaseHeld(): void {
    const intent = this.#outgoing.intent;
    const held = intent?.heldRequest;
    if (intent !== undefined) intent.heldRequest = undefined;
    if (held?.state !== "pending") return;
    const { requester: peer, name, key } = held;
    this.#events.push({ kind: "request", peer, name, isAgain: false, key });
  }

  /**
   * Accepts a pending request, and opens the connection.
   *
   * @param isAside whether another connection stays the current one.
   */
  accept(now: Instant, ownName: string, request: IncomingRequest, isAside = false): void {
    const { random, timers } = this.#options;
    const { requester, responder, localConnection, remoteConnection, early, key } = request;
    const timestamp = this.#nextTimestamp(now);
    const content = { responder, connection: localConnection, timestamp, name: ownName };
    const payload = encodeAcceptContent(content);
    const result = request.handshake.writeMessageTwo(makeKeyPair(random), payload);
    if (result === undefined) return this.reject(now, request, RejectReason.declined);
    this.#incoming.answer(now, request, "accepted");
    const ids = {
      local: responder,
      remote: requester,
      localConnection,
      remoteConnection,
      remoteName: request.name,
    };
    const rtt = new RttEstimator(TIMER_POLICIES[timers]);
    const keys = sessionKeys(result, early, key, result.message);
    const { address } = request;
    const isCurrent = this.#connections.open(now, ids, address, rtt, keys, random, isAside);
    const { hash } = result;
    this.#emitConnected(now, { peer: requester, name: request.name, key, hash }, isCurrent);
  }

  /** Rejects a pending request. */
  reject(now: Instant, request: IncomingRequest, reason: number): void {
    this.#incoming.answer(now, request, "rejected", reason);
    this.reply(answerTo(request));
  }

  /** Records that a connection ended, so that its request does not open it again. */
  end(now: Instant, { ids, keys: { remoteKey } }: Connection): void {
    const request = this.#incoming.find(ids.remote, ids.remoteConnection, remoteKey);
    if (request !== undefined) this.#incoming.answer(now, request, "ended");
  }

  /** Takes a Connection Request; false if it is not authentic, or not for this client. */
  handleRequest(
    now: Instant,
    self: Self,
    datagram: Uint8Array,
    frame: ConnectionRequest,
    from: Address,
    isLeaving: boolean,
  ): boolean {
    if (!this.#guard.isMeant(datagram)) return false;
    const known = this.#incoming.repeated(now, frame, from);
    if (known !== undefined) return this.#answerAgain(now, self, known), true;
    const opened = this.#guard.open(now, datagram, frame, from);
    if (opened === undefined) return false;
    if ("bytes" in opened) return this.reply(opened), true;
    const { content, handshake } = opened;
    const isSound = content.requester !== 0 && content.requester !== self.id &&
      frame.connection !== 0 && this.#incoming.isNewer(handshake.remoteStatic, content);
    if (!isSound) return false;
    this.#handleContent(now, self, opened, isLeaving);
    return true;
  }

  #handleContent(now: Instant, self: Self, opened: OpenedRequest, isLeaving: boolean): void {
    const { content, frame, from } = opened;
    const key = opened.handshake.remoteStatic;
    const known = this.#incoming.renewed(now, frame, content, key, from);
    if (known !== undefined) return this.#answerAgain(now, self, known);
    // A late copy of a request that was dropped because it crossed one of this client's.
    if (this.#connections.find(content.requester, frame.connection) !== undefined) return;
    if (content.responder !== self.id || isLeaving) {
      return this.reject(now, this.#add(now, opened), RejectReason.notThisClient);
    }
    const own = this.#outgoing.intent?.request?.ids;
    // Any client can claim the id: only the key proves that it is the one requested here.
    const isCrossing = own?.remote === content.requester && isSameKey(own.remoteKey, key);
    if (own === undefined || !isCrossing) return this.#ring(now, self, opened);
    // The client with the lower id waits for its own request to be accepted.
    if (own.local < content.requester) return;
    this.giveUp();
    // Its connection id stays, so that the peer recognizes late copies of the dropped request.
    this.accept(now, self.name, this.#add(now, opened, own.localConnection));
  }

  #add(now: Instant, opened: OpenedRequest, localConnection?: number): IncomingRequest {
    const { frame, content, handshake, from } = opened;
    return this.#incoming.add(now, frame, content, handshake, from, localConnection);
  }

  /** Takes a cookie for the outgoing request. */
  handleCookie(now: Instant, header: Header, frame: CookieReply): void {
    this.#outgoing.handleCookie(now, header, frame);
  }

  /** Takes a Handshake datagram that is for no connection; false if it is for no request either. */
  handleHandshake(now: Instant, datagram: Uint8Array, header: Header, from: Address): boolean {
    if (this.#outgoing.handleDatagram(now, datagram, header, from)) {
      this.#collect(now);
      return true;
    }
    const opened = this.#incoming.open(datagram, header);
    if (opened === undefined) return false;
    // One answer for all frames of the datagram: the address may be forged.
    const isCancelled = opened.frames.some(({ kind }) => kind === "connectionTermination");
    if (isCancelled) this.#handleCancellation(now, opened.request);
    return true;
  }

  #handleCancellation(now: Instant, request: IncomingRequest): void {
    const { early, remoteConnection, responder, address } = request;
    const bytes = encodeSealed(DatagramType.Handshake, remoteConnection, early.sealer, [
      { kind: "connectionTerminationAck", sender: responder, finalSeq: 0 },
    ]);
    this.reply({ bytes, to: address });
    if (request.state !== "pending") return;
    this.#incoming.answer(now, request, "ended");
    this.#miss(now, request, "cancelled");
  }

  /** Queues an answer that needs no state. */
  reply(transmit: Transmit): void {
    if (this.#answers.length < ANSWERS_MAX) this.#answers.push(transmit);
  }

  /** See `Machine`. */
  handleTimeout(now: Instant): void {
    for (const request of this.#incoming.expire(now)) this.#miss(now, request, "expired");
    this.#outgoing.handleTimeout(now);
    this.#collect(now);
  }

  /** See `Machine`. */
  nextTimeout(): Instant | undefined {
    return earlier(this.#incoming.nextTimeout(), this.#outgoing.nextTimeout());
  }

  /** See `Machine`. */
  pollTransmit(now: Instant): Transmit | undefined {
    const answer = this.#answers.shift();
    if (answer !== undefined) return answer;
    const transmit = this.#outgoing.pollTransmit(now);
    this.#collect(now);
    return transmit;
  }

  /** See `Machine`. */
  pollEvent(): ClientEvent | undefined {
    return this.#events.shift();
  }

  #ring(now: Instant, self: Self, opened: OpenedRequest): void {
    const { requester: peer, name } = opened.content;
    const { isBlocked, acceptAll } = this.#options;
    const key = opened.handshake.remoteStatic;
    if (isBlocked(key)) return this.reject(now, this.#add(now, opened), RejectReason.declined);
    const open = this.#connections.with(peer);
    const isAgain = open !== undefined && isSameKey(open.keys.remoteKey, key);
    // The id of a connected peer is taken: another key must not claim it.
    const isTaken = open !== undefined && !isAgain;
    if (isTaken || !isAgain && this.#connections.size >= CONNECTIONS_MAX) {
      const request = this.#add(now, opened);
      this.reject(now, request, RejectReason.busy);
      return this.#miss(now, request, "busy");
    }
    const pending = this.pending();
    // A new request from the same client replaces its older one.
    const older = this.findPendingFrom(peer, key);
    if (older !== undefined) this.#incoming.answer(now, older, "ended");
    const request = this.#add(now, opened);
    if (older === undefined && pending.length >= PENDING_REQUESTS_MAX) {
      this.#missed.add(now, request, "busy");
      return this.reject(now, request, RejectReason.busy);
    }
    const intent = this.#outgoing.intent;
    if (acceptAll && intent === undefined) return this.accept(now, self.name, request, true);
    this.reply(answerTo(request));
    const isWanted = intent !== undefined && intent.request === undefined &&
      matchesIdOrName(intent.target, peer, name);
    // The answer of the directory will have the key of the target.
    if (isWanted && intent.heldRequest?.state !== "pending") intent.heldRequest = request;
    else this.#events.push({ kind: "request", peer, name, isAgain, key });
  }

  #answerAgain(now: Instant, self: Self, request: IncomingRequest): void {
    if (request.state === "accepted") {
      return this.#connections.get(request.localConnection)?.repeatAccept(request.address);
    }
    const isFree = this.#outgoing.intent === undefined && !this.isFull;
    if (request.state === "pending" && this.#options.acceptAll && isFree) {
      return this.accept(now, self.name, request, true);
    }
    this.reply(answerTo(request));
  }

  /** Records and reports that a request ended. */
  #miss(now: Instant, request: IncomingRequest, why: MissedRequest["why"]): void {
    const { requester: peer, name } = request;
    this.#missed.add(now, request, why);
    this.#events.push({ kind: "requestEnded", peer, name, why });
  }

  /** Reports a new connection; rejects other requests that claim the same client id. */
  #emitConnected(
    now: Instant,
    connected: { peer: number; name: string; key: Uint8Array; hash: Uint8Array },
    isCurrent: boolean,
  ): void {
    const aside = isCurrent ? {} : { isAside: true as const };
    this.#events.push({ kind: "connected", ...connected, ...aside });
    this.#missed.forget(connected.peer, connected.key);
    for (const request of this.pending()) {
      if (request.requester !== connected.peer) continue;
      this.reject(now, request, RejectReason.busy);
      this.#miss(now, request, "busy");
    }
  }

  /** Milliseconds since 1970, but higher than the last one. */
  #nextTimestamp(now: Instant): bigint {
    const wallClock = BigInt(Math.floor(this.#options.epoch + now));
    this.#timestamp = wallClock > this.#timestamp ? wallClock : this.#timestamp + 1n;
    return this.#timestamp;
  }

  /** Handles the events of the outgoing request: an acceptance opens a connection. */
  #collect(now: Instant): void {
    const outgoing = this.#outgoing;
    for (let polled = outgoing.pollEvent(); polled !== undefined; polled = outgoing.pollEvent()) {
      this.#handleOutgoingEvent(now, polled.request, polled.event);
    }
  }

  #handleOutgoingEvent(now: Instant, request: OutgoingRequest, event: OutgoingRequestEvent): void {
    const { local, remote, localConnection } = request.ids;
    if (event.kind !== "accepted") {
      if (event.kind !== "requesting" && event.kind !== "ringing") this.giveUp();
      this.#events.push(toClientEvent(remote, event));
      return;
    }
    this.giveUp();
    const { connection: remoteConnection, name, timestamp, sessionKeys: keys } = event;
    this.#incoming.note(keys.remoteKey, timestamp, true);
    const ids = { local, remote, localConnection, remoteConnection, remoteName: name };
    const { random } = this.#options;
    // Not the source of the Accept, which may be a replayed copy.
    this.#connections.open(now, ids, request.address, request.rtt, keys, random);
    const { hash, remoteKey: key } = keys;
    this.#emitConnected(now, { peer: remote, name, key, hash }, true);
  }
}
