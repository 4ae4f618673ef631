/**
 * How a client gets its entry in the directory, and keeps it: what it asks for, in which exchange, and
 * at which of the directory's addresses.
 *
 * @module
 */
import type { Instant, Transmit } from "../machine.ts";
import { Timers } from "../timers.ts";
import { type Address, sameAddress } from "../wire/address.ts";
import { type Challenge, RefusalReason, type Registered } from "../wire/frame.ts";
import {
  DirectoryChoice,
  type Move,
  type MoveReason,
  SEVERAL_RESEND_MAX,
  UNAVAILABLE_RETRY,
} from "./directory_choice.ts";
import type { DirectorySession } from "./directory_session.ts";
import { EntryTokens } from "./entry_token.ts";
import type { Liveness } from "./liveness.ts";
import type { OtherFamily } from "./other_family.ts";
import { Outstanding, type OutstandingRequests } from "./outstanding.ts";
import type { Questions } from "./questions.ts";
import { RegisterExchange } from "./register_exchange.ts";
import type { RegistrationEvent, RegistrationRequest } from "./registration_event.ts";
import type { DirectorySecret } from "./registration_key.ts";
import type { UnprovenProblems } from "./unproven.ts";
import { REFUSED_RETRY, WantedEntry } from "./wanted_entry.ts";

/** Milliseconds after which a first Register, or one for another name, without an answer is given up. */
export const REGISTRATION_TIMEOUT = 30_000;
/** Milliseconds between two registrations at least, however often one seems to be needed. */
export const REGISTER_AGAIN_AFTER = 1_000;

/** What registering works with. */
export interface RegisteringParts {
  readonly request: RegistrationRequest;
  readonly secret: DirectorySecret | undefined;
  readonly outstanding: OutstandingRequests;
  readonly questions: Questions;
  readonly liveness: Liveness;
  readonly unproven: UnprovenProblems;
  readonly otherFamily: OtherFamily;
  /** Takes the events. */
  report(event: RegistrationEvent): void;
}

/** The registering of one client, until it leaves. */
export class Registering {
  readonly #parts: RegisteringParts;
  #choice: DirectoryChoice;
  readonly #wanted: WantedEntry;
  readonly #tokens: EntryTokens;
  readonly #timers = new Timers<
    "giveUp" | "register" | "regain" | "rename" | "move" | "moveLater"
  >();
  #exchange: RegisterExchange;
  #session: DirectorySession | undefined;
  #id: number | undefined;
  #reportedName = "";
  #registeredAt: Instant = -Infinity;
  /** Whether no directory could register this client when it was asked first. */
  #isUnavailable = false;
  /** Whether the client leaves: then another registration is only for leaving there. */
  #isLeaving = false;

  /** Begins at all addresses. */
  constructor(now: Instant, parts: RegisteringParts) {
    this.#parts = parts;
    const { directoryAddresses, id, name, otherNames, formerEntry } = parts.request;
    this.#choice = new DirectoryChoice(directoryAddresses);
    this.#wanted = new WantedEntry(id, name, otherNames);
    this.#tokens = new EntryTokens(formerEntry);
    this.#exchange = this.#beginExchange();
    this.#ask(now);
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

  /** The tokens of the client's entry. */
  get tokens(): EntryTokens {
    return this.#tokens;
  }

  /** What is shared with the directory in use, once there is one. */
  get session(): DirectorySession | undefined {
    return this.#session;
  }

  /** The directory's addresses. */
  get addresses(): readonly Address[] {
    return this.#choice.all;
  }

  /** Milliseconds until a request is sent again at most. */
  get waitMax(): number {
    const isWaiting = this.#choice.hasSeveral && this.#session !== undefined &&
      !this.#parts.liveness.isLost && !this.#isOverdue;
    return isWaiting ? SEVERAL_RESEND_MAX : Infinity;
  }

  /** Whether a search goes on for which nobody answered in time. */
  get #isOverdue(): boolean {
    return this.#choice.move !== undefined && this.#timers.get("move") === undefined;
  }

  /** Milliseconds until the next Lease Keepalive. */
  keepaliveInterval(lease: number): number {
    return this.#choice.keepaliveInterval(lease);
  }

  /** The directory may be at these addresses now. */
  changeAddresses(now: Instant, addresses: readonly Address[]): void {
    this.#choice.change(addresses);
    if (this.#isOverdue) return this.#widenSearch(now);
    const register = this.#parts.outstanding.find("register");
    if (register === undefined || this.#choice.move !== undefined) return;
    this.#exchange = this.#beginExchange();
    register.advance(now);
  }

  /** Asks for another name. */
  rename(now: Instant, name: string): void {
    this.#timers.clear("register");
    this.#timers.set("rename", now + REGISTRATION_TIMEOUT);
    this.#begin(now, name);
  }

  /** Registers again, while what is known of the registration stays. */
  again(now: Instant): void {
    if (this.#isOverdue) this.#endMove(now);
    const isDue = this.#timers.get("register") !== undefined;
    if (isDue || this.#parts.outstanding.isRegistering || this.#isLeaving) return;
    this.#registeredAt = Math.max(now, this.#registeredAt + REGISTER_AGAIN_AFTER);
    this.#timers.set("register", this.#registeredAt);
  }

  /**
   * Takes a Challenge: undefined where it is for no registration that is under way, or not signed;
   * otherwise whether it is the first one, which makes the next Register due.
   */
  handleChallenge(
    now: Instant,
    bytes: Uint8Array,
    challenge: Challenge,
    from: Address,
  ): boolean | undefined {
    const { outstanding, request, unproven } = this.#parts;
    const register = outstanding.find("register");
    if (register === undefined || !this.#exchange.isMeant(bytes, challenge, from)) return undefined;
    if (request.isTrusted?.(challenge.publicKey) === false) {
      unproven.noteKey(now, challenge.publicKey);
      return false;
    }
    unproven.handleTrusted();
    const count = this.#exchange.take(challenge, from);
    if (count === undefined) return undefined;
    // A second Challenge means that the cookie did not help, or that one is forged: no hurry then.
    if (count === 1) register.advance(now);
    return count === 1;
  }

  /** The datagrams of a Register: the first one goes to several addresses. */
  encode(now: Instant, register: Outstanding): Transmit[] {
    if (this.#exchange.isOver) this.#exchange = this.#beginExchange();
    const [{ id: wantedId, name }, { port }] = [this.#wanted.asked, this.#parts.request];
    return this.#exchange.encode((session) => {
      register.noteSent(now, session);
      return { token: this.#tokens.shownTo(session.directoryKey), wantedId, port, name };
    });
  }

  /** Takes the entry that the directory gave; what it reports is the caller's to ask in the session. */
  grant(now: Instant, frame: Registered, session: DirectorySession): void {
    const { report, liveness, otherFamily } = this.#parts;
    this.#timers.clear("giveUp");
    this.#timers.clear("rename");
    this.#timers.clear("move");
    this.#timers.clear("moveLater");
    const move = this.#choice.end(now);
    const { id, seenAt, token } = frame;
    const { directoryKey, address: to } = session;
    const from = this.#session?.address;
    const wasLost = liveness.handleProof();
    const { hasChanged, isFormer } = this.#tokens.take(token, directoryKey);
    this.#registeredAt = now;
    this.#session = session;
    this.#wanted.grant(id);
    const { name, lostName } = this.#wanted;
    if (lostName === "") this.#timers.clear("regain");
    else this.#timers.set("regain", now + REFUSED_RETRY);
    const isNew = this.#id !== id || this.#reportedName !== name;
    this.#reportedName = name;
    this.#id = id;
    const proof = this.#exchange.otherProof(directoryKey);
    otherFamily.start(now, id, session, this.#choice.all, proof);
    if (from !== undefined && !sameAddress(from, to)) {
      report({ kind: "moved", why: wasLost ? "silent" : move?.why ?? "silent", from, to });
    } else if (wasLost) report({ kind: "back" });
    if (isNew) {
      const directory = { directoryKey, directoryAddress: to };
      report({ kind: "registered", id, name, lostName, seenAt, ...directory, isFormer });
    } else if (hasChanged) report({ kind: "entry" });
  }

  /** Takes the refusal of a Register in this session. */
  refuse(now: Instant, reason: number, { address }: DirectorySession): void {
    this.#parts.outstanding.finish("register");
    const isSearch = this.#choice.move?.isNeeded === false;
    const isOptional = this.#wanted.optionalName !== undefined;
    // The table, which is that of all directories, has this client no more.
    if (isSearch && !isOptional && this.#wanted.refuse(reason)) return this.#beginMove(now);
    if (isSearch || reason === RefusalReason.unavailable) {
      return this.#choice.refuse(now, address) ? this.#beginMove(now) : this.#failMove(now);
    }
    this.#endMove(now);
    if (isOptional) return this.#refuseName(now, reason);
    if (this.#id === undefined) {
      if (this.#wanted.takeOtherName(reason)) return this.#begin(now);
      this.#timers.clear("giveUp");
      return this.#parts.report({ kind: "refused", reason });
    }
    // The directory started again, and somebody else was quicker: stay reachable under another id.
    this.#wanted.refuse(reason);
    this.again(now);
  }

  /** The directory in use renewed the lease. */
  handleRenewal(): void {
    this.#timers.clear("moveLater");
    if (this.#isOverdue) this.#cancelMove();
    this.#choice.handleRenewal();
  }

  /**
   * The directory in use knows the session: there is no need for another registration, unless it said
   * that it cannot answer.
   */
  cancel(): void {
    if (this.#wanted.optionalName !== undefined || this.#choice.move?.why === "unavailable") return;
    this.#timers.clear("register");
    this.#cancelMove();
  }

  /**
   * Tries other directories, while the registration stays; returns whether that is under way, and is
   * answered soon.
   */
  move(now: Instant, why: MoveReason): boolean {
    const isLost = this.#parts.liveness.isLost && !this.#isLeaving;
    if (this.#session === undefined || isLost) return false;
    if (this.#choice.move !== undefined) return !this.#isOverdue;
    const isBegun = this.#choice.begin(now, this.#session.address, why);
    if (isBegun) this.#beginMove(now);
    else if (why === "unavailable") this.#moveLater();
    return isBegun;
  }

  /** The directory is silent: another one is tried, or it is lost. */
  handleSilence(now: Instant): void {
    if (!this.move(now, "silent")) this.#lose(now);
  }

  /** An answer is expected where silence would say that the directory is not there, or it is expected anew. */
  expect(now: Instant, anew: boolean): void {
    const { hasSeveral, silentAfter } = this.#choice;
    const { outstanding, liveness } = this.#parts;
    const isHere = this.#choice.move?.isNeeded !== false;
    if (outstanding.haveHeartbeat(hasSeveral, isHere)) liveness.expect(now, silentAfter, anew);
  }

  /** Something is not asked any more: where nothing is, no answer is expected. */
  settle(): void {
    const { outstanding, liveness } = this.#parts;
    const isHere = this.#choice.move?.isNeeded !== false;
    if (!outstanding.haveHeartbeat(this.#choice.hasSeveral, isHere)) liveness.clear();
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    const isRegainDue = this.#timers.expire("regain", now);
    if (this.#timers.expire("register", now)) this.#begin(now);
    else if (isRegainDue) {
      this.#timers.set("regain", now + REFUSED_RETRY);
      if (!this.#parts.outstanding.isRegistering) this.#begin(now, this.#wanted.lostName);
    }
    if (this.#timers.expire("rename", now)) {
      this.#parts.outstanding.finish("register");
      this.#refuseName(now, undefined);
    }
    if (this.#timers.expire("move", now)) this.#handleOverdue(now);
    if (this.#timers.expire("moveLater", now)) this.move(now, "unavailable");
    if (this.#timers.expire("giveUp", now)) {
      const { unavailable: reason } = RefusalReason;
      const refused = { kind: "refused", reason } as const;
      this.#parts.report(this.#isUnavailable ? refused : { kind: "timeout", query: undefined });
    }
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** Ends: the client leaves. */
  stop(): void {
    this.#isLeaving = true;
    this.#timers.clearAll();
    this.#choice = new DirectoryChoice(this.#choice.all);
  }

  /** Another directory knows the client, which leaves there. */
  leaveAt(id: number, session: DirectorySession): void {
    this.#parts.liveness.handleProof();
    this.#timers.clear("move");
    this.#choice.cancel();
    this.#id = id;
    this.#session = session;
  }

  /** Begins an exchange with the directory at these addresses. */
  #beginExchange(addresses = this.#choice.tried): RegisterExchange {
    const { request: { identity, random }, secret } = this.#parts;
    return new RegisterExchange({ addresses, identity, secret, random });
  }

  /** Begins an exchange for another registration, which may ask for another name than the own one. */
  #begin(now: Instant, optionalName?: string): void {
    if (this.#isOverdue) this.#endMove(now);
    this.#parts.outstanding.finish("register");
    this.#wanted.begin(optionalName);
    const inUse = this.#parts.liveness.isLost ? undefined : this.#session?.address;
    this.#exchange = this.#beginExchange(inUse && [inUse]);
    this.#ask(now);
  }

  #ask(now: Instant): void {
    this.#parts.outstanding.add(new Outstanding(now, "register"));
    this.expect(now, false);
  }

  /** Another name was not granted: the own one stays. */
  #refuseName(now: Instant, reason: number | undefined): void {
    const { optionalName: name } = this.#wanted;
    this.#wanted.begin();
    const isWanted = this.#timers.get("rename") !== undefined || reason === undefined;
    this.#timers.clear("rename");
    if (name !== undefined && isWanted) this.#parts.report({ kind: "nameRefused", name, reason });
    if (this.#parts.liveness.isLost) this.again(now);
  }

  #lose(now: Instant): void {
    if (this.#isLeaving) return;
    this.#timers.clear("moveLater");
    if (this.#isOverdue) this.#endMove(now);
    this.#parts.liveness.lose();
    this.#parts.report({ kind: "lost" });
    // The directory may have started again, and know nothing of the session.
    this.again(now);
  }

  /** Tries other directories as soon as that may be, unless the one in use renews the lease before. */
  #moveLater(): void {
    if (this.#choice.all.length > 1) this.#timers.set("moveLater", this.#choice.nextMoveAt);
  }

  /** Goes on with the addresses that are left to be tried. */
  #beginMove(now: Instant): void {
    this.#timers.clear("register");
    this.#timers.clear("moveLater");
    this.#exchange = this.#beginExchange();
    const register = this.#parts.outstanding.find("register");
    if (register === undefined) this.#ask(now);
    else register.advance(now);
    const patience = this.#parts.request.policy.repairDelay + this.#choice.silentAfter;
    this.#timers.set("move", now + patience);
  }

  /** Nobody answered a search in time. */
  #handleOverdue(now: Instant): void {
    const { report, questions } = this.#parts;
    const { why, isNeeded, isRefused } = this.#choice.move ?? {};
    const isOptional = this.#wanted.optionalName !== undefined;
    // A late answer is as good, while the directory in use cannot answer: the others may only be busy.
    const goesOn = why === "unavailable" && !isNeeded && !isRefused && !isOptional;
    if (!goesOn) return this.#failMove(now);
    questions.takeUnavailable().forEach(report);
    this.#widenSearch(now);
    this.settle();
    this.expect(now, true);
  }

  /** A search that nobody answered in time goes on at all other addresses. */
  #widenSearch(now: Instant): void {
    if (this.#session === undefined || !this.#choice.widen(this.#session.address)) return;
    this.#exchange = this.#beginExchange();
    this.#parts.outstanding.find("register")?.advance(now);
  }

  #cancelMove(): void {
    this.#wanted.keep();
    this.#parts.outstanding.finish("register");
    this.#timers.clear("move");
    this.#choice.cancel();
  }

  #endMove(now: Instant): Move | undefined {
    // The registration stays.
    if (this.#choice.move?.isNeeded === false) this.#wanted.keep();
    this.#timers.clear("move");
    this.#parts.outstanding.finish("register");
    return this.#choice.end(now);
  }

  /** No other directory registers this client now. */
  #failMove(now: Instant): void {
    const { report, questions } = this.#parts;
    const move = this.#endMove(now);
    if (this.#wanted.optionalName !== undefined) this.#refuseName(now, RefusalReason.unavailable);
    if (move === undefined) return;
    const { why, isNeeded, isRefused } = move;
    if (why === "unavailable" || isRefused) questions.takeUnavailable().forEach(report);
    if (isNeeded) this.#timers.set("register", this.#choice.refusedAt + UNAVAILABLE_RETRY);
    else if (why === "unavailable") this.#moveLater();
    if (this.#session === undefined && !this.#isUnavailable) {
      this.#isUnavailable = true;
      report({ kind: "unavailable", query: undefined });
    }
    if (why === "silent") return this.#lose(now);
    this.settle();
    this.expect(now, true);
  }
}
