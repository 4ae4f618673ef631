/**
 * A Connection Request that this client makes, until it is decided.
 *
 * It first needs a session with the responder; then it is a frame in that session.
 *
 * @module
 */
import { compareKeys, type KeyPair } from "../crypto/x25519.ts";
import { type Instant, type Machine, type Random, randomU32, type Transmit } from "../machine.ts";
import { RttEstimator } from "../recovery/rtt.ts";
import { RESEND_INTERVAL, type TimerPolicy } from "../recovery/timer_policy.ts";
import { failure, type Result, success } from "../result.ts";
import { OutgoingHandshake } from "../session/outgoing_handshake.ts";
import { PUNCH_SCHEDULE, type ReceivedPacket } from "../session/path.ts";
import type { Session, Whereabouts } from "../session/session.ts";
import { earlier, Timers } from "../timers.ts";
import type { Address } from "../wire/address.ts";
import type { Datagram } from "../wire/datagram.ts";
import { isCarried } from "../wire/remote.ts";
import {
  type ConnectionAccept,
  type CookieReply,
  FLAG_RESUMED,
  type Frame,
  NAMED_PACKET_SIZE,
  type Response,
} from "../wire/frame.ts";
import { Recall } from "./recall.ts";
import { TERMINATION_RTO_MIN, TERMINATION_TRIES } from "./ending.ts";
import { InitiationTargets } from "./initiation_targets.ts";

/** Milliseconds without any answer after which a requester gives up. */
export const REQUEST_SILENCE_LIMIT = 120_000;
/**
 * Milliseconds without any answer in a session after which another one is begun: the responder may
 * have started again, and have forgotten it.
 */
export const SESSION_RENEWAL = 30_000;
/** Milliseconds without a decision after which a requester gives up. */
export const RING_LIMIT = 600_000;
/**
 * Milliseconds that a responder has to answer after all when a Version datagram came, as if from it:
 * anybody can forge one.
 */
export const VERSION_PATIENCE = 12_000;
/**
 * Responses that are tried after each transmission of an Initiation: who sees one can forge more, which
 * cost as much.
 */
export const RESPONSES_MAX = 64;
/** Milliseconds after which the directory is asked to carry the Initiation, where no address answered. */
export const CARRY_AFTER = 300;

/** Milliseconds after which the directory is first asked again, where no Response came. */
export const CALL_AGAIN = 500;

/** What a request reports. */
export type OutgoingRequestEvent =
  /** It was sent for the `attempt`th time and will be again in `nextInMs` milliseconds. */
  | { kind: "requesting"; attempt: number; nextInMs: number }
  | { kind: "ringing" }
  /** `isResumed`: it goes on with the conversation of an earlier session. */
  | { kind: "accepted"; session: Session; name: string; isResumed: boolean }
  | { kind: "rejected"; reason: number }
  /** The peer speaks another version: it said so, and nothing else. */
  | { kind: "otherVersion"; version: number }
  /** Nothing came back, or no decision. */
  | { kind: "timeout" };

/** The two clients of a request. */
export interface RequestIds {
  /** The requester's client id. */
  readonly local: number;
  /** The requester's name, empty for none. */
  readonly localName: string;
  /** The responder's client id. */
  readonly remote: number;
  /** The responder's name, as the directory knows it; empty for none. */
  readonly remoteName: string;
  /** The responder's static key. */
  readonly remoteKey: Uint8Array;
}

/** What a request is made with. */
export interface OutgoingRequestOptions {
  /** The two clients of a request. */
  readonly ids: RequestIds;
  /** Where the responder may be, the best address first, and where this client is. */
  readonly whereabouts: Whereabouts;
  /** Names the meeting: a Punch of the responder has it. */
  readonly number: bigint;
  /** This client's static key. */
  readonly identity: KeyPair;
  /** When to send again. */
  readonly policy: TimerPolicy;
  /** An id for this end of a session, which none of its others has. */
  readonly makeSessionId: () => number;
  /** A cryptographic source. */
  readonly random: Random;
}

type State = "requesting" | "cancelling" | "decided";

/** One attempt to connect. Give it the Responses and Packets with its session id, then drain it. */
export class OutgoingRequest implements Machine<OutgoingRequestEvent> {
  /** The two clients of a request. */
  readonly ids: RequestIds;
  readonly #options: OutgoingRequestOptions;
  /** Names the request in all its sessions. */
  readonly #request: number;
  readonly #timers = new Timers<"resend" | "again" | "carry" | "silence" | "ring" | "version">();
  #events: OutgoingRequestEvent[] = [];
  #state: State = "requesting";
  #handshake: OutgoingHandshake;
  #responses = 0;
  /** Whether the Response is missing: in another handshake, the session before stays in use. */
  #isInitiating = true;
  #session: Session | undefined;
  #isDue = true;
  readonly #targets: InitiationTargets;
  #whereabouts: Whereabouts;
  readonly #recall: Recall;
  /** Calls since the handshake began, and when the last one was. */
  #calls = 1;
  #calledAt: Instant;
  #again = 0;
  #attempt = 0;
  /** Transmissions of the Initiation or the Request of this session, and when the last one was. */
  #transmissions = 0;
  #lastSentAt: Instant = 0;
  /** When the next transmission is the first one of another session. */
  #renewAt: Instant = Infinity;
  #isRinging = false;
  #version = 0;

  private constructor(
    now: Instant,
    options: OutgoingRequestOptions,
    handshake: OutgoingHandshake,
  ) {
    this.ids = options.ids;
    this.#options = options;
    this.#handshake = handshake;
    this.#request = randomU32(options.random);
    this.#targets = new InitiationTargets(options.whereabouts, options.number);
    this.#whereabouts = options.whereabouts;
    this.#recall = new Recall(now, options.policy.repairDelay);
    this.#calledAt = now;
    this.#timers.set("silence", now + REQUEST_SILENCE_LIMIT);
    this.#timers.set("ring", now + RING_LIMIT);
  }

  /** Makes a request, which pollTransmit() sends; a failure where the responder's key is a weak one. */
  static begin(now: Instant, options: OutgoingRequestOptions): Result<OutgoingRequest> {
    const handshake = begin(options);
    return handshake.ok
      ? success(new OutgoingRequest(now, options, handshake.value))
      : failure(handshake.error);
  }

  /** Whether a datagram with this session id is for this request. */
  hasSession(localId: number): boolean {
    return this.#handshake.localId === localId || this.#session?.localId === localId;
  }

  /** What it is sent in, once there was a Response. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** How often it was sent. */
  get attempt(): number {
    return this.#attempt;
  }

  /** When it is sent again. */
  get nextAt(): Instant | undefined {
    return this.#timers.get("resend");
  }

  /** Whether the responder said that it rings. */
  get isRinging(): boolean {
    return this.#isRinging;
  }

  /**
   * Whether this request stays where one of the responder's crosses it: that of the lower static key
   * does, or, between clients of one user, of the lower client id; but not before it has a session.
   */
  get hasPrecedence(): boolean {
    const { local, remote, remoteKey } = this.ids;
    const order = compareKeys(this.#options.identity.publicKey, remoteKey);
    return !this.#isInitiating && (order === 0 ? local < remote : order < 0);
  }

  /**
   * When the directory is to be asked again where the responder is: it may not know this
   * client, or the address of either may have changed.
   */
  get callAt(): Instant | undefined {
    if (this.#state !== "requesting") return undefined;
    const session = this.#session;
    return this.#isInitiating || session === undefined
      ? this.#calledAt +
        this.#options.policy.resendTimeout(CALL_AGAIN, Math.max(1, this.#calls - 1))
      : this.#recall.callAt(isCarried(session.address));
  }

  /** Notes that the directory was asked. */
  noteCall(now: Instant): void {
    this.#calls++;
    this.#calledAt = now;
    this.#recall.onCall(now);
  }

  /** Takes what the directory tells in another meeting, of this number. */
  tell(now: Instant, number: bigint, whereabouts: Whereabouts): void {
    if (this.#state !== "requesting") return;
    this.#whereabouts = whereabouts;
    this.#targets.tell(whereabouts, number);
    this.#session?.tell(now, whereabouts);
    if (!this.#isInitiating || !this.#options.policy.hasLossRecovery) return;
    this.#targets.aim();
    this.#beginSendingAgain(now);
  }

  /** Whether nothing is left to do. */
  get isDecided(): boolean {
    return this.#state === "decided";
  }

  /** Takes the request back: tells the responder so, a few times at most. */
  cancel(): void {
    if (this.#state !== "requesting") return;
    // Without a session nothing has been said yet.
    if (this.#session === undefined) return this.#decide();
    this.#state = "cancelling";
    this.#timers.clearAll();
    this.#transmissions = 0;
    this.#isDue = true;
  }

  /**
   * Takes a Response with this request's session id; false where it is not authentic. The responder is
   * where it came from, if an Initiation went there.
   */
  handleResponse(now: Instant, frame: Response, from: Address): boolean {
    if (this.#state !== "requesting" || !this.#isInitiating) return false;
    if (++this.#responses > RESPONSES_MAX) return false;
    const address = this.#targets.answeredAt(from);
    const session = address && this.#handshake.handleResponse(now, frame, address);
    if (session === undefined) return false;
    this.#isInitiating = false;
    this.#session = session;
    this.#targets.clear();
    this.#timers.clear("again");
    this.#timers.clear("carry");
    session.tell(now, this.#whereabouts);
    this.#targets.measure(now, from, session.rtt);
    this.#transmissions = 0;
    this.#isDue = true;
    this.#handleAnswer(now);
    return true;
  }

  /**
   * Takes a Packet with this request's session id; undefined where it is not authentic. What follows
   * an Accept in it is for the connection.
   */
  handlePacket(now: Instant, datagram: Datagram, from: Address): ReceivedPacket | undefined {
    const received = this.#session?.receive(now, datagram, from);
    if (received === undefined) return undefined;
    if (this.#state === "requesting") this.#handleAnswer(now);
    for (const frame of received.frames) this.#handleFrame(frame);
    return received;
  }

  /** Takes a Punch of so many bytes; false where it is for another meeting, or none. */
  handlePunch(now: Instant, number: bigint, size: number, from: Address): boolean {
    if (this.#state !== "requesting" || !this.#isInitiating) return false;
    return this.#targets.handlePunch(now, number, size, from);
  }

  /** Takes a Cookie Reply: the next Initiation will show the cookie; false where it is for another. */
  handleCookie(now: Instant, frame: CookieReply): boolean {
    return this.#isInitiating && this.#handshake.handleCookie(now, frame);
  }

  /** Takes a Version datagram: one from where the request goes to counts if nothing better comes. */
  handleVersion(now: Instant, version: number, from: Address): boolean {
    if (this.#state !== "requesting" || this.#session !== undefined) return false;
    if (!this.#targets.wasTried(from)) return false;
    this.#version = version;
    if (this.#timers.get("version") === undefined) {
      this.#timers.set("version", now + VERSION_PATIENCE);
    }
    return true;
  }

  /** Something authentic came. */
  #handleAnswer(now: Instant): void {
    // What was lost meanwhile need not wait for its next turn.
    const wasSilent = this.#recall.onHeard(now) && this.#options.policy.hasLossRecovery;
    this.#isDue ||= wasSilent && !this.#isInitiating;
    this.#timers.clear("version");
    this.#timers.set("silence", now + REQUEST_SILENCE_LIMIT);
    this.#renewAt = now + SESSION_RENEWAL;
  }

  #handleFrame(frame: Frame): void {
    if (this.#state === "cancelling") {
      const by = frame.kind === "connectionTerminationAck"
        ? frame.sender
        : frame.kind === "connectionReject"
        ? frame.responder
        : undefined;
      if (by === this.ids.remote) this.#decide();
      return;
    }
    if (this.#state !== "requesting") return;
    const isAnswer = frame.kind === "ringing" || frame.kind === "connectionAccept" ||
      frame.kind === "connectionReject";
    if (!isAnswer || frame.responder !== this.ids.remote) return;
    if (frame.kind === "ringing") this.#handleRinging();
    else if (frame.kind === "connectionAccept") this.#handleAccept(frame);
    else {
      this.#decide();
      this.#events.push({ kind: "rejected", reason: frame.reason });
    }
  }

  #handleRinging(): void {
    if (this.#isRinging) return;
    this.#isRinging = true;
    this.#timers.set("resend", this.#lastSentAt + RESEND_INTERVAL);
    this.#events.push({ kind: "ringing" });
  }

  #handleAccept({ name, flags }: ConnectionAccept): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#decide();
    const isResumed = (flags & FLAG_RESUMED) !== 0;
    this.#events.push({ kind: "accepted", session, name, isResumed });
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    this.#session?.handleTimeout(now);
    if (this.#timers.expire("resend", now)) {
      if (this.#state === "cancelling" && this.#transmissions === TERMINATION_TRIES) {
        return this.#decide();
      }
      this.#isDue = true;
    }
    if (this.#timers.expire("again", now)) this.#sendAgain(now);
    if (this.#timers.expire("carry", now)) this.#targets.carry();
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
    return earlier(this.#timers.next(), this.#session?.nextTimeout());
  }

  /** See {@linkcode Machine}. */
  pollEvent(): OutgoingRequestEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#state === "decided") return undefined;
    const pathFrame = this.#session?.pollTransmit();
    if (pathFrame !== undefined) return pathFrame;
    if (!this.#isDue) return this.#transmitInitiation(now);
    this.#isDue = false;
    this.#renew(now);
    this.#transmissions++;
    this.#lastSentAt = now;
    this.#recall.onAsked(now);
    if (this.#state === "cancelling") return this.#transmitCancellation(now);
    // What follows the first Response at once is no attempt of its own.
    const isAttempt = this.#isInitiating || this.#transmissions > 1;
    if (isAttempt) this.#attempt++;
    const timeout = this.#isRinging
      ? RESEND_INTERVAL
      : this.#handshake.rtt.timeout(this.#transmissions);
    this.#timers.set("resend", now + timeout);
    if (isAttempt) {
      this.#events.push({ kind: "requesting", attempt: this.#attempt, nextInMs: timeout });
    }
    if (this.#isInitiating || this.#session === undefined) {
      this.#responses = 0;
      if (this.#transmissions > 1) this.#targets.carry();
      else if (this.#options.policy.hasLossRecovery) this.#beginSendingAgain(now);
      this.#targets.aim();
      return this.#transmitInitiation(now);
    }
    const { local: requester, remote: responder, localName: name } = this.ids;
    const request = this.#request;
    const frame: Frame = { kind: "connectionRequest", request, requester, responder, name };
    return { bytes: this.#session.encode(frame, NAMED_PACKET_SIZE), to: this.#session.address };
  }

  #transmitInitiation(now: Instant): Transmit | undefined {
    const to = this.#isInitiating ? this.#targets.next(now) : undefined;
    return to && { bytes: this.#handshake.encode(now), to };
  }

  /** NATs let an Initiation in once a Punch went out: some are sent close to one another. */
  #beginSendingAgain(now: Instant): void {
    this.#again = 0;
    this.#timers.set("again", now + PUNCH_SCHEDULE[1]!);
    this.#timers.set("carry", now + CARRY_AFTER);
  }

  #sendAgain(now: Instant): void {
    this.#targets.aim();
    this.#again++;
    const next = PUNCH_SCHEDULE[this.#again + 1];
    if (next !== undefined) this.#timers.set("again", now + next - PUNCH_SCHEDULE[this.#again]!);
  }

  #transmitCancellation(now: Instant): Transmit | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    const timeout = session.rtt.timeout(this.#transmissions, TERMINATION_RTO_MIN);
    this.#timers.set("resend", now + timeout);
    const sender = this.ids.local;
    const frame: Frame = { kind: "connectionTermination", sender, finalSeq: 0 };
    return { bytes: session.encode(frame), to: session.address };
  }

  /** Begins another session where the responder is silent in this one. */
  #renew(now: Instant): void {
    if (this.#state !== "requesting" || now < this.#renewAt) return;
    this.#renewAt = Infinity;
    const handshake = begin(this.#options);
    if (!handshake.ok) return;
    this.#handshake = handshake.value;
    this.#targets.restart();
    this.#isInitiating = true;
    this.#transmissions = 0;
    this.#calls = 1;
  }

  #decide(): void {
    this.#state = "decided";
    this.#timers.clearAll();
  }
}

function begin(options: OutgoingRequestOptions): Result<OutgoingHandshake> {
  const { ids: { remoteKey }, identity, policy, makeSessionId, random } = options;
  const [localId, rtt] = [makeSessionId(), new RttEstimator(policy)];
  return OutgoingHandshake.begin({ identity, remoteKey, localId, rtt, random });
}
