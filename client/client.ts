/**
 * A client: an endpoint with what its user sees of it, as one state machine.
 *
 * @module
 */
import type { IncomingRequest } from "../protocol/connection/incoming_requests.ts";
import type { Admission, RequestEvent } from "../protocol/connection/request_event.ts";
import { Endpoint, type EndpointEvent, type EndpointProblem } from "../protocol/endpoint.ts";
import { Fifo } from "../protocol/fifo.ts";
import type { DatagramMachine, Instant, Transmit } from "../protocol/machine.ts";
import { TIMER_POLICIES } from "../protocol/recovery/timer_policy.ts";
import type { Result } from "../protocol/result.ts";
import { earlier, Timers } from "../protocol/timers.ts";
import { type Address, sameAddress } from "../protocol/wire/address.ts";
import { type ClientEvent, type ErrorCode, type ErrorEvent, errorEvent } from "./event.ts";
import { matchesIdOrName, type Peer, peerOf } from "./peer.ts";
import {
  alreadyConnected,
  chooseConnection,
  chooseForText,
  chooseOpen,
  choosePending,
  problemEvent,
} from "./state/choice.ts";
import { Callers } from "./state/callers.ts";
import { Calls } from "./state/calls.ts";
import { Conversations } from "./state/conversations.ts";
import { MissedRequests } from "./state/missed.ts";
import { Repeats } from "./state/repeats.ts";
import { Returns } from "./state/returns.ts";
import {
  blockedEvent,
  connectedDetails,
  connectionEvent,
  directoryEvent,
  failureEvent,
  listEvent,
  silentEvent,
  untrustedEvent,
} from "./state/translate.ts";
import type { ClientOptions, ClientView, Run } from "./view.ts";

/** Milliseconds in which nothing came back from the directory after which the user is told. */
export const SILENT_AFTER = 1_500;
/** Milliseconds in which nothing came back from the directory after which an attended client ends. */
export const BLOCKED_AFTER = 4_500;

/** A message, and the connection that it came on. */
type MessageOf = Extract<EndpointEvent, { kind: "message" }>;

/**
 * One client. Its commands never throw: their results, also errors, are events.
 */
export class Client implements DatagramMachine<ClientEvent> {
  #options: ClientOptions;
  readonly #endpoint: Endpoint;
  readonly #conversations = new Conversations();
  readonly #callers: Callers;
  readonly #missed: MissedRequests;
  readonly #repeats = new Repeats();
  /** The messages that were told and not taken. */
  readonly #untaken = new Fifo<MessageOf>();
  readonly #events = new Fifo<ClientEvent>();
  readonly #timers = new Timers<"silent" | "blocked">();
  readonly #returns: Returns;
  readonly #calls: Calls;
  #serverLostAt: Instant | undefined;
  /** Of the list that was asked for last. */
  #pattern: string | undefined;
  #hasLeft = false;

  /** Starts registering. */
  constructor(now: Instant, options: ClientOptions) {
    const { timers, isAttended = false, trust, isBlocked, isKnown, formerRun } = options;
    const policy = TIMER_POLICIES[timers];
    this.#options = options;
    this.#callers = new Callers(isKnown);
    this.#missed = new MissedRequests(isKnown);
    this.#endpoint = new Endpoint(now, {
      ...options,
      formerEntry: formerRun?.entry,
      isTrusted: (key) => trust.isTrusted(key),
      policy,
      admit: (request) => this.#admit(request),
      mayMeet: (key) => !isBlocked(key),
    });
    this.#returns = new Returns(this.#endpoint, formerRun?.conversations ?? [], policy.repairDelay);
    this.#calls = new Calls(this.#endpoint, this.#returns, policy.repairDelay);
    this.#timers.set("silent", now + SILENT_AFTER);
    if (isAttended && timers === "adaptive") this.#timers.set("blocked", now + BLOCKED_AFTER);
  }

  /** Datagrams that were dropped, by reason. */
  get dropped(): Endpoint["dropped"] {
    return this.#endpoint.dropped;
  }

  /** Looks up a client and requests a connection, or accepts the request that it already sent. */
  connect(now: Instant, peer: Peer): void {
    const { id: ownId, name } = this.#endpoint;
    const isSelf = ownId !== undefined && matchesIdOrName(peer, ownId, name);
    if (isSelf) return this.#emitProblem("self", peer);
    const [connected] = this.#conversations.matching(peer);
    if (connected !== undefined) {
      const { remote, remoteName } = connected.ids;
      return this.#emit(alreadyConnected(remote, remoteName));
    }
    const begun = this.#calls.begin(now, peer);
    if (!begun.ok) this.#emitProblem(begun.error, peer);
    else for (const event of begun.value) this.#emit(event);
    this.#collect(now);
  }

  /** Cancels the Connection Request to `peer`, or the latest. */
  cancel(now: Instant, peer?: Peer): void {
    const isUnderWay = this.#calls.cancel(now, peer);
    if (!isUnderWay) this.#emitError("noRequest", "No Connection Request is under way");
    this.#collect(now);
  }

  /** Accepts the request of `peer`, which may be named by its fingerprint, or the oldest. */
  accept(now: Instant, peer?: Peer): void {
    const chosen = this.#choosePending(peer);
    if (!chosen.ok) return this.#emit(chosen.error);
    const result = this.#endpoint.accept(now, chosen.value);
    this.#collect(now);
    if (!result.ok) this.#emitProblem(result.error, peer);
  }

  /** Rejects the request of `peer`, which may be named by its fingerprint, or the oldest. */
  reject(now: Instant, peer?: Peer): void {
    const chosen = this.#choosePending(peer);
    if (!chosen.ok) return this.#emit(chosen.error);
    this.#endpoint.reject(now, chosen.value);
    this.#callers.answer(chosen.value);
  }

  /** The request that the user means; without a name, one that the user was shown. */
  #choosePending(peer: Peer | undefined): Result<IncomingRequest, ErrorEvent> {
    return choosePending(
      peer === undefined ? this.#shownRequests() : this.#endpoint.requests,
      peer,
    );
  }

  #shownRequests(): IncomingRequest[] {
    return this.#endpoint.requests.filter((each) => !this.#callers.isHidden(each));
  }

  /**
   * Sends a message on the current connection, or on that with `peer`.
   *
   * @returns the peer, the number of the message, and whether it waits until the user trusts the
   * peer's key; undefined if it was not taken.
   */
  send(
    _now: Instant,
    text: string,
    peer?: Peer,
  ): { peer: number; name: string; seq: number; isHeld: boolean } | undefined {
    this.releaseTrusted();
    const chosen = chooseForText(this.#conversations, peer, text);
    if (!chosen.ok) {
      this.#emit(chosen.error);
      return undefined;
    }
    const { value: connection } = chosen;
    const seq = connection.send(text);
    if (seq === undefined) {
      this.#emitError("queueFull", "Cannot send: too many messages are waiting to be delivered");
      return undefined;
    }
    const { remote, remoteName: name } = connection.ids;
    return { peer: remote, name, seq, isHeld: connection.isHeld };
  }

  /** Sends what waited for the user to trust a key, where that has happened. */
  releaseTrusted(): void {
    this.#conversations.release(({ remoteKey, ids: { remoteName } }, calledAs) =>
      this.#options.isTrustedPeer(remoteKey, remoteName, calledAs)
    );
  }

  /** The oldest message that was told, and not taken yet, is shown: its sender is told so. */
  takeMessage(now: Instant): void {
    const message = this.#untaken.shift();
    message?.connection.take(now, message);
  }

  /** Nobody reads messages any more: no end waits until they are taken. */
  forsakeMessages(now: Instant): void {
    for (const connection of this.#endpoint.connections) connection.forsake(now);
    this.#collect(now);
  }

  /** Makes the connection with `peer` the current one. */
  switchTo(_now: Instant, peer: Peer): void {
    const chosen = chooseOpen(this.#conversations, peer, "cannot switch");
    if (!chosen.ok) return this.#emit(chosen.error);
    this.#conversations.choose(chosen.value);
    this.#emitCurrent("chosen");
  }

  /**
   * Terminates the current connection, or that with `peer`; without one, cancels the Connection
   * Request.
   */
  terminate(now: Instant, peer?: Peer): void {
    if (this.#isRequestedNow(peer)) return this.cancel(now, peer);
    const chosen = chooseConnection(this.#conversations, peer, "nothing to terminate");
    if (!chosen.ok) return this.#emit(chosen.error);
    chosen.value.terminate(now);
    this.#collect(now);
  }

  /** Reports the pending and the missed requests. */
  listRequests(now: Instant): void {
    this.#callers.showAll();
    const pending = this.#endpoint.requests
      .map(({ requester: id, name, key }) => ({ id, name, key }));
    this.#emit({ kind: "requests", pending, missed: this.#missed.list(now) });
  }

  /** Asks the directory which clients are active; of them, those that match a pattern are reported. */
  list(now: Instant, pattern?: string): void {
    this.#pattern = pattern;
    const result = this.#endpoint.list(now);
    if (!result.ok) this.#emitProblem(result.error);
  }

  /** Asks the directory for another name. */
  rename(now: Instant, name: string): void {
    if (name === this.#endpoint.name) return this.#emitError("refused", `You are ${name} already`);
    const result = this.#endpoint.rename(now, name);
    if (!result.ok) this.#emitProblem(result.error);
  }

  /** Terminates the connections, then leaves the directory; both take a bounded time. */
  leave(now: Instant): void {
    this.#endpoint.leave(now);
    this.#collect(now);
  }

  /** Ends at once: sends one Client Leave to the directory, without waiting for its ack. */
  abandon(now: Instant): void {
    this.#endpoint.abandon(now);
    this.#collect(now);
  }

  /** The visible state of the client. */
  view(): ClientView {
    const { id, name, leaveBy } = this.#endpoint;
    const calls = this.#calls.all.map((call) => ({
      ...call,
      peer: call.peer ?? peerOf(call.target),
    }));
    return {
      state: this.#state(),
      id,
      name,
      ...this.#conversations.views(),
      outgoing: calls.at(-1),
      calls,
      requests: this.#shownRequests().map(({ requester, name }) => ({ id: requester, name })),
      leaveBy,
      serverLostSince: this.#serverLostAt,
    };
  }

  /** What a later run needs to go on where this one is killed; undefined without an entry. */
  run(): Run | undefined {
    const { entry, name } = this.#endpoint;
    const conversations = [...this.#conversations.open, ...this.#returns.pending];
    return entry && { entry, name, conversations };
  }

  /** See {@linkcode DatagramMachine}. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): boolean {
    const isDirectory = this.#options.directoryAddresses.some((each) => sameAddress(each, from));
    if (isDirectory) this.#timers.clearAll();
    const isOfEffect = this.#endpoint.handleDatagram(now, bytes, from);
    if (isOfEffect) this.#collect(now);
    return isOfEffect;
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("silent", now)) this.#emit(silentEvent(this.#options));
    if (this.#timers.expire("blocked", now)) {
      this.#emit(blockedEvent(this.#options));
      return this.abandon(now);
    }
    for (const event of this.#calls.takeUnanswered(now)) this.#emit(event);
    this.#endpoint.handleTimeout(now);
    this.#returns.handleTimeout(now);
    this.#collect(now);
    if (this.#endpoint.isLeaving) return;
    for (const request of this.#callers.takeDue(now)) this.#emitRequest(now, request);
  }

  /** The directory, which does not answer, may be at these addresses now. */
  moveDirectory(now: Instant, directoryAddresses: readonly Address[]): void {
    this.#options = { ...this.#options, directoryAddresses };
    this.#endpoint.moveDirectory(now, directoryAddresses);
  }

  /** See {@linkcode DatagramMachine}. */
  handleWake(now: Instant, slept: number): void {
    this.#endpoint.handleWake(now, slept);
    this.#collect(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    const callers = this.#endpoint.isLeaving ? undefined : this.#callers.nextTimeout();
    let timeout = earlier(this.#timers.next(), callers);
    timeout = earlier(timeout, this.#calls.nextTimeout());
    timeout = earlier(timeout, this.#returns.nextTimeout());
    return earlier(timeout, this.#endpoint.nextTimeout());
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    const transmit = this.#endpoint.pollTransmit(now);
    this.#collect(now);
    return transmit;
  }

  /** See {@linkcode Machine}. */
  pollEvent(): ClientEvent | undefined {
    return this.#events.shift();
  }

  /** Where all requests are accepted, one under a name that another key has still rings. */
  #admit({ requester, key, name }: IncomingRequest): Admission {
    const { isBlocked, acceptAll, isTrustedPeer } = this.#options;
    if (isBlocked(key)) return "reject";
    if (this.#returns.includes(requester, key)) return "accept";
    return acceptAll && isTrustedPeer(key, name, undefined) ? "accept" : "ring";
  }

  #state(): ClientView["state"] {
    if (this.#hasLeft) return "left";
    if (this.#endpoint.isLeaving) return "leaving";
    const { current } = this.#conversations;
    if (current !== undefined) return current.state === "open" ? "connected" : "terminating";
    if (this.#calls.all.length > 0) return "requesting";
    return this.#endpoint.id === undefined ? "registering" : "idle";
  }

  /** Whether `terminate` refers to a call of this client. */
  #isRequestedNow(peer: Peer | undefined): boolean {
    if (peer !== undefined) return this.#calls.with(peer) !== undefined;
    return this.#calls.all.length > 0 && this.#conversations.current === undefined;
  }

  #emitProblem(problem: EndpointProblem, peer?: Peer): void {
    this.#emit(problemEvent(problem, peer));
  }

  #emitError(code: ErrorCode, message: string): void {
    this.#emit(errorEvent(code, message));
  }

  /** Emits an event, unless the last one was emitted. */
  #emit(event: ClientEvent): void {
    if (!this.#hasLeft) this.#events.push(event);
  }

  /** Reports the current connection, if it is open. */
  #emitCurrent(why: "chosen" | "ended"): void {
    const { current } = this.#conversations;
    if (current?.state !== "open") return;
    const { remote: peer, remoteName: name } = current.ids;
    this.#emit({ kind: "current", peer, name, why });
  }

  /** Handles the events of the endpoint. */
  #collect(now: Instant): void {
    const endpoint = this.#endpoint;
    for (let event = endpoint.pollEvent(); event !== undefined; event = endpoint.pollEvent()) {
      this.#handleEvent(now, event);
    }
    for (let over = this.#returns.pollOver(); over; over = this.#returns.pollOver()) {
      this.#emit({ kind: "notReturned", peer: over.id, name: over.name });
    }
  }

  #handleEvent(now: Instant, event: EndpointEvent): void {
    switch (event.kind) {
      case "message":
        if (this.#options.holdsTexts === true) this.#untaken.push(event);
        return this.#emit(connectionEvent(event));
      case "sent":
      case "delivered":
      case "unconfirmed":
      case "path":
      case "returned":
      case "renewed":
        return this.#emit(this.#repeats.mark(now, connectionEvent(event)));
      case "terminated": {
        const { current } = this.#conversations;
        this.#conversations.remove(event.connection);
        this.#emit(connectionEvent(event));
        if (this.#conversations.current !== current) this.#emitCurrent("ended");
        return;
      }
      case "registered": {
        this.#returns.start(now, event.isFormer);
        return this.#emit(directoryEvent(event, this.#options));
      }
      case "lost":
      case "back":
      case "moved":
        this.#serverLostAt = event.kind === "lost" ? now : undefined;
        return this.#emit(directoryEvent(event, this.#options));
      case "list":
        return this.#emit(listEvent(event.clients, this.#pattern));
      case "entry":
      case "refused":
      case "nameRefused":
      case "otherVersion":
      case "otherKey":
      case "registrationTimeout":
      case "registrationUnavailable":
      case "listTimeout":
      case "listUnavailable":
        return this.#emit(directoryEvent(event, this.#options));
      case "left":
        this.#timers.clearAll();
        this.#emit(event);
        this.#hasLeft = true;
        return;
      default:
        return this.#handleRequestEvent(now, event);
    }
  }

  #handleRequestEvent(now: Instant, event: RequestEvent): void {
    if (this.#returns.handleEvent(now, event)) return;
    this.#calls.update();
    switch (event.kind) {
      case "requesting":
      case "ringing":
        return this.#emit(event);
      case "requestFailed":
        return this.#emit(failureEvent(event, this.#options));
      case "request":
        if (this.#callers.ring(now, event.request)) this.#emitRequest(now, event.request);
        return;
      case "requestEnded": {
        const { request: { requester: peer, name }, why } = event;
        this.#missed.add(now, event.request, why === "full" ? "busy" : why);
        if (why === "full") return this.#callers.drop(event.request);
        if (this.#callers.end(now, event.request)) {
          this.#emit({ kind: "requestEnded", peer, name, why });
        }
        return;
      }
      case "connected":
        return this.#handleConnected(now, event);
    }
  }

  /** Tells the user of a request, unless its key was blocked meanwhile. */
  #emitRequest(now: Instant, request: IncomingRequest): void {
    const { requester: peer, name, key } = request;
    if (!this.#options.isBlocked(key)) return this.#emit({ kind: "request", peer, name, key });
    this.#callers.drop(request);
    this.#endpoint.reject(now, request);
  }

  #handleConnected(
    now: Instant,
    { connection, by, target, isResumed }: Extract<RequestEvent, { kind: "connected" }>,
  ): void {
    const { remote: peer, remoteName: name } = connection.ids;
    const { remoteKey: key, handshakeHash: hash, path } = connection;
    this.#callers.answer({ requester: peer, name, key });
    this.#missed.forget(key);
    const isWanted = target !== undefined && !this.#returns.isCall(target);
    const isReturn = this.#returns.remove(peer, key);
    const calledAs = target && peerOf(target);
    connection.isHeld = !this.#options.isTrustedPeer(key, name, calledAs);
    const isAside = by === "admission" || isReturn && !isWanted;
    const isCurrent = this.#conversations.add(connection, isAside, calledAs);
    const { isHeld } = connection;
    const details = connectedDetails(calledAs, isHeld, !isCurrent);
    this.#emit({ kind: "connected", peer, name, key, hash, path, ...details });
    const goesOn = isResumed || isReturn;
    if (goesOn) this.#emit({ kind: "returned", who: "self", peer, name, key, hash });
    if (!isHeld) return;
    const { isAttended = false } = this.#options;
    this.#emit(untrustedEvent(calledAs ?? (name || peer), key, isAttended));
    // Nobody is there to ask.
    if (!isAttended) connection.terminate(now);
  }
}
