/**
 * One client's end of everything: its registration, its requests, its sessions and its connections.
 *
 * What is about people is the caller's: which connection is the current one, what was missed, whom to
 * block.
 *
 * @module
 */
import type { Connection } from "./connection/connection.ts";
import { type Calling, isStray, nextCallAt, noteCalls, takeCalls } from "./connection/calls.ts";
import { Connections } from "./connection/connections.ts";
import { CARRIED_TYPES, Meetings } from "./connection/meetings.ts";
import type { IncomingRequest } from "./connection/incoming_requests.ts";
import type { OutgoingRequest } from "./connection/outgoing_request.ts";
import { matchesTarget, type OutgoingView, type Target } from "./connection/outgoing_requests.ts";
import type { Admission } from "./connection/request_event.ts";
import { Requests, type Self } from "./connection/requests.ts";
import type { EntryToken } from "./directory/entry_token.ts";
import { Registration } from "./directory/registration.ts";
import type {
  Query,
  RegistrationEvent,
  RegistrationRequest,
} from "./directory/registration_event.ts";
import type { EndpointEvent, EndpointProblem } from "./endpoint_event.ts";
import { Fifo } from "./fifo.ts";
import { type DatagramMachine, type Instant, randomU32, type Transmit } from "./machine.ts";
import { failure, type Result, success } from "./result.ts";
import { carriedTo, isCarried } from "./wire/remote.ts";
import type { Whereabouts } from "./session/session.ts";
import { earlier, Timers } from "./timers.ts";
import type { Address } from "./wire/address.ts";
import { type Datagram, decodeDatagram, encodeVersionAnswer } from "./wire/datagram.ts";
import { DatagramType, type Meeting, RejectReason } from "./wire/frame.ts";

export type { EndpointEvent, EndpointProblem } from "./endpoint_event.ts";

/** Milliseconds that a leaving endpoint waits for its connections to end. */
export const LEAVE_DRAIN_TIMEOUT = 30_000;

/** What an endpoint is started with. */
export interface EndpointOptions extends RegistrationRequest {
  /** Decides on a Connection Request; without it, all ring. */
  readonly admit?: ((request: IncomingRequest) => Admission) | undefined;
  /** Whether a static key is known: strangers have a part of the places. Without it, all are known. */
  readonly isKnown?: ((key: Uint8Array) => boolean) | undefined;
  /** Whether texts are acknowledged only when `take()` of a connection says that the user has them. */
  readonly holdsTexts?: boolean | undefined;
  /** Whether the owner of a static key may be met; without it, all may. */
  readonly mayMeet?: ((key: Uint8Array) => boolean) | undefined;
  /**
   * Where this client may be reached in its own network: only a peer in the same one is told, never the
   * directory.
   */
  readonly localAddresses?: (() => readonly Address[]) | undefined;
}

/** One client. Run it with drive(), or give it datagrams and the time, and drain it. */
export class Endpoint implements DatagramMachine<EndpointEvent> {
  readonly #options: EndpointOptions;
  readonly #registration: Registration;
  readonly #meetings: Meetings;
  readonly #requests: Requests;
  readonly #connections = new Connections();
  readonly #events = new Fifo<EndpointEvent>();
  readonly #timers = new Timers<"drain">();
  #phase: "active" | "draining" | "leaving" | "left" = "active";
  #call: Query | undefined;
  #undelivered = 0;
  #farewell: Transmit | undefined;
  /** Datagrams that were dropped, by reason. */
  readonly dropped = { malformed: 0, otherVersion: 0, notAuthentic: 0 };

  /** Starts registering. */
  constructor(now: Instant, options: EndpointOptions) {
    const { random, localAddresses = () => [] } = options;
    this.#options = options;
    this.#meetings = new Meetings(localAddresses);
    this.#registration = new Registration(now, options);
    const makeSessionId = (): number => {
      const id = randomU32(random);
      const isTaken = this.#connections.get(id) !== undefined || this.#requests.hasSession(id);
      return isTaken ? makeSessionId() : id;
    };
    const whereabouts = (at: Instant, id: number, key: Uint8Array): Whereabouts | undefined =>
      this.#meetings.whereabouts(at, id, key);
    const isIntroduced = (at: Instant, from: Address): boolean =>
      this.#meetings.isIntroduced(at, from);
    const requests = { ...options, makeSessionId, whereabouts, isIntroduced };
    this.#requests = new Requests(now, requests, this.#connections);
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

  /** What this client wants to connect to. */
  get outgoing(): OutgoingView | undefined {
    const intent = this.#requests.intent;
    if (intent === undefined) return undefined;
    const { target, request } = intent;
    return {
      target,
      peer: request?.ids.remote,
      attempt: request?.attempt ?? 0,
      nextAt: request?.nextAt ?? 0,
      isRinging: request?.isRinging ?? false,
    };
  }

  /** Looks a client up and requests a connection; accepts its request where it was quicker. */
  connect(now: Instant, target: Target): Result<undefined, EndpointProblem> {
    const problem = this.#problem() ?? this.#connectProblem(target);
    if (problem !== undefined) return failure(problem);
    const query = { kind: "call", id: target.id, name: target.name } as const;
    if (!this.#registration.lookUp(now, query)) return failure("alreadyRequesting");
    this.#call = query;
    this.#requests.want(target);
    return success(undefined);
  }

  /** Takes the Connection Request back; false where there is none. */
  cancel(now: Instant): boolean {
    if (this.#call !== undefined) this.#registration.dropQuery(this.#call);
    this.#call = undefined;
    const isCancelled = this.#requests.cancel();
    this.#collectRequests(now);
    return isCancelled;
  }

  /** Accepts a request: opens the connection. */
  accept(now: Instant, request: IncomingRequest): Result<Connection, EndpointProblem> {
    const self = this.#self();
    const record = this.#requests.findPending(request.requester, request.key);
    if (record === undefined || self === undefined) return failure("noRequest");
    const outgoing = this.outgoing;
    // To accept somebody is to be connected with them: nobody needs to be asked for that any more.
    const isWanted = outgoing !== undefined &&
      (outgoing.peer === record.requester || matchesTarget(outgoing.target, record));
    if (isWanted) this.cancel(now);
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
    if (problem !== undefined) return failure(problem);
    this.#registration.list(now);
    return success(undefined);
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
    this.cancel(now);
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
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    // Only the directory's word makes a datagram a carried one.
    if (this.#phase === "left" || isCarried(from)) return;
    this.#handle(now, bytes, from);
    this.#collect(now);
  }

  #handle(now: Instant, bytes: Uint8Array, from: Address): void {
    const decoded = decodeDatagram(bytes);
    if (decoded.ok) {
      if (!this.#route(now, decoded.value, from)) this.dropped.notAuthentic++;
    } else if (decoded.error.reason === "version") {
      this.dropped.otherVersion++;
      const { header, version } = decoded.error;
      if (header.type === DatagramType.Version) this.#handleVersion(now, version, from);
      else {
        const to = { hostname: from.hostname, port: from.port };
        this.#requests.answer({ bytes: encodeVersionAnswer(header), to });
      }
    } else this.dropped.malformed++;
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#phase === "left") return;
    this.#registration.handleTimeout(now);
    this.#requests.handleTimeout(now);
    this.#connections.handleTimeout(now);
    this.#meetings.handleTimeout(now, this.#reachedFrom());
    if (this.#timers.expire("drain", now)) this.#abandonConnections(now);
    this.#collect(now);
    this.#callAgain(now);
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
    timeout = earlier(timeout, earlier(this.#meetings.nextTimeout(), nextCallAt(this.#calling())));
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
      const transmit = this.#requests.pollTransmit(now) ?? this.#registration.pollTransmit(now) ??
        this.#connections.pollTransmit(now) ?? this.#meetings.pollTransmit();
      this.#collect(now);
      if (transmit === undefined || !isCarried(transmit.to)) return transmit;
      const carried = this.#carry(transmit);
      if (carried !== undefined) return carried;
    }
  }

  /** The addresses that have to be able to reach this client. */
  #reachedFrom(): Address[] {
    if (this.id === undefined || this.#phase !== "active") return [];
    const sessions = [...this.#requests.pending, this.#request].map((each) => each?.session);
    const proven = sessions.map((each) => each?.provenAddress).filter((each) => each !== undefined);
    const peers = this.#connections.live.map(({ session }) => session.address);
    return [...this.#registration.addresses, ...peers, ...proven];
  }

  /** Hands a datagram to the directory; undefined, and it is lost, where that cannot be. */
  #carry({ bytes, to: { port: id } }: Transmit): Transmit | undefined {
    const number = this.#meetings.number(id);
    return number === undefined ? undefined : this.#registration.carry(number, id, bytes);
  }

  /** Asks the directory again for peers that do not answer: the address of either end may have changed. */
  #callAgain(now: Instant): void {
    for (const id of takeCalls(now, this.#calling())) {
      if (!this.#registration.isCalling(id)) {
        this.#registration.lookUp(now, { kind: "call", id, name: "" });
      }
    }
  }

  #calling(): Calling[] {
    if (this.#phase !== "active" || this.id === undefined) return [];
    const request = this.#request;
    return request === undefined ? this.#connections.live : [...this.#connections.live, request];
  }

  /** The request of this client, once the directory told for which peer it is. */
  get #request(): OutgoingRequest | undefined {
    return this.#requests.intent?.request;
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

  /** False where it is for no request of this client's. */
  #handlePunch(now: Instant, number: bigint, { bytes }: Datagram, from: Address): boolean {
    if (number === 0n) return true; // It only keeps its sender's mapping alive.
    return this.#request?.handlePunch(now, number, bytes.length, from) ?? false;
  }

  #handleVersion(now: Instant, version: number, from: Address): void {
    this.#registration.handleVersion(now, version, from);
    this.#request?.handleVersion(now, version, from);
  }

  #self(): Self | undefined {
    const { id, name } = this.#registration;
    return id === undefined ? undefined : { id, name };
  }

  #problem(): EndpointProblem | undefined {
    if (this.isLeaving) return "leaving";
    return this.id === undefined ? "notRegistered" : undefined;
  }

  #connectProblem({ id }: Target): EndpointProblem | undefined {
    if (id === this.id) return "self";
    if (this.#connections.with(id) !== undefined) return "alreadyConnected";
    if (this.#requests.intent !== undefined) return "alreadyRequesting";
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

  /** Takes an introduction by the directory: in answer to a call, or because that peer called. */
  #handleMeeting(now: Instant, meeting: Meeting, query: Query | undefined): void {
    const { id, publicKey } = meeting;
    const isCalled = query === undefined;
    if (isCalled && this.#options.mayMeet?.(publicKey) === false) return;
    this.#meetings.add(now, meeting);
    const whereabouts = this.#meetings.whereaboutsIn(meeting);
    const self = this.#self();
    this.#requests.tell(now, meeting, whereabouts);
    if (query !== undefined && query === this.#call && self !== undefined) {
      this.#call = undefined;
      return this.#requests.handleMeeting(now, self, meeting, whereabouts);
    }
    const connection = this.#connections.withKey(id, publicKey);
    connection?.tell(now, whereabouts);
    if (connection === undefined && isCalled) this.#meetings.punch(now, meeting);
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
        return this.#handleMeeting(now, event.meeting, event.query);
      case "carried":
        return this.#handleCarried(now, event.from, event.datagram);
      case "found":
        return;
      case "registered":
        this.#meetings.handleTimeout(now, this.#reachedFrom());
        return this.#events.push(event);
      case "inactive":
        if (
          event.query === this.#call ||
          event.query.kind === "call" && isStray(this.#request, event.query.id)
        ) this.#requests.fail({ why: "inactive" });
        return;
      case "timeout":
        if (event.query === undefined) return this.#end(false, { kind: "registrationTimeout" });
        if (event.query.kind === "list") return this.#events.push({ kind: "listTimeout" });
        if (event.query === this.#call) this.#requests.fail({ why: "directoryTimeout" });
        // It was asked until now: the next call is not due at once.
        if (event.query.kind === "call") noteCalls(now, this.#calling(), event.query.id);
        return;
      case "refused":
      case "otherVersion":
        return this.#end(false, event);
      case "otherKey":
        // Who is registered stays: the connections go on without the directory.
        if (this.id === undefined) return this.#end(false, event);
        return this.#events.push(event);
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
