/**
 * A connection between two clients, from its acceptance to its end.
 *
 * The states and what leads from one to the next are in `protocol/README.md`, "A connection".
 *
 * @module
 */
import type { Address } from "./address.ts";
import { TAG_SIZE } from "./aead.ts";
import { DatagramWriter, decodeFrames } from "./datagram.ts";
import type { Driven, Instant, Random, Transmit } from "./driven.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame, HEADER_SIZE, type Message } from "./frame.ts";
import type { ConnectionEvent, ConnectionState, EndedBy, Ends } from "./ends.ts";
import { type Agreement, encodeSealed, sealDatagram } from "./handshake.ts";
import { Path } from "./path.ts";
import { ReceiveQueue } from "./receive_queue.ts";
import { RTO_INITIAL, type RttEstimator } from "./rtt.ts";
import { type Delivery, SendQueue } from "./send_queue.ts";
import { earlier, Timers } from "./timers.ts";

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

type TimerName = "accept" | "keepalive" | "silence" | "termination" | "flush" | "linger";

/** One end of a connection. Feed it the frames of its datagrams, then drain it. */
export class Connection implements Omit<Driven<ConnectionEvent>, "handleDatagram"> {
  /** Both ends. */
  readonly ends: Ends;
  /** The handshake that it came from. */
  readonly agreement: Agreement;
  readonly #writer = new DatagramWriter(DATAGRAM_SIZE_MAX - TAG_SIZE);
  readonly #path: Path;
  #state: ConnectionState = "open";
  readonly #rtt: RttEstimator;
  readonly #sendQueue: SendQueue;
  readonly #receiveQueue = new ReceiveQueue();
  readonly #timers = new Timers<TimerName>();
  #events: ConnectionEvent[] = [];
  /** Whether this end accepted, and the requester may not know it yet. */
  #isUnconfirmed: boolean;
  #acceptTransmissions = 0;
  #terminationTransmissions = 0;
  /** The other's final seq, once its Termination Ack came. */
  #remoteFinalSeq: number | undefined;
  readonly #due = {
    accept: false,
    earlyAck: false,
    ack: false,
    termination: false,
    terminationAck: false,
    keepalive: false,
  };

  /**
   * Opens a connection that was accepted.
   *
   * @param address where the other was last heard of.
   * @param agreement with message two, this end accepted, and has to tell.
   */
  constructor(
    now: Instant,
    ends: Ends,
    address: Address,
    rtt: RttEstimator,
    agreement: Agreement,
    random: Random,
  ) {
    this.ends = ends;
    this.agreement = agreement;
    this.#path = new Path(address, random);
    this.#rtt = rtt;
    this.#sendQueue = new SendQueue(ends.local, rtt);
    this.#isUnconfirmed = agreement.messageTwo !== undefined;
    this.#due.accept = this.#isUnconfirmed;
    this.#due.ack = !this.#isUnconfirmed;
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

  /** Sends the Accept again: the requester repeated its Request, from this address. */
  repeatAccept(from: Address): void {
    if (!this.#isUnconfirmed) return;
    this.#path.accept(from);
    this.#acceptTransmissions = 0;
    this.#due.accept = true;
  }

  /**
   * Takes a Handshake or Connection datagram for this connection.
   *
   * @returns false where it came before, or is not authentic; then nothing changed.
   */
  handleDatagram(now: Instant, datagram: Uint8Array, packet: number, from: Address): boolean {
    if (this.#state === "gone") return false;
    const { early, seals } = this.agreement;
    const isEarly = datagram[3] === DatagramType.Handshake;
    const { opener } = isEarly ? early : seals;
    const highest = opener.highest;
    const [header, sealed] = [datagram.subarray(0, HEADER_SIZE), datagram.subarray(HEADER_SIZE)];
    const plain = opener.open(packet, header, sealed);
    const decoded = plain && decodeFrames(plain);
    const patience = this.#rtt.srtt === undefined ? RTO_INITIAL : 3 * this.#rtt.srtt;
    if (!decoded?.ok) {
      const mayBeCopy = !isEarly && this.#path.mayBeCopy(now, packet, from);
      if (mayBeCopy && opener.isAuthentic(packet, header, sealed)) {
        this.#path.handleCopy(now, datagram.length, from, patience);
      }
      return false;
    }
    if (this.#isUnconfirmed) this.#path.settle(from);
    const isNewest = packet > highest;
    const size = datagram.length;
    const arrival = {
      size,
      packet: isEarly ? undefined : packet,
      frames: decoded.frames,
      isNewest,
      from,
    };
    this.#path.handleDatagram(now, arrival, patience);
    if (isEarly) this.#handleEarly(now, decoded.frames);
    else this.#handleFrames(now, decoded.frames, from);
    this.#progress(now);
    return true;
  }

  /** What was said before the other had message two: a repeated Accept, or a cancellation. */
  #handleEarly(now: Instant, frames: readonly Frame[]): void {
    if (this.agreement.messageTwo === undefined) {
      // The requester got an Accept again: its Ack was lost.
      if (frames.some(({ kind }) => kind === "connectionAccept")) this.#due.ack = true;
      return;
    }
    // Who has said something on the connection itself cannot have cancelled the request for it.
    const isOpen = this.#state === "open" || this.#state === "draining";
    if (isOpen && !this.#isUnconfirmed) return;
    for (const frame of frames) {
      if (frame.kind !== "connectionTermination") continue;
      this.#due.earlyAck = true;
      this.#confirmAccept();
      this.#handleTermination(now);
      this.#due.terminationAck = false;
    }
  }

  #handleFrames(now: Instant, frames: readonly Frame[], from: Address): void {
    if (this.#state !== "closed") this.#hear(now);
    this.#confirmAccept();
    for (const frame of frames) {
      if (frame.kind === "pathChallenge") this.#path.handleChallenge(frame, from);
      else if (frame.kind === "pathResponse") this.#path.handleResponse(now, frame, from);
      else this.#handleFrame(now, frame);
    }
  }

  #confirmAccept(): void {
    this.#isUnconfirmed = false;
    this.#due.accept = false;
    this.#timers.clear("accept");
  }

  /** See {@linkcode Driven}. */
  handleTimeout(now: Instant): void {
    if (this.#isSending()) {
      for (const seq of this.#sendQueue.handleTimeout(now)) {
        this.#events.push({ kind: "unconfirmed", seq });
      }
    }
    this.#path.handleTimeout(now);
    if (this.#timers.expire("accept", now)) this.#due.accept = true;
    if (this.#timers.expire("keepalive", now)) {
      this.#due.keepalive = !this.#isUnconfirmed;
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
    return earlier(sendTimeout, earlier(this.#timers.next(), this.#path.nextTimeout()));
  }

  /** See {@linkcode Driven}. */
  pollEvent(): ConnectionEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Driven}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#state === "gone") return undefined;
    const early = this.#transmitEarly(now) ?? this.#transmitPathFrame();
    if (early !== undefined) return early;
    const { ack, termination, terminationAck, keepalive } = this.#due;
    // What goes to an address that nobody has shown to be good must be little.
    const message = this.#isSending() && !this.#isUnconfirmed ? this.#sendQueue.due() : undefined;
    const writer = this.#writer;
    const isQuiet = message === undefined && !ack && !termination && !terminationAck && !keepalive;
    if (isQuiet) return undefined;
    const { local, localConnection, remoteConnection } = this.ends;
    const { sealer } = this.agreement.seals;
    const { packet } = sealer;
    writer.start({ type: DatagramType.Connection, connection: remoteConnection, packet });
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
    this.#addMessages(now, message, packet);
    return { bytes: sealDatagram(sealer, writer.finish()), to: this.#path.address };
  }

  #addMessages(now: Instant, first: Message | undefined, packet: number): void {
    for (let message = first; message !== undefined; message = this.#sendQueue.due()) {
      if (!this.#writer.add(message)) return;
      const seq = this.#sendQueue.markSent(now, packet);
      if (seq !== undefined) this.#events.push({ kind: "sent", seq });
    }
  }

  /** What the requester can open without message two. */
  #transmitEarly(now: Instant): Transmit | undefined {
    const { local, remoteConnection: connection } = this.ends;
    const { early, messageTwo } = this.agreement;
    const frames: Frame[] = [];
    if (this.#due.accept && messageTwo !== undefined) {
      frames.push({ kind: "connectionAccept", messageTwo });
      const timeout = this.#rtt.timeout(++this.#acceptTransmissions);
      const isLast = this.#acceptTransmissions >= ACCEPT_TRIES;
      this.#timers.set("accept", isLast ? undefined : now + timeout);
    }
    if (this.#due.earlyAck) {
      frames.push({ kind: "connectionTerminationAck", sender: local, finalSeq: 0 });
    }
    this.#due.accept = this.#due.earlyAck = false;
    if (frames.length === 0) return undefined;
    const bytes = encodeSealed(DatagramType.Handshake, connection, early.sealer, frames);
    return { bytes, to: this.#path.address };
  }

  #transmitPathFrame(): Transmit | undefined {
    const next = this.#path.pollFrame();
    if (next === undefined) return undefined;
    const { remoteConnection } = this.ends;
    const { sealer } = this.agreement.seals;
    const bytes = encodeSealed(DatagramType.Connection, remoteConnection, sealer, [next.frame]);
    return { bytes, to: next.to };
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
