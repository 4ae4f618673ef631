/**
 * A Connection Request that this client makes, until it is decided.
 *
 * @module
 */
import type { Address } from "./address.ts";
import { encodeDatagram } from "./datagram.ts";
import type { Driven, Instant, Transmit } from "./driven.ts";
import { DatagramType, type Frame, type Header, REQUEST_SIZE_MIN } from "./frame.ts";
import { RESEND_INTERVAL, RttEstimator, type TimerMode } from "./rtt.ts";
import { TERMINATION_RTO_MIN, TERMINATION_TRIES } from "./connection.ts";
import { Timers } from "./timers.ts";

/** Milliseconds without any answer after which a requester gives up. */
export const REQUEST_SILENCE_LIMIT = 120_000;
/** Milliseconds without a decision after which a requester gives up. */
export const RING_LIMIT = 600_000;

/** What a request tells. */
export type OutgoingRequestEvent =
  /** It was sent for the `attempt`th time and will be again in `nextInMs` milliseconds. */
  | { kind: "requesting"; attempt: number; nextInMs: number }
  | { kind: "ringing" }
  | { kind: "accepted"; connection: number; name: string; from: Address }
  | { kind: "rejected"; reason: number }
  /** Nothing came back, or no decision. */
  | { kind: "timeout" };

/** Who asks whom, and under which connection id. */
export interface RequestEnds {
  /** The requester's client id. */
  readonly local: number;
  /** The requester's name, empty for none. */
  readonly localName: string;
  /** The responder's client id. */
  readonly remote: number;
  /** The requester's connection id. */
  readonly localConnection: number;
}

type State = "requesting" | "cancelling" | "decided";

/** One attempt to connect. Feed it the Handshake frames for its connection id, then drain it. */
export class OutgoingRequest implements Omit<Driven<OutgoingRequestEvent>, "handleDatagram"> {
  /** Who asks whom. */
  readonly ends: RequestEnds;
  /** Becomes the connection's, with the sample that the first Ringing gave. */
  readonly rtt: RttEstimator;
  readonly #to: Address;
  readonly #timers = new Timers<"resend" | "silence" | "ring">();
  #events: OutgoingRequestEvent[] = [];
  #state: State = "requesting";
  #isDue = true;
  #attempt = 0;
  #lastSentAt: Instant = 0;
  #isRinging = false;
  #remoteConnection = 0;
  #packet = 0;

  /** Makes the request; it is sent at the next pollTransmit(). */
  constructor(now: Instant, ends: RequestEnds, to: Address, mode: TimerMode) {
    this.ends = ends;
    this.#to = to;
    this.rtt = new RttEstimator(mode);
    this.#timers.set("silence", now + REQUEST_SILENCE_LIMIT);
    this.#timers.set("ring", now + RING_LIMIT);
  }

  /** How often the Request was sent. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Whether the other client said that it rings. */
  get isRinging(): boolean {
    return this.#isRinging;
  }

  /** Whether nothing is left to do. */
  get isDecided(): boolean {
    return this.#state === "decided";
  }

  /** The packet counter of the next datagram. */
  get packet(): number {
    return this.#packet;
  }

  /** Where the request goes to. */
  get address(): Address {
    return this.#to;
  }

  /** Takes the request back: tells the other so, a few times at most. */
  cancel(): void {
    if (this.#state !== "requesting") return;
    this.#state = "cancelling";
    this.#timers.clearAll();
    this.#attempt = 0;
    this.#isDue = true;
  }

  /** Takes a frame of a Handshake datagram that carried this request's connection id. */
  handleFrame(now: Instant, header: Header, frame: Frame, from: Address): void {
    if (this.#state === "cancelling") {
      const isOver = frame.kind === "connectionTerminationAck" || frame.kind === "connectionReject";
      if (isOver) this.#decide();
      if (frame.kind === "connectionAccept") this.#remoteConnection = frame.connection;
      return;
    }
    if (this.#state !== "requesting" || header.type !== DatagramType.Handshake) return;
    const { remote } = this.ends;
    if (frame.kind === "ringing" && frame.responder === remote) {
      this.#handleRinging(now, frame.connection);
    } else if (frame.kind === "connectionAccept" && frame.responder === remote) {
      this.#decide();
      this.#events.push({ kind: "accepted", connection: frame.connection, name: frame.name, from });
    } else if (frame.kind === "connectionReject" && frame.responder === remote) {
      this.#decide();
      this.#events.push({ kind: "rejected", reason: frame.reason });
    }
  }

  /** See {@linkcode Driven}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("resend", now)) {
      if (this.#state === "cancelling" && this.#attempt === TERMINATION_TRIES) {
        return this.#decide();
      }
      this.#isDue = true;
    }
    if (this.#timers.expire("silence", now) || this.#timers.expire("ring", now)) {
      this.#decide();
      this.#events.push({ kind: "timeout" });
    }
  }

  /** See {@linkcode Driven}. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** When the Request is sent again. */
  get nextAt(): Instant | undefined {
    return this.#timers.get("resend");
  }

  /** See {@linkcode Driven}. */
  pollEvent(): OutgoingRequestEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Driven}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (!this.#isDue || this.#state === "decided") return undefined;
    this.#isDue = false;
    this.#attempt++;
    this.#lastSentAt = now;
    const isCancelling = this.#state === "cancelling";
    const timeout = this.#isRinging && !isCancelling
      ? RESEND_INTERVAL
      : this.rtt.timeout(this.#attempt, isCancelling ? TERMINATION_RTO_MIN : undefined);
    this.#timers.set("resend", now + timeout);
    if (!isCancelling) {
      this.#events.push({ kind: "requesting", attempt: this.#attempt, nextInMs: timeout });
    }
    const connection = isCancelling ? this.#remoteConnection : 0;
    const header = { type: DatagramType.Handshake, connection, packet: this.#packet++ };
    const bytes = encodeDatagram(header, [this.#frame()], isCancelling ? 0 : REQUEST_SIZE_MIN);
    return { bytes, to: this.#to };
  }

  #frame(): Frame {
    const { local, localName, remote, localConnection } = this.ends;
    if (this.#state === "cancelling") {
      return {
        kind: "connectionTermination",
        sender: local,
        connection: localConnection,
        finalSeq: 0,
      };
    }
    return {
      kind: "connectionRequest",
      requester: local,
      responder: remote,
      connection: localConnection,
      name: localName,
    };
  }

  #handleRinging(now: Instant, connection: number): void {
    if (this.#attempt === 1 && !this.#isRinging) this.rtt.sample(now - this.#lastSentAt);
    this.#remoteConnection = connection;
    this.#timers.set("silence", now + REQUEST_SILENCE_LIMIT);
    if (this.#isRinging) return;
    this.#isRinging = true;
    this.#timers.set("resend", this.#lastSentAt + RESEND_INTERVAL);
    this.#events.push({ kind: "ringing" });
  }

  #decide(): void {
    this.#state = "decided";
    this.#timers.clearAll();
  }
}
