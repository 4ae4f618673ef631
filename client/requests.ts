/**
 * How connections come about: the request of this client, those of others, and their crossing.
 *
 * The rules are those of `protocol/README.md`, "Connecting".
 *
 * @module
 */
import type { Address } from "../protocol/address.ts";
import type { Connection } from "../protocol/connection.ts";
import { type Instant, randomU32, type Transmit } from "../protocol/driven.ts";
import { fingerprint, parseFingerprint } from "../protocol/fingerprint.ts";
import {
  type ConnectionRequest,
  type CookieReply,
  DatagramType,
  type Header,
  RejectReason,
} from "../protocol/frame.ts";
import { agreement, encodeAcceptContent, encodeSealed } from "../protocol/handshake.ts";
import {
  answerTo,
  type IncomingRequest,
  IncomingRequests,
  PENDING_REQUESTS_MAX,
} from "../protocol/incoming_requests.ts";
import { OutgoingRequest, type OutgoingRequestEvent } from "../protocol/outgoing_request.ts";
import { RttEstimator } from "../protocol/rtt.ts";
import { earlier } from "../protocol/timers.ts";
import { makeKeyPair } from "../protocol/x25519.ts";
import type { Connections } from "./connections.ts";
import { type Arrival, Doorkeeper } from "./doorkeeper.ts";
import type { ClientEvent, Peer } from "./event.ts";
import { isPeer, isSameKey, type Self, toClientEvent } from "./peer.ts";
import type { ClientOptions } from "./view.ts";

/** Answers that wait to be sent; more are dropped, as a network may drop them. */
export const ANSWERS_MAX = 64;
/** Cancelled requests whose cancellation is not acknowledged yet. */
export const CANCELLED_MAX = 4;

/** The user's wish to connect: first looked up, then requested. */
interface Outgoing {
  readonly target: Peer;
  request: OutgoingRequest | undefined;
  /** A request that came while the peer is looked up, and says that it is from that peer. */
  asker: IncomingRequest | undefined;
}

/** The requests of one client; accepted ones become connections. */
export class Requests {
  readonly #options: ClientOptions;
  readonly #connections: Connections;
  readonly #incoming: IncomingRequests;
  readonly #doorkeeper: Doorkeeper;
  #outgoing: Outgoing | undefined;
  #cancelled: OutgoingRequest[] = [];
  #answers: Transmit[] = [];
  #events: ClientEvent[] = [];
  #timestamp = 0n;

  constructor(now: Instant, options: ClientOptions, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
    this.#incoming = new IncomingRequests(options.random, options.epoch);
    this.#doorkeeper = new Doorkeeper(now, options.identity, options.random);
  }

  /** What this client wants to connect to. */
  get outgoing(): Readonly<Outgoing> | undefined {
    return this.#outgoing;
  }

  /** Whether a pending request is from the owner of this static key, not only in its own words. */
  findPendingFrom(peer: number, key: Uint8Array): IncomingRequest | undefined {
    return this.pending().find((each) => each.requester === peer && isSameKey(each.key, key));
  }

  /** The requests that wait for the user, oldest first. */
  pending(): IncomingRequest[] {
    return this.#incoming.pending();
  }

  /** The pending requests that are from that client in their own words, or have that fingerprint. */
  pendingOf(peer: Peer): IncomingRequest[] {
    const print = typeof peer === "string" ? parseFingerprint(peer) : undefined;
    return this.pending().filter(({ requester, name, key }) =>
      print === undefined ? isPeer(peer, requester, name) : print === fingerprint(key)
    );
  }

  /** Notes that the user wants to connect: `request` follows when the address is known. */
  lookUp(target: Peer): void {
    this.#outgoing = { target, request: undefined, asker: undefined };
  }

  /** Sends the Connection Request; false where the key is none to talk to. */
  request(now: Instant, self: Self, remote: number, to: Address, remoteKey: Uint8Array): boolean {
    if (this.#outgoing === undefined) return false;
    this.#release(this.#outgoing);
    const { timers, identity, random } = this.#options;
    const localConnection = randomU32(random);
    const ends = { local: self.id, localName: self.name, remote, localConnection, remoteKey };
    const timestamp = this.#nextTimestamp(now);
    try {
      const request = new OutgoingRequest(now, ends, to, timers, identity, timestamp, random);
      this.#outgoing.request = request;
      return true;
    } catch (error) {
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  /** Takes the user's wish to connect back; false where there is none. */
  cancel(): boolean {
    const outgoing = this.#outgoing;
    if (outgoing === undefined) return false;
    this.#drop(outgoing);
    this.#events.push({
      kind: "cancelled",
      peer: outgoing.request?.ends.remote ?? outgoing.target,
    });
    return true;
  }

  /** Forgets the wish to connect, without a word to the user. */
  giveUp(): void {
    if (this.#outgoing !== undefined) this.#release(this.#outgoing);
    this.#outgoing = undefined;
  }

  /** Asks the user after all about what may have been the peer that was looked up. */
  #release(outgoing: Outgoing): void {
    const { asker } = outgoing;
    outgoing.asker = undefined;
    if (asker?.state !== "pending") return;
    const { requester: peer, name, key } = asker;
    this.#events.push({ kind: "request", peer, name, isAgain: false, key });
  }

  /** Accepts a pending request: opens the connection, and rejects the others as busy. */
  accept(now: Instant, ownName: string, request: IncomingRequest): void {
    const { random, timers } = this.#options;
    const { requester, responder, localConnection, remoteConnection, early, key } = request;
    const timestamp = this.#nextTimestamp(now);
    const content = { responder, connection: localConnection, timestamp, name: ownName };
    const payload = encodeAcceptContent(content);
    const result = request.handshake.writeMessageTwo(makeKeyPair(random), payload);
    if (result === undefined) return this.reject(now, request, RejectReason.declined);
    this.#incoming.answer(now, request, "accepted");
    this.#connections.current?.abandon(now, "peer");
    const ends = {
      local: responder,
      remote: requester,
      localConnection,
      remoteConnection,
      remoteName: request.name,
    };
    const rtt = new RttEstimator(timers);
    const agreed = agreement(result, early, key, result.message);
    this.#connections.open(now, ends, request.address, rtt, agreed, random);
    const { hash } = result;
    this.#events.push({ kind: "connected", peer: requester, name: request.name, key, hash });
    this.#rejectOthers(now);
  }

  /** Rejects a pending request. */
  reject(now: Instant, request: IncomingRequest, reason: number): void {
    this.#incoming.answer(now, request, "rejected", reason);
    this.reply(answerTo(request));
  }

  /** Notes that a connection is over, so that its request does not open it again. */
  end(now: Instant, { ends, agreement: { remoteKey } }: Connection): void {
    const request = this.#incoming.find(ends.remote, ends.remoteConnection, remoteKey);
    if (request !== undefined) this.#incoming.answer(now, request, "ended");
  }

  /** Takes a Connection Request; false where it is none for this client. */
  handleRequest(
    now: Instant,
    self: Self,
    datagram: Uint8Array,
    frame: ConnectionRequest,
    from: Address,
    isLeaving: boolean,
  ): boolean {
    if (!this.#doorkeeper.isMeant(datagram)) return false;
    const known = this.#incoming.repeated(now, frame, from);
    if (known !== undefined) return this.#answerAgain(now, self, known), true;
    const opened = this.#doorkeeper.open(now, datagram, frame, from);
    if (opened === undefined) return false;
    if ("bytes" in opened) return this.reply(opened), true;
    const { content, handshake } = opened;
    const isSound = content.requester !== 0 && content.requester !== self.id &&
      frame.connection !== 0 && this.#incoming.isNewer(handshake.remoteStatic, content);
    if (!isSound) return false;
    this.#handleContent(now, self, opened, isLeaving);
    return true;
  }

  #handleContent(now: Instant, self: Self, arrival: Arrival, isLeaving: boolean): void {
    const { content, frame, from } = arrival;
    const key = arrival.handshake.remoteStatic;
    const known = this.#incoming.renewed(now, frame, content, key, from);
    if (known !== undefined) return this.#answerAgain(now, self, known);
    // It crossed one of this client's, and was dropped in favour of that: this is a late copy.
    if (this.#connections.find(content.requester, frame.connection) !== undefined) return;
    if (content.responder !== self.id || isLeaving) {
      return this.reject(now, this.#add(now, arrival), RejectReason.notThisClient);
    }
    const outgoing = this.#outgoing;
    const own = outgoing?.request?.ends;
    // Anybody can claim that id: only the key tells that it is the one whom this client requests.
    const isCrossing = own?.remote === content.requester &&
      isSameKey(own.remoteKey, key);
    if (outgoing === undefined || !isCrossing) return this.#ring(now, self, arrival);
    // The one with the lower client id waits for its own request to be accepted.
    if (own.local < content.requester) return;
    this.#drop(outgoing);
    // Its connection id stays, so that the other recognises late copies of the dropped request.
    this.accept(now, self.name, this.#add(now, arrival, own.localConnection));
  }

  #add(now: Instant, arrival: Arrival, localConnection?: number): IncomingRequest {
    const { frame, content, handshake, from } = arrival;
    return this.#incoming.add(now, frame, content, handshake, from, localConnection);
  }

  /** Takes a cookie for a request of this client's. */
  handleCookie(now: Instant, { connection }: Header, frame: CookieReply): void {
    const request = this.#outgoing?.request;
    if (request?.ends.localConnection === connection) request.handleCookie(now, frame);
  }

  /** Takes a Handshake datagram for no connection; false where it is for no request either. */
  handleHandshake(now: Instant, datagram: Uint8Array, header: Header, from: Address): boolean {
    const requests = [this.#outgoing?.request, ...this.#cancelled];
    const request = requests.find((each) => each?.ends.localConnection === header.connection);
    if (request?.handleDatagram(now, datagram, header.packet, from)) {
      this.#collect(now);
      return true;
    }
    const opened = this.#incoming.open(datagram, header);
    if (opened === undefined) return false;
    // Once, however often it is said: the address may be forged.
    const isCancelled = opened.frames.some(({ kind }) => kind === "connectionTermination");
    if (isCancelled) this.#handleCancellation(now, opened.request);
    return true;
  }

  #handleCancellation(now: Instant, request: IncomingRequest): void {
    const { requester: peer, name, early, remoteConnection, responder, address } = request;
    const bytes = encodeSealed(DatagramType.Handshake, remoteConnection, early.sealer, [
      { kind: "connectionTerminationAck", sender: responder, finalSeq: 0 },
    ]);
    this.reply({ bytes, to: address });
    if (request.state !== "pending") return;
    this.#incoming.answer(now, request, "ended");
    this.#events.push({ kind: "requestEnded", peer, name, why: "cancelled" });
  }

  /** Queues an answer that needs no state. */
  reply(transmit: Transmit): void {
    if (this.#answers.length < ANSWERS_MAX) this.#answers.push(transmit);
  }

  /** See `Driven`. */
  handleTimeout(now: Instant): void {
    for (const { requester: peer, name } of this.#incoming.expire(now)) {
      this.#events.push({ kind: "requestEnded", peer, name, why: "expired" });
    }
    this.#outgoing?.request?.handleTimeout(now);
    for (const request of this.#cancelled) request.handleTimeout(now);
    this.#collect(now);
  }

  /** See `Driven`. */
  nextTimeout(): Instant | undefined {
    let timeout = earlier(this.#incoming.nextTimeout(), this.#outgoing?.request?.nextTimeout());
    for (const request of this.#cancelled) timeout = earlier(timeout, request.nextTimeout());
    return timeout;
  }

  /** See `Driven`. */
  pollTransmit(now: Instant): Transmit | undefined {
    const answer = this.#answers.shift();
    if (answer !== undefined) return answer;
    for (const request of [this.#outgoing?.request, ...this.#cancelled]) {
      const transmit = request?.pollTransmit(now);
      if (transmit === undefined) continue;
      this.#collect(now);
      return transmit;
    }
    return undefined;
  }

  /** See `Driven`. */
  pollEvent(): ClientEvent | undefined {
    return this.#events.shift();
  }

  #ring(now: Instant, self: Self, arrival: Arrival): void {
    const { requester: peer, name } = arrival.content;
    const { isBlocked, acceptAll } = this.#options;
    const key = arrival.handshake.remoteStatic;
    if (isBlocked(key)) return this.reject(now, this.#add(now, arrival), RejectReason.declined);
    const current = this.#connections.current;
    const isAgain = current?.ends.remote === peer && isSameKey(current.agreement.remoteKey, key);
    if (current !== undefined && !isAgain) {
      this.reject(now, this.#add(now, arrival), RejectReason.busy);
      this.#events.push({ kind: "requestEnded", peer, name, why: "busy" });
      return;
    }
    const pending = this.pending();
    // A new request from the same client means that it gave the older one up.
    const older = this.findPendingFrom(peer, key);
    if (older !== undefined) this.#incoming.answer(now, older, "ended");
    const request = this.#add(now, arrival);
    if (older === undefined && pending.length >= PENDING_REQUESTS_MAX) {
      return this.reject(now, request, RejectReason.busy);
    }
    if (acceptAll && this.#outgoing === undefined) return this.accept(now, self.name, request);
    this.reply(answerTo(request));
    const outgoing = this.#outgoing;
    const isWanted = outgoing !== undefined && outgoing.request === undefined &&
      isPeer(outgoing.target, peer, name);
    // The directory's answer will tell the key of whom this client wants.
    if (isWanted && outgoing.asker?.state !== "pending") outgoing.asker = request;
    else this.#events.push({ kind: "request", peer, name, isAgain, key });
  }

  #answerAgain(now: Instant, self: Self, request: IncomingRequest): void {
    if (request.state === "accepted") {
      return this.#connections.get(request.localConnection)?.repeatAccept(request.address);
    }
    const isFree = this.#outgoing === undefined && this.#connections.current === undefined;
    if (request.state === "pending" && this.#options.acceptAll && isFree) {
      return this.accept(now, self.name, request);
    }
    this.reply(answerTo(request));
  }

  #rejectOthers(now: Instant): void {
    for (const request of this.pending()) {
      this.reject(now, request, RejectReason.busy);
      const { requester: peer, name } = request;
      this.#events.push({ kind: "requestEnded", peer, name, why: "busy" });
    }
  }

  /** Milliseconds since 1970, but higher than the last one. */
  #nextTimestamp(now: Instant): bigint {
    const wallClock = BigInt(Math.floor(this.#options.epoch + now));
    this.#timestamp = wallClock > this.#timestamp ? wallClock : this.#timestamp + 1n;
    return this.#timestamp;
  }

  #drop(outgoing: Outgoing): void {
    this.#outgoing = undefined;
    this.#release(outgoing);
    if (outgoing.request === undefined) return;
    outgoing.request.cancel();
    this.#cancelled.push(outgoing.request);
    if (this.#cancelled.length > CANCELLED_MAX) this.#cancelled.shift();
  }

  /** Turns what the outgoing request has to tell into events, and its acceptance into a connection. */
  #collect(now: Instant): void {
    this.#cancelled = this.#cancelled.filter(({ isDecided }) => !isDecided);
    const request = this.#outgoing?.request;
    if (request === undefined) return;
    for (let event = request.pollEvent(); event !== undefined; event = request.pollEvent()) {
      this.#handleOutgoingEvent(now, request, event);
    }
  }

  #handleOutgoingEvent(now: Instant, request: OutgoingRequest, event: OutgoingRequestEvent): void {
    const { local, remote, localConnection } = request.ends;
    if (event.kind !== "accepted") {
      if (event.kind !== "requesting" && event.kind !== "ringing") this.#outgoing = undefined;
      this.#events.push(toClientEvent(remote, event));
      return;
    }
    this.#outgoing = undefined;
    const { connection: remoteConnection, name, timestamp, agreement: agreed } = event;
    this.#incoming.note(agreed.remoteKey, timestamp, true);
    const ends = { local, remote, localConnection, remoteConnection, remoteName: name };
    this.#connections.current?.abandon(now, "peer");
    const { random } = this.#options;
    // Not where the Accept came from: that may have been somebody's copy of it.
    this.#connections.open(now, ends, request.address, request.rtt, agreed, random);
    const { hash, remoteKey: key } = agreed;
    this.#events.push({ kind: "connected", peer: remote, name, key, hash });
    this.#rejectOthers(now);
  }
}
