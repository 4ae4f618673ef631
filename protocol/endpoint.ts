/**
 * One client's end of everything: its registration, its requests, its sessions and its connections.
 *
 * What is about people is the caller's: which connection is the current one, what was missed, which key to
 * block.
 *
 * @module
 */
import type { Connection } from "./connection/connection.ts";
import { Connections } from "./connection/connections.ts";
import { CARRIED_TYPES } from "./connection/meetings.ts";
import type { IncomingRequest } from "./connection/incoming_requests.ts";
import { type OutgoingView, type Target, viewOf } from "./connection/outgoing_requests.ts";
import { Requests, type Self } from "./connection/requests.ts";
import type { EntryToken } from "./directory/entry_token.ts";
import { Registration } from "./directory/registration.ts";
import type { RegistrationEvent } from "./directory/registration_event.ts";
import type { EndpointEvent, EndpointOptions, EndpointProblem } from "./endpoint_event.ts";
import { Fifo } from "./fifo.ts";
import { Introductions } from "./introductions.ts";
import { type DatagramMachine, type Instant, randomU32, type Transmit } from "./machine.ts";
import { failure, type Result, success } from "./result.ts";
import { carriedTo, isCarried } from "./wire/remote.ts";
import { Allowance } from "./session/allowance.ts";
import { VERSION_ANSWERS_PER_SECOND } from "./session/handshake_limits.ts";
import { earlier, Timers } from "./timers.ts";
import { type Address, copyOf } from "./wire/address.ts";
import { type Datagram, decodeDatagram, encodeVersionAnswer } from "./wire/datagram.ts";
import { DatagramType, RejectReason } from "./wire/frame.ts";

export type { EndpointEvent, EndpointOptions, EndpointProblem } from "./endpoint_event.ts";

/** Milliseconds that a leaving endpoint waits for its connections to end. */
export const LEAVE_DRAIN_TIMEOUT = 30_000;

/** One client. Run it with drive(), or give it datagrams and the time, and drain it. */
export class Endpoint implements DatagramMachine<EndpointEvent> {
  readonly #registration: Registration;
  readonly #requests: Requests;
  readonly #introductions: Introductions;
  readonly #connections = new Connections();
  readonly #events = new Fifo<EndpointEvent>();
  readonly #timers = new Timers<"drain">();
  #phase: "active" | "draining" | "leaving" | "left" = "active";
  readonly #versionAnswers = new Allowance(VERSION_ANSWERS_PER_SECOND, VERSION_ANSWERS_PER_SECOND);
  #undelivered = 0;
  #farewell: Transmit | undefined;
  /** Datagrams that were dropped, by reason. */
  readonly dropped = { malformed: 0, otherVersion: 0, notAuthentic: 0 };

  /** Starts registering. */
  constructor(now: Instant, options: EndpointOptions) {
    const { random, mayMeet, localAddresses = () => [] } = options;
    const registration = new Registration(now, options);
    const makeSessionId = (): number => {
      const id = randomU32(random);
      return this.#hasSession(id) ? makeSessionId() : id;
    };
    const connections = this.#connections;
    const requests = new Requests(now, {
      ...options,
      makeSessionId,
      whereabouts: (...asked) => this.#introductions.whereabouts(...asked),
      isIntroduced: (...asked) => this.#introductions.isIntroduced(...asked),
    }, connections);
    const isActive = (): boolean => this.#problem() === undefined;
    const parts = { registration, requests, connections };
    this.#registration = registration;
    this.#requests = requests;
    this.#introductions = new Introductions({ ...parts, mayMeet, localAddresses, isActive });
  }

  /** The client id, once the directory gave one. */
  get id(): number | undefined {
    return this.#registration.id;
  }

  /** The name that the directory knows this client by. */
  get name(): string {
    return this.#registration.name;
  }

  /** What names this client's entry in the directory. */
  get entry(): EntryToken | undefined {
    return this.#registration.entry;
  }

  /** Whether it is leaving, or has left. */
  get isLeaving(): boolean {
    return this.#phase !== "active";
  }

  /** When a leave is given up: that of the connections, then that of the directory. */
  get leaveBy(): Instant | undefined {
    return this.#timers.get("drain") ?? this.#registration.leaveBy;
  }

  /** The connections that have not ended, the oldest first. */
  get connections(): readonly Connection[] {
    return this.#connections.live;
  }

  /** The requests that wait for the user, the oldest first. */
  get requests(): readonly IncomingRequest[] {
    return this.#requests.pending;
  }

  /** What this client wants to connect to, the oldest first. */
  get calls(): readonly OutgoingView[] {
    return this.#requests.outgoing.intents.map(viewOf);
  }

  /** Looks a client up and requests a connection; accepts its request where it was quicker. */
  connect(now: Instant, target: Target): Result<undefined, EndpointProblem> {
    const problem = this.#problem() ?? this.#connectProblem(target);
    if (problem !== undefined) return failure(problem);
    const isAsked = this.#introductions.call(now, target);
    return isAsked ? success(undefined) : failure("tooManyConnections");
  }

  /** Goes on with a call under another target, of the same client. */
  retarget(from: Target, to: Target): void {
    this.#requests.outgoing.retarget(from, to);
  }

  /** Takes a Connection Request back: the one with this target, or the latest; false where there is none. */
  cancel(now: Instant, target?: Target): boolean {
    const { outgoing } = this.#requests;
    const intent = target === undefined ? outgoing.intents.at(-1) : outgoing.meant(target);
    if (intent === undefined) return false;
    this.#introductions.cancel(intent);
    this.#collectRequests(now);
    return true;
  }

  /** Accepts a request: opens the connection. */
  accept(now: Instant, request: IncomingRequest): Result<Connection, EndpointProblem> {
    const self = this.#self();
    const record = this.#requests.findPending(request.requester, request.key);
    if (record === undefined || self === undefined) return failure("noRequest");
    // To accept somebody is to be connected with them: nobody needs to be asked for that any more.
    for (const { target } of this.#requests.outgoing.rivalsOf(record)) this.cancel(now, target);
    if (this.#requests.isFull) return failure("tooManyConnections");
    const connection = this.#requests.accept(now, self, record);
    this.#collect(now);
    return success(connection);
  }

  /** Rejects a request; false where it is no more. */
  reject(now: Instant, request: IncomingRequest): boolean {
    const record = this.#requests.findPending(request.requester, request.key);
    if (record !== undefined) this.#requests.reject(now, record, RejectReason.declined);
    return record !== undefined;
  }

  /** Asks the directory which clients are active: a `list` event follows. */
  list(now: Instant): Result<undefined, EndpointProblem> {
    const problem = this.#problem();
    if (problem === undefined) this.#registration.list(now);
    return problem === undefined ? success(undefined) : failure(problem);
  }

  /** Asks the directory for another name: a `registered` or a `nameRefused` event follows. */
  rename(now: Instant, name: string): Result<undefined, EndpointProblem> {
    const problem = this.#problem();
    if (problem === undefined) this.#registration.rename(now, name);
    return problem === undefined ? success(undefined) : failure(problem);
  }

  /** Ends the connections, then leaves the directory; both take a bounded time. */
  leave(now: Instant): void {
    if (this.#phase !== "active") return;
    this.#phase = "draining";
    for (const { target } of this.calls) this.cancel(now, target);
    for (const record of this.#requests.pending) {
      this.#requests.reject(now, record, RejectReason.notThisClient);
    }
    this.#timers.set("drain", now + LEAVE_DRAIN_TIMEOUT);
    for (const connection of this.#connections.live) connection.terminate(now);
    this.#collect(now);
  }

  /** Ends everything here and now; the directory is told once, without waiting for its ack. */
  abandon(now: Instant): void {
    if (this.#phase === "left") return;
    this.#phase = "leaving";
    this.#abandonConnections(now);
    this.#registration.leave(now);
    this.#farewell = this.#registration.pollTransmit(now);
    this.#collect(now);
    this.#end(false);
  }

  /** See {@linkcode DatagramMachine}. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): boolean {
    // Only the directory's word makes a datagram a carried one.
    if (this.#phase === "left" || isCarried(from)) return false;
    const isOfEffect = this.#handle(now, bytes, from);
    if (isOfEffect) this.#collect(now);
    return isOfEffect;
  }

  #handle(now: Instant, bytes: Uint8Array, from: Address): boolean {
    const decoded = decodeDatagram(bytes);
    if (decoded.ok) {
      if (this.#route(now, decoded.value, from)) return true;
      this.dropped.notAuthentic++;
      // A copy of a packet that came before may lead to Path Challenges.
      const { type, session } = decoded.value.header;
      return type === DatagramType.Packet && this.#hasSession(session);
    }
    if (decoded.error.reason === "version") {
      this.dropped.otherVersion++;
      const { header, version } = decoded.error;
      if (header.type === DatagramType.Version) return this.#handleVersion(now, version, from);
      if (!this.#versionAnswers.take(now)) return false;
      this.#requests.answer({ bytes: encodeVersionAnswer(header), to: copyOf(from) });
      return true;
    }
    this.dropped.malformed++;
    return false;
  }

  #hasSession(id: number): boolean {
    return this.#connections.get(id) !== undefined || this.#requests.hasSession(id);
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#phase === "left") return;
    this.#registration.handleTimeout(now);
    this.#requests.handleTimeout(now);
    this.#connections.handleTimeout(now);
    this.#introductions.handleTimeout(now);
    if (this.#timers.expire("drain", now)) this.#abandonConnections(now);
    this.#collect(now);
    this.#introductions.callAgain(now);
  }

  /** The directory, which does not answer, may be at these addresses now. */
  moveDirectory(now: Instant, addresses: readonly Address[]): void {
    this.#registration.moveDirectory(now, addresses);
  }

  /** See {@linkcode DatagramMachine}. */
  handleWake(now: Instant, slept: number): void {
    if (this.#phase === "left") return;
    this.#registration.handleWake(now);
    this.#connections.handleWake(now, slept);
    this.handleTimeout(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    if (this.#phase === "left") return undefined;
    let timeout = earlier(this.#timers.next(), this.#registration.nextTimeout());
    timeout = earlier(timeout, this.#introductions.nextTimeout());
    return earlier(timeout, earlier(this.#requests.nextTimeout(), this.#connections.nextTimeout()));
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#phase === "left") {
      const farewell = this.#farewell;
      this.#farewell = undefined;
      return farewell;
    }
    for (;;) {
      // The Leave last: once the directory acknowledges it, nothing more is sent.
      const transmit = this.#requests.pollTransmit(now) ?? this.#connections.pollTransmit(now) ??
        this.#registration.pollTransmit(now) ?? this.#introductions.pollTransmit();
      this.#collect(now);
      if (transmit === undefined || !isCarried(transmit.to)) return transmit;
      const carried = this.#introductions.carry(transmit);
      if (carried !== undefined) return carried;
    }
  }

  /** See {@linkcode Machine}. */
  pollEvent(): EndpointEvent | undefined {
    return this.#events.shift();
  }

  /** Gives a datagram to the part that it is for; false where that knows nothing of it. */
  #route(now: Instant, datagram: Datagram, from: Address): boolean {
    const { header, frames } = datagram;
    if (header.type === DatagramType.Packet) {
      const connection = this.#connections.get(header.session);
      return connection !== undefined
        ? connection.handlePacket(now, datagram, from)
        : this.#requests.handlePacket(now, this.#self(), datagram, from, this.isLeaving);
    }
    switch (header.type) {
      case DatagramType.Initiation: {
        const frame = frames.find((each) => each.kind === "initiation");
        return frame !== undefined &&
          this.#requests.handleInitiation(now, datagram, frame, from);
      }
      case DatagramType.Response: {
        const frame = frames.find((each) => each.kind === "response");
        return frame !== undefined &&
          this.#requests.handleResponse(now, header.session, frame, from);
      }
      case DatagramType.Punch: {
        const frame = frames.find((each) => each.kind === "punch");
        return frame !== undefined && this.#handlePunch(now, frame.number, datagram, from);
      }
      case DatagramType.Cookie: {
        const frame = frames.find((each) => each.kind === "cookieReply");
        return frame !== undefined && this.#requests.handleCookie(now, frame);
      }
      default:
        return this.#registration.handleDatagram(now, datagram, from);
    }
  }

  /** False where it is for no request of this client's: one with 0 only keeps a mapping alive. */
  #handlePunch(now: Instant, number: bigint, { bytes }: Datagram, from: Address): boolean {
    return number !== 0n && this.#requests.outgoing.handlePunch(now, number, bytes.length, from);
  }

  /** False where it changes nothing. */
  #handleVersion(now: Instant, version: number, from: Address): boolean {
    const isForDirectory = this.#registration.handleVersion(now, version, from);
    return this.#requests.outgoing.handleVersion(now, version, from) || isForDirectory;
  }

  #self(): Self | undefined {
    const { id, name } = this.#registration;
    return id === undefined ? undefined : { id, name };
  }

  #problem(): EndpointProblem | undefined {
    if (this.isLeaving) return "leaving";
    return this.id === undefined ? "notRegistered" : undefined;
  }

  #connectProblem(target: Target): EndpointProblem | undefined {
    const { id } = target;
    if (id === this.id) return "self";
    if (this.#connections.with(id) !== undefined) return "alreadyConnected";
    if (this.#requests.outgoing.meant(target) !== undefined) return "alreadyRequesting";
    return this.#requests.isFull ? "tooManyConnections" : undefined;
  }

  #abandonConnections(now: Instant): void {
    for (const connection of this.#connections.live) connection.abandon(now, "timeout");
  }

  /** Passes on what the parts report, until nothing moves any more. */
  #collect(now: Instant): void {
    this.#collectRequests(now);
    this.#collectConnections(now);
    const registration = this.#registration;
    for (let event = registration.pollEvent(); event; event = registration.pollEvent()) {
      this.#handleRegistrationEvent(now, event);
    }
    this.#collectRequests(now);
    if (this.#phase !== "draining" || this.#connections.size > 0) return;
    this.#phase = "leaving";
    this.#timers.clear("drain");
    this.#registration.leave(now);
    this.#collect(now);
  }

  #collectRequests(now: Instant): void {
    for (let event = this.#requests.pollEvent(); event; event = this.#requests.pollEvent()) {
      // What ended in favour of a connection is told before it.
      if (event.kind === "connected") this.#collectConnections(now, event.connection);
      this.#events.push(event);
    }
  }

  /** Takes a datagram that the directory carried, unless it is of a kind that is never carried. */
  #handleCarried(now: Instant, id: number, datagram: Uint8Array): void {
    const type = datagram[3] as DatagramType;
    if (CARRIED_TYPES.has(type)) this.#handle(now, datagram, carriedTo(id));
    else this.dropped.malformed++;
  }

  #collectConnections(now: Instant, except?: Connection): void {
    const connections = this.#connections;
    for (let event = connections.pollEvent(except); event; event = connections.pollEvent(except)) {
      this.#events.push(event);
      if (event.kind !== "terminated") continue;
      this.#undelivered += event.undelivered;
      this.#requests.end(now, event.connection);
    }
  }

  #handleRegistrationEvent(now: Instant, event: RegistrationEvent): void {
    switch (event.kind) {
      case "meeting":
        return this.#introductions.handleMeeting(now, event.meeting, event.query, this.#self());
      case "carried":
        return this.#handleCarried(now, event.from, event.datagram);
      case "found":
        return;
      case "registered":
        this.#introductions.handleTimeout(now);
        return this.#events.push(event);
      case "inactive":
        return this.#introductions.handleInactive(event.query);
      case "timeout":
        if (event.query === undefined) return this.#end(false, { kind: "registrationTimeout" });
        if (event.query.kind === "list") return this.#events.push({ kind: "listTimeout" });
        return this.#introductions.handleUnanswered(now, event.query, "directoryTimeout");
      case "unavailable":
        if (event.query === undefined) {
          return this.#events.push({ kind: "registrationUnavailable" });
        }
        if (event.query.kind === "list") return this.#events.push({ kind: "listUnavailable" });
        return this.#introductions.handleUnanswered(now, event.query, "directoryUnavailable");
      case "refused":
      case "otherVersion":
        return this.#end(false, event);
      case "otherKey":
        // Who is registered stays: the connections go on without the directory.
        return this.id === undefined ? this.#end(false, event) : this.#events.push(event);
      case "left":
        return this.#end(event.acknowledged);
      default:
        this.#events.push(event);
    }
  }

  #end(acknowledged: boolean, reason?: EndpointEvent): void {
    if (this.#phase === "left") return;
    if (reason !== undefined) this.#events.push(reason);
    this.#phase = "left";
    this.#events.push({ kind: "left", acknowledged, undelivered: this.#undelivered });
  }
}
