/**
 * The requests to the directory that are under way.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import { RttEstimator } from "../recovery/rtt.ts";
import type { TimerPolicy } from "../recovery/timer_policy.ts";
import { earlier } from "../timers.ts";
import type { Header } from "../wire/frame.ts";
import type { DirectorySession } from "./directory_session.ts";
import type { Query } from "./registration_event.ts";
import { REFUSAL_PACKET_MIN } from "./registration_key.ts";

/** Milliseconds until a request to the directory is first sent again, before any was answered. */
export const DIRECTORY_RESEND_FIRST = 500;
/** The same at least, however short the round trips to the directory are. */
export const DIRECTORY_RTO_MIN = 200;
/** Milliseconds after which the Call of a user who waits is sent again at the latest, or the RTO. */
export const CALL_RESEND_MAX = 1_000;
/** Milliseconds after which a Look-up or List without an answer is given up. */
export const DIRECTORY_TIMEOUT = 30_000;
/** Transmissions of a request whose answers are recognized: the last ones. */
const SENT_MAX = 8;

/** A datagram with a request. */
export interface Sent {
  /** What it was sealed in. */
  readonly session: DirectorySession;
  /** Its packet counter, which its answer has, too. */
  readonly packet: number;
  /** When it was sent. */
  readonly at: Instant;
}

/** A request, sent again until it is answered. */
export class Outstanding {
  /** What it is. */
  readonly kind: "register" | "leaseKeepalive" | "leave" | "query";
  /** With `query`: what is asked. */
  readonly query: Query | undefined;
  /** When it was asked. */
  readonly since: Instant;
  /** Milliseconds after which it is sent again at the latest, unless the RTO is longer. */
  readonly #resendMax: number;
  /** How often it was sent. */
  transmissions = 0;
  /** When it is sent again. */
  nextAt: Instant;
  /** Transmissions that say nothing about how long to wait. */
  #uncounted = 0;
  /** The latest datagrams, the last one at the end. */
  #sent: Sent[] = [];

  /** Asks for something; it is to be sent at once. */
  constructor(now: Instant, kind: Outstanding["kind"], query?: Query, resendMax = Infinity) {
    this.kind = kind;
    this.query = query;
    this.#resendMax = resendMax;
    this.since = this.nextAt = now;
  }

  /** By which of its timeouts it is sent again: a Call, for which somebody waits, has the first one twice. */
  get backoff(): number {
    const count = this.transmissions - this.#uncounted;
    return this.query?.kind === "call" ? Math.max(1, count - 1) : count;
  }

  /** Sends it at once, and again as if for the first time: the directory is there, and waits. */
  advance(now: Instant): void {
    this.nextAt = now;
    this.#uncounted = this.transmissions;
  }

  /**
   * Notes that it is sent now.
   *
   * @param waitMax milliseconds until it is sent again at most, unless the RTO is longer.
   */
  countTransmission(now: Instant, rtt: RttEstimator, waitMax: number): void {
    this.transmissions++;
    const longest = Math.max(Math.min(this.#resendMax, waitMax), timeoutAfter(1, rtt));
    this.nextAt = now + Math.min(timeoutAfter(this.backoff, rtt), longest);
  }

  /** Notes a datagram that is sent in this session. */
  noteSent(now: Instant, session: DirectorySession): void {
    this.#sent.push({ session, packet: session.nextPacket, at: now });
    if (this.#sent.length > SENT_MAX) this.#sent.shift();
  }

  /** The datagram that an Answer with this header can be to. */
  findSent({ session: localId, packet }: Header): Sent | undefined {
    const isRefusal = packet >= REFUSAL_PACKET_MIN && this.kind === "register";
    return this.#sent.find((sent) =>
      sent.session.localId === localId && (sent.packet === packet || isRefusal)
    );
  }

  /** Whether it was sent in this session under this packet counter. */
  wasSent(session: DirectorySession, packet: number): boolean {
    return this.#sent.some((sent) => sent.session === session && sent.packet === packet);
  }
}

/** How long to wait after the `transmissions`th time (1, 2, …) something was sent to the directory. */
function timeoutAfter(transmissions: number, rtt: RttEstimator): number {
  return rtt.srtt === undefined
    ? rtt.policy.resendTimeout(DIRECTORY_RESEND_FIRST, transmissions)
    : rtt.timeout(transmissions, DIRECTORY_RTO_MIN);
}

/** Look-ups, calls and Lists under way at a time. */
export const QUERIES_MAX = 32;

/** All of them, the oldest first. */
export class OutstandingRequests {
  readonly #rtt: RttEstimator;
  #all: readonly Outstanding[] = [];

  /** Starts without any; `policy` says when they are sent again. */
  constructor(policy: TimerPolicy) {
    this.#rtt = new RttEstimator(policy);
  }

  /** Those of this moment, whatever comes and goes meanwhile. */
  [Symbol.iterator](): Iterator<Outstanding> {
    return this.#all[Symbol.iterator]();
  }

  /** Whether no question can be added. */
  get isFull(): boolean {
    return this.#queries.length >= QUERIES_MAX;
  }

  /** Whether this client is being called. */
  isCalling(id: number): boolean {
    return this.#queries.some(({ query }) => query?.kind === "call" && query.id === id);
  }

  /** Whether a registration is under way. */
  get isRegistering(): boolean {
    return this.find("register") !== undefined;
  }

  /**
   * Whether the directory is silent if it answers none of them: a Register or a Lease Keepalive, and
   * where `hasSeveral` is true, anything.
   *
   * @param isHere whether a Register is for the directory in use.
   */
  haveHeartbeat(hasSeveral: boolean, isHere: boolean): boolean {
    return this.#all.some(({ kind }) =>
      kind === "register" ? isHere : hasSeveral || kind === "leaseKeepalive"
    );
  }

  /**
   * The oldest that is to be sent: it is noted that it is.
   *
   * @param hasSession whether there is a session to send it in, which only a Register does not need.
   * @param waitMax milliseconds until it is sent again at most.
   */
  takeDue(now: Instant, hasSession: boolean, waitMax: number): Outstanding | undefined {
    const request = this.#sendable(hasSession).find(({ nextAt }) => nextAt <= now);
    request?.countTransmission(now, this.#rtt, waitMax);
    return request;
  }

  /** Notes that this datagram was answered, by one with the packet counter. */
  noteAnswer(now: Instant, sent: Sent, packet: number): void {
    if (sent.packet === packet) this.#rtt.sample(now - sent.at);
  }

  /** When one is to be sent, or given up. */
  nextTimeout(hasSession: boolean): Instant | undefined {
    let timeout: Instant | undefined;
    for (const { nextAt } of this.#sendable(hasSession)) timeout = earlier(timeout, nextAt);
    for (const { since } of this.#queries) timeout = earlier(timeout, since + DIRECTORY_TIMEOUT);
    return timeout;
  }

  /** Gives up the questions that were asked before then. */
  takeQueries(before: Instant): Query[] {
    const old = this.#queries.filter(({ since }) => since <= before);
    this.#all = this.#all.filter((each) => !old.includes(each));
    return old.map(({ query }) => query).filter((each) => each !== undefined);
  }

  /** Sends at once what was not sent yet. */
  hurry(now: Instant): void {
    for (const request of this.#all) if (request.transmissions === 0) request.nextAt = now;
  }

  /** Adds one. */
  add(request: Outstanding): void {
    this.#all = [...this.#all, request];
  }

  /** The oldest of this kind. */
  find(kind: Outstanding["kind"]): Outstanding | undefined {
    return this.#all.find((each) => each.kind === kind);
  }

  /** Ends those of this kind. */
  finish(kind: Outstanding["kind"]): void {
    this.#all = this.#all.filter((each) => each.kind !== kind);
  }

  /** Takes a question back. */
  drop(query: Query): void {
    this.#all = this.#all.filter((each) => each.query !== query);
  }

  /** Whether one was sent in this session under this packet counter. */
  wereSent(session: DirectorySession, packet: number): boolean {
    return this.#all.some((request) => request.wasSent(session, packet));
  }

  /** Ends all. */
  clear(): void {
    this.#all = [];
  }

  /** Those that ask something; it is reported when they are given up. */
  get #queries(): Outstanding[] {
    return this.#all.filter(({ kind }) => kind === "query");
  }

  #sendable(hasSession: boolean): readonly Outstanding[] {
    return hasSession ? this.#all : this.#all.filter(({ kind }) => kind === "register");
  }
}
