/**
 * A client: its registration, its requests and its connection, as one state machine.
 *
 * @module
 */
import { type Address, sameAddress } from "../protocol/address.ts";
import { decodeDatagram, encodeVersionAnswer } from "../protocol/datagram.ts";
import type { Driven, Instant, Transmit } from "../protocol/driven.ts";
import {
  type ConnectionTermination,
  DatagramType,
  type Frame,
  type Header,
  RejectReason,
  REQUEST_SIZE_MIN,
  VERSION,
} from "../protocol/frame.ts";
import { TEXT_SIZE_MAX } from "../protocol/send_queue.ts";
import { earlier, Timers } from "../protocol/timers.ts";
import { Connections } from "./connections.ts";
import { DirectoryLink, type LinkEvent } from "./directory_link.ts";
import type { ClientEvent, ErrorCode, Peer } from "./event.ts";
import { isPeer, Requests, type Self } from "./requests.ts";
import type { ClientOptions, ClientView } from "./view.ts";

/** Milliseconds that a leaving client waits for its connection to end. */
export const LEAVE_DRAIN_TIMEOUT = 30_000;
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
  #events: ClientEvent[] = [];
  /** Datagrams that were dropped, by reason. */
  readonly dropped = { malformed: 0, otherVersion: 0, unknownConnection: 0 };

  /** Starts registering. */
  constructor(now: Instant, options: ClientOptions) {
    const { timers, acceptAll, random } = options;
    this.#link = new DirectoryLink(now, options);
    this.#requests = new Requests(timers, acceptAll, random, this.#connections);
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
    const pending = this.#requests.findPending(peer);
    if (pending !== undefined) return this.accept(now, pending.requester);
    this.#requests.lookUp(peer);
    this.#link.lookUp(now, peer);
  }

  /** Takes the Connection Request back. */
  cancel(_now: Instant): void {
    this.#link.cancelLookUp();
    if (!this.#requests.cancel()) this.#fail("noRequest", "No Connection Request is under way");
  }

  /** Accepts a request: that of `peer`, or the oldest. */
  accept(now: Instant, peer?: Peer): void {
    const request = this.#requests.findPending(peer);
    const self = this.#self();
    if (request === undefined || self === undefined) return this.#failNoRequest(peer);
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

  /** Rejects a request: that of `peer`, or the oldest. */
  reject(now: Instant, peer?: Peer): void {
    const request = this.#requests.findPending(peer);
    if (request === undefined) return this.#failNoRequest(peer);
    this.#requests.reject(now, request, RejectReason.declined);
  }

  /** Sends a text on the current connection. */
  send(_now: Instant, text: string): void {
    const { current } = this.#connections;
    if (current?.state !== "open") {
      return this.#fail("notConnected", "Not connected: nothing was sent");
    }
    const size = new TextEncoder().encode(text).length;
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
    if (decoded.ok) this.#handleFrames(now, decoded.header, decoded.frames, bytes.length, from);
    else if (decoded.reason === "version") {
      this.#handleVersion(decoded.version, decoded.header, from);
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

  #failNoRequest(peer: Peer | undefined): void {
    const whose = peer === undefined ? "Nobody asks to connect" : `No request from client ${peer}`;
    this.#fail("noRequest", whose);
  }

  #handleFrames(now: Instant, header: Header, frames: Frame[], size: number, from: Address): void {
    switch (header.type) {
      case DatagramType.Answer:
        for (const frame of frames) this.#link.handleFrame(now, frame);
        return;
      case DatagramType.Handshake:
        // One frame only, so that the answer is never larger than what came.
        if (frames[0] !== undefined) this.#handleHandshake(now, header, frames[0], size, from);
        return;
      case DatagramType.Connection:
        if (this.#connections.handleFrames(now, header, frames, from)) return;
        this.dropped.unknownConnection++;
        // Before the Accept came, a Termination is early: both will be repeated.
        if (this.#requests.isAwaited(header.connection)) return;
        for (const frame of frames) this.#requests.handleFrame(now, header, frame, from);
        this.#acknowledgeFirst(frames, from);
    }
  }

  #handleHandshake(now: Instant, header: Header, frame: Frame, size: number, from: Address): void {
    const self = this.#self();
    switch (frame.kind) {
      case "connectionRequest":
        if (size < REQUEST_SIZE_MIN) this.dropped.malformed++;
        else if (self !== undefined) {
          this.#requests.handleRequest(now, self, frame, from, this.#phase === "leaving");
        }
        return;
      case "connectionTermination": {
        const connection = this.#connections.find(frame.sender, frame.connection);
        if (connection !== undefined) return connection.handleFrames(now, header, [frame], from);
        this.#requests.handleCancellation(now, frame, from);
        return this.#acknowledge(frame, from);
      }
      case "connectionAccept": {
        const connection = this.#connections.get(header.connection);
        if (connection !== undefined) return connection.repeatAck();
        return this.#requests.handleFrame(now, header, frame, from);
      }
      case "connectionTerminationAck":
        if (this.#connections.handleFrames(now, header, [frame], from)) return;
        return this.#requests.handleFrame(now, header, frame, from);
      default:
        return this.#requests.handleFrame(now, header, frame, from);
    }
  }

  #acknowledgeFirst(frames: readonly Frame[], from: Address): void {
    const frame = frames.find(({ kind }) => kind === "connectionTermination");
    if (frame?.kind === "connectionTermination") this.#acknowledge(frame, from);
  }

  /** Acknowledges the Termination of something that this client does not know (any more). */
  #acknowledge(frame: ConnectionTermination, from: Address): void {
    const header = { type: DatagramType.Handshake, connection: frame.connection, packet: 0 };
    const sender = this.#link.id ?? 0;
    this.#requests.answer(header, { kind: "connectionTerminationAck", sender, finalSeq: 0 }, from);
  }

  #handleVersion(version: number, header: Header, from: Address): void {
    this.dropped.otherVersion++;
    if (header.type !== DatagramType.Version) {
      return this.#requests.reply({ bytes: encodeVersionAnswer(header), to: from });
    }
    this.#link.handleVersion(version, from);
    const request = this.#requests.outgoing?.request;
    if (request === undefined || !sameAddress(request.address, from)) return;
    this.#requests.giveUp();
    const who = `Client ${request.ends.remote}`;
    this.#fail("version", `${who} speaks version ${version}, this client ${VERSION}`);
  }

  /** Passes on what the parts have to tell, until nothing moves any more. */
  #collect(now: Instant): void {
    for (;;) {
      const linkEvent = this.#link.pollEvent(now);
      if (linkEvent !== undefined) {
        this.#handleLinkEvent(now, linkEvent);
        continue;
      }
      const told = this.#connections.pollEvent();
      if (told !== undefined) {
        this.#tell(told.event);
        const { remote, remoteConnection } = told.connection.ends;
        if (told.event.kind === "terminated") this.#requests.end(now, remote, remoteConnection);
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
        return this.#handleFound(now, event.id, event.address);
      case "ended":
        return this.#leave(event.acknowledged);
    }
  }

  #handleFound(now: Instant, id: number, address: Address): void {
    const self = this.#self();
    const { outgoing } = this.#requests;
    if (outgoing === undefined || outgoing.request !== undefined || self === undefined) return;
    if (id === self.id) {
      this.#requests.giveUp();
      return this.#fail("self", "That is you");
    }
    const pending = this.#requests.findPending(id);
    if (pending === undefined) return this.#requests.request(now, self, id, address);
    this.#requests.giveUp();
    this.#requests.accept(now, self.name, pending);
  }

  #leave(acknowledged: boolean): void {
    const { undelivered } = this.#connections;
    this.#tell({ kind: "left", undelivered, acknowledged });
    this.#phase = "left";
  }
}
