/**
 * How connections come about: the request of this client, those of others, and their crossing.
 *
 * The rules are those of `protocol/README.md`, "Connecting".
 *
 * @module
 */
import { type Address, sameAddress } from "../protocol/address.ts";
import { encodeDatagram } from "../protocol/datagram.ts";
import { type Instant, type Random, randomU32, type Transmit } from "../protocol/driven.ts";
import {
  type ConnectionRequest,
  type ConnectionTermination,
  DatagramType,
  type Frame,
  type Header,
  RejectReason,
} from "../protocol/frame.ts";
import {
  answerTo,
  type IncomingRequest,
  IncomingRequests,
  PENDING_REQUESTS_MAX,
} from "../protocol/incoming_requests.ts";
import { nameKey } from "../protocol/name.ts";
import { OutgoingRequest, type OutgoingRequestEvent } from "../protocol/outgoing_request.ts";
import { RttEstimator, type TimerMode } from "../protocol/rtt.ts";
import { earlier } from "../protocol/timers.ts";
import type { Connections } from "./connections.ts";
import type { ClientEvent, Peer } from "./event.ts";

/** Answers that wait to be sent; more are dropped, as a network may drop them. */
export const ANSWERS_MAX = 64;
/** Cancelled requests whose cancellation is not acknowledged yet. */
export const CANCELLED_MAX = 4;

/** Who this client is. */
export interface Self {
  id: number;
  name: string;
}

/** The user's wish to connect: first looked up, then requested. */
interface Outgoing {
  readonly target: Peer;
  request: OutgoingRequest | undefined;
}

/** Whether a client id or name means this client. */
export function isPeer(peer: Peer, id: number, name: string): boolean {
  return typeof peer === "number" ? peer === id : name !== "" && nameKey(peer) === nameKey(name);
}

/** Whether a request comes from the client that is requested, or looked up, itself. */
function isCrossing(outgoing: Outgoing, frame: ConnectionRequest, from: Address): boolean {
  const { target, request } = outgoing;
  if (request === undefined) return isPeer(target, frame.requester, frame.name);
  // Another address would be that of another client, whatever id it says it has.
  return request.ends.remote === frame.requester && sameAddress(request.address, from);
}

/**
 * The connection id of the end that stands in for a request that was dropped because it crossed
 * another: by it the other client recognises late copies of the request.
 */
function heirOf(connection: number): number {
  return connection === 0xffff_ffff ? 1 : connection + 1;
}

/** The requests of one client; accepted ones become connections. */
export class Requests {
  readonly #mode: TimerMode;
  readonly #random: Random;
  readonly #connections: Connections;
  readonly #incoming: IncomingRequests;
  #outgoing: Outgoing | undefined;
  #cancelled: OutgoingRequest[] = [];
  #answers: Transmit[] = [];
  #events: ClientEvent[] = [];

  /** Whether requests are accepted without asking the user. */
  readonly #acceptAll: boolean;

  constructor(mode: TimerMode, acceptAll: boolean, random: Random, connections: Connections) {
    this.#mode = mode;
    this.#acceptAll = acceptAll;
    this.#random = random;
    this.#connections = connections;
    this.#incoming = new IncomingRequests(random);
  }

  /** What this client wants to connect to. */
  get outgoing(): Readonly<Outgoing> | undefined {
    return this.#outgoing;
  }

  /** The requests that wait for the user, oldest first. */
  pending(): IncomingRequest[] {
    return this.#incoming.pending();
  }

  /** The oldest pending request, or the oldest from that client. */
  findPending(peer: Peer | undefined): IncomingRequest | undefined {
    return this.pending().find(({ requester, name }) =>
      peer === undefined || isPeer(peer, requester, name)
    );
  }

  /** Notes that the user wants to connect: `request` follows when the address is known. */
  lookUp(target: Peer): void {
    this.#outgoing = { target, request: undefined };
  }

  /** Sends the Connection Request. */
  request(now: Instant, self: Self, remote: number, to: Address): void {
    if (this.#outgoing === undefined) return;
    const localConnection = randomU32(this.#random);
    const ends = { local: self.id, localName: self.name, remote, localConnection };
    this.#outgoing.request = new OutgoingRequest(now, ends, to, this.#mode);
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
    this.#outgoing = undefined;
  }

  /** Accepts a pending request: opens the connection, and rejects the others as busy. */
  accept(now: Instant, ownName: string, request: IncomingRequest): void {
    this.#incoming.answer(now, request, "accepted");
    this.#connections.current?.abandon(now, "peer");
    const ends = {
      local: request.responder,
      remote: request.requester,
      localConnection: request.localConnection,
      remoteConnection: request.remoteConnection,
      remoteName: request.name,
    };
    const rtt = new RttEstimator(this.#mode);
    this.#connections.open(now, ends, request.address, rtt, request.packet, ownName);
    this.#events.push({ kind: "connected", peer: ends.remote, name: ends.remoteName });
    this.#rejectOthers(now);
  }

  /** Rejects a pending request. */
  reject(now: Instant, request: IncomingRequest, reason: number): void {
    this.#incoming.answer(now, request, "rejected", reason);
    this.reply(answerTo(request));
  }

  /** Notes that a connection is over, so that its request does not open it again. */
  end(now: Instant, requester: number, remoteConnection: number): void {
    const request = this.#incoming.find(requester, remoteConnection);
    if (request !== undefined) this.#incoming.answer(now, request, "ended");
  }

  /** Takes a Connection Request. */
  handleRequest(
    now: Instant,
    self: Self,
    frame: ConnectionRequest,
    from: Address,
    isLeaving: boolean,
  ): void {
    if (frame.requester === self.id || frame.requester === 0 || frame.connection === 0) return;
    const known = this.#incoming.repeated(now, frame, from);
    if (known !== undefined) return this.#answerAgain(now, self, known);
    // It crossed one of this client's, and was dropped in favour of that: this is a late copy.
    const heir = heirOf(frame.connection);
    if (this.#connections.find(frame.requester, heir) !== undefined) return;
    if (frame.responder !== self.id || isLeaving) {
      return this.#refuse(frame, from, RejectReason.notThisClient);
    }
    const outgoing = this.#outgoing;
    if (outgoing === undefined || !isCrossing(outgoing, frame, from)) {
      return this.#ring(now, self, frame, from);
    }
    const own = outgoing.request?.ends;
    // The one with the lower client id waits for its own request to be accepted.
    if (own !== undefined && own.local < frame.requester) return;
    this.#drop(outgoing);
    const connection = own && heirOf(own.localConnection);
    this.accept(now, self.name, this.#incoming.add(now, frame, from, connection));
  }

  /** Takes the cancellation of a request, also of one that it has overtaken. */
  handleCancellation(
    now: Instant,
    { sender: requester, connection }: ConnectionTermination,
    from: Address,
  ): void {
    const request = this.#incoming.find(requester, connection);
    if (request === undefined) {
      const early = { requester, responder: 0, connection, name: "" };
      const unseen = this.#incoming.add(now, { kind: "connectionRequest", ...early }, from);
      return this.#incoming.answer(now, unseen, "ended");
    }
    if (request.state !== "pending") return;
    this.#incoming.answer(now, request, "ended");
    this.#events.push({
      kind: "requestEnded",
      peer: requester,
      name: request.name,
      why: "cancelled",
    });
  }

  /** Takes a frame for the connection id of an outgoing or a cancelled request. */
  handleFrame(now: Instant, header: Header, frame: Frame, from: Address): void {
    const requests = [this.#outgoing?.request, ...this.#cancelled];
    const request = requests.find((each) => each?.ends.localConnection === header.connection);
    request?.handleFrame(now, header, frame, from);
    this.#collect(now);
  }

  /** Whether a request with this connection id waits for its answer. */
  isAwaited(localConnection: number): boolean {
    return this.#outgoing?.request?.ends.localConnection === localConnection;
  }

  /** Queues the frame that answers a stranger. */
  answer(header: Header, frame: Frame, to: Address): void {
    this.reply({ bytes: encodeDatagram(header, [frame]), to });
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

  #ring(now: Instant, self: Self, frame: ConnectionRequest, from: Address): void {
    const current = this.#connections.current;
    const isAgain = current?.ends.remote === frame.requester;
    if (current !== undefined && !isAgain) {
      this.reject(now, this.#incoming.add(now, frame, from), RejectReason.busy);
      this.#events.push({
        kind: "requestEnded",
        peer: frame.requester,
        name: frame.name,
        why: "busy",
      });
      return;
    }
    const pending = this.pending();
    // A new request from the same client means that it gave the older one up.
    const older = pending.find(({ requester }) => requester === frame.requester);
    if (older !== undefined) this.#incoming.answer(now, older, "ended");
    else if (pending.length >= PENDING_REQUESTS_MAX) {
      return this.#refuse(frame, from, RejectReason.busy);
    }
    const request = this.#incoming.add(now, frame, from);
    if (this.#acceptAll && this.#outgoing === undefined) {
      return this.accept(now, self.name, request);
    }
    this.reply(answerTo(request));
    this.#events.push({ kind: "request", peer: frame.requester, name: frame.name, isAgain });
  }

  #answerAgain(now: Instant, self: Self, request: IncomingRequest): void {
    if (request.state === "accepted") {
      return this.#connections.get(request.localConnection)?.repeatAccept();
    }
    const isFree = this.#outgoing === undefined && this.#connections.current === undefined;
    if (request.state === "pending" && this.#acceptAll && isFree) {
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

  #refuse(frame: ConnectionRequest, to: Address, reason: number): void {
    const header = { type: DatagramType.Handshake, connection: frame.connection, packet: 0 };
    this.answer(header, { kind: "connectionReject", responder: frame.responder, reason }, to);
  }

  #drop(outgoing: Outgoing): void {
    this.#outgoing = undefined;
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
    switch (event.kind) {
      case "requesting":
      case "ringing":
        this.#events.push({ ...event, peer: remote });
        return;
      case "timeout":
        this.#outgoing = undefined;
        this.#events.push({
          kind: "error",
          code: "peerTimeout",
          message: `Client ${remote} does not answer`,
        });
        return;
      case "rejected":
        this.#outgoing = undefined;
        if (event.reason === RejectReason.notThisClient) {
          this.#events.push({ kind: "inactive", peer: remote });
        } else this.#events.push({ kind: "rejected", peer: remote, reason: event.reason });
        return;
      case "accepted": {
        this.#outgoing = undefined;
        const remoteConnection = event.connection;
        const ends = { local, remote, localConnection, remoteConnection, remoteName: event.name };
        this.#connections.current?.abandon(now, "peer");
        this.#connections.open(now, ends, event.from, request.rtt, request.packet);
        this.#events.push({ kind: "connected", peer: remote, name: event.name });
        this.#rejectOthers(now);
      }
    }
  }
}
