/**
 * A client's dealings with the directory: registering, keeping the lease, asking, leaving.
 *
 * @module
 */
import { type Address, sameAddress } from "../wire/address.ts";
import { encodeDatagram } from "../wire/datagram.ts";
import { type Instant, type Machine, type Random, randomU64, type Transmit } from "../machine.ts";
import {
  DatagramType,
  type Found,
  type Frame,
  type Inactive,
  type Listing,
  RefusalReason,
  type Registered,
} from "../wire/frame.ts";
import { Prover } from "../crypto/proof.ts";
import type { TimerPolicy } from "../recovery/timer_policy.ts";
import { earlier, Timers } from "../timers.ts";

/** Milliseconds until a request to the directory is first sent again. */
export const DIRECTORY_RESEND_FIRST = 500;
/** Milliseconds after which a Look-up or List without an answer is given up. */
export const DIRECTORY_TIMEOUT = 30_000;
/** Milliseconds after which a first Register without an answer is given up. */
export const REGISTRATION_TIMEOUT = 30_000;
/** Milliseconds after which a Client Leave without an ack is given up. */
export const LEAVE_TIMEOUT = 30_000;
/** Milliseconds that a Lease Keepalive is unanswered when the directory counts as lost. */
export const SERVER_LOST_AFTER = 5_000;
/** Milliseconds between two registrations at least, however often the directory asks for one. */
export const REGISTER_AGAIN_AFTER = 1_000;
/** Milliseconds between two Lease Keepalives at least, however short the lease. */
export const LEASE_KEEPALIVE_MIN = 250;
/** Look-ups and Lists under way at a time. */
export const QUERIES_MAX = 16;

/** What the directory is asked. */
export type Query =
  | { kind: "lookUp"; id: number; name: string }
  | { kind: "list"; after: number };

/** What the dealings with the directory lead to. */
export type RegistrationEvent =
  | { kind: "registered"; id: number; name: string; seenAt: Address }
  /** The first registration was refused, for one of `RefusalReason`. */
  | { kind: "refused"; reason: number }
  /** The first registration, or a query, was not answered. */
  | { kind: "timeout"; query: Query | undefined }
  | { kind: "answer"; query: Query; frame: Found | Inactive | Listing }
  | { kind: "lost" }
  | { kind: "back" }
  | { kind: "otherVersion"; version: number }
  | { kind: "left"; acknowledged: boolean };

/** What a client wants to be registered as. */
export interface RegistrationRequest {
  /** The client id, 0 for any. */
  id: number;
  /** Empty for none. */
  name: string;
  /** The UDP port that the socket is bound to. */
  port: number;
  /** The static key that others are told. */
  publicKey: Uint8Array;
  /** The secret of a private directory. */
  secret?: Uint8Array | undefined;
}

type State = "registering" | "registered" | "leaving" | "left";

/** A request that is under way. */
interface Outstanding {
  readonly kind: "register" | "leaseKeepalive" | "leave" | "query";
  readonly query: Query | undefined;
  readonly nonce: bigint;
  readonly since: Instant;
  transmissions: number;
  nextAt: Instant;
  isChallenged: boolean;
}

const NOTHING = new Uint8Array(16);

/** One client's dealings with one directory. Feed it the Answer datagrams, then drain it. */
export class Registration implements Machine<RegistrationEvent> {
  readonly #server: Address;
  readonly #policy: TimerPolicy;
  readonly #random: Random;
  readonly #prover: Prover | undefined;
  #wanted: RegistrationRequest;
  #state: State = "registering";
  #id: number | undefined;
  #token: Uint8Array = NOTHING;
  #cookie: Uint8Array = NOTHING;
  #toldName = "";
  #lease = 0;
  #registeredAt: Instant = -Infinity;
  #isLost = false;
  readonly #outstanding = new Map<bigint, Outstanding>();
  readonly #timers = new Timers<"giveUp" | "keepalive" | "lost" | "register">();
  #events: RegistrationEvent[] = [];

  /** Starts registering. */
  constructor(
    now: Instant,
    server: Address,
    wanted: RegistrationRequest,
    policy: TimerPolicy,
    random: Random,
  ) {
    this.#server = server;
    this.#wanted = wanted;
    this.#prover = wanted.secret && new Prover(wanted.secret);
    this.#policy = policy;
    this.#random = random;
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

  /** Asks the directory; false where too many questions are open. */
  query(now: Instant, query: Query): boolean {
    const isPossible = this.#state !== "leaving" && this.#state !== "left" &&
      this.#queries().length < QUERIES_MAX;
    if (isPossible) this.#ask(now, "query", query);
    return isPossible;
  }

  /** Takes a question back: its answer will not be told. */
  dropQuery(query: Query): void {
    for (const outstanding of this.#queries()) {
      if (outstanding.query === query) this.#outstanding.delete(outstanding.nonce);
    }
  }

  /** Sends Client Leave; the `left` event comes when it is acknowledged or given up. */
  leave(now: Instant): void {
    if (this.#state === "leaving" || this.#state === "left") return;
    this.#outstanding.clear();
    this.#timers.clearAll();
    if (this.#id === undefined) return this.#end(false);
    this.#state = "leaving";
    this.#ask(now, "leave");
    this.#timers.set("giveUp", now + LEAVE_TIMEOUT);
  }

  /** Whether a datagram is to be believed: with a secret, only one that ends with its proof. */
  isTrusted(bytes: Uint8Array): boolean {
    return this.#prover === undefined || this.#prover.isProven(bytes);
  }

  /** Takes a frame of an Answer datagram that is trusted. */
  handleFrame(now: Instant, frame: Frame): void {
    if (!("nonce" in frame)) return;
    const request = this.#outstanding.get(frame.nonce);
    if (request === undefined) return;
    this.#timers.clear("lost");
    if (this.#isLost) {
      this.#isLost = false;
      this.#events.push({ kind: "back" });
    }
    // A Challenge is a sign of life, but the answer is still to come.
    if (frame.kind === "challenge") this.#expectAnswer(now);
    switch (frame.kind) {
      case "challenge":
        if (request.kind !== "register") return;
        this.#cookie = frame.cookie.slice();
        // A second Challenge means that the cookie did not help: no hurry then.
        if (!request.isChallenged) request.nextAt = now;
        request.isChallenged = true;
        return;
      case "registered":
        if (request.kind === "register") this.#handleRegistered(now, frame, request);
        return;
      case "refused":
        return this.#handleRefused(now, frame.reason, request);
      case "leaseKeepaliveAck":
        if (request.kind !== "leaseKeepalive") return;
        this.#outstanding.delete(request.nonce);
        this.#lease = frame.lease;
        return this.#timers.set("keepalive", now + Math.max(this.#lease / 3, LEASE_KEEPALIVE_MIN));
      case "found":
      case "inactive":
      case "listing":
        if (request.query === undefined) return;
        this.#outstanding.delete(request.nonce);
        this.#events.push({ kind: "answer", query: request.query, frame });
        return;
      case "leaveAck":
        if (request.kind === "leave") this.#end(true);
    }
  }

  /** Takes a Version datagram; only the directory's answer to this client counts. */
  handleVersion(version: number, from: Address): void {
    // A client that has an id stays: its connections go on without the directory.
    if (this.#id !== undefined || !sameAddress(from, this.#server)) return;
    this.#events.push({ kind: "otherVersion", version });
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("keepalive", now)) this.#ask(now, "leaseKeepalive");
    if (this.#timers.expire("register", now)) this.#ask(now, "register");
    if (this.#timers.expire("lost", now)) {
      this.#isLost = true;
      this.#events.push({ kind: "lost" });
    }
    if (this.#timers.expire("giveUp", now)) {
      if (this.#state === "leaving") this.#end(false);
      else this.#events.push({ kind: "timeout", query: undefined });
    }
    for (const { nonce, query, since } of this.#queries()) {
      if (since + DIRECTORY_TIMEOUT > now) continue;
      this.#outstanding.delete(nonce);
      this.#events.push({ kind: "timeout", query });
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout = this.#timers.next();
    for (const request of this.#outstanding.values()) {
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
    for (const request of this.#outstanding.values()) {
      if (request.nextAt > now || !this.#maySend(request)) continue;
      request.nextAt = now +
        this.#policy.resendTimeout(DIRECTORY_RESEND_FIRST, ++request.transmissions);
      const header = { type: DatagramType.Request, connection: 0, packet: 0 };
      const bytes = encodeDatagram(header, [this.#frame(request)]);
      return { bytes: this.#prover?.prove(bytes) ?? bytes, to: this.#server };
    }
    return undefined;
  }

  /** Questions wait while the token is not known to be good. */
  #maySend(request: Outstanding): boolean {
    return request.kind !== "query" || this.#state === "registered";
  }

  #queries(): Outstanding[] {
    return [...this.#outstanding.values()].filter(({ kind }) => kind === "query");
  }

  #ask(now: Instant, kind: Outstanding["kind"], query?: Query): void {
    const nonce = randomU64(this.#random);
    this.#outstanding.set(nonce, {
      kind,
      query,
      nonce,
      since: now,
      transmissions: 0,
      nextAt: now,
      isChallenged: false,
    });
    const isHeartbeat = kind === "leaseKeepalive" || kind === "register";
    if (isHeartbeat && this.#timers.get("lost") === undefined) this.#expectAnswer(now);
  }

  /** Counts the directory as lost if it keeps silent from now on. */
  #expectAnswer(now: Instant): void {
    const patience = this.#policy.repairDelay + SERVER_LOST_AFTER;
    if (!this.#isLost) this.#timers.set("lost", now + patience);
  }

  #frame({ kind, query, nonce }: Outstanding): Frame {
    const token = this.#token;
    if (kind === "leaseKeepalive" || kind === "leave") return { kind, nonce, token };
    if (query?.kind === "lookUp") {
      return { kind: "lookUp", nonce, token, id: query.id, name: query.name };
    }
    if (query?.kind === "list") return { kind: "list", nonce, token, after: query.after };
    const { id: wantedId, name, port, publicKey } = this.#wanted;
    return {
      kind: "register",
      nonce,
      token,
      cookie: this.#cookie,
      wantedId,
      port,
      publicKey,
      name,
    };
  }

  #handleRegistered(now: Instant, frame: Registered, request: Outstanding): void {
    this.#outstanding.delete(request.nonce);
    this.#timers.clear("giveUp");
    this.#state = "registered";
    this.#registeredAt = now;
    this.#token = frame.token.slice();
    this.#cookie = NOTHING;
    const { name } = this.#wanted;
    const isNew = this.#id !== frame.id || this.#toldName !== name;
    this.#toldName = name;
    this.#id = frame.id;
    this.#wanted = { ...this.#wanted, id: frame.id };
    this.#lease = frame.lease;
    this.#timers.set("keepalive", now + Math.max(this.#lease / 3, LEASE_KEEPALIVE_MIN));
    if (isNew) this.#events.push({ kind: "registered", id: frame.id, name, seenAt: frame.seenAt });
  }

  #handleRefused(now: Instant, reason: number, request: Outstanding): void {
    if (request.kind !== "register") {
      if (reason !== RefusalReason.unknownToken) return;
      if (request.kind === "leave") return this.#end(true);
      if (request.kind === "leaseKeepalive") this.#outstanding.delete(request.nonce);
      return this.#registerAgain(now);
    }
    this.#outstanding.delete(request.nonce);
    if (this.#id === undefined) {
      this.#timers.clear("giveUp");
      this.#events.push({ kind: "refused", reason });
      return;
    }
    // The directory started anew, and somebody else was quicker: stay reachable under another id.
    if (reason === RefusalReason.idTaken) this.#wanted = { ...this.#wanted, id: 0 };
    if (reason === RefusalReason.nameTaken) this.#wanted = { ...this.#wanted, name: "" };
    this.#registerAgain(now);
  }

  #registerAgain(now: Instant): void {
    const isUnderWay =
      this.#state === "registering" && this.#timers.get("register") !== undefined ||
      [...this.#outstanding.values()].some(({ kind }) => kind === "register");
    if (isUnderWay) return;
    this.#state = "registering";
    this.#timers.clear("keepalive");
    this.#registeredAt = Math.max(now, this.#registeredAt + REGISTER_AGAIN_AFTER);
    this.#timers.set("register", this.#registeredAt);
  }

  #end(acknowledged: boolean): void {
    this.#state = "left";
    this.#outstanding.clear();
    this.#timers.clearAll();
    this.#events.push({ kind: "left", acknowledged });
  }
}
