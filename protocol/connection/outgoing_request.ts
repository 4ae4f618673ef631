/**
 * A Connection Request that this client makes, until it is decided.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import { decodeFrames } from "../wire/datagram.ts";
import type { Instant, Machine, Random, Transmit } from "../machine.ts";
import { type CookieReply, DatagramType, type Frame, HEADER_SIZE } from "../wire/frame.ts";
import {
  COOKIE_LIFE,
  decodeAcceptContent,
  encodeRequest,
  encodeRequestContent,
  encodeSealed,
  mac1Of,
  openCookie,
  PROLOGUE,
  requesterEarlySeals,
  type Seals,
  type SessionKeys,
  sessionKeys,
} from "../session/handshake.ts";
import { Initiator } from "../crypto/noise.ts";
import { RttEstimator } from "../recovery/rtt.ts";
import { RESEND_INTERVAL, type TimerPolicy } from "../recovery/timer_policy.ts";
import { TERMINATION_RTO_MIN, TERMINATION_TRIES } from "./connection.ts";
import { Timers } from "../timers.ts";
import { type KeyPair, makeKeyPair } from "../crypto/x25519.ts";

/** Milliseconds without any answer after which a requester gives up. */
export const REQUEST_SILENCE_LIMIT = 120_000;
/**
 * Milliseconds without any answer after which the handshake is begun anew: the responder may have
 * forgotten the request, and would take the old message one for a recording.
 */
export const HANDSHAKE_RENEWAL = 30_000;
/** Milliseconds without a decision after which a requester gives up. */
export const RING_LIMIT = 600_000;
/**
 * Milliseconds that a responder has to answer after all when a Version datagram came, as if from it:
 * anybody can forge one.
 */
export const VERSION_PATIENCE = 12_000;

/** What a request tells. */
export type OutgoingRequestEvent =
  /** It was sent for the `attempt`th time and will be again in `nextInMs` milliseconds. */
  | { kind: "requesting"; attempt: number; nextInMs: number }
  | { kind: "ringing" }
  | {
    kind: "accepted";
    connection: number;
    name: string;
    timestamp: bigint;
    sessionKeys: SessionKeys;
    from: Address;
  }
  | { kind: "rejected"; reason: number }
  /** The other end speaks another version: it said so, and nothing else. */
  | { kind: "otherVersion"; version: number }
  /** Nothing came back, or no decision. */
  | { kind: "timeout" };

/** Who asks whom, and under which connection id. */
export interface RequestIds {
  /** The requester's client id. */
  readonly local: number;
  /** The requester's name, empty for none. */
  readonly localName: string;
  /** The responder's client id. */
  readonly remote: number;
  /** The requester's connection id. */
  readonly localConnection: number;
  /** The responder's static key. */
  readonly remoteKey: Uint8Array;
}

type State = "requesting" | "cancelling" | "decided";

/** A handshake that was begun. */
interface Begun {
  readonly initiator: Initiator;
  readonly messageOne: Uint8Array;
  readonly early: Seals;
}

/** One attempt to connect. Feed it the Handshake frames for its connection id, then drain it. */
export class OutgoingRequest implements Machine<OutgoingRequestEvent> {
  /** Who asks whom. */
  readonly ids: RequestIds;
  /** Becomes the connection's, with the sample that the first Ringing gave. */
  readonly rtt: RttEstimator;
  readonly #to: Address;
  readonly #timers = new Timers<"resend" | "silence" | "ring" | "version">();
  #events: OutgoingRequestEvent[] = [];
  #state: State = "requesting";
  #isDue = true;
  #attempt = 0;
  #lastSentAt: Instant = 0;
  #isRinging = false;
  /** Whether anything authentic came back. */
  #isHeard = false;
  #version = 0;
  #packet = 0;
  readonly #identity: KeyPair;
  readonly #random: Random;
  readonly #madeAt: Instant;
  readonly #timestamp: bigint;
  /** Newest first; the responder may have answered an older one. */
  readonly #handshakes: Begun[];
  /** The one that the responder answered last, else the newest. */
  #handshake: Begun;
  #heardAt: Instant;
  #mac1 = new Uint8Array();
  #cookie: { bytes: Uint8Array; until: Instant } | undefined;

  /**
   * Makes the request; it is sent at the next pollTransmit().
   *
   * @param timestamp higher than that of any request which this identity made before.
   * @throws where the responder's key is a weak one.
   */
  constructor(
    now: Instant,
    ids: RequestIds,
    to: Address,
    policy: TimerPolicy,
    identity: KeyPair,
    timestamp: bigint,
    random: Random,
  ) {
    this.ids = ids;
    this.#to = to;
    this.rtt = new RttEstimator(policy);
    this.#identity = identity;
    this.#random = random;
    this.#timestamp = timestamp;
    this.#madeAt = now;
    this.#heardAt = now;
    this.#handshake = this.#begin(now);
    this.#handshakes = [this.#handshake];
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

  /** Takes a Handshake datagram that carried this request's connection id; false where it is no good. */
  handleDatagram(now: Instant, datagram: Uint8Array, packet: number, from: Address): boolean {
    if (this.#state === "decided") return false;
    const header = datagram.subarray(0, HEADER_SIZE);
    for (const handshake of this.#handshakes) {
      const { opener } = handshake.early;
      const plain = opener.open(packet, header, datagram.subarray(HEADER_SIZE));
      const decoded = plain && decodeFrames(plain);
      if (decoded === undefined) continue;
      this.#handshake = handshake;
      this.#heardAt = now;
      this.#isHeard = true;
      this.#timers.clear("version");
      for (const frame of decoded.frames) this.#handleFrame(now, frame, from);
      return true;
    }
    return false;
  }

  /** Takes a cookie: the next Request will show it. */
  handleCookie(now: Instant, frame: CookieReply): void {
    const bytes = openCookie(frame, this.ids.remoteKey, this.#mac1);
    if (bytes !== undefined) this.#cookie = { bytes, until: now + COOKIE_LIFE };
  }

  /** Takes a Version datagram from where the request goes to: it counts if nothing better comes. */
  handleVersion(now: Instant, version: number): void {
    if (this.#state !== "requesting" || this.#isHeard) return;
    this.#version = version;
    if (this.#timers.get("version") === undefined) {
      this.#timers.set("version", now + VERSION_PATIENCE);
    }
  }

  #handleFrame(now: Instant, frame: Frame, from: Address): void {
    if (this.#state === "cancelling") {
      const isOver = frame.kind === "connectionTerminationAck" || frame.kind === "connectionReject";
      if (isOver) this.#decide();
      return;
    }
    if (this.#state !== "requesting") return;
    if (frame.kind === "ringing") this.#handleRinging(now);
    if (frame.kind === "connectionAccept") this.#handleAccept(frame.messageTwo, from);
    if (frame.kind === "connectionReject") {
      this.#decide();
      this.#events.push({ kind: "rejected", reason: frame.reason });
    }
  }

  #handleAccept(messageTwo: Uint8Array, from: Address): void {
    this.#decide();
    const result = this.#handshake.initiator.readMessageTwo(messageTwo);
    const content = result && decodeAcceptContent(result.payload);
    const isGood = content?.responder === this.ids.remote && content.connection !== 0;
    if (result === undefined || content === undefined || !isGood) {
      // Only the responder itself can have made this: there is no better Accept to wait for.
      this.#events.push({ kind: "timeout" });
      return;
    }
    const { connection, name, timestamp } = content;
    const keys = sessionKeys(result, this.#handshake.early, this.ids.remoteKey);
    this.#events.push({ kind: "accepted", connection, name, timestamp, sessionKeys: keys, from });
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("resend", now)) {
      if (this.#state === "cancelling" && this.#attempt === TERMINATION_TRIES) {
        return this.#decide();
      }
      this.#isDue = true;
    }
    if (this.#timers.expire("version", now)) {
      this.#decide();
      this.#events.push({ kind: "otherVersion", version: this.#version });
    }
    if (this.#timers.expire("silence", now) || this.#timers.expire("ring", now)) {
      this.#decide();
      this.#events.push({ kind: "timeout" });
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** When the Request is sent again. */
  get nextAt(): Instant | undefined {
    return this.#timers.get("resend");
  }

  /** See {@linkcode Machine}. */
  pollEvent(): OutgoingRequestEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
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
    const bytes = isCancelling ? this.#encodeCancellation() : this.#encodeRequest(now);
    return { bytes, to: this.#to };
  }

  #begin(now: Instant): Begun {
    const { remoteKey, local, localName, remote } = this.ids;
    const ephemeral = makeKeyPair(this.#random);
    const initiator = new Initiator(this.#identity, ephemeral, remoteKey, PROLOGUE);
    const timestamp = this.#timestamp + BigInt(Math.floor(now - this.#madeAt));
    const content = { requester: local, responder: remote, timestamp, name: localName };
    const messageOne = initiator.writeMessageOne(encodeRequestContent(content));
    if (messageOne === undefined) throw new RangeError("Cannot agree with a weak key");
    return { initiator, messageOne, early: requesterEarlySeals(initiator.earlyKeys()) };
  }

  #encodeRequest(now: Instant): Uint8Array {
    if (now >= this.#heardAt + HANDSHAKE_RENEWAL) {
      this.#heardAt = now;
      this.#handshake = this.#begin(now);
      this.#handshakes.unshift(this.#handshake);
    }
    const { localConnection, remoteKey } = this.ids;
    const cookie = this.#cookie !== undefined && now < this.#cookie.until
      ? this.#cookie.bytes
      : undefined;
    const bytes = encodeRequest(
      localConnection,
      this.#packet++,
      this.#handshakes[0]!.messageOne,
      remoteKey,
      cookie,
    );
    this.#mac1 = mac1Of(bytes).slice();
    return bytes;
  }

  #encodeCancellation(): Uint8Array {
    const { local, localConnection } = this.ids;
    return encodeSealed(DatagramType.Handshake, localConnection, this.#handshake.early.sealer, [
      { kind: "connectionTermination", sender: local, connection: localConnection, finalSeq: 0 },
    ]);
  }

  #handleRinging(now: Instant): void {
    if (this.#attempt === 1 && !this.#isRinging) this.rtt.sample(now - this.#lastSentAt);
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
