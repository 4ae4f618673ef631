/**
 * A client: its registration, its requests and its connection, as one state machine.
 *
 * @module
 */
import { type Address, sameAddress } from "../protocol/address.ts";
import { type Decoded, decodeDatagram, encodeVersionAnswer } from "../protocol/datagram.ts";
import type { Driven, Instant, Transmit } from "../protocol/driven.ts";
import { Fifo } from "../protocol/fifo.ts";
import { DatagramType, type Header, RejectReason } from "../protocol/frame.ts";
import { fingerprint } from "../protocol/fingerprint.ts";
import type { IncomingRequest } from "../protocol/incoming_requests.ts";
import { TEXT_SIZE_MAX } from "../protocol/send_queue.ts";
import { earlier, Timers } from "../protocol/timers.ts";
import { Connections } from "./connections.ts";
import { DirectoryLink, type LinkEvent } from "./directory_link.ts";
import type { ClientEvent, ErrorCode, Peer } from "./event.ts";
import { isPeer, isSameKey, type Self } from "./peer.ts";
import { Requests } from "./requests.ts";
import type { ClientOptions, ClientView } from "./view.ts";

/** Milliseconds that a leaving client waits for its connection to end. */
export const LEAVE_DRAIN_TIMEOUT = 30_000;
type DecodedOk = Extract<Decoded, { ok: true }>;

/**
 * One client. Its commands never throw: what comes of them, failures too, are events.
 */
export class Client implements Driven<ClientEvent> {
  readonly #link: DirectoryLink;
  readonly #connections = new Connections();
  readonly #requests: Requests;
  readonly #timers = new Timers<"drain">();
  #phase: "active" | "leaving" | "left" = "active";
  #leaveBy: Instant | undefined;
  #farewell: Transmit | undefined;
  readonly #events = new Fifo<ClientEvent>();
  /** Datagrams that were dropped, by reason. */
  readonly dropped = { malformed: 0, otherVersion: 0, notAuthentic: 0 };

  /** Starts registering. */
  constructor(now: Instant, options: ClientOptions) {
    this.#link = new DirectoryLink(now, options);
    this.#requests = new Requests(now, options, this.#connections);
  }

  /** Looks a client up and requests a connection; accepts its request where it was quicker. */
  connect(now: Instant, peer: Peer): void {
    const self = this.#self();
    if (self === undefined) return this.#fail("notRegistered", "Not registered yet");
    if (this.#phase !== "active") return this.#fail("notRegistered", "Leaving: not registered");
    const { current } = this.#connections;
    if (isPeer(peer, self.id, self.name)) return this.#fail("self", "That is you");
    if (current !== undefined) {
      const other = `client ${current.ends.remote}`;
      return this.#fail(
        "alreadyConnected",
        `Connected to ${other}: terminate that connection first`,
      );
    }
    if (this.#requests.outgoing !== undefined) {
      return this.#fail("alreadyRequesting", "A Connection Request is under way: cancel it first");
    }
    this.#requests.lookUp(peer);
    this.#link.lookUp(now, peer);
  }

  /** Takes the Connection Request back. */
  cancel(_now: Instant): void {
    this.#link.cancelLookUp();
    if (!this.#requests.cancel()) this.#fail("noRequest", "No Connection Request is under way");
  }

  /** Accepts a request: that of `peer`, who may be named by the fingerprint, or the oldest. */
  accept(now: Instant, peer?: Peer): void {
    const request = this.#findPending(peer);
    const self = this.#self();
    if (request === undefined || self === undefined) return;
    const { current } = this.#connections;
    if (current !== undefined && current.ends.remote !== request.requester) {
      const other = `client ${current.ends.remote}`;
      return this.#fail(
        "alreadyConnected",
        `Connected to ${other}: terminate that connection first`,
      );
    }
    if (this.#requests.outgoing !== undefined) this.cancel(now);
    this.#requests.accept(now, self.name, request);
    this.#collect(now);
  }

  /** Rejects a request: that of `peer`, who may be named by the fingerprint, or the oldest. */
  reject(now: Instant, peer?: Peer): void {
    const request = this.#findPending(peer);
    if (request === undefined) return;
    this.#requests.reject(now, request, RejectReason.declined);
  }

  /** Sends a text on the current connection. */
  send(_now: Instant, text: string): void {
    const { current } = this.#connections;
    if (current?.state !== "open") {
      return this.#fail("notConnected", "Not connected: nothing was sent");
    }
    // A code unit makes three bytes at most, so that few texts need to be counted.
    const isShort = 3 * text.length <= TEXT_SIZE_MAX;
    const size = isShort ? 0 : new TextEncoder().encode(text).length;
    if (size > TEXT_SIZE_MAX) {
      const limit = `a message has at most ${TEXT_SIZE_MAX}`;
      return this.#fail("tooLong", `Cannot send ${size} bytes: ${limit}`);
    }
    if (current.send(text) === undefined) {
      this.#fail("queueFull", "Cannot send: too many messages are waiting to be delivered");
    }
  }

  /** Terminates the connection, or takes the Connection Request back. */
  terminate(now: Instant): void {
    const { current } = this.#connections;
    if (current !== undefined) current.terminate(now);
    else if (this.#requests.outgoing !== undefined) this.cancel(now);
    else this.#fail("notConnected", "Not connected: nothing to terminate");
    this.#collect(now);
  }

  /** Asks the directory which clients are active. */
  list(now: Instant): void {
    this.#link.list(now);
  }

  /** Ends the connection, then leaves the directory; both take a bounded time. */
  leave(now: Instant): void {
    if (this.#phase !== "active") return;
    this.#phase = "leaving";
    if (this.#requests.outgoing !== undefined) this.cancel(now);
    for (const request of this.#requests.pending()) {
      this.#requests.reject(now, request, RejectReason.notThisClient);
    }
    this.#leaveBy = now + LEAVE_DRAIN_TIMEOUT;
    this.#timers.set("drain", this.#leaveBy);
    this.#connections.current?.terminate(now);
    this.#collect(now);
  }

  /** Ends everything here and now; the directory is told once, without waiting for its ack. */
  abandon(now: Instant): void {
    if (this.#phase === "left") return;
    this.#connections.current?.abandon(now, "timeout");
    this.#phase = "leaving";
    this.#link.leave(now);
    this.#farewell = this.#link.pollTransmit(now);
    this.#collect(now);
    this.#leave(false);
  }

  /** How the client stands. */
  view(): ClientView {
    const current = this.#connections.current;
    const outgoing = this.#requests.outgoing;
    const request = outgoing?.request;
    return {
      state: this.#state(),
      id: this.#link.id,
      name: this.#link.name,
      peer: current && { id: current.ends.remote, name: current.ends.remoteName },
      outgoing: outgoing && {
        peer: request?.ends.remote ?? outgoing.target,
        attempt: request?.attempt ?? 0,
        nextAt: request?.nextAt ?? 0,
        isRinging: request?.isRinging ?? false,
      },
      requests: this.#requests.pending().map(({ requester, name }) => ({ id: requester, name })),
      unconfirmed: current?.undelivered ?? 0,
      leaveBy: this.#link.leaveBy ?? this.#leaveBy,
      isServerLost: this.#link.isLost,
    };
  }

  /** See {@linkcode Driven}. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    if (this.#phase === "left") return;
    const decoded = decodeDatagram(bytes);
    if (decoded.ok) this.#handleDecoded(now, decoded, bytes, from);
    else if (decoded.reason === "version") {
      this.#handleVersion(now, decoded.version, decoded.header, bytes, from);
    } else this.dropped.malformed++;
    this.#collect(now);
  }

  /** See {@linkcode Driven}. */
  handleTimeout(now: Instant): void {
    if (this.#phase === "left") return;
    this.#link.handleTimeout(now);
    this.#requests.handleTimeout(now);
    this.#connections.handleTimeout(now);
    if (this.#timers.expire("drain", now)) this.#connections.current?.abandon(now, "timeout");
    this.#collect(now);
  }

  /** See {@linkcode Driven}. */
  nextTimeout(): Instant | undefined {
    if (this.#phase === "left") return undefined;
    const timeout = earlier(this.#timers.next(), this.#link.nextTimeout());
    return earlier(timeout, earlier(this.#requests.nextTimeout(), this.#connections.nextTimeout()));
  }

  /** See {@linkcode Driven}. */
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

  /** See {@linkcode Driven}. */
  pollEvent(): ClientEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Driven}. */
  prepare(): void {
    this.#connections.prepare();
  }

  #self(): Self | undefined {
    const { id, name } = this.#link;
    return id === undefined ? undefined : { id, name };
  }

  #state(): ClientView["state"] {
    if (this.#phase !== "active") return this.#phase;
    const { current } = this.#connections;
    if (current !== undefined) return current.state === "open" ? "connected" : "terminating";
    if (this.#requests.outgoing !== undefined) return "requesting";
    return this.#link.id === undefined ? "registering" : "idle";
  }

  #fail(code: ErrorCode, message: string): void {
    this.#tell({ kind: "error", code, message });
  }

  /** Nothing follows the last event. */
  #tell(event: ClientEvent): void {
    if (this.#phase !== "left") this.#events.push(event);
  }

  /** The one pending request that is meant; where there is none, or more than one, says so. */
  #findPending(peer: Peer | undefined): IncomingRequest | undefined {
    const found = peer === undefined ? this.#requests.pending() : this.#requests.pendingOf(peer);
    const [oldest] = found;
    if (oldest === undefined) {
      const whose = peer === undefined
        ? "Nobody asks to connect"
        : `No request from client ${peer}`;
      this.#fail("noRequest", whose);
    } else if (peer !== undefined && found.some(({ key }) => !isSameKey(key, oldest.key))) {
      // Anybody can claim an id and a name.
      const prints = found.map(({ key }) => fingerprint(key).replaceAll(" ", "-")).join(", ");
      this.#fail("unknownPeer", `More than one asks as ${peer}; name the fingerprint: ${prints}`);
      return undefined;
    }
    return oldest;
  }

  #handleDecoded(now: Instant, decoded: DecodedOk, bytes: Uint8Array, from: Address): void {
    const { header } = decoded;
    if (decoded.sealed !== undefined) {
      const isTaken = this.#connections.handleDatagram(now, bytes, header, from) ||
        header.type === DatagramType.Handshake &&
          this.#requests.handleHandshake(now, bytes, header, from);
      if (!isTaken) this.dropped.notAuthentic++;
      return;
    }
    if (header.type === DatagramType.Answer) {
      if (!this.#link.handleAnswer(now, bytes, decoded.frames)) this.dropped.notAuthentic++;
      return;
    }
    const self = this.#self();
    for (const frame of decoded.frames) {
      if (header.type === DatagramType.Cookie && frame.kind === "cookieReply") {
        this.#requests.handleCookie(now, header, frame);
      } else if (
        header.type === DatagramType.ConnectionRequest && frame.kind === "connectionRequest" &&
        self !== undefined
      ) {
        const isLeaving = this.#phase === "leaving";
        const isGood = this.#requests.handleRequest(now, self, bytes, frame, from, isLeaving);
        if (!isGood) this.dropped.notAuthentic++;
        return;
      }
    }
  }

  #handleVersion(
    now: Instant,
    version: number,
    header: Header,
    bytes: Uint8Array,
    from: Address,
  ): void {
    this.dropped.otherVersion++;
    if (header.type !== DatagramType.Version) {
      return this.#requests.reply({ bytes: encodeVersionAnswer(header), to: from });
    }
    this.#link.handleVersion(version, bytes, from);
    const request = this.#requests.outgoing?.request;
    if (request !== undefined && sameAddress(request.address, from)) {
      request.handleVersion(now, version);
    }
  }

  /** Passes on what the parts have to tell, until nothing moves any more. */
  #collect(now: Instant): void {
    for (;;) {
      const linkEvent = this.#link.pollEvent(now);
      if (linkEvent !== undefined) {
        this.#handleLinkEvent(now, linkEvent);
        continue;
      }
      let told = this.#connections.pollEvent();
      if (told !== undefined) {
        for (; told !== undefined; told = this.#connections.pollEvent()) {
          this.#tell(told.event);
          if (told.event.kind === "terminated") this.#requests.end(now, told.connection);
        }
        continue;
      }
      const event = this.#requests.pollEvent();
      if (event === undefined) break;
      this.#tell(event);
    }
    const isDrained = this.#phase === "leaving" && this.#connections.current === undefined;
    if (!isDrained || this.#leaveBy === undefined) return;
    this.#leaveBy = undefined;
    this.#timers.clear("drain");
    this.#link.leave(now);
    this.#collect(now);
  }

  #handleLinkEvent(now: Instant, event: LinkEvent): void {
    switch (event.kind) {
      case "tell":
        this.#tell(event.event);
        return;
      case "notFound": {
        // The one that was looked up may have been quicker, and be connected by now.
        const { outgoing } = this.#requests;
        if (outgoing === undefined || outgoing.request !== undefined) return;
        this.#requests.giveUp();
        this.#tell(event.event);
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
      return this.#fail("self", "That is you");
    }
    // Who requests already, under the key that the directory knows, is accepted.
    const pending = this.#requests.findPendingFrom(id, key);
    if (pending === undefined) {
      if (this.#requests.request(now, self, id, address, key)) return;
      this.#requests.giveUp();
      return this.#fail("peerTimeout", `Client ${id} has a key that nobody can talk to`);
    }
    this.#requests.accept(now, self.name, pending);
    this.#requests.giveUp();
  }

  #leave(acknowledged: boolean): void {
    const { undelivered } = this.#connections;
    this.#tell({ kind: "left", undelivered, acknowledged });
    this.#phase = "left";
  }
}
