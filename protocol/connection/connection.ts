/**
 * A connection between two clients, from its acceptance to its end.
 *
 * The states and what leads from one to the next are in `protocol/README.md`, "A connection".
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import { Acknowledger } from "./acknowledger.ts";
import { TAG_SIZE } from "../crypto/aead.ts";
import { DatagramWriter, decodeFrames } from "../wire/datagram.ts";
import type { Instant, Machine, Random, Transmit } from "../machine.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  HEADER_SIZE,
  type Message,
} from "../wire/frame.ts";
import { Fifo } from "../fifo.ts";
import { Flight } from "../recovery/flight.ts";
import { encodeSealed, sealInPlace, type SessionKeys } from "../session/handshake.ts";
import { Path, type PathFrame, type ReceivedDatagram } from "../session/path.ts";
import { ReceiveQueue, type Reception } from "./receive_queue.ts";
import type { RttEstimator } from "../recovery/rtt.ts";
import { SendQueue } from "./send_queue.ts";
import { earlier, Timers } from "../timers.ts";

/** Milliseconds of silence from the other after which a Connection Keepalive asks for an Ack. */
export const CONNECTION_KEEPALIVE = 10_000;
/** Milliseconds of silence from the other after which the connection is ended locally. */
export const CONNECTION_TIMEOUT = 60_000;
/** How often an Accept is sent for each Request: to an address that nobody has shown to be good. */
export const ACCEPT_TRIES = 3;
/** How often a Termination is sent before the connection is ended without its ack. */
export const TERMINATION_TRIES = 3;
/** Milliseconds that the retransmission timeout of a Termination is at least. */
export const TERMINATION_RTO_MIN = 1_000;
/** Milliseconds that either end waits for what was in flight at a termination. */
export const FLUSH_TIMEOUT = 30_000;
/** Milliseconds that an ended connection still acknowledges repeats. */
export const LINGER = 30_000;

/** Milliseconds by which a datagram may leave too early: no timer is finer. */
export const TIMER_SLACK = 1;

/** Where a connection stands. */
export type ConnectionState =
  | "open"
  /** The user terminated; what was queued before is still being sent. */
  | "draining"
  /** A Termination was sent; its ack, or something below the final seq in it, is missing. */
  | "terminating"
  /** The other terminated; what was in flight is still being sent. */
  | "flushing"
  /** Over, but repeats are still acknowledged. */
  | "closed"
  /** Nothing is left to do. */
  | "gone";

/** Both ends of a connection. */
export interface ConnectionIds {
  /** This end's client id. */
  readonly local: number;
  /** The other's client id. */
  readonly remote: number;
  /** This end's connection id. */
  readonly localConnection: number;
  /** The other's connection id. */
  readonly remoteConnection: number;
  /** The other's name, empty for none. */
  readonly remoteName: string;
}

/** Who ended a connection; `timeout`: the other was not heard of, or did not acknowledge it. */
export type EndedBy = "local" | "peer" | "timeout";

/** What a connection tells; `seq` counts texts, not Messages. */
export type ConnectionEvent =
  | { kind: "sent"; textSeq: number }
  | { kind: "delivered"; textSeq: number; rttMs: number }
  | { kind: "unconfirmed"; textSeq: number }
  | { kind: "message"; textSeq: number; text: string }
  | { kind: "terminated"; by: EndedBy; undelivered: number };

type TimerName = "keepalive" | "silence" | "termination" | "flush" | "linger";

/** One end of a connection. Feed it the frames of its datagrams, then drain it. */
export class Connection implements Machine<ConnectionEvent> {
  /** Both ends. */
  readonly ids: ConnectionIds;
  /** The handshake that it came from. */
  readonly keys: SessionKeys;
  readonly #writer = new DatagramWriter(DATAGRAM_SIZE_MAX, TAG_SIZE);
  readonly #random: Random;
  readonly #path: Path;
  #state: ConnectionState = "open";
  readonly #rtt: RttEstimator;
  readonly #flight: Flight;
  readonly #sendQueue: SendQueue;
  readonly #receiveQueue = new ReceiveQueue();
  readonly #acknowledger: Acknowledger;
  readonly #timers = new Timers<TimerName>();
  readonly #events = new Fifo<ConnectionEvent>();
  readonly #accepting: AcceptRetransmitter;
  #terminationTransmissions = 0;
  /** The other's final seq, once its Termination Ack came. */
  #remoteFinalSeq: number | undefined;
  readonly #due = {
    earlyAck: false,
    termination: false,
    terminationAck: false,
    keepalive: false,
  };

  /**
   * Opens a connection that was accepted.
   *
   * @param address where the other was last heard of.
   * @param keys with message two, this end accepted, and has to tell.
   */
  constructor(
    now: Instant,
    ids: ConnectionIds,
    address: Address,
    rtt: RttEstimator,
    keys: SessionKeys,
    random: Random,
  ) {
    this.ids = ids;
    this.keys = keys;
    this.#random = random;
    this.#path = new Path(address, random);
    this.#rtt = rtt;
    this.#flight = new Flight(now, rtt, address);
    this.#sendQueue = new SendQueue(ids.local, rtt, this.#flight);
    this.#accepting = new AcceptRetransmitter(rtt, keys.messageTwo !== undefined);
    this.#acknowledger = new Acknowledger(rtt.policy, this.#receiveQueue, keys.seals.opener);
    if (!this.#accepting.isUnconfirmed) this.#acknowledger.request(now);
    this.#hear(now);
  }

  /** Where the connection stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Texts that are not known to be delivered. */
  get undelivered(): number {
    return this.#sendQueue.undelivered;
  }

  /** Queues a text of at most `TEXT_SIZE_MAX` bytes; returns its number, undefined if the queue is full. */
  send(text: string): number | undefined {
    return this.#state === "open" ? this.#sendQueue.push(text) : undefined;
  }

  /** ConnectionIds the connection as soon as everything queued is acknowledged. */
  terminate(now: Instant): void {
    if (this.#state !== "open") return;
    this.#state = "draining";
    this.#progress(now);
  }

  /** ConnectionIds the connection here and now. */
  abandon(now: Instant, by: EndedBy): void {
    if (this.#isSending()) this.#close(now, by);
  }

  /** Sends the Accept again: the requester repeated its Request, from this address. */
  repeatAccept(from: Address): void {
    if (!this.#accepting.isUnconfirmed) return;
    this.#path.accept(from);
    this.#accepting.repeat();
  }

  /** Takes a datagram; returns false where it came before, or is not authentic: nothing changed. */
  handleDatagram(now: Instant, datagram: Uint8Array, packet: number, from: Address): boolean {
    if (this.#state === "gone") return false;
    const { early, seals } = this.keys;
    const isEarly = datagram[3] === DatagramType.Handshake;
    const { opener } = isEarly ? early : seals;
    const isNewest = packet > opener.highest;
    const [header, sealed] = [datagram.subarray(0, HEADER_SIZE), datagram.subarray(HEADER_SIZE)];
    const plain = opener.open(packet, header, sealed);
    const decoded = plain && decodeFrames(plain);
    const { patience } = this.#rtt;
    if (decoded === undefined) {
      const mayBeCopy = !isEarly && this.#path.mayBeCopy(now, packet, from);
      if (mayBeCopy && opener.isAuthentic(packet, header, sealed)) {
        this.#path.handleCopy(now, datagram.length, from, patience);
      }
      return false;
    }
    if (this.#accepting.isUnconfirmed) this.#path.settle(from);
    const { frames } = decoded;
    const counter = isEarly ? undefined : packet;
    const received = { size: datagram.length, packet: counter, frames, isNewest, from };
    this.#path.handleDatagram(now, received, patience);
    this.#flight.follow(now, this.#path.address);
    if (isEarly) this.#handleEarly(now, frames);
    else this.#handleFrames(now, received, packet);
    this.#progress(now);
    return true;
  }

  /** What was said before the other had message two: a repeated Accept, or a cancellation. */
  #handleEarly(now: Instant, frames: readonly Frame[]): void {
    if (this.keys.messageTwo === undefined) {
      // The requester got an Accept again: its Ack was lost.
      const isAgain = frames.some(({ kind }) => kind === "connectionAccept");
      return isAgain ? this.#acknowledger.request(now) : undefined;
    }
    // Who has said something on the connection itself cannot have cancelled the request for it.
    const isOpen = this.#state === "open" || this.#state === "draining";
    if (isOpen && !this.#accepting.isUnconfirmed) return;
    for (const frame of frames) {
      if (frame.kind !== "connectionTermination") continue;
      this.#due.earlyAck = true;
      this.#accepting.confirm();
      this.#handleTermination(now);
      this.#due.terminationAck = false;
    }
  }

  #handleFrames(
    now: Instant,
    { size, frames, isNewest, from }: ReceivedDatagram,
    packet: number,
  ): void {
    if (this.#state !== "closed") this.#hear(now);
    this.#accepting.confirm();
    let hasMessage = false;
    let isNew = false;
    let isOutOfOrder = !isNewest || this.#receiveQueue.hasGap;
    for (const frame of frames) {
      if (frame.kind === "message") {
        if (frame.sender !== this.ids.remote) continue;
        hasMessage = true;
        const outcome = this.#handleMessage(frame);
        isNew ||= outcome !== "duplicate";
        isOutOfOrder ||= outcome === "refused";
      } else if (frame.kind === "connectionKeepalive") {
        this.#acknowledger.handleKeepalive(now, packet);
      } else if (frame.kind === "pathChallenge") this.#path.handleChallenge(frame, from);
      else if (frame.kind === "pathResponse") {
        this.#path.handleResponse(now, frame, from);
        this.#flight.handleResponse(now, frame.nonce);
      } else this.#handleFrame(now, frame);
    }
    if (!hasMessage) return;
    isOutOfOrder ||= this.#receiveQueue.hasGap;
    this.#acknowledger.handleMessages(now, { packet, size, isNew, isOutOfOrder });
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#isSending()) {
      for (const seq of this.#sendQueue.handleTimeout(now)) {
        this.#events.push({ kind: "unconfirmed", textSeq: seq });
      }
    }
    this.#path.handleTimeout(now);
    this.#flight.follow(now, this.#path.address);
    this.#accepting.handleTimeout(now);
    if (this.#timers.expire("keepalive", now)) {
      this.#due.keepalive = !this.#accepting.isUnconfirmed;
      this.#timers.set("keepalive", now + CONNECTION_KEEPALIVE);
    }
    if (this.#timers.expire("termination", now)) {
      if (this.#terminationTransmissions < TERMINATION_TRIES) this.#due.termination = true;
      else this.#close(now, "timeout");
    }
    if (this.#timers.expire("flush", now)) this.#close(now, this.#endedBy());
    if (this.#timers.expire("silence", now)) this.#close(now, "timeout");
    if (this.#timers.expire("linger", now)) {
      this.#state = "gone";
      this.#timers.clearAll();
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    if (this.#state === "gone") return undefined;
    const probeAt = this.#maySend() ? this.#flight.probeAt(this.#sendQueue.sizeUnsent) : undefined;
    const sendTimeout = this.#isSending()
      ? earlier(this.#sendQueue.nextTimeout(), earlier(this.#messagesAt(), probeAt))
      : undefined;
    const { dueAt } = this.#acknowledger;
    const timeout = earlier(earlier(sendTimeout, dueAt), this.#accepting.nextTimeout());
    return earlier(timeout, earlier(this.#timers.next(), this.#path.nextTimeout()));
  }

  /** See {@linkcode Machine}. */
  pollEvent(): ConnectionEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#state === "gone") return undefined;
    const first = this.#transmitEarly(now) ?? this.#transmitPathFrame(now);
    if (first !== undefined) return first;
    const { termination, terminationAck, keepalive } = this.#due;
    // What goes to an address that nobody has shown to be good must be little.
    const hasMessages = (this.#messagesAt() ?? Infinity) <= now + TIMER_SLACK;
    const { dueAt = Infinity } = this.#acknowledger;
    const isQuiet = !hasMessages && dueAt > now && !termination && !terminationAck && !keepalive;
    if (isQuiet) return undefined;
    const { local, localConnection: connection, remoteConnection } = this.ids;
    const { sealer } = this.keys.seals;
    const { packet } = sealer;
    const writer = this.#writer;
    writer.limit = hasMessages ? this.#flight.datagramSize : DATAGRAM_SIZE_MAX;
    writer.start({ type: DatagramType.Connection, connection: remoteConnection, packet });
    if (dueAt < Infinity || termination) writer.add(this.#acknowledger.take(now));
    if (keepalive) writer.add({ kind: "connectionKeepalive" });
    const { finalSeq } = this.#sendQueue;
    if (terminationAck) writer.add({ kind: "connectionTerminationAck", sender: local, finalSeq });
    if (termination) {
      writer.add({ kind: "connectionTermination", sender: local, connection, finalSeq });
      const timeout = this.#rtt.timeout(++this.#terminationTransmissions, TERMINATION_RTO_MIN);
      this.#timers.set("termination", now + timeout);
    }
    this.#due.termination = this.#due.terminationAck = this.#due.keepalive = false;
    if (hasMessages) this.#addMessages(now, packet);
    const bytes = sealInPlace(sealer, writer.finish());
    if (hasMessages || keepalive) this.#flight.onSent(now, packet, hasMessages ? bytes.length : 0);
    return { bytes, to: this.#path.address };
  }

  /** When Messages are to be sent, undefined where none may be. */
  #messagesAt(): Instant | undefined {
    return this.#maySend() && this.#sendQueue.dueSize > 0
      ? this.#sendQueue.sendableAt()
      : undefined;
  }

  #addMessages(now: Instant, packet: number): void {
    let seq = this.#sendQueue.textsSent;
    this.#sendQueue.write(now, packet, this.#writer);
    for (; seq < this.#sendQueue.textsSent; seq++) {
      this.#events.push({ kind: "sent", textSeq: seq });
    }
  }

  /** What the requester can open without message two. */
  #transmitEarly(now: Instant): Transmit | undefined {
    const { local, remoteConnection: connection } = this.ids;
    const { early, messageTwo } = this.keys;
    const frames: Frame[] = [];
    if (this.#accepting.isDue && messageTwo !== undefined) {
      frames.push({ kind: "connectionAccept", messageTwo });
      this.#accepting.onSent(now);
    }
    if (this.#due.earlyAck) {
      frames.push({ kind: "connectionTerminationAck", sender: local, finalSeq: 0 });
    }
    this.#due.earlyAck = false;
    if (frames.length === 0) return undefined;
    const bytes = encodeSealed(DatagramType.Handshake, connection, early.sealer, frames);
    return { bytes, to: this.#path.address };
  }

  /** What has to go to an address of its own, or asks whether the path carries larger datagrams. */
  #transmitPathFrame(now: Instant): Transmit | undefined {
    const next = this.#path.pollFrame() ?? this.#pollProbe(now);
    if (next === undefined) return undefined;
    const { frame, to, size } = next;
    const { sealer } = this.keys.seals;
    const { Connection: type } = DatagramType;
    return { bytes: encodeSealed(type, this.ids.remoteConnection, sealer, [frame], size), to };
  }

  #pollProbe(now: Instant): PathFrame | undefined {
    if (!this.#maySend()) return undefined;
    const probe = this.#flight.pollProbe(now, this.#sendQueue.sizeUnsent, this.#random);
    return probe && { ...probe, to: this.#path.address };
  }

  #handleFrame(now: Instant, frame: Frame): void {
    switch (frame.kind) {
      case "ack":
        for (const delivery of this.#sendQueue.handleAck(now, frame)) {
          if (this.#state !== "closed") this.#events.push(delivery);
        }
        return;
      case "connectionTermination":
        return this.#handleTermination(now);
      case "connectionTerminationAck":
        if (this.#state !== "terminating") return;
        this.#remoteFinalSeq = frame.finalSeq;
        this.#timers.clear("termination");
        this.#due.termination = false;
    }
  }

  #handleMessage(message: Message): Reception {
    // What comes after the end is not shown to the user, so it must not be acknowledged.
    if (this.#state === "closed") return "duplicate";
    return this.#receiveQueue.handleMessage(message, this.#events);
  }

  #handleTermination(now: Instant): void {
    this.#due.terminationAck = true;
    if (this.#state !== "open" && this.#state !== "draining") return;
    this.#state = "flushing";
    this.#sendQueue.dropUnsent();
    this.#timers.set("flush", now + FLUSH_TIMEOUT);
  }

  /** Goes on to the next state where nothing is missing any more. */
  #progress(now: Instant): void {
    if (this.#state === "draining" && this.#sendQueue.isEmpty) {
      this.#state = "terminating";
      this.#due.termination = true;
      this.#timers.set("flush", now + FLUSH_TIMEOUT);
    }
    const isDone = this.#state === "flushing"
      ? this.#sendQueue.isEmpty
      : this.#state === "terminating" && this.#remoteFinalSeq !== undefined &&
        this.#receiveQueue.next >= this.#remoteFinalSeq;
    if (isDone) this.#close(now, this.#endedBy());
  }

  #endedBy(): EndedBy {
    if (this.#state === "flushing") return "peer";
    return this.#remoteFinalSeq === undefined ? "timeout" : "local";
  }

  #close(now: Instant, by: EndedBy): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#timers.clearAll();
    this.#timers.set("linger", now + LINGER);
    this.#accepting.stop();
    this.#due.termination = this.#due.keepalive = false;
    this.#events.push({ kind: "terminated", by, undelivered: this.#sendQueue.undelivered });
  }

  #isSending(): boolean {
    return this.#state !== "closed" && this.#state !== "gone";
  }

  /** Whether more than an Accept may be sent to where the other end is. */
  #maySend(): boolean {
    return this.#isSending() && !this.#accepting.isUnconfirmed;
  }

  #hear(now: Instant): void {
    this.#timers.set("keepalive", now + CONNECTION_KEEPALIVE);
    this.#timers.set("silence", now + CONNECTION_TIMEOUT);
  }
}

/** Knows whether an Accept is due. */
export class AcceptRetransmitter {
  readonly #rtt: RttEstimator;
  #transmissions = 0;
  #timeoutAt: Instant | undefined;
  /** Whether the requester may not know it yet. */
  isUnconfirmed: boolean;
  /** Whether it is to be sent now. */
  isDue: boolean;

  /** @param isAccepter whether this end accepted. */
  constructor(rtt: RttEstimator, isAccepter: boolean) {
    this.#rtt = rtt;
    this.isUnconfirmed = this.isDue = isAccepter;
  }

  /** The Request came again. */
  repeat(): void {
    this.#transmissions = 0;
    this.isDue = true;
  }

  /** The requester knows, or it does not matter any more. */
  confirm(): void {
    this.isUnconfirmed = false;
    this.stop();
  }

  /** Sends it no more. */
  stop(): void {
    this.isDue = false;
    this.#timeoutAt = undefined;
  }

  /** Notes that it was sent. */
  onSent(now: Instant): void {
    this.isDue = false;
    const timeout = this.#rtt.timeout(++this.#transmissions);
    this.#timeoutAt = this.#transmissions < ACCEPT_TRIES ? now + timeout : undefined;
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    return this.#timeoutAt;
  }

  /** Lets it be sent again when it is time. */
  handleTimeout(now: Instant): void {
    if (this.#timeoutAt === undefined || this.#timeoutAt > now) return;
    this.#timeoutAt = undefined;
    this.isDue = true;
  }
}
