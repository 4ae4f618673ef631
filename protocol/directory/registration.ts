/**
 * A client's dealings with the directory: registering, keeping the lease, asking, leaving.
 *
 * @module
 */
import { isSameKey, type KeyPair } from "../crypto/x25519.ts";
import type { Instant, Machine, Random, Transmit } from "../machine.ts";
import type { TimerPolicy } from "../recovery/timer_policy.ts";
import { earlier, Timers } from "../timers.ts";
import { type Address, sameAddress } from "../wire/address.ts";
import type { Datagram } from "../wire/datagram.ts";
import {
  type Challenge,
  DatagramType,
  type Found,
  type Frame,
  type Header,
  type Inactive,
  type ListEntry,
  type Listing,
  RefusalReason,
  type Registered,
} from "../wire/frame.ts";
import type { DirectorySession } from "./directory_session.ts";
import { RegisterExchange } from "./register_exchange.ts";
import { Outstanding, type Sent } from "./outstanding.ts";
import type { Query, RegistrationEvent } from "./registration_event.ts";
import { DirectorySecret } from "./registration_key.ts";

/** Milliseconds until a request to the directory is first sent again. */
export const DIRECTORY_RESEND_FIRST = 500;
/** Milliseconds after which a Look-up or List without an answer is given up. */
export const DIRECTORY_TIMEOUT = 30_000;
/** Milliseconds after which a first Register without an answer is given up. */
export const REGISTRATION_TIMEOUT = 30_000;
/** Milliseconds after which a Client Leave without an ack is given up. */
export const LEAVE_TIMEOUT = 30_000;
/** The same where a datagram, which anybody could forge, says that there is nothing to leave. */
export const LEAVE_UNKNOWN_TIMEOUT = 3_000;
/** Milliseconds that a Lease Keepalive is unanswered when the directory counts as lost. */
export const DIRECTORY_LOST_AFTER = 5_000;
/** Milliseconds between two registrations at least, however often one seems to be needed. */
export const REGISTER_AGAIN_AFTER = 1_000;
/** Milliseconds between two Lease Keepalives at least, however short the lease. */
export const LEASE_KEEPALIVE_MIN = 250;
/** Milliseconds between two at most, so that the mapping of a NAT lives (RFC 4787, 4.3). */
export const LEASE_KEEPALIVE_MAX = 20_000;
/**
 * Milliseconds that the directory has to answer after all when a datagram came that anybody could
 * forge: one of another version, or a Challenge with a key that is not trusted.
 */
export const FORGERY_PATIENCE = 12_000;
/** Look-ups and Lists under way at a time. */
export const QUERIES_MAX = 16;
/** Clients in the longest list. */
export const LIST_LENGTH_MAX = 100_000;
/** Transmissions of a Register after which it is begun anew: its cookie may be too old. */
export const EXCHANGE_TRIES = 6;

/** What a client asks to be registered as, and where. */
export interface RegistrationRequest {
  /** Where the directory is. */
  readonly directory: Address;
  /** The client id, 0 for any. */
  readonly id: number;
  /** Empty for none. */
  readonly name: string;
  /** The UDP port that the socket is bound to. */
  readonly port: number;
  /** The static key that others are told. */
  readonly identity: KeyPair;
  /** The secret of a private directory. */
  readonly secret?: Uint8Array | undefined;
  /** Whether a directory with this static key may be used; any may where it is left out. */
  readonly isTrusted?: ((directoryKey: Uint8Array) => boolean) | undefined;
  /** When to send again. */
  readonly policy: TimerPolicy;
  /** A cryptographic source. */
  readonly random: Random;
}

type State = "registering" | "registered" | "leaving" | "left";
type TimerName = "giveUp" | "keepalive" | "lost" | "register" | "version" | "otherKey";

const NO_TOKEN = new Uint8Array(16);

/** One client's dealings with one directory. */
export class Registration implements Machine<RegistrationEvent> {
  readonly #request: RegistrationRequest;
  readonly #secret: DirectorySecret | undefined;
  #wanted: { id: number; name: string };
  #state: State = "registering";
  #id: number | undefined;
  #token: Uint8Array = NO_TOKEN;
  #reportedName = "";
  #registeredAt: Instant = -Infinity;
  #isLost = false;
  /** Whether anything authentic came since the start. */
  #isHeard = false;
  #version = 0;
  #untrustedKey: Uint8Array | undefined;
  #session: DirectorySession | undefined;
  #exchange: RegisterExchange;
  #outstanding: Outstanding[] = [];
  #listed: ListEntry[] | undefined;
  readonly #timers = new Timers<TimerName>();
  #events: RegistrationEvent[] = [];

  /** Starts registering. */
  constructor(now: Instant, request: RegistrationRequest) {
    const { id, name, secret } = request;
    this.#request = request;
    this.#wanted = { id, name };
    this.#secret = secret && new DirectorySecret(secret);
    this.#exchange = this.#beginExchange();
    this.#ask(now, "register");
    this.#timers.set("giveUp", now + REGISTRATION_TIMEOUT);
  }

  /** The client id, once the directory gave one. */
  get id(): number | undefined {
    return this.#id;
  }

  /** The name that the directory knows this client by. */
  get name(): string {
    return this.#wanted.name;
  }

  /** Whether the directory is not answering. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** When a leave that is not acknowledged is given up. */
  get leaveBy(): Instant | undefined {
    return this.#state === "leaving" ? this.#timers.get("giveUp") : undefined;
  }

  /** Asks for a client; false where too many questions are open. */
  lookUp(now: Instant, query: Extract<Query, { kind: "lookUp" }>): boolean {
    return this.#query(now, query);
  }

  /** Takes a question back: its answer will not be reported. */
  dropQuery(query: Query): void {
    this.#outstanding = this.#outstanding.filter((each) => each.query !== query);
  }

  /** Asks which clients are active; a `list` event follows. */
  list(now: Instant): void {
    if (this.#listed === undefined && this.#query(now, { kind: "list" })) this.#listed = [];
  }

  /** Sends Client Leave; the `left` event comes when it is acknowledged or given up. */
  leave(now: Instant): void {
    if (this.#state === "leaving" || this.#state === "left") return;
    this.#outstanding = [];
    this.#timers.clearAll();
    if (this.#id === undefined) return this.#end(false);
    this.#state = "leaving";
    this.#ask(now, "leave");
    this.#timers.set("giveUp", now + LEAVE_TIMEOUT);
  }

  /** Takes a datagram of a directory; false where it answers nothing, or is not authentic. */
  handleDatagram(now: Instant, datagram: Datagram, from: Address): boolean {
    const { header, frames } = datagram;
    switch (header.type) {
      case DatagramType.Challenge: {
        const frame = frames.find((each) => each.kind === "challenge");
        return frame !== undefined && this.#handleChallenge(now, datagram, frame);
      }
      case DatagramType.Answer:
        return this.#handleAnswer(now, datagram);
      case DatagramType.Unknown:
        return this.#isDirectory(from) && this.#handleUnknown(now, header);
      default:
        return false;
    }
  }

  /** False where it is for no registration that is under way, or not signed. */
  #handleChallenge(now: Instant, { bytes }: Datagram, challenge: Challenge): boolean {
    const register = this.#outstanding.find(({ kind }) => kind === "register");
    if (register === undefined || !this.#exchange.isMeant(bytes, challenge)) return false;
    if (this.#request.isTrusted?.(challenge.publicKey) === false) {
      this.#noteUntrusted(now, challenge.publicKey);
      return true;
    }
    this.#timers.clear("otherKey");
    const count = this.#exchange.take(challenge);
    if (count === undefined) return false;
    // A second Challenge means that the cookie did not help, or that one is forged: no hurry then.
    if (count === 1) register.nextAt = now;
    return true;
  }

  #handleAnswer(now: Instant, datagram: Datagram): boolean {
    for (const request of this.#outstanding) {
      const sent = request.findSent(datagram.header);
      const frames = sent?.session.open(datagram);
      if (sent === undefined || frames === undefined) continue;
      this.#noteHeard(sent.session);
      for (const frame of frames) this.#handleFrame(now, frame, request, sent);
      // The answer to another question is no answer to these.
      if (this.#outstanding.some(({ isHeartbeat }) => isHeartbeat)) this.#expectAnswer(now);
      return true;
    }
    return false;
  }

  /**
   * Takes the header of a request, which says that the directory does not know its session: anybody
   * could have sent it back, so it costs a registration, and changes nothing by itself.
   */
  #handleUnknown(now: Instant, { packet }: Header): boolean {
    const session = this.#session;
    const isMeant = session !== undefined &&
      this.#outstanding.some((request) => request.wasSent(session, packet));
    if (!isMeant) return false;
    if (this.#state === "registered") this.#registerAgain(now);
    else if (this.#state === "leaving") {
      const giveUp = Math.min(this.#timers.get("giveUp") ?? Infinity, now + LEAVE_UNKNOWN_TIMEOUT);
      this.#timers.set("giveUp", giveUp);
    }
    return true;
  }

  /** Takes a Version datagram: one from the directory's address counts if nothing better comes. */
  handleVersion(now: Instant, version: number, from: Address): void {
    // A client that has an id stays: its connections go on without the directory.
    if (this.#id !== undefined || this.#isHeard || !this.#isDirectory(from)) return;
    this.#version = version;
    if (this.#timers.get("version") === undefined) {
      this.#timers.set("version", now + FORGERY_PATIENCE);
    }
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("keepalive", now)) this.#ask(now, "leaseKeepalive");
    if (this.#timers.expire("register", now)) {
      this.#exchange = this.#beginExchange();
      this.#ask(now, "register");
    }
    if (this.#timers.expire("lost", now)) {
      this.#isLost = true;
      this.#events.push({ kind: "lost" });
      // The directory may have started again, and know nothing of the session.
      this.#registerAgain(now);
    }
    if (this.#timers.expire("version", now)) {
      this.#events.push({ kind: "otherVersion", version: this.#version });
    }
    if (this.#timers.expire("otherKey", now) && this.#untrustedKey !== undefined) {
      this.#events.push({ kind: "otherKey", directoryKey: this.#untrustedKey });
    }
    if (this.#timers.expire("giveUp", now)) {
      if (this.#state === "leaving") this.#end(false);
      else this.#events.push({ kind: "timeout", query: undefined });
    }
    for (const { query, since } of this.#queries()) {
      if (query === undefined || since + DIRECTORY_TIMEOUT > now) continue;
      this.dropQuery(query);
      if (query.kind === "list") this.#listed = undefined;
      this.#events.push({ kind: "timeout", query });
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout = this.#timers.next();
    for (const request of this.#outstanding) {
      if (this.#maySend(request)) timeout = earlier(timeout, request.nextAt);
      if (request.query !== undefined) {
        timeout = earlier(timeout, request.since + DIRECTORY_TIMEOUT);
      }
    }
    return timeout;
  }

  /** See {@linkcode Machine}. */
  pollEvent(): RegistrationEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    for (const request of this.#outstanding) {
      if (request.nextAt > now || !this.#maySend(request)) continue;
      const timeout = this.#request.policy.resendTimeout(
        DIRECTORY_RESEND_FIRST,
        ++request.transmissions,
      );
      request.nextAt = now + timeout;
      return { bytes: this.#encode(now, request), to: this.#request.directory };
    }
    return undefined;
  }

  #isDirectory(from: Address): boolean {
    return sameAddress(from, this.#request.directory);
  }

  /** Whether there is a session to send it in; a first Register needs none. */
  #maySend({ kind }: Outstanding): boolean {
    return kind === "register" || this.#session !== undefined;
  }

  #encode(now: Instant, request: Outstanding): Uint8Array {
    if (request.kind !== "register") {
      const session = this.#session!;
      request.noteSent(now, session);
      return session.encodeRequest(this.#id!, this.#frame(request));
    }
    if (request.transmissions % EXCHANGE_TRIES === 0) this.#exchange = this.#beginExchange();
    const session = this.#exchange.next();
    if (session === undefined) return this.#exchange.encodeFirst();
    request.noteSent(now, session);
    const { id: wantedId, name } = this.#wanted;
    const { port } = this.#request;
    const { localId } = session;
    return session.encodeRegister(
      { kind: "register", session: localId, token: this.#token, wantedId, port, name },
      (datagram) => this.#secret?.sign(datagram),
    );
  }

  #frame({ kind, query }: Outstanding): Frame {
    if (query?.kind === "lookUp") return query;
    if (query?.kind === "list") return { kind: "list", after: this.#listed?.at(-1)?.id ?? 0 };
    return { kind: kind === "leave" ? "leave" : "leaseKeepalive" };
  }

  #query(now: Instant, query: Query): boolean {
    const isPossible = this.#state !== "leaving" && this.#state !== "left" &&
      this.#queries().length < QUERIES_MAX;
    if (isPossible) this.#ask(now, "query", query);
    return isPossible;
  }

  #queries(): Outstanding[] {
    return this.#outstanding.filter(({ kind }) => kind === "query");
  }

  #ask(now: Instant, kind: Outstanding["kind"], query?: Query): void {
    const request = new Outstanding(now, kind, query);
    this.#outstanding.push(request);
    if (request.isHeartbeat && this.#timers.get("lost") === undefined) this.#expectAnswer(now);
  }

  /** Counts the directory as lost if it keeps silent from now on. */
  #expectAnswer(now: Instant): void {
    const patience = this.#request.policy.repairDelay + DIRECTORY_LOST_AFTER;
    if (!this.#isLost) this.#timers.set("lost", now + patience);
  }

  /** Notes that something authentic came from the directory. */
  #noteHeard(session: DirectorySession): void {
    this.#isHeard = true;
    this.#untrustedKey = undefined;
    for (const timer of ["version", "otherKey", "lost"] as const) this.#timers.clear(timer);
    // It knows the session: there is no need for another.
    if (session === this.#session) {
      this.#finish("register");
      this.#timers.clear("register");
    }
    if (!this.#isLost) return;
    this.#isLost = false;
    this.#events.push({ kind: "back" });
  }

  #noteUntrusted(now: Instant, key: Uint8Array): void {
    // Reported once: the Register goes on, and so do the Challenges.
    if (this.#untrustedKey !== undefined && isSameKey(this.#untrustedKey, key)) return;
    this.#untrustedKey = key.slice();
    if (this.#timers.get("otherKey") === undefined) {
      this.#timers.set("otherKey", now + FORGERY_PATIENCE);
    }
  }

  #beginExchange(): RegisterExchange {
    const { identity, random } = this.#request;
    return new RegisterExchange({ identity, secret: this.#secret, random });
  }

  #handleFrame(now: Instant, frame: Frame, request: Outstanding, sent: Sent): void {
    const { kind, query } = request;
    switch (frame.kind) {
      case "registered":
        if (kind === "register") this.#handleRegistered(now, frame, sent.session);
        return;
      case "refused":
        if (kind === "register") this.#handleRefused(now, frame.reason);
        return;
      case "leaseKeepaliveAck":
        if (kind !== "leaseKeepalive") return;
        this.#finish("leaseKeepalive");
        return this.#setKeepalive(now, frame.lease);
      case "found":
      case "inactive":
        if (query?.kind === "lookUp") this.#handleLookUp(now, query, frame, request, sent);
        return;
      case "listing":
        if (query?.kind === "list") this.#handleListing(now, query, frame);
        return;
      case "leaveAck":
        if (kind === "leave") this.#end(true);
    }
  }

  #handleLookUp(
    now: Instant,
    query: Query,
    frame: Found | Inactive,
    { transmissions }: Outstanding,
    sent: Sent,
  ): void {
    this.dropQuery(query);
    const measured = { query, rttMs: now - sent.at, lost: transmissions - 1 };
    if (frame.kind === "inactive") this.#events.push({ kind: "inactive", ...measured });
    else {
      const client = { ...frame, publicKey: frame.publicKey.slice() };
      this.#events.push({ kind: "found", client, ...measured });
    }
  }

  #handleListing(now: Instant, query: Query, { clients, more }: Listing): void {
    this.dropQuery(query);
    const listed = this.#listed;
    if (listed === undefined) return;
    const isRising = (clients[0]?.id ?? 0) > (listed.at(-1)?.id ?? 0);
    if (isRising) listed.push(...clients);
    const isDone = !isRising || more === 0 || listed.length >= LIST_LENGTH_MAX;
    if (!isDone && this.#query(now, { kind: "list" })) return;
    this.#listed = undefined;
    this.#events.push({ kind: "list", clients: listed });
  }

  #handleRegistered(now: Instant, frame: Registered, session: DirectorySession): void {
    this.#finish("register");
    this.#timers.clear("giveUp");
    if (this.#state === "leaving") return;
    this.#state = "registered";
    this.#registeredAt = now;
    this.#session = session;
    this.#token = frame.token.slice();
    const { id, lease, seenAt } = frame;
    const { name } = this.#wanted;
    const isNew = this.#id !== id || this.#reportedName !== name;
    this.#reportedName = name;
    this.#id = id;
    this.#wanted = { id, name };
    this.#finish("leaseKeepalive");
    this.#setKeepalive(now, lease);
    // What the session before did not get an answer to is asked in this one.
    for (const request of this.#outstanding) request.nextAt = now;
    if (!isNew) return;
    this.#events.push({ kind: "registered", id, name, seenAt, directoryKey: session.directoryKey });
  }

  #handleRefused(now: Instant, reason: number): void {
    this.#finish("register");
    if (this.#id === undefined) {
      this.#timers.clear("giveUp");
      this.#events.push({ kind: "refused", reason });
      return;
    }
    // The directory started again, and somebody else was quicker: stay reachable under another id.
    if (reason === RefusalReason.idTaken) this.#wanted = { ...this.#wanted, id: 0 };
    if (reason === RefusalReason.nameTaken) this.#wanted = { ...this.#wanted, name: "" };
    this.#registerAgain(now);
  }

  #setKeepalive(now: Instant, lease: number): void {
    const interval = Math.min(Math.max(lease / 3, LEASE_KEEPALIVE_MIN), LEASE_KEEPALIVE_MAX);
    this.#timers.set("keepalive", now + interval);
  }

  /** Registers again, while what is known of the registration stays. */
  #registerAgain(now: Instant): void {
    const isUnderWay = this.#timers.get("register") !== undefined ||
      this.#outstanding.some(({ kind }) => kind === "register");
    if (isUnderWay || this.#state === "leaving" || this.#state === "left") return;
    this.#registeredAt = Math.max(now, this.#registeredAt + REGISTER_AGAIN_AFTER);
    this.#timers.set("register", this.#registeredAt);
  }

  #finish(kind: Outstanding["kind"]): void {
    this.#outstanding = this.#outstanding.filter((each) => each.kind !== kind);
  }

  #end(acknowledged: boolean): void {
    this.#state = "left";
    this.#outstanding = [];
    this.#timers.clearAll();
    this.#events.push({ kind: "left", acknowledged });
  }
}
