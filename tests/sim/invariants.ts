/**
 * Invariants of the datagrams that a client sends, whatever happens on the network.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Instant } from "../../protocol/machine.ts";
import { type Ack, DatagramType } from "../../protocol/wire/frame.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Datagram } from "./datagram.ts";
import type { PlainFrame } from "../support/plaintext_log.ts";

/** Milliseconds between two transmissions with fixed timers. */
export const RESEND_AFTER = 10_000;
/** Milliseconds above which a transmission is late. */
export const RESEND_LATEST = 10_100;

/** A frame that is sent until it is acknowledged. */
interface Unacked {
  last: Instant;
  /** For a Message: the remote connection id, and the seq. */
  message: { connection: number; seq: number } | undefined;
}

/**
 * Checks the intervals of retransmission in one run of a client: exactly 10 s with fixed timers, at
 * most 10 s with adaptive ones.
 */
export class RetransmissionCheck {
  readonly #mode: TimerMode;
  readonly #unacked = new Map<string, Unacked>();
  /** Remote connection ids by the local ones. */
  readonly #remotes = new Map<number, number>();
  #registeringAt: Instant = -Infinity;
  /** Retransmitted frames. */
  retransmissions = 0;

  constructor(mode: TimerMode) {
    this.#mode = mode;
  }

  /** Checks a datagram that the client sent. */
  onSent(datagram: Datagram): void {
    const { decoded, time } = datagram;
    if (!decoded.ok) return;
    const { connection, type } = decoded.header;
    for (const frame of decoded.frames) {
      if (frame.kind === "connectionAccept" && frame.content !== undefined) {
        this.#remotes.set(frame.content.connection, connection);
      }
      if (frame.kind === "register") this.#registeringAt = time;
      const key = keyOf(frame, type, connection);
      if (key === undefined) continue;
      const unacked = this.#unacked.get(key);
      if (unacked !== undefined) this.#check(key, frame, time, unacked.last);
      const isMessage = frame.kind === "message" && type === DatagramType.Connection;
      const message = isMessage ? { connection, seq: frame.seq } : undefined;
      this.#unacked.set(key, { last: time, message });
    }
  }

  /** Reads the acks in a datagram that reached the client. */
  onDelivered(datagram: Datagram): void {
    const { decoded } = datagram;
    if (!decoded.ok) return;
    const { connection } = decoded.header;
    for (const frame of decoded.frames) {
      // Only the first Accept counts: a later one is a replay.
      if (frame.kind === "connectionAccept" && !this.#remotes.has(connection)) {
        if (frame.content !== undefined) this.#remotes.set(connection, frame.content.connection);
      }
      if (frame.kind === "ack") this.#acknowledge(this.#remotes.get(connection), frame);
    }
  }

  /** Checks, at the end of a connection or of the run, that no Message is overdue. */
  end(now: Instant, connection?: number): void {
    for (const [key, { last, message }] of this.#unacked) {
      if (message === undefined) continue;
      if (connection !== undefined && message.connection !== connection) continue;
      this.#unacked.delete(key);
      assert(now - last <= RESEND_LATEST, `${key} was not retransmitted for ${now - last} ms`);
    }
  }

  #check(key: string, { kind }: PlainFrame, time: Instant, last: Instant): void {
    const gap = time - last;
    this.retransmissions++;
    if (this.#mode === "fixed") {
      assert(gap >= RESEND_AFTER, `${key} was retransmitted after ${gap} ms`);
    }
    // Queries wait while the client registers again.
    const isQuery = kind === "lookUp" || kind === "list";
    if (isQuery && this.#registeringAt >= last) return;
    assert(gap <= RESEND_LATEST, `${key} was retransmitted after ${gap} ms`);
  }

  #acknowledge(remote: number | undefined, { cumulativeSeq: next, ranges }: Ack): void {
    if (remote === undefined) return;
    for (const [key, { message }] of this.#unacked) {
      if (message?.connection !== remote) continue;
      const { seq } = message;
      const isAcked = seq < next || ranges.some(({ first, last }) => seq >= first && seq <= last);
      if (isAcked) this.#unacked.delete(key);
    }
  }
}

/** Identifies a frame that is retransmitted; undefined for all others. */
function keyOf(
  frame: PlainFrame,
  type: DatagramType,
  connection: number,
): string | undefined {
  switch (frame.kind) {
    case "message":
      return `message ${connection} ${frame.seq}`;
    case "connectionRequest":
      return `${frame.kind} ${frame.connection}`;
    case "connectionTermination":
      // A request that crossed another is cancelled, and its connection id is used again.
      return `${frame.kind} ${type} ${frame.connection}`;
    case "register":
      return `register ${frame.nonce} ${frame.cookie}`;
    case "leaseKeepalive":
    case "lookUp":
    case "list":
    case "leave":
      return `${frame.kind} ${frame.nonce} ${frame.token}`;
    default:
      return undefined;
  }
}

/**
 * Checks that one run of a client uses each packet number once with each key, and in order: the
 * number is the nonce of the AEAD.
 */
export class PacketNumberCheck {
  readonly #last = new Map<string, number>();

  /** Checks a datagram that the client sent. */
  onSent({ decoded, frames }: Datagram): void {
    if (!decoded.ok) return;
    const { type, connection, packet } = decoded.header;
    const request = frames.find((frame) => frame.kind === "connectionRequest");
    // A restarted or crossing handshake has the same connection id and other keys.
    const key = type === DatagramType.ConnectionRequest ? "" : ` with key ${decoded.key}`;
    const isCounted = type === DatagramType.ConnectionRequest ||
      type === DatagramType.Handshake || type === DatagramType.Connection;
    if (!isCounted) return;
    const counter = `type ${type} to ${request?.connection ?? connection}${key}`;
    const last = this.#last.get(counter);
    // The responder's early packet numbers start at the time.
    const isInOrder = last === undefined
      ? type === DatagramType.Handshake || packet === 0
      : packet === last + 1;
    assert(isInOrder, `packet ${packet} of ${counter} was sent after ${last ?? "none"}`);
    this.#last.set(counter, packet);
  }
}
