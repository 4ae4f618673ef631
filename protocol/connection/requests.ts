/**
 * How connections come about: the request of this client, those of others, and their crossing. The
 * rules are those of `protocol/README.md`, "Connecting".
 *
 * @module
 */
import { isSameKey } from "../crypto/x25519.ts";
import type { Instant, Transmit } from "../machine.ts";
import {
  IncomingHandshakes,
  type IncomingHandshakesOptions,
} from "../session/incoming_handshakes.ts";
import type { Session, Whereabouts } from "../session/session.ts";
import { earlier } from "../timers.ts";
import type { Address } from "../wire/address.ts";
import type { Datagram } from "../wire/datagram.ts";
import type { ConnectionRequest, CookieReply, Initiation } from "../wire/frame.ts";
import { type Meeting, RejectReason, type Response } from "../wire/frame.ts";
import { Answers } from "./answers.ts";
import { Connection } from "./connection.ts";
import { type Connections, CONNECTIONS_MAX } from "./connections.ts";
import { answerTo, IncomingRequests } from "./incoming_requests.ts";
import type { IncomingRequest, RequestRecord } from "./incoming_requests.ts";
import { OutgoingRequest, type OutgoingRequestEvent } from "./outgoing_request.ts";
import { type ConnectIntent, OutgoingRequests } from "./outgoing_requests.ts";
import type { Admission, RequestEnd, RequestEvent, RequestFailure } from "./request_event.ts";

/** How a connection is opened that admit() accepted. */
const ADMITTED = { by: "admission", target: undefined } as const;

type Connected = Extract<RequestEvent, { kind: "connected" }>;

/** What requests are made and answered with. */
export interface RequestsOptions extends IncomingHandshakesOptions {
  /** See the options of a connection. */
  readonly holdsTexts?: boolean | undefined;
  /** Decides on a Connection Request; without it, all ring. */
  readonly admit?: ((request: IncomingRequest) => Admission) | undefined;
  /** Whether a static key is known: strangers have a part of the places. Without it, all are known. */
  readonly isKnown?: ((key: Uint8Array) => boolean) | undefined;
  /** Where the directory told that a client is, if it did lately. */
  readonly whereabouts: (now: Instant, id: number, key: Uint8Array) => Whereabouts | undefined;
}

/** Who this client is in its directory. */
export interface Self {
  /** The client id. */
  readonly id: number;
  /** Empty for none. */
  readonly name: string;
}

/** The requests of one client; accepted ones become connections. */
export class Requests {
  /** Those that this client makes. */
  readonly outgoing = new OutgoingRequests();
  readonly #options: RequestsOptions;
  readonly #connections: Connections;
  readonly #handshakes: IncomingHandshakes;
  readonly #incoming = new IncomingRequests();
  readonly #answers = new Answers();
  readonly #events: RequestEvent[] = [];

  /** Starts without any. */
  constructor(now: Instant, options: RequestsOptions, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
    this.#handshakes = new IncomingHandshakes(now, options);
  }

  /** The requests that wait for the user, the oldest first. */
  get pending(): readonly RequestRecord[] {
    return this.#incoming.pending;
  }

  /** Whether one more connection would be too many. */
  get isFull(): boolean {
    return this.#connections.size + this.outgoing.intents.length >= CONNECTIONS_MAX;
  }

  /** Whether a session of requests has this id. */
  hasSession(localId: number): boolean {
    return this.outgoing.get(localId) !== undefined ||
      this.#incoming.findBySession(localId) !== undefined ||
      this.#handshakes.find(localId) !== undefined;
  }

  /** The pending request of the owner of a static key, not only in its own words. */
  findPending(requester: number, key: Uint8Array): RequestRecord | undefined {
    return this.pending.find((each) => each.requester === requester && isSameKey(each.key, key));
  }

  /** Takes an introduction by the directory: requests a connection, or accepts a request that was quicker. */
  handleMeeting(
    now: Instant,
    self: Self,
    intent: ConnectIntent,
    { id, name, publicKey, number, addresses }: Meeting,
    whereabouts: Whereabouts,
  ): void {
    if (intent.request !== undefined || !this.outgoing.intents.includes(intent)) return;
    if (id === self.id) return this.fail(intent, { why: "self" }, id);
    const { key = publicKey } = intent.target;
    if (!isSameKey(key, publicKey)) return this.fail(intent, { why: "inactive" }, id);
    const connected = this.#connections.with(id) ?? this.#connections.at(addresses, publicKey);
    if (connected !== undefined) return this.fail(intent, { why: "alreadyConnected" }, id);
    if (this.outgoing.with(id) !== undefined) {
      return this.fail(intent, { why: "alreadyRequesting" }, id);
    }
    // Who requests already, under the key that the directory knows, is accepted.
    const pending = this.findPending(id, publicKey);
    if (pending !== undefined) {
      if (intent.held === pending) intent.held = undefined;
      this.#drop(intent);
      this.accept(now, self, pending, { by: "acceptance", target: intent.target });
      return;
    }
    const { identity, policy, makeSessionId, random } = this.#options;
    const local = { local: self.id, localName: self.name };
    const ids = { ...local, remote: id, remoteName: name, remoteKey: publicKey };
    const options = { ids, whereabouts, number, identity, policy, makeSessionId, random };
    const request = OutgoingRequest.begin(now, options);
    if (!request.ok) return this.fail(intent, { why: "weakKey" }, id);
    intent.request = request.value;
    this.#release(intent);
  }

  /** Takes a later introduction of a peer that this client requests, or that requests it. */
  tell(now: Instant, { id, publicKey, number }: Meeting, whereabouts: Whereabouts): void {
    this.outgoing.with(id, publicKey)?.request?.tell(now, number, whereabouts);
    this.findPending(id, publicKey)?.session.tell(now, whereabouts);
  }

  /** Reports that a request of this client came to nothing, if it is one. */
  fail(intent: ConnectIntent | undefined, failure: RequestFailure, peer?: number): void {
    if (intent === undefined) return;
    this.#drop(intent);
    this.#reportFailure(intent, failure, peer);
  }

  /** Takes a request of this client back. */
  cancel(intent: ConnectIntent): void {
    this.outgoing.cancel(intent);
    this.#release(intent);
    this.#reportFailure(intent, { why: "cancelled" });
  }

  /**
   * Accepts a pending request: opens the connection.
   *
   * @param opened by what, and what this client wanted to connect to, if that is the requester.
   */
  accept(
    now: Instant,
    self: Self,
    record: RequestRecord,
    opened: Pick<Connected, "by" | "target"> = { by: "acceptance", target: undefined },
  ): Connection {
    this.#incoming.answer(now, record, "accepted");
    const { responder: local, requester: remote, name: remoteName, session } = record;
    const ids = { local, localName: self.name, remote, remoteName };
    record.connection = this.#open(now, session, ids, { ...opened, isResumed: false });
    return record.connection;
  }

  /** Rejects a pending request. */
  reject(now: Instant, record: RequestRecord, reason: number): void {
    this.#incoming.answer(now, record, "rejected", reason);
    this.#answers.add({ session: record.session, frame: answerTo(record) });
  }

  /** Notes that a connection is over, so that its request does not open it again. */
  end(now: Instant, connection: Connection): void {
    this.#incoming.end(now, connection);
  }

  /** Takes an Initiation; false where it is not meant for this client. */
  handleInitiation(now: Instant, { bytes }: Datagram, frame: Initiation, from: Address): boolean {
    const answer = this.#handshakes.handleInitiation(now, bytes, frame, from);
    if (answer !== undefined) this.#answers.add(answer);
    return answer !== undefined;
  }

  /** Takes a Response; false where it is for no Initiation of this client's. */
  handleResponse(now: Instant, localId: number, frame: Response, from: Address): boolean {
    return this.outgoing.get(localId)?.handleResponse(now, frame, from) ?? false;
  }

  /** Takes a Cookie Reply; false where it is for no Initiation of this client's. */
  handleCookie(now: Instant, frame: CookieReply): boolean {
    return this.outgoing.handleCookie(now, frame);
  }

  /**
   * Takes a Packet that is for no connection; false where it is for no request either.
   *
   * @param self undefined before this client is registered.
   */
  handlePacket(
    now: Instant,
    self: Self | undefined,
    datagram: Datagram,
    from: Address,
    isLeaving: boolean,
  ): boolean {
    const localId = datagram.header.session;
    const outgoing = this.outgoing.get(localId);
    if (outgoing !== undefined) return this.#handleAnswer(now, outgoing, datagram, from);
    const session = this.#incoming.findBySession(localId)?.session ??
      this.#handshakes.find(localId);
    const received = session?.receive(now, datagram, from);
    if (session === undefined || received === undefined) return false;
    // Its requester may still look for a path on which the request gets here.
    this.#handshakes.renew(now, session);
    for (let sent = session.pollTransmit(); sent !== undefined; sent = session.pollTransmit()) {
      this.answer({ ...sent, bytes: sent.bytes.slice() });
    }
    for (const frame of received.frames) {
      if (frame.kind === "connectionRequest") {
        if (self !== undefined) this.#handleRequest(now, self, session, frame, isLeaving);
      } else if (frame.kind === "connectionTermination") {
        this.#handleCancellation(now, self, session);
      }
    }
    return true;
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    this.#handshakes.handleTimeout(now);
    for (const request of this.#incoming.handleTimeout(now)) this.#reportEnd(request, "expired");
    this.outgoing.handleTimeout(now);
    this.#collect(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    const timeout = earlier(this.#handshakes.nextTimeout(), this.#incoming.nextTimeout());
    return earlier(timeout, this.outgoing.nextTimeout());
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    const transmit = this.#answers.pollTransmit() ?? this.#incoming.pollTransmit() ??
      this.outgoing.pollTransmit(now);
    this.#collect(now);
    return transmit;
  }

  /** See {@linkcode Machine}. */
  pollEvent(): RequestEvent | undefined {
    return this.#events.shift();
  }

  /** Queues an answer that is ready. */
  answer(transmit: Transmit): void {
    this.#answers.add(transmit);
  }

  /** Takes a packet in the session of a request that this client made. */
  #handleAnswer(
    now: Instant,
    outgoing: OutgoingRequest,
    datagram: Datagram,
    from: Address,
  ): boolean {
    const received = outgoing.handlePacket(now, datagram, from);
    if (received === undefined) return false;
    this.#collect(now);
    // What else is in a packet with an Accept is for the connection that it opened.
    this.#connections.get(datagram.header.session)?.handleReceived(now, received);
    return true;
  }

  #handleRequest(
    now: Instant,
    self: Self,
    session: Session,
    frame: ConnectionRequest,
    isLeaving: boolean,
  ): void {
    const [{ requester }, { remoteKey }] = [frame, session];
    const known = this.#incoming.find(frame, remoteKey);
    // A session is for one request.
    const first = this.#incoming.findBySession(session.localId);
    if (first !== undefined && first !== known) return;
    if (known !== undefined) return this.#handleRepeat(now, self, known, session);
    if (requester === 0 || requester === self.id || this.#incoming.isCancelled(session)) return;
    if (frame.responder !== self.id) return this.#handshakes.confirm(session);
    if (isLeaving) {
      return this.reject(now, this.#add(now, frame, session), RejectReason.notThisClient);
    }
    const open = this.#connections.withKey(requester, remoteKey);
    if (open !== undefined) return this.#handleReturn(now, open, frame, session);
    // Anybody can claim that id: only the key shows that it is a peer that this client requests.
    const own = this.outgoing.with(requester, remoteKey);
    if (own === undefined) return this.#ring(now, self, session, frame);
    if (own.request?.hasPrecedence) return;
    this.#drop(own);
    const record = this.#add(now, frame, session);
    this.accept(now, self, record, { by: "acceptance", target: own.target });
  }

  #add(now: Instant, frame: ConnectionRequest, session: Session): RequestRecord {
    this.#handshakes.confirm(session);
    const whereabouts = this.#options.whereabouts(now, frame.requester, session.remoteKey);
    if (whereabouts !== undefined) session.tell(now, whereabouts);
    const isKnown = this.#options.isKnown?.(session.remoteKey) ?? true;
    return this.#incoming.add(now, frame, session, isKnown);
  }

  /** The peer of an open connection is back: it started again, or gave the connection up. */
  #handleReturn(now: Instant, open: Connection, frame: ConnectionRequest, session: Session): void {
    // It crossed the request that the connection is from, and was dropped in favour of that.
    if (session.since <= open.openedAt) return;
    const record = this.#add(now, frame, session);
    const isBlocked = this.#options.admit?.(record) === "reject";
    if (isBlocked) return this.reject(now, record, RejectReason.declined);
    this.#incoming.end(now, open);
    this.#incoming.answer(now, record, "accepted");
    record.connection = open;
    this.#connections.resume(now, open, session, true);
  }

  #ring(now: Instant, self: Self, session: Session, frame: ConnectionRequest): void {
    const { requester } = frame;
    // The next client with the id of a peer that is gone: it repeats its request meanwhile.
    const former = this.#connections.with(requester);
    const isEnding = former !== undefined && former.state !== "open" &&
      !isSameKey(former.remoteKey, session.remoteKey);
    if (isEnding) return this.#handshakes.confirm(session);
    const record = this.#add(now, frame, session);
    const admission = this.#options.admit?.(record) ?? "ring";
    if (admission === "reject") return this.reject(now, record, RejectReason.declined);
    const isAskedAlready = this.#endFormer(now, record);
    // Ids name connections: nobody else may claim that of a connected peer.
    const isTaken = this.#connections.with(requester) !== undefined;
    if (isTaken || this.#connections.size >= CONNECTIONS_MAX) {
      this.reject(now, record, RejectReason.busy);
      return this.#reportEnd(record, "busy");
    }
    if (!this.#incoming.hasPlace(record)) {
      this.reject(now, record, RejectReason.busy);
      return this.#reportEnd(record, "full");
    }
    const [rival] = this.outgoing.rivalsOf(record);
    if (admission === "accept" && rival === undefined && !this.isFull) {
      this.accept(now, self, record, ADMITTED);
      return;
    }
    this.#answers.add({ session, frame: answerTo(record) });
    if (isAskedAlready) return;
    const isHeld = rival !== undefined && rival.request === undefined &&
      rival.held?.state !== "pending";
    if (isHeld) rival.held = record;
    else this.#events.push({ kind: "request", request: record });
  }

  /**
   * A new request from the same client means that it gave up what was before.
   *
   * @returns whether the user is being asked about that client already.
   */
  #endFormer(now: Instant, record: RequestRecord): boolean {
    const { requester, key } = record;
    const ending = this.#connections.with(requester);
    if (ending !== undefined && isSameKey(ending.remoteKey, key)) {
      ending.abandon(now, "peer");
    }
    const older = this.findPending(requester, key);
    if (older === undefined || older === record) return false;
    this.#incoming.answer(now, older, "ended");
    return this.outgoing.intents.every(({ held }) => held !== older);
  }

  /** Answers as before, without asking the user again. */
  #handleRepeat(now: Instant, self: Self, record: RequestRecord, session: Session): void {
    this.#handshakes.confirm(session);
    this.#incoming.refresh(now, record, session);
    const { connection } = record;
    if (record.state === "accepted") {
      const isMissing = connection !== undefined && !connection.isConfirmed &&
        connection.session !== session;
      // The requester did not get the Accept, and took the session for lost.
      if (isMissing) this.#connections.resume(now, connection, session, false);
      return;
    }
    const isAccepted = record.state === "pending" && !this.isFull &&
      this.outgoing.rivalsOf(record).length === 0 && this.#options.admit?.(record) === "accept";
    if (isAccepted) this.accept(now, self, record, ADMITTED);
    else this.#answers.add({ session, frame: answerTo(record) });
  }

  #handleCancellation(now: Instant, self: Self | undefined, session: Session): void {
    const record = this.#incoming.findBySession(session.localId);
    const sender = record?.responder ?? self?.id ?? 0;
    const frame = { kind: "connectionTerminationAck", sender, finalSeq: 0 } as const;
    this.#answers.add({ session, frame });
    if (record === undefined) this.#incoming.cancel(session);
    if (record?.state !== "pending") return;
    this.#incoming.answer(now, record, "ended");
    this.#reportEnd(record, "cancelled");
  }

  #reportEnd(request: RequestRecord, why: RequestEnd): void {
    this.#events.push({ kind: "requestEnded", request, why });
  }

  #reportFailure(
    { target, request }: ConnectIntent,
    failure: RequestFailure,
    peer = request?.ids.remote,
  ): void {
    const name = request?.ids.remoteName ?? target.name;
    this.#events.push({ kind: "requestFailed", target, peer, name, failure });
  }

  /** Forgets what this client wants: it has it, or cannot. */
  #drop(intent: ConnectIntent): void {
    this.outgoing.forget(intent);
    this.#release(intent);
  }

  /** Asks the user after all about what may have been the peer that was looked up. */
  #release(intent: ConnectIntent): void {
    const { held } = intent;
    intent.held = undefined;
    if (held?.state === "pending") this.#events.push({ kind: "request", request: held });
  }

  /** Opens a connection; who else claims that client's id has to wait until it has ended. */
  #open(
    now: Instant,
    session: Session,
    ids: Connection["ids"],
    opened: Pick<Connected, "by" | "target" | "isResumed">,
  ): Connection {
    const { random, holdsTexts } = this.#options;
    const isResponder = opened.by !== "request";
    const { receivePool } = this.#connections;
    const receiving = { receivePool, holdsTexts };
    const connection = new Connection(now, { session, ids, isResponder, random, ...receiving });
    this.#connections.add(connection);
    this.#events.push({ kind: "connected", connection, ...opened });
    for (const record of this.#incoming.ofEarlierRuns(ids.remote, session)) {
      this.#incoming.answer(now, record, "ended");
      this.#reportEnd(record, "cancelled");
    }
    for (const record of this.pending.filter(({ requester }) => requester === ids.remote)) {
      this.reject(now, record, RejectReason.busy);
      this.#reportEnd(record, "busy");
    }
    return connection;
  }

  /** Turns what the outgoing request reports into events, and its acceptance into a connection. */
  #collect(now: Instant): void {
    const { outgoing } = this;
    for (let polled = outgoing.pollEvent(); polled !== undefined; polled = outgoing.pollEvent()) {
      this.#handleOutgoingEvent(now, polled.intent, polled.event);
    }
  }

  #handleOutgoingEvent(now: Instant, intent: ConnectIntent, event: OutgoingRequestEvent): void {
    const { request, target } = intent;
    if (request === undefined) return;
    const { local, localName, remote, remoteName } = request.ids;
    switch (event.kind) {
      case "requesting":
      case "ringing":
        this.#events.push({ ...event, peer: remote, name: remoteName });
        return;
      case "accepted": {
        this.#drop(intent);
        const ids = { local, localName, remote, remoteName: event.name };
        const { session, isResumed } = event;
        this.#open(now, session, ids, { by: "request", target, isResumed });
        return;
      }
      case "rejected":
        return this.fail(
          intent,
          event.reason === RejectReason.notThisClient
            ? { why: "inactive" }
            : { why: "rejected", reason: event.reason },
        );
      case "otherVersion":
        return this.fail(intent, { why: "otherVersion", version: event.version });
      case "timeout":
        return this.fail(intent, { why: "peerTimeout" });
    }
  }
}
