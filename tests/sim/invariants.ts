/**
 * Invariants of the datagrams on a simulated network, and of the requests that users see, whatever
 * happens there.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { ClientEvent } from "../../client/event.ts";
import type { ClientView } from "../../client/view.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { type Ack, DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { toHex } from "../support/hex.ts";
import type { Datagram } from "./datagram.ts";

/** Milliseconds between two transmissions with fixed timers. */
export const RESEND_AFTER = 10_000;
/** Milliseconds above which a transmission is late. */
export const RESEND_LATEST = 10_100;

/** What is sent until it is answered. */
interface Unanswered {
  readonly last: Instant;
  /** Packets of its session, up to then, that were never seen. */
  readonly unseen: number;
  /** For a Message: its session, and its seq. */
  readonly message: { readonly session: string; readonly seq: number } | undefined;
}

/**
 * Checks the intervals of retransmission in one run of a client: exactly 10 s with fixed timers, at
 * most 10 s with adaptive ones.
 */
export class RetransmissionCheck {
  readonly #mode: TimerMode;
  readonly #unanswered = new Map<string, Unanswered>();
  /** Packets that were seen, by session. */
  readonly #packets = new Map<string, number>();
  /** When the request under way was last sent, be it as an Initiation. */
  #attemptAt: Instant | undefined;
  /** When a Punch came: an Initiation may answer it at once. */
  #punchedAt: Instant = -1;
  /** What was sent more than once. */
  retransmissions = 0;

  constructor(mode: TimerMode) {
    this.#mode = mode;
  }

  /** Notes that the user makes a request, perhaps again one that was given up. */
  startRequest(): void {
    this.#attemptAt = undefined;
    this.#forget((key) => key.startsWith("call"));
  }

  /** Notes that the request under way came to an end. */
  endRequest(): void {
    this.#attemptAt = undefined;
  }

  /** Notes that the list came, or was given up. */
  endList(): void {
    this.#forget((key) => key.startsWith("list"));
  }

  /** Checks a datagram that the client sent. */
  onSent(datagram: Datagram): void {
    const { decoded, time, frames, target } = datagram;
    if (!decoded.ok) return;
    const session = decoded.sealedBy?.hash;
    const unseen = session === undefined ? 0 : this.#countUnseen(session, decoded.header.packet);
    for (const frame of frames) {
      const isAttempt = frame.kind === "initiation" || frame.kind === "connectionRequest";
      if (isAttempt) this.#checkAttempt(time);
      const content = keyOf(frame, session ?? decoded.key);
      if (content === undefined) continue;
      // To each address of the directory on its own.
      const key = frame.kind === "credentials" ? `${content} to ${target?.hostname}` : content;
      const before = this.#unanswered.get(key);
      // One transmission goes to several addresses, and a Punch has one of its own.
      const isExtra = time === before?.last || time === this.#punchedAt;
      if (frame.kind === "initiation" && isExtra) continue;
      // The path may be carried, and the directory lost meanwhile: then a packet is never seen.
      const isComplete = before?.unseen === unseen;
      if (before !== undefined) this.#check(key, time - before.last, isComplete);
      const message = frame.kind === "message" && session !== undefined
        ? { session, seq: frame.seq }
        : undefined;
      this.#unanswered.set(key, { last: time, unseen, message });
    }
  }

  /** Reads the acks and answers in a datagram that reached the client. */
  onDelivered(now: Instant, { decoded, frames }: Datagram): void {
    if (!decoded.ok) return;
    for (const { kind, ...frame } of frames) {
      if (kind === "ack") this.#acknowledge(decoded.sealedBy?.hash, frame as Ack);
      const isLease = kind === "leaseKeepaliveAck" || kind === "refused";
      if (isLease) this.#forget((key) => key.startsWith("leaseKeepalive"));
      if (kind === "meeting" || kind === "inactive") this.#forget((key) => key.startsWith("call"));
      if (kind === "listing") this.endList();
      if (kind === "punch") this.#punchedAt = now;
    }
  }

  /** Checks, at the end of a session or of the run, that no Message is overdue. */
  end(now: Instant, session?: string): void {
    for (const [key, { last, message }] of this.#unanswered) {
      if (message === undefined) continue;
      if (session !== undefined && message.session !== session) continue;
      this.#unanswered.delete(key);
      assert(now - last <= RESEND_LATEST, `${key} was not retransmitted for ${now - last} ms`);
    }
  }

  #checkAttempt(time: Instant): void {
    const gap = time - (this.#attemptAt ?? time);
    assert(gap <= RESEND_LATEST, `a request was repeated after ${gap} ms`);
    this.#attemptAt = time;
  }

  #countUnseen(session: string, packet: number): number {
    const seen = (this.#packets.get(session) ?? 0) + 1;
    this.#packets.set(session, seen);
    return packet + 1 - seen;
  }

  #check(key: string, gap: number, isComplete: boolean): void {
    this.retransmissions++;
    const isEarly = this.#mode === "fixed" && gap < RESEND_AFTER;
    // A Call that was given up is followed by another one, as long after that.
    const latest = key.startsWith("call") ? 2 * RESEND_LATEST : RESEND_LATEST;
    const isLate = isComplete && gap > latest;
    assert(!isEarly && !isLate, `${key} was retransmitted after ${gap} ms`);
  }

  #acknowledge(session: string | undefined, { cumulativeSeq: next, ranges }: Ack): void {
    for (const [key, { message }] of this.#unanswered) {
      if (message === undefined || message.session !== session) continue;
      const { seq } = message;
      const isAcked = seq < next || ranges.some(({ first, last }) => seq >= first && seq <= last);
      if (isAcked) this.#unanswered.delete(key);
    }
  }

  #forget(isMeant: (key: string) => boolean): void {
    for (const key of this.#unanswered.keys()) if (isMeant(key)) this.#unanswered.delete(key);
  }
}

/** Identifies what is retransmitted in a session; undefined for all others. */
function keyOf(frame: Frame, session: string | undefined): string | undefined {
  switch (frame.kind) {
    case "initiation":
      return `${frame.kind} ${toHex(frame.messageOne.subarray(0, 16))}`;
    case "credentials":
      return `${frame.kind} ${frame.nonce} ${frame.cookie.some((byte) => byte !== 0)}`;
    case "connectionRequest":
      return `${frame.kind} ${frame.request} in ${session}`;
    case "message":
      return `${frame.kind} ${frame.seq} in ${session}`;
    case "call":
      // One by an id may be about a silent peer: each of these asks anew.
      return frame.name === "" ? undefined : `${frame.kind} ${frame.name} in ${session}`;
    case "list":
      return `${frame.kind} ${frame.after} in ${session}`;
    case "connectionTermination":
    case "leaseKeepalive":
    case "leave":
      return `${frame.kind} in ${session}`;
    default:
      return undefined;
  }
}

/**
 * Checks that no packet counter is used twice under one key and direction: it is the nonce of the
 * AEAD. Who seals of its own accord counts from 0 (a gap is a datagram that could not be carried); an
 * Answer of the directory has the counter of what it answers.
 */
export class PacketCounterCheck {
  readonly #next = new Map<string, number>();
  readonly #answered = new Map<string, Set<number>>();

  /** Checks a datagram that a host sent. */
  onSent({ from, decoded }: Datagram): void {
    if (!decoded.ok || decoded.key === undefined) return;
    const { type, packet } = decoded.header;
    const key = `${from} ${decoded.key}`;
    if (type === DatagramType.Answer) {
      const answered = this.#answered.get(key) ?? new Set();
      assert(!answered.has(packet), `packet ${packet} ${key} was used twice`);
      this.#answered.set(key, answered.add(packet));
    } else {
      const next = this.#next.get(key) ?? 0;
      assert(packet >= next, `the packet counter ${key} was ${packet}, and not ${next}`);
      this.#next.set(key, packet + 1);
    }
  }
}

/** Follows which registration a client knows of, in one of its runs. */
export class RegistrationWatch {
  /** The sessions that it asked for, the latest last. */
  readonly #sessions: number[] = [];
  /** The index of the one that it knows of. */
  #current = -1;

  /** Reads a datagram that the client sent. */
  onSent({ frames }: Datagram): void {
    for (const frame of frames) {
      const isNew = frame.kind === "register" && !this.#sessions.includes(frame.session);
      if (isNew) this.#sessions.push(frame.session);
    }
  }

  /** Reads a datagram that reached the client; returns whether it reports a new registration. */
  onDelivered({ decoded, frames }: Datagram): boolean {
    if (!decoded.ok || !frames.some(({ kind }) => kind === "registered")) return false;
    // It waits for an answer to the last question only.
    const last = this.#sessions.length - 1;
    if (last === this.#current || this.#sessions[last] !== decoded.header.session) return false;
    this.#current = last;
    return true;
  }

  /** Whether a datagram is in the registration that the client knows of. */
  isCurrent({ decoded }: Datagram): boolean {
    return decoded.ok && this.#sessions[this.#current] === decoded.header.session;
  }
}

/** The requests of a host that reached another one, and how often they rang. */
interface Rings {
  readonly arrived: Set<number>;
  rings: number;
}

/**
 * Checks in one run of a client that it rings once for a request, unless it expired meanwhile, and for
 * no client that it rings for already.
 */
export class RingCheck {
  /** By the host that made them. */
  readonly #requests = new Map<string, Rings>();
  /** By the client ids and keys that the user is asked about. */
  readonly #ringing = new Map<string, Rings>();

  /**
   * Reads the requests in a datagram that reached the client.
   *
   * @param requesters who made each request: where a copy comes from says nothing.
   */
  onDelivered({ frames }: Datagram, requesters: ReadonlyMap<number, string>): void {
    for (const frame of frames) {
      if (frame.kind !== "connectionRequest") continue;
      this.#of(requesters.get(frame.request)!).arrived.add(frame.request);
    }
  }

  /** Checks an event; `host` is the one that has the key in a `request`. */
  onEvent(event: ClientEvent, host: string | undefined): void {
    if (event.kind === "request" && host !== undefined) {
      const { peer, key } = event;
      const requests = this.#of(host);
      assert(++requests.rings <= requests.arrived.size, `${host} rings twice for one request`);
      const asked = `${peer} ${toHex(key)}`;
      assert(!this.#ringing.has(asked), `${host} rings while it rings`);
      this.#ringing.set(asked, requests);
    } else if (event.kind === "requestEnded" || event.kind === "connected") {
      // A requester that was silent for so long may be heard again.
      if (event.kind === "requestEnded" && event.why === "expired") this.#allowAgain(event.peer);
      this.answer(event.peer);
    }
  }

  /** Notes that the user was told that the requests of a client are no more, or answered one. */
  answer(peer: number): void {
    for (const asked of this.#ringing.keys()) {
      if (asked.startsWith(`${peer} `)) this.#ringing.delete(asked);
    }
  }

  #allowAgain(peer: number): void {
    for (const [asked, requests] of this.#ringing) {
      if (asked.startsWith(`${peer} `)) requests.rings--;
    }
  }

  /** Checks that what rings can still be answered: nothing ends without a word. */
  check({ requests }: ClientView): void {
    for (const asked of this.#ringing.keys()) {
      assert(requests.some(({ id }) => asked.startsWith(`${id} `)), `${asked} ended silently`);
    }
  }

  #of(host: string): Rings {
    let requests = this.#requests.get(host);
    if (requests === undefined) {
      this.#requests.set(host, requests = { arrived: new Set(), rings: 0 });
    }
    return requests;
  }
}
