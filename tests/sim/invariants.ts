/**
 * Rules that every client of a simulated network keeps, whatever happens to it.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Instant } from "../../protocol/machine.ts";
import { type Ack, DatagramType } from "../../protocol/wire/frame.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Datagram } from "./datagram.ts";
import type { SeenFrame } from "../support/plaintext_log.ts";

/** Milliseconds between two transmissions, as the user set them. */
export const RESEND_AFTER = 10_000;
/** Milliseconds above which a transmission is late. */
export const RESEND_LATEST = 10_100;

/** Something that is sent until it is acknowledged. */
interface Unacked {
  last: Instant;
  /** For a Message: the connection id that it goes to, and its seq. */
  message: { connection: number; seq: number } | undefined;
}

/**
 * Watches when one run of a client sends again what is not acknowledged: with fixed timers after
 * 10 s and never earlier, with adaptive ones after 10 s at the latest.
 */
export class RetransmissionRule {
  readonly #mode: TimerMode;
  readonly #unacked = new Map<string, Unacked>();
  /** The connection ids of ends that this client sends to, by its own. */
  readonly #remotes = new Map<number, number>();
  #registeringAt: Instant = -Infinity;
  /** How many were sent again. */
  retransmissions = 0;

  constructor(mode: TimerMode) {
    this.#mode = mode;
  }

  /** Takes a datagram that the client sent. */
  noteSent(datagram: Datagram): void {
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

  /** Takes a datagram that reached the client. */
  noteDelivered(datagram: Datagram): void {
    const { decoded } = datagram;
    if (!decoded.ok) return;
    const { connection } = decoded.header;
    for (const frame of decoded.frames) {
      // The first one counts: another is somebody's recording.
      if (frame.kind === "connectionAccept" && !this.#remotes.has(connection)) {
        if (frame.content !== undefined) this.#remotes.set(connection, frame.content.connection);
      }
      if (frame.kind === "ack") this.#acknowledge(this.#remotes.get(connection), frame);
    }
  }

  /** Checks that no Message to an end was left waiting; the connection is over, or the run is. */
  end(now: Instant, connection?: number): void {
    for (const [key, { last, message }] of this.#unacked) {
      if (message === undefined) continue;
      if (connection !== undefined && message.connection !== connection) continue;
      this.#unacked.delete(key);
      assert(now - last <= RESEND_LATEST, `${key} was not sent again for ${now - last} ms`);
    }
  }

  #check(key: string, { kind }: SeenFrame, time: Instant, last: Instant): void {
    const gap = time - last;
    this.retransmissions++;
    if (this.#mode === "fixed") {
      assert(gap >= RESEND_AFTER, `${key} was sent again after ${gap} ms`);
    }
    // Questions wait while the client registers again.
    const isQuestion = kind === "lookUp" || kind === "list";
    if (isQuestion && this.#registeringAt >= last) return;
    assert(gap <= RESEND_LATEST, `${key} was sent again only after ${gap} ms`);
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

/** What is the same in all transmissions of a frame that waits for an answer. */
function keyOf(
  frame: SeenFrame,
  type: DatagramType,
  connection: number,
): string | undefined {
  switch (frame.kind) {
    case "message":
      return `message ${connection} ${frame.seq}`;
    case "connectionRequest":
      return `${frame.kind} ${frame.connection}`;
    case "connectionTermination":
      // A request that crossed another is cancelled, and its connection id used again.
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
 * Watches that a run of a client uses each packet counter once with each key, and in order: the
 * counter is the nonce of the seal.
 */
export class PacketRule {
  readonly #last = new Map<string, number>();

  /** Takes a datagram that the client sent. */
  noteSent({ decoded, frames }: Datagram): void {
    if (!decoded.ok) return;
    const { type, connection, packet } = decoded.header;
    const request = frames.find((frame) => frame.kind === "connectionRequest");
    // Of two handshakes under one connection id, begun anew or crossing, each has keys of its own.
    const key = type === DatagramType.ConnectionRequest ? "" : ` with key ${decoded.key}`;
    const isCounted = type === DatagramType.ConnectionRequest ||
      type === DatagramType.Handshake || type === DatagramType.Connection;
    if (!isCounted) return;
    const counter = `type ${type} to ${request?.connection ?? connection}${key}`;
    const last = this.#last.get(counter);
    // The responder's early counter starts at the time.
    const isInOrder = last === undefined
      ? type === DatagramType.Handshake || packet === 0
      : packet === last + 1;
    assert(isInOrder, `packet ${packet} of ${counter} was sent after ${last ?? "none"}`);
    this.#last.set(counter, packet);
  }
}
