/**
 * A connection between two clients, from its acceptance to its end.
 *
 * The states and what leads from one to the next are in `protocol/README.md`, "A connection".
 *
 * @module
 */
import { Fifo } from "../fifo.ts";
import type { Instant, Machine, Random, Transmit } from "../machine.ts";
import type { ReceivedPacket } from "../session/path.ts";
import { isCarried, type PathKind, pathKind } from "../wire/remote.ts";
import type { Session, Whereabouts } from "../session/session.ts";
import { earlier, Timers } from "../timers.ts";
import type { Address } from "../wire/address.ts";
import type { Datagram, DatagramWriter } from "../wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  FLAG_RESUMED,
  type Frame,
  type Message,
  NAMED_PACKET_SIZE,
} from "../wire/frame.ts";
import type {
  ConnectionEvent,
  ConnectionIds,
  ConnectionOptions,
  ConnectionState,
  EndedBy,
} from "./connection_event.ts";
import { type Control, controlFrames } from "./control_frames.ts";
import type { ReceivedText, Reception } from "./receive_queue.ts";
import { FLUSH_TIMEOUT, LINGER, TERMINATION_RTO_MIN, TERMINATION_TRIES } from "./ending.ts";
import { Silence } from "./silence.ts";
import { continueTransfer, makeTransfer, type Transfer } from "./transfer.ts";

/** Milliseconds by which a datagram may leave too early: no timer is finer. */
export const TIMER_SLACK = 1;

/** What goes into the next packet. */
type Due = "accept" | Control;

/** One end of a connection. Give it the Packets with its session id, then drain it. */
export class Connection implements Machine<ConnectionEvent> {
  /** Both ends. */
  readonly ids: ConnectionIds;
  /** Set it to let texts wait here until it is false again; terminate() drops what waits. */
  isHeld = false;
  readonly #random: Random;
  #session: Session;
  #openedAt: Instant;
  readonly #silence: Silence;
  #path: PathKind;
  #transfer: Transfer;
  #state: ConnectionState = "open";
  #isConfirmed: boolean;
  /** Whether it ended here without a word to the peer. */
  #isGivenUp = false;
  /** Whether the Accept says that the conversation goes on. */
  #isResumed = false;
  readonly #timers = new Timers<"accept" | "termination" | "flush" | "linger">();
  readonly #events = new Fifo<ConnectionEvent>();
  /** Texts below this were reported as sent. */
  #textsReported = 0;
  #acceptTransmissions = 0;
  #terminationTransmissions = 0;
  /** The peer's final seq; Infinity until its Termination Ack came. */
  #remoteFinalSeq = Infinity;
  readonly #due = new Set<Due>();

  /**
   * Opens a connection that was accepted.
   *
   * @internal
   */
  constructor(now: Instant, options: ConnectionOptions) {
    const { session, ids, isResponder, random } = options;
    this.ids = ids;
    this.#session = session;
    this.#openedAt = now;
    this.#path = pathKind(session.address);
    this.#silence = new Silence(now, session.rtt.policy.repairDelay, isCarried(session.address));
    this.#random = random;
    this.#isConfirmed = !isResponder;
    if (isResponder) this.#due.add("accept");
    this.#transfer = makeTransfer(now, session, ids.local, options);
    if (this.#isConfirmed) this.#transfer.acknowledger.request(now);
  }

  /** The peer's static key. */
  get remoteKey(): Uint8Array {
    return this.#session.remoteKey;
  }

  /** Names the handshake: the same at both ends, and another one where somebody is between them. */
  get handshakeHash(): Uint8Array {
    return this.#session.hash;
  }

  /**
   * What carries it.
   *
   * @internal
   */
  get session(): Session {
    return this.#session;
  }

  /**
   * When the directory is to be asked where the peer is.
   *
   * @internal
   */
  get callAt(): Instant | undefined {
    if (!this.#isSending()) return undefined;
    return this.#silence.recall.callAt(isCarried(this.#session.address), this.#session.isUntold);
  }

  /**
   * Notes that the directory was asked.
   *
   * @internal
   */
  noteCall(now: Instant): void {
    this.#silence.recall.onCall(now, this.#session.isUntold);
  }

  /** The kind of path that is in use. */
  get path(): PathKind {
    return this.#path;
  }

  /** When it was opened, or resumed. */
  get openedAt(): Instant {
    return this.#openedAt;
  }

  /** Whether the requester is known to have the Accept. */
  get isConfirmed(): boolean {
    return this.#isConfirmed;
  }

  /** Where the connection stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Texts that are not known to be delivered. */
  get undelivered(): number {
    return this.#transfer.sendQueue.undelivered;
  }

  /** Queues a text of at most `TEXT_SIZE_MAX` bytes; returns its number, undefined if the queue is full. */
  send(text: string): number | undefined {
    return this.#state === "open" ? this.#transfer.sendQueue.push(text) : undefined;
  }

  /** The user has this text, which a `message` event told, and those before: see `holdsTexts`. */
  take(now: Instant, text: ReceivedText): void {
    if (!this.#transfer.receiveQueue.take(text)) return;
    this.#transfer.acknowledger.request(now);
    this.#progress(now);
  }

  /** The user takes no more texts: the end does not wait for that, and the peer is told so. */
  forsake(now: Instant): void {
    this.#transfer.receiveQueue.forsake();
    this.#progress(now);
  }

  /** Ends the connection as soon as everything queued is acknowledged. */
  terminate(now: Instant): void {
    if (this.#state !== "open") return;
    this.#state = "draining";
    if (this.isHeld) this.#transfer.sendQueue.dropUnsent();
    this.#progress(now);
  }

  /** Ends the connection here and now. */
  abandon(now: Instant, by: EndedBy): void {
    if (this.#isSending()) this.#close(now, by);
  }

  /**
   * Accepts a request of the peer's once more, in another session: the one before ends without a
   * word, and texts that are not known to be delivered go first in this one.
   *
   * @param isReturn whether the peer started again; else it only did not get the Accept.
   * @internal
   */
  resume(now: Instant, session: Session, isReturn: boolean): void {
    this.#session = session;
    this.#openedAt = now;
    this.#transfer = continueTransfer(now, session, this.ids.local, this.#transfer);
    this.#isConfirmed = false;
    this.#isResumed ||= isReturn;
    this.#acceptTransmissions = 0;
    this.#due.add("accept");
    this.#due.delete("keepalive");
    this.#hear(now);
    this.#events.push({ kind: isReturn ? "returned" : "renewed" });
    this.#notePath();
  }

  /**
   * Takes the addresses that the directory has of the peer.
   *
   * @internal
   */
  tell(now: Instant, whereabouts: Whereabouts): void {
    this.#session.tell(now, whereabouts);
    this.#follow(now);
  }

  /** Takes a Packet with this session's id; false where it came before, or is not authentic. */
  handlePacket(now: Instant, datagram: Datagram, from: Address): boolean {
    if (this.#state === "gone") return false;
    const received = this.#session.receive(now, datagram, from);
    if (received !== undefined) this.handleReceived(now, received);
    return received !== undefined;
  }

  /**
   * The same for a packet that the session has received.
   *
   * @internal
   */
  handleReceived(now: Instant, received: ReceivedPacket): void {
    this.#follow(now);
    this.#handleFrames(now, received);
    this.#progress(now);
  }

  /**
   * Asks for a sign of the peer, and sends again what it has not acknowledged: this end slept.
   *
   * @internal
   */
  handleWake(now: Instant, slept: number): void {
    if (!this.#isSending()) return;
    this.#silence.handleWake(now, slept);
    this.#transfer.sendQueue.retry();
  }

  #follow(now: Instant): void {
    const { flight, sendQueue } = this.#transfer;
    if (!flight.follow(now, this.#session.address)) return;
    sendQueue.retry();
    this.#notePath();
  }

  #notePath(): void {
    const { address } = this.#session;
    const [path, before] = [pathKind(address), this.#path];
    this.#path = path;
    if (path === before || !this.#isSending()) return;
    this.#events.push({ kind: "path", path, before, address });
  }

  #handleFrames(now: Instant, { size, frames, isNewest, packet }: ReceivedPacket): void {
    if (this.#state !== "closed") this.#hear(now);
    let hasMessage = false;
    let isNew = false;
    let isOutOfOrder = !isNewest || this.#transfer.receiveQueue.hasGap;
    for (const frame of frames) {
      if (frame.kind === "message") {
        if (frame.sender !== this.ids.remote) continue;
        hasMessage = true;
        const reception = this.#handleMessage(now, frame);
        isNew ||= reception !== "duplicate";
        isOutOfOrder ||= reception === "refused";
      } else if (frame.kind === "connectionKeepalive") {
        this.#confirm();
        this.#rejectUnheard();
        this.#transfer.acknowledger.handleKeepalive(now, packet);
      } else this.#handleFrame(now, frame);
    }
    if (!hasMessage) return;
    this.#confirm();
    isOutOfOrder ||= this.#transfer.receiveQueue.hasGap;
    this.#transfer.acknowledger.handleMessages(now, { packet, size, isNew, isOutOfOrder });
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#isSending()) {
      for (const textSeq of this.#transfer.sendQueue.handleTimeout(now)) {
        this.#events.push({ kind: "unconfirmed", textSeq });
      }
    }
    this.#session.handleTimeout(now);
    this.#follow(now);
    if (this.#timers.expire("accept", now)) this.#due.add("accept");
    if (this.#silence.isKeepaliveDue(now) && this.#isConfirmed) this.#due.add("keepalive");
    if (this.#timers.expire("termination", now)) {
      if (this.#terminationTransmissions < TERMINATION_TRIES) this.#due.add("termination");
      else this.#close(now, "timeout");
    }
    if (this.#timers.expire("flush", now)) this.#close(now, this.#endedBy());
    if (this.#silence.isOver(now)) this.#close(now, "timeout");
    if (this.#timers.expire("linger", now)) {
      this.#state = "gone";
      this.#timers.clearAll();
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    if (this.#state === "gone") return undefined;
    const { flight, sendQueue, acknowledger } = this.#transfer;
    const probeAt = this.#maySend() ? flight.probeAt(sendQueue.sizeUnsent) : undefined;
    const sendTimeout = this.#isSending()
      ? earlier(sendQueue.nextTimeout(), earlier(this.#messagesAt(), probeAt))
      : undefined;
    const timeout = earlier(earlier(sendTimeout, acknowledger.dueAt), this.#silence.nextTimeout());
    return earlier(timeout, earlier(this.#timers.next(), this.#session.nextTimeout()));
  }

  /** See {@linkcode Machine}. */
  pollEvent(): ConnectionEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#state === "gone") return undefined;
    const first = this.#session.pollTransmit() ?? this.#transmitProbe(now);
    if (first !== undefined) return first;
    const due = this.#due;
    const { flight, acknowledger, sendQueue: { finalSeq } } = this.#transfer;
    const hasMessages = (this.#messagesAt() ?? Infinity) <= now + TIMER_SLACK;
    const { dueAt = Infinity } = acknowledger;
    if (!hasMessages && dueAt > now && due.size === 0) return undefined;
    const { ids: { local }, session } = this;
    const packet = session.nextPacket;
    const writer = session.start(hasMessages ? flight.datagramSize : DATAGRAM_SIZE_MAX);
    if (due.has("accept")) this.#addAccept(now, writer);
    if (dueAt < Infinity || due.has("termination")) writer.add(acknowledger.take(now));
    for (const frame of controlFrames(due, local, finalSeq)) writer.add(frame);
    if (due.has("termination")) {
      const timeout = session.rtt.timeout(++this.#terminationTransmissions, TERMINATION_RTO_MIN);
      this.#timers.set("termination", now + timeout);
    }
    if (hasMessages) this.#addMessages(now, packet, writer);
    if (hasMessages || due.has("accept") || due.has("termination")) {
      this.#silence.recall.onAsked(now);
    }
    const bytes = session.seal();
    if (hasMessages || due.has("keepalive")) {
      flight.onSent(now, packet, hasMessages ? bytes.length : 0);
    }
    due.clear();
    return { bytes, to: session.address };
  }

  /** When Messages are to be sent, undefined where none may be. */
  #messagesAt(): Instant | undefined {
    return this.#maySend() && this.#transfer.sendQueue.dueSize > 0
      ? this.#transfer.sendQueue.sendableAt()
      : undefined;
  }

  #addMessages(now: Instant, packet: number, writer: DatagramWriter): void {
    this.#transfer.sendQueue.write(now, packet, writer);
    for (; this.#textsReported < this.#transfer.sendQueue.textsSent; this.#textsReported++) {
      this.#events.push({ kind: "sent", textSeq: this.#textsReported });
    }
  }

  #addAccept(now: Instant, writer: DatagramWriter): void {
    const { local: responder, localName: name } = this.ids;
    const flags = this.#isResumed ? FLAG_RESUMED : 0;
    writer.add({ kind: "connectionAccept", responder, flags, name });
    writer.padTo(NAMED_PACKET_SIZE);
    this.#timers.set("accept", now + this.#session.rtt.timeout(++this.#acceptTransmissions));
  }

  /** What asks whether the path carries larger datagrams. */
  #transmitProbe(now: Instant): Transmit | undefined {
    if (!this.#maySend()) return undefined;
    const { session } = this;
    const { flight, sendQueue } = this.#transfer;
    const probe = flight.pollProbe(now, sendQueue.sizeUnsent, this.#random);
    return probe && { bytes: session.encode(probe.frame, probe.size), to: session.address };
  }

  #handleFrame(now: Instant, frame: Frame): void {
    switch (frame.kind) {
      case "connectionRequest":
        // The requester does not know the Accept yet, and may be too late for it.
        if (this.#state === "closed") this.#due.add("reject");
        else if (!this.#isConfirmed) this.#due.add("accept");
        return;
      case "connectionReject":
        // It is over there already, and this end did not hear of it.
        if (!this.#isSending() || frame.responder !== this.ids.remote) return;
        return this.#close(now, this.#state === "terminating" ? "local" : "peer");
      case "connectionAccept":
        // The responder does not know that the Accept came.
        return this.#isSending() ? this.#transfer.acknowledger.request(now) : undefined;
      case "ack":
        this.#confirm();
        if (this.#state === "closed") return;
        for (const each of this.#transfer.sendQueue.handleAck(now, frame)) this.#events.push(each);
        return;
      case "connectionTermination":
        return frame.sender === this.ids.remote ? this.#handleTermination(now) : undefined;
      case "connectionTerminationAck":
        if (this.#state !== "terminating" || frame.sender !== this.ids.remote) return;
        this.#remoteFinalSeq = frame.finalSeq;
        this.#timers.clear("termination");
        this.#due.delete("termination");
        return;
      case "pathResponse":
        this.#transfer.flight.handleResponse(now, frame.nonce);
    }
  }

  #handleMessage(now: Instant, message: Message): Reception {
    if (this.#state === "closed") {
      // What comes after the end is not shown to the user, so it must not be acknowledged.
      if (message.seq >= this.#transfer.receiveQueue.next) this.#rejectUnheard();
      return "duplicate";
    }
    const reception = this.#transfer.receiveQueue.handleMessage(message, this.#events);
    // Nothing can follow: without an end both would wait for ever.
    if (reception === "violation" && this.#isSending()) this.#terminateNow(now);
    return reception;
  }

  #confirm(): void {
    this.#isConfirmed = true;
    this.#due.delete("accept");
    this.#timers.clear("accept");
  }

  #handleTermination(now: Instant): void {
    this.#confirm();
    this.#due.add("terminationAck");
    if (this.#state !== "open" && this.#state !== "draining") return;
    this.#state = "flushing";
    this.#transfer.sendQueue.dropUnsent();
    this.#timers.set("flush", now + FLUSH_TIMEOUT);
  }

  /** Goes on to the next state where nothing is missing any more. */
  #progress(now: Instant): void {
    if (this.#state === "draining" && this.#transfer.sendQueue.isEmpty) this.#terminateNow(now);
    const { sendQueue, receiveQueue } = this.#transfer;
    const isDone = this.#state === "flushing"
      ? sendQueue.isEmpty
      : this.#state === "terminating" && receiveQueue.isDone(this.#remoteFinalSeq);
    if (isDone) this.#close(now, this.#endedBy());
  }

  #terminateNow(now: Instant): void {
    this.#state = "terminating";
    this.#due.add("termination");
    this.#timers.set("flush", now + FLUSH_TIMEOUT);
  }

  #endedBy(): EndedBy {
    if (this.#state === "flushing") return "peer";
    return this.#remoteFinalSeq < Infinity ? "local" : "timeout";
  }

  #close(now: Instant, by: EndedBy): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#transfer.receiveQueue.close();
    this.#transfer.sendQueue.close();
    const { isForsaken } = this.#transfer.receiveQueue;
    this.#isGivenUp = by === "timeout" || isForsaken;
    this.#timers.clearAll();
    this.#silence.stop();
    this.#timers.set("linger", now + LINGER);
    for (const each of ["accept", "termination", "keepalive"] as const) this.#due.delete(each);
    if (isForsaken) this.#rejectUnheard();
    this.#events.push({ kind: "terminated", by, undelivered: this.undelivered });
  }

  /** Tells a peer that did not hear of the end. */
  #rejectUnheard(): void {
    if (this.#isGivenUp) this.#due.add("reject");
  }

  #isSending(): boolean {
    return this.#state !== "closed" && this.#state !== "gone";
  }

  /** Whether Messages may be sent: not before the requester knows the Accept. */
  #maySend(): boolean {
    return this.#isSending() && this.#isConfirmed && !this.isHeld;
  }

  #hear(now: Instant): void {
    // What was lost meanwhile need not wait for its next turn.
    const wasSilent = this.#silence.onHeard(now, isCarried(this.#session.address));
    if (wasSilent) this.#transfer.sendQueue.retry();
  }
}
