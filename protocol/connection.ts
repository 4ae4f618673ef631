/**
 * A connection between two clients, from its acceptance to its end.
 *
 * The states and what leads from one to the next are in `protocol/README.md`, "A connection".
 *
 * @module
 */
import type { Address } from "./address.ts";
import { DatagramWriter, encodeDatagram } from "./datagram.ts";
import type { Driven, Instant, Transmit } from "./driven.ts";
import { DatagramType, type Frame, type Header, type Message } from "./frame.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import type { RttEstimator } from "./rtt.ts";
import { type Delivery, SendQueue } from "./send_queue.ts";
import { Timers } from "./timers.ts";

/** Milliseconds of silence from the other after which a Connection Keepalive asks for an Ack. */
export const CONNECTION_KEEPALIVE = 10_000;
/** Milliseconds of silence from the other after which the connection is ended locally. */
export const CONNECTION_TIMEOUT = 60_000;
/** How often a Termination is sent before the connection is ended without its ack. */
export const TERMINATION_TRIES = 3;
/** Milliseconds that the retransmission timeout of a Termination is at least. */
export const TERMINATION_RTO_MIN = 1_000;
/** Milliseconds that either end waits for what was in flight at a termination. */
export const FLUSH_TIMEOUT = 30_000;
/** Milliseconds that an ended connection still acknowledges repeats. */
export const LINGER = 30_000;

/** Who ended a connection; `timeout`: the other was not heard of, or did not acknowledge it. */
export type EndedBy = "local" | "peer" | "timeout";

/** What a connection tells; `seq` counts texts, not Messages. */
export type ConnectionEvent =
  | { kind: "sent"; seq: number }
  | { kind: "delivered"; seq: number; rttMs: number }
  | { kind: "unconfirmed"; seq: number }
  | { kind: "message"; seq: number; text: string }
  | { kind: "terminated"; by: EndedBy; undelivered: number };

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
export interface Ends {
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

type TimerName = "accept" | "keepalive" | "silence" | "termination" | "flush" | "linger";

/** One end of a connection. Feed it the frames of its datagrams, then drain it. */
export class Connection implements Omit<Driven<ConnectionEvent>, "handleDatagram"> {
  /** Both ends. */
  readonly ends: Ends;
  readonly #writer = new DatagramWriter();
  #state: ConnectionState = "open";
  #address: Address;
  readonly #rtt: RttEstimator;
  readonly #sendQueue: SendQueue;
  readonly #receiveQueue = new ReceiveQueue();
  readonly #timers = new Timers<TimerName>();
  #events: ConnectionEvent[] = [];
  #packet: number;
  #highestPacket = -1;
  /** The name that the Accept carries, until the requester is known to have it. */
  #unconfirmedAccept: string | undefined;
  #acceptTransmissions = 0;
  #terminationTransmissions = 0;
  /** The other's final seq, once its Termination Ack came. */
  #remoteFinalSeq: number | undefined;
  readonly #due = {
    accept: false,
    ack: false,
    termination: false,
    terminationAck: false,
    keepalive: false,
  };

  /**
   * Opens a connection that was accepted.
   *
   * @param address where the other was last heard of.
   * @param packet the first packet counter that this end has not used.
   * @param acceptName the responder's name: this end accepted, and has to tell.
   */
  constructor(
    now: Instant,
    ends: Ends,
    address: Address,
    rtt: RttEstimator,
    packet: number,
    acceptName?: string,
  ) {
    this.ends = ends;
    this.#address = address;
    this.#rtt = rtt;
    this.#packet = packet;
    this.#sendQueue = new SendQueue(ends.local, rtt);
    this.#unconfirmedAccept = acceptName;
    this.#due.accept = acceptName !== undefined;
    this.#due.ack = acceptName === undefined;
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

  /** Ends the connection as soon as everything queued is acknowledged. */
  terminate(now: Instant): void {
    if (this.#state !== "open") return;
    this.#state = "draining";
    this.#progress(now);
  }

  /** Ends the connection here and now. */
  abandon(now: Instant, by: EndedBy): void {
    if (this.#state !== "closed" && this.#state !== "gone") this.#close(now, by);
  }

  /** Sends the Accept again: the requester repeated its Request. */
  repeatAccept(): void {
    if (this.#unconfirmedAccept !== undefined) this.#due.accept = true;
  }

  /** The requester got an Accept again: its Ack was lost. */
  repeatAck(): void {
    this.#due.ack = true;
  }

  /** Takes the frames of a Connection datagram that carried this connection's id. */
  handleFrames(now: Instant, header: Header, frames: readonly Frame[], from: Address): void {
    if (this.#state === "gone") return;
    if (header.packet > this.#highestPacket) {
      this.#highestPacket = header.packet;
      this.#address = from;
    }
    if (this.#state !== "closed") this.#hear(now);
    this.#unconfirmedAccept = undefined;
    this.#due.accept = false;
    this.#timers.clear("accept");
    for (const frame of frames) this.#handleFrame(now, frame);
    this.#progress(now);
  }

  /** See {@linkcode Driven}. */
  handleTimeout(now: Instant): void {
    if (this.#isSending()) {
      for (const seq of this.#sendQueue.handleTimeout(now)) {
        this.#events.push({ kind: "unconfirmed", seq });
      }
    }
    if (this.#timers.expire("accept", now)) this.#due.accept = true;
    if (this.#timers.expire("keepalive", now)) {
      this.#due.keepalive = true;
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

  /** See {@linkcode Driven}. */
  nextTimeout(): Instant | undefined {
    const sendTimeout = this.#isSending() ? this.#sendQueue.nextTimeout() : undefined;
    const timeout = this.#timers.next();
    if (sendTimeout === undefined || timeout === undefined) return sendTimeout ?? timeout;
    return Math.min(sendTimeout, timeout);
  }

  /** See {@linkcode Driven}. */
  pollEvent(): ConnectionEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Driven}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#state === "gone") return undefined;
    if (this.#due.accept) return this.#transmitAccept(now);
    const { ack, termination, terminationAck, keepalive } = this.#due;
    const message = this.#isSending() ? this.#sendQueue.due() : undefined;
    const writer = this.#writer;
    const isQuiet = message === undefined && !ack && !termination && !terminationAck && !keepalive;
    if (isQuiet) return undefined;
    const { local, localConnection, remoteConnection } = this.ends;
    writer.start({
      type: DatagramType.Connection,
      connection: remoteConnection,
      packet: this.#packet,
    });
    if (ack || termination) writer.add(this.#receiveQueue.ack());
    if (keepalive) writer.add({ kind: "connectionKeepalive" });
    const { finalSeq } = this.#sendQueue;
    if (terminationAck) writer.add({ kind: "connectionTerminationAck", sender: local, finalSeq });
    if (termination) {
      writer.add({
        kind: "connectionTermination",
        sender: local,
        connection: localConnection,
        finalSeq,
      });
      const timeout = this.#rtt.timeout(++this.#terminationTransmissions, TERMINATION_RTO_MIN);
      this.#timers.set("termination", now + timeout);
    }
    this.#due.ack =
      this.#due.termination =
      this.#due.terminationAck =
      this.#due.keepalive =
        false;
    this.#addMessages(now, message);
    this.#packet++;
    return { bytes: writer.finish(), to: this.#address };
  }

  #addMessages(now: Instant, first: Message | undefined): void {
    for (let message = first; message !== undefined; message = this.#sendQueue.due()) {
      if (!this.#writer.add(message)) return;
      const seq = this.#sendQueue.markSent(now, this.#packet);
      if (seq !== undefined) this.#events.push({ kind: "sent", seq });
    }
  }

  #transmitAccept(now: Instant): Transmit {
    this.#due.accept = false;
    this.#timers.set("accept", now + this.#rtt.timeout(++this.#acceptTransmissions));
    const { local, localConnection, remoteConnection } = this.ends;
    const bytes = encodeDatagram(
      { type: DatagramType.Handshake, connection: remoteConnection, packet: this.#packet++ },
      [{
        kind: "connectionAccept",
        responder: local,
        connection: localConnection,
        name: this.#unconfirmedAccept ?? "",
      }],
    );
    return { bytes, to: this.#address };
  }

  #handleFrame(now: Instant, frame: Frame): void {
    switch (frame.kind) {
      case "message":
        return this.#handleMessage(frame);
      case "ack":
        return this.#deliver(this.#sendQueue.handleAck(now, frame));
      case "connectionKeepalive":
        this.#due.ack = true;
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

  #handleMessage(message: Message): void {
    if (message.sender !== this.ends.remote) return;
    this.#due.ack = true;
    // What comes after the end is not shown to the user, so it must not be acknowledged.
    if (this.#state === "closed") return;
    const reception = this.#receiveQueue.handleMessage(message);
    if (reception.outcome !== "new") return;
    for (const { seq, text } of reception.texts) this.#events.push({ kind: "message", seq, text });
  }

  #deliver(deliveries: readonly Delivery[]): void {
    if (this.#state === "closed") return;
    for (const { seq, rttMs } of deliveries) this.#events.push({ kind: "delivered", seq, rttMs });
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
    this.#due.accept = this.#due.termination = this.#due.keepalive = false;
    this.#events.push({ kind: "terminated", by, undelivered: this.#sendQueue.undelivered });
  }

  #isSending(): boolean {
    return this.#state !== "closed" && this.#state !== "gone";
  }

  #hear(now: Instant): void {
    this.#timers.set("keepalive", now + CONNECTION_KEEPALIVE);
    this.#timers.set("silence", now + CONNECTION_TIMEOUT);
  }
}
