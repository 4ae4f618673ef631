/**
 * A client: its registration, its requests and its connections, as one state machine.
 *
 * @module
 */
import type { Address } from "../protocol/wire/address.ts";
import type { DatagramMachine, Instant, Transmit } from "../protocol/machine.ts";
import { Fifo } from "../protocol/fifo.ts";
import { RejectReason } from "../protocol/wire/frame.ts";
import { earlier, Timers } from "../protocol/timers.ts";
import {
  acceptProblem,
  alreadyConnected,
  chooseConnection,
  chooseForText,
  chooseOpen,
  choosePending,
  connectProblem,
} from "./state/choice.ts";
import { Connections } from "./state/connections.ts";
import { DirectoryLink, type LinkEvent, type Self } from "./state/directory_link.ts";
import { type ClientEvent, type ErrorCode, errorEvent } from "./event.ts";
import { Intake } from "./state/intake.ts";
import { isTarget } from "./state/outgoing.ts";
import { matchesIdOrName, type Peer } from "./peer.ts";
import { Requests } from "./state/requests.ts";
import { type ClientOptions, type ClientView, viewConversations, viewOutgoing } from "./view.ts";

/** Milliseconds that a leaving client waits for its connections to end. */
export const LEAVE_DRAIN_TIMEOUT = 30_000;

/**
 * One client. Its commands never throw: their results, also errors, are events.
 */
export class Client implements DatagramMachine<ClientEvent> {
  readonly #link: DirectoryLink;
  readonly #connections = new Connections();
  readonly #requests: Requests;
  readonly #intake: Intake;
  readonly #timers = new Timers<"drain">();
  #phase: "active" | "leaving" | "left" = "active";
  #leaveBy: Instant | undefined;
  #farewell: Transmit | undefined;
  readonly #events = new Fifo<ClientEvent>();

  /** Starts registering. */
  constructor(now: Instant, options: ClientOptions) {
    this.#link = new DirectoryLink(now, options);
    this.#requests = new Requests(now, options, this.#connections);
    this.#intake = new Intake(this.#link, this.#requests, this.#connections);
  }

  /** Datagrams that were dropped, by reason. */
  get dropped(): Intake["dropped"] {
    return this.#intake.dropped;
  }

  /** Looks up a client and requests a connection, or accepts the request that it already sent. */
  connect(now: Instant, peer: Peer): void {
    const self = this.#registered();
    if (self === undefined) return;
    if (matchesIdOrName(peer, self.id, self.name)) return this.#emitError("self", "That is you");
    const problem = connectProblem(this.#connections, this.#requests, peer);
    if (problem !== undefined) return this.#emit(problem);
    this.#requests.lookUp(peer);
    this.#link.lookUp(now, peer);
  }

  /** Cancels the Connection Request. */
  cancel(_now: Instant): void {
    this.#link.cancelLookUp();
    if (!this.#requests.cancel()) {
      this.#emitError("noRequest", "No Connection Request is under way");
    }
  }

  /** Accepts the request of `peer`, which may be named by its fingerprint, or the oldest. */
  accept(now: Instant, peer?: Peer): void {
    const chosen = choosePending(this.#requests, peer);
    const self = this.#self();
    if (!chosen.ok) return this.#emit(chosen.error);
    if (self === undefined) return;
    const { value: request } = chosen;
    const { outgoing } = this.#requests;
    const { requester, name } = request;
    // The acceptance opens the connection, so that an own request to the same client is obsolete.
    const isWanted = outgoing !== undefined && (outgoing.request?.ids.remote === requester ||
      matchesIdOrName(outgoing.target, requester, name));
    if (isWanted) this.cancel(now);
    const problem = acceptProblem(this.#connections, this.#requests, request);
    if (problem !== undefined) return this.#emit(problem);
    this.#requests.accept(now, self.name, request);
    this.#collect(now);
  }

  /** Rejects the request of `peer`, which may be named by its fingerprint, or the oldest. */
  reject(now: Instant, peer?: Peer): void {
    const chosen = choosePending(this.#requests, peer);
    if (!chosen.ok) return this.#emit(chosen.error);
    this.#requests.reject(now, chosen.value, RejectReason.declined);
  }

  /**
   * Sends a message on the current connection, or on that with `peer`.
   *
   * @returns the peer, and the number of the message; undefined if it was not taken.
   */
  send(
    _now: Instant,
    text: string,
    peer?: Peer,
  ): { peer: number; name: string; seq: number } | undefined {
    const chosen = chooseForText(this.#connections, peer, text);
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
    this.#connections.markRead(connection);
    const { remote, remoteName: name } = connection.ids;
    return { peer: remote, name, seq };
  }

  /** Makes the connection with `peer` the current one. */
  switchTo(_now: Instant, peer: Peer): void {
    const chosen = chooseOpen(this.#connections, peer, "cannot switch");
    if (!chosen.ok) return this.#emit(chosen.error);
    this.#connections.choose(chosen.value);
    this.#emitCurrent("chosen");
  }

  /**
   * Terminates the current connection, or that with `peer`; without one, cancels the Connection
   * Request.
   */
  terminate(now: Instant, peer?: Peer): void {
    const { outgoing } = this.#requests;
    const isOutgoing = outgoing !== undefined &&
      (peer === undefined ? this.#connections.current === undefined : isTarget(peer, outgoing));
    if (isOutgoing) return this.cancel(now);
    const chosen = chooseConnection(this.#connections, peer, "nothing to terminate");
    if (!chosen.ok) return this.#emit(chosen.error);
    chosen.value.terminate(now);
    this.#collect(now);
  }

  /** Reports the pending and the missed requests. */
  listRequests(now: Instant): void {
    const pending = this.#requests.pending()
      .map(({ requester: id, name, key }) => ({ id, name, key }));
    this.#emit({ kind: "requests", pending, missed: this.#requests.missed(now) });
  }

  /** Asks the directory which clients are active. */
  list(now: Instant): void {
    if (this.#registered() !== undefined) this.#link.list(now);
  }

  /** Terminates the connections, then leaves the directory; both take a bounded time. */
  leave(now: Instant): void {
    if (this.#phase !== "active") return;
    this.#phase = "leaving";
    if (this.#requests.outgoing !== undefined) this.cancel(now);
    for (const request of this.#requests.pending()) {
      this.#requests.reject(now, request, RejectReason.notThisClient);
    }
    this.#leaveBy = now + LEAVE_DRAIN_TIMEOUT;
    this.#timers.set("drain", this.#leaveBy);
    for (const { connection } of this.#connections.live) connection.terminate(now);
    this.#collect(now);
  }

  /** Ends at once: sends one Client Leave to the directory, without waiting for its ack. */
  abandon(now: Instant): void {
    if (this.#phase === "left") return;
    this.#phase = "leaving";
    this.#abandonAll(now);
    this.#link.leave(now);
    this.#farewell = this.#link.pollTransmit(now);
    this.#collect(now);
    this.#leave(false);
  }

  /** The visible state of the client. */
  view(): ClientView {
    const outgoing = this.#requests.outgoing;
    return {
      state: this.#state(),
      id: this.#link.id,
      name: this.#link.name,
      ...viewConversations(this.#connections),
      outgoing: outgoing && viewOutgoing(outgoing),
      requests: this.#requests.pending().map(({ requester, name }) => ({ id: requester, name })),
      leaveBy: this.#link.leaveBy ?? this.#leaveBy,
      serverLostSince: this.#link.lostSince,
    };
  }

  /** See {@linkcode Machine}. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    if (this.#phase === "left") return;
    this.#intake.handleDatagram(now, bytes, from, this.#self(), this.#phase === "leaving");
    this.#collect(now);
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#phase === "left") return;
    this.#link.handleTimeout(now);
    this.#requests.handleTimeout(now);
    this.#connections.handleTimeout(now);
    if (this.#timers.expire("drain", now)) this.#abandonAll(now);
    this.#collect(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    if (this.#phase === "left") return undefined;
    const timeout = earlier(this.#timers.next(), this.#link.nextTimeout());
    return earlier(timeout, earlier(this.#requests.nextTimeout(), this.#connections.nextTimeout()));
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#phase === "left") {
      const farewell = this.#farewell;
      this.#farewell = undefined;
      return farewell;
    }
    const transmit = this.#requests.pollTransmit(now) ?? this.#link.pollTransmit(now) ??
      this.#connections.pollTransmit(now);
    this.#collect(now);
    return transmit;
  }

  /** See {@linkcode Machine}. */
  pollEvent(): ClientEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
  prepare(): void {
    this.#connections.prepare();
  }

  #self(): Self | undefined {
    const { id, name } = this.#link;
    return id === undefined ? undefined : { id, name };
  }

  /** This client as its directory knows it; emits an error if it is not registered. */
  #registered(): Self | undefined {
    const self = this.#self();
    if (self !== undefined && this.#phase === "active") return self;
    const why = this.#phase === "active" ? "Not registered yet" : "Leaving: not registered";
    this.#emitError("notRegistered", why);
    return undefined;
  }

  #state(): ClientView["state"] {
    if (this.#phase !== "active") return this.#phase;
    const { current } = this.#connections;
    if (current !== undefined) return current.state === "open" ? "connected" : "terminating";
    if (this.#requests.outgoing !== undefined) return "requesting";
    return this.#link.id === undefined ? "registering" : "idle";
  }

  #emitError(code: ErrorCode, message: string): void {
    this.#emit(errorEvent(code, message));
  }

  /** Emits an event, unless the last one was emitted. */
  #emit(event: ClientEvent): void {
    if (this.#phase !== "left") this.#events.push(event);
  }

  #abandonAll(now: Instant): void {
    for (const { connection } of this.#connections.live) connection.abandon(now, "timeout");
  }

  /** Reports the current connection, if it is open. */
  #emitCurrent(why: "chosen" | "ended"): void {
    const { current } = this.#connections;
    if (current?.state !== "open") return;
    const { remote: peer, remoteName: name } = current.ids;
    this.#emit({ kind: "current", peer, name, why });
  }

  /** Handles the events of the parts until there are none. */
  #collect(now: Instant): void {
    for (;;) {
      const linkEvent = this.#link.pollEvent(now);
      if (linkEvent !== undefined) {
        this.#handleLinkEvent(now, linkEvent);
        continue;
      }
      let before = this.#connections.current;
      let polled = this.#connections.pollEvent();
      if (polled !== undefined) {
        for (; polled !== undefined; polled = this.#connections.pollEvent()) {
          this.#emit(polled.event);
          if (polled.event.kind === "terminated") this.#requests.end(now, polled.connection);
          if (this.#connections.current !== before) this.#emitCurrent("ended");
          before = this.#connections.current;
        }
        continue;
      }
      const event = this.#requests.pollEvent();
      if (event === undefined) break;
      this.#emit(event);
    }
    const isDrained = this.#phase === "leaving" && this.#connections.size === 0;
    if (!isDrained || this.#leaveBy === undefined) return;
    this.#leaveBy = undefined;
    this.#timers.clear("drain");
    this.#link.leave(now);
    this.#collect(now);
  }

  #handleLinkEvent(now: Instant, event: LinkEvent): void {
    switch (event.kind) {
      case "report":
        this.#emit(event.event);
        return;
      case "notFound": {
        // The client that was looked up may have connected meanwhile.
        const { outgoing } = this.#requests;
        if (outgoing === undefined || outgoing.request !== undefined) return;
        this.#requests.giveUp();
        this.#emit(event.event);
        return;
      }
      case "found":
        return this.#handleFound(now, event.id, event.address, event.publicKey);
      case "ended":
        return this.#leave(event.acknowledged);
    }
  }

  #handleFound(now: Instant, id: number, address: Address, key: Uint8Array): void {
    const self = this.#self();
    const { outgoing } = this.#requests;
    if (outgoing === undefined || outgoing.request !== undefined || self === undefined) return;
    if (id === self.id) {
      this.#requests.giveUp();
      return this.#emitError("self", "That is you");
    }
    const connected = this.#connections.with(id);
    if (connected !== undefined) {
      this.#requests.giveUp();
      return this.#emit(alreadyConnected(connected));
    }
    // A pending request with the key that the directory knows is accepted.
    const pending = this.#requests.findPendingFrom(id, key);
    if (pending === undefined) {
      if (this.#requests.request(now, self, id, address, key)) return;
      this.#requests.giveUp();
      return this.#emitError("peerTimeout", `Client ${id} has a key that nobody can talk to`);
    }
    this.#requests.accept(now, self.name, pending);
    this.#requests.giveUp();
  }

  #leave(acknowledged: boolean): void {
    const { undelivered } = this.#connections;
    this.#emit({ kind: "left", undelivered, acknowledged });
    this.#phase = "left";
  }
}
