/**
 * A client's dealings with the directory: registering, keeping the lease, asking, leaving.
 *
 * @module
 */
import type { Instant, Machine, Transmit } from "../machine.ts";
import { earlier, Timers } from "../timers.ts";
import { type Address, sameAddress } from "../wire/address.ts";
import type { Datagram } from "../wire/datagram.ts";
import {
  CALL_SIZE,
  DatagramType,
  type Frame,
  type Header,
  type Listing,
  type Registered,
} from "../wire/frame.ts";
import { ClientList } from "./client_list.ts";
import type { DirectorySession } from "./directory_session.ts";
import { type EntryToken, EntryTokens } from "./entry_token.ts";
import { keepaliveInterval } from "./lease.ts";
import { Liveness } from "./liveness.ts";
import { RegisterExchange } from "./register_exchange.ts";
import { OtherFamily } from "./other_family.ts";
import { Outstanding, OutstandingRequests, type Sent } from "./outstanding.ts";
import {
  lookUpEvent,
  mayAnswer,
  noticeEvents,
  type Query,
  type RegistrationEvent,
  type RegistrationRequest,
} from "./registration_event.ts";
import { DirectorySecret } from "./registration_key.ts";
import { UnprovenProblems } from "./unproven.ts";
import { REFUSED_RETRY, WantedEntry } from "./wanted_entry.ts";

/** Milliseconds after which a first Register, or one for another name, without an answer is given up. */
export const REGISTRATION_TIMEOUT = 30_000;
/** Milliseconds after which a Client Leave without an ack is given up. */
export const LEAVE_TIMEOUT = 30_000;
/** The same where a datagram, which anybody could forge, says that there is nothing to leave. */
export const LEAVE_UNKNOWN_TIMEOUT = 3_000;
/** Milliseconds between two registrations at least, however often one seems to be needed. */
export const REGISTER_AGAIN_AFTER = 1_000;

type TimerName = "giveUp" | "keepalive" | "register" | "regain" | "rename";

/** One client's dealings with one directory. */
export class Registration implements Machine<RegistrationEvent> {
  #request: RegistrationRequest;
  readonly #secret: DirectorySecret | undefined;
  readonly #wanted: WantedEntry;
  #state: "registering" | "registered" | "leaving" | "left" = "registering";
  #id: number | undefined;
  readonly #tokens: EntryTokens;
  #reportedName = "";
  #registeredAt: Instant = -Infinity;
  readonly #liveness: Liveness;
  /** Whether anything authentic came since the start. */
  #isHeard = false;
  readonly #unproven = new UnprovenProblems();
  #session: DirectorySession | undefined;
  #exchange: RegisterExchange;
  readonly #outstanding: OutstandingRequests;
  readonly #otherFamily: OtherFamily;
  /** What is to be sent before anything else. */
  #due: Transmit[] = [];
  readonly #list = new ClientList();
  readonly #timers = new Timers<TimerName>();
  #events: RegistrationEvent[] = [];

  /** Starts registering. */
  constructor(now: Instant, request: RegistrationRequest) {
    const { id, name, otherNames, secret, policy, random } = request;
    this.#request = request;
    this.#outstanding = new OutstandingRequests(policy);
    this.#liveness = new Liveness(policy.repairDelay);
    this.#tokens = new EntryTokens(request.formerEntry);
    this.#wanted = new WantedEntry(id, name, otherNames);
    this.#secret = secret && new DirectorySecret(secret);
    this.#otherFamily = new OtherFamily({ secret: this.#secret, policy, random });
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

  /** What names this client's entry, once there is one. */
  get entry(): EntryToken | undefined {
    return this.#tokens.own;
  }

  /** The directory's addresses that know this client's: the one in use, then that of the other family. */
  get addresses(): Address[] {
    return [this.#session?.address, this.#otherFamily.address].filter((each) => each !== undefined);
  }

  /** Whether the directory is not answering. */
  get isLost(): boolean {
    return this.#liveness.isLost;
  }

  get #hasLeft(): boolean {
    return this.#state === "leaving" || this.#state === "left";
  }

  /** When a leave that is not acknowledged is given up. */
  get leaveBy(): Instant | undefined {
    return this.#state === "leaving" ? this.#timers.get("giveUp") : undefined;
  }

  /** The directory, which does not answer, may be at these addresses now. */
  moveDirectory(now: Instant, directoryAddresses: readonly Address[]): void {
    this.#request = { ...this.#request, directoryAddresses };
    const register = this.#outstanding.find("register");
    if (register === undefined) return;
    this.#exchange = this.#beginExchange();
    register.advance(now);
  }

  /** Asks for another name: a `registered` or a `nameRefused` event follows. */
  rename(now: Instant, name: string): void {
    if (this.#state !== "registered") return;
    this.#timers.clear("register");
    this.#outstanding.finish("register");
    this.#timers.set("rename", now + REGISTRATION_TIMEOUT);
    this.#begin(now, name);
  }

  /** Asks something, again after `resendMax` ms at the latest; false where too many questions are open. */
  lookUp(now: Instant, query: Query, resendMax?: number): boolean {
    if (this.#hasLeft || this.#outstanding.isFull) return false;
    this.#ask(now, "query", query, resendMax);
    return true;
  }

  /** Whether a call of this client id has no answer yet. */
  isCalling(id: number): boolean {
    return this.#outstanding.isCalling(id);
  }

  /** Wraps a datagram for a client that was met, to be sent at once; undefined if that cannot be. */
  carry(number: bigint, to: number, datagram: Uint8Array): Transmit | undefined {
    if (this.#session === undefined || this.#state !== "registered") return undefined;
    const frame = { kind: "carry", number, to, datagram } as const;
    const bytes = this.#session.encodeRequest(this.#id!, frame);
    return { bytes, to: this.#session.address };
  }

  /** Takes a question back: its answer will not be reported. */
  dropQuery(query: Query): void {
    this.#outstanding.drop(query);
  }

  /** Asks which clients are active; a `list` event follows. */
  list(now: Instant): void {
    if (!this.#list.isOpen && this.lookUp(now, { kind: "list" })) this.#list.open();
  }

  /** Sends Client Leave; the `left` event comes when it is acknowledged or given up. */
  leave(now: Instant): void {
    if (this.#hasLeft) return;
    this.#clear();
    if (this.#id === undefined) return this.#end(false);
    this.#state = "leaving";
    this.#ask(now, "leave");
    this.#timers.set("giveUp", now + LEAVE_TIMEOUT);
  }

  /** Takes a datagram of a directory; false where it answers nothing, or is not authentic. */
  handleDatagram(now: Instant, datagram: Datagram, from: Address): boolean {
    const { header } = datagram;
    switch (header.type) {
      case DatagramType.Challenge:
        return this.#handleChallenge(now, datagram, from);
      case DatagramType.Answer:
        return this.#handleAnswer(now, datagram);
      case DatagramType.Notice:
        return this.#handleNotice(datagram);
      case DatagramType.Unknown:
        return this.#handleUnknown(now, header, from);
      default:
        return false;
    }
  }

  /** False where it is for no registration that is under way, or not signed. */
  #handleChallenge(now: Instant, { bytes, frames }: Datagram, from: Address): boolean {
    const challenge = frames.find((each) => each.kind === "challenge");
    if (challenge === undefined) return false;
    if (this.#otherFamily.handleChallenge(now, bytes, challenge, from)) return true;
    const register = this.#outstanding.find("register");
    if (register === undefined || !this.#exchange.isMeant(bytes, challenge, from)) return false;
    if (this.#request.isTrusted?.(challenge.publicKey) === false) {
      this.#unproven.noteKey(now, challenge.publicKey);
      return true;
    }
    this.#unproven.handleTrusted();
    const count = this.#exchange.take(challenge, from);
    if (count === undefined) return false;
    // A second Challenge means that the cookie did not help, or that one is forged: no hurry then.
    if (count !== 1) return true;
    register.advance(now);
    // The other addresses need not be asked any more.
    this.#due = [];
    return true;
  }

  #handleAnswer(now: Instant, datagram: Datagram): boolean {
    if (this.#otherFamily.handleAnswer(datagram)) {
      this.#outstanding.hurry(now);
      return true;
    }
    for (const request of this.#outstanding) {
      const sent = request.findSent(datagram.header);
      const frames = sent?.session.open(datagram);
      if (sent === undefined || frames === undefined) continue;
      this.#outstanding.noteAnswer(now, sent, datagram.header.packet);
      this.#noteHeard(sent.session);
      for (const frame of frames) this.#handleFrame(now, frame, request, sent);
      // The answer to another question is no answer to these.
      if (this.#outstanding.haveHeartbeat) this.#liveness.expect(now, true);
      return true;
    }
    return false;
  }

  #handleNotice(datagram: Datagram): boolean {
    const session = this.#session;
    if (session === undefined || datagram.header.session !== session.localId) return false;
    const frames = session.openNotice(datagram);
    this.#events.push(...(frames ?? []).flatMap(noticeEvents));
    return frames !== undefined;
  }

  /**
   * Takes the header of a request, which says that the directory does not know its session: anybody
   * could have sent it back, so it costs a registration, and changes nothing by itself.
   */
  #handleUnknown(now: Instant, { packet }: Header, from: Address): boolean {
    const session = this.#session;
    const isMeant = session !== undefined && sameAddress(from, session.address) &&
      this.#outstanding.wereSent(session, packet);
    if (!isMeant) return false;
    if (this.#state === "registered") this.#registerAgain(now);
    else if (this.#state === "leaving") {
      const giveUp = Math.min(this.#timers.get("giveUp") ?? Infinity, now + LEAVE_UNKNOWN_TIMEOUT);
      this.#timers.set("giveUp", giveUp);
    }
    return true;
  }

  /** Takes a Version datagram: the directory's counts while there is no id, if nothing better comes. */
  handleVersion(now: Instant, version: number, from: Address): boolean {
    const isHeeded = this.#id === undefined && !this.#isHeard &&
      this.#request.directoryAddresses.some((each) => sameAddress(each, from));
    if (isHeeded) this.#unproven.noteVersion(now, version);
    return isHeeded;
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("keepalive", now)) this.#ask(now, "leaseKeepalive");
    const isRegainDue = this.#timers.expire("regain", now);
    if (this.#timers.expire("register", now)) this.#begin(now);
    else if (isRegainDue) {
      this.#timers.set("regain", now + REFUSED_RETRY);
      if (!this.#outstanding.isRegistering) this.#begin(now, this.#wanted.lostName);
    }
    if (this.#timers.expire("rename", now)) {
      this.#outstanding.finish("register");
      this.#refuseName(undefined);
    }
    if (this.#liveness.handleTimeout(now)) {
      this.#events.push({ kind: "lost" });
      // The directory may have started again, and know nothing of the session.
      this.#registerAgain(now);
    }
    this.#events.push(...this.#unproven.handleTimeout(now));
    if (this.#timers.expire("giveUp", now)) {
      if (this.#state === "leaving") this.#end(false);
      else this.#events.push({ kind: "timeout", query: undefined });
    }
    this.#otherFamily.handleTimeout(now);
    for (const query of this.#outstanding.takeTimedOut(now)) {
      if (query.kind === "list") this.#list.close();
      this.#events.push({ kind: "timeout", query });
    }
  }

  /** Asks everything again at once: this end slept. */
  handleWake(now: Instant): void {
    for (const request of this.#outstanding) request.advance(now);
    if (this.#state === "registered") this.#ask(now, "leaseKeepalive");
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout = earlier(this.#timers.next(), this.#unproven.nextTimeout());
    timeout = earlier(timeout, this.#liveness.nextTimeout());
    timeout = earlier(timeout, this.#otherFamily.nextTimeout());
    return earlier(timeout, this.#outstanding.nextTimeout(this.#session !== undefined));
  }

  /** See {@linkcode Machine}. */
  pollEvent(): RegistrationEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    const due = this.#due.shift() ?? this.#otherFamily.pollTransmit(now);
    if (due !== undefined) return due;
    const request = this.#outstanding.takeDue(now, this.#session !== undefined);
    if (request === undefined) return undefined;
    this.#due = this.#encode(now, request);
    return this.#due.shift();
  }

  /** The datagrams of one transmission: a first Register goes to several addresses. */
  #encode(now: Instant, request: Outstanding): Transmit[] {
    if (request.kind === "register") return this.#encodeRegister(now, request);
    const session = this.#session!;
    request.noteSent(now, session);
    // A Call is no smaller than what it brings about.
    const sizeMin = request.query?.kind === "call" ? CALL_SIZE : 0;
    const bytes = session.encodeRequest(this.#id!, this.#frame(request), sizeMin);
    return [{ bytes, to: session.address }];
  }

  #encodeRegister(now: Instant, register: Outstanding): Transmit[] {
    if (this.#exchange.isOver) this.#exchange = this.#beginExchange();
    const [{ id: wantedId, name }, { port }] = [this.#wanted.asked, this.#request];
    return this.#exchange.encode((session) => {
      register.noteSent(now, session);
      return { token: this.#tokens.shownTo(session.directoryKey), wantedId, port, name };
    });
  }

  #frame({ kind, query }: Outstanding): Frame {
    if (query?.kind === "list") return { kind: "list", after: this.#list.after };
    return query ?? { kind: kind === "leave" ? "leave" : "leaseKeepalive" };
  }

  #ask(now: Instant, kind: Outstanding["kind"], query?: Query, resendMax?: number): void {
    const request = new Outstanding(now, kind, query, resendMax);
    if (query?.kind === "call") {
      request.nextAt = Math.max(now, this.#otherFamily.awaitedUntil ?? 0);
      this.#otherFamily.refresh(now);
    }
    this.#outstanding.add(request);
    if (request.isHeartbeat) this.#liveness.expect(now, false);
  }

  /** Notes that something authentic came from the directory. */
  #noteHeard(session: DirectorySession): void {
    this.#isHeard = true;
    this.#unproven.handleProof();
    if (this.#liveness.handleProof()) this.#events.push({ kind: "back" });
    // It knows the session: there is no need for another.
    if (session === this.#session && this.#wanted.optionalName === undefined) {
      this.#outstanding.finish("register");
      this.#timers.clear("register");
    }
  }

  /** Begins an exchange with the directory at these addresses. */
  #beginExchange(addresses = this.#request.directoryAddresses): RegisterExchange {
    const { identity, random } = this.#request;
    return new RegisterExchange({ addresses, identity, secret: this.#secret, random });
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
        this.#outstanding.finish("leaseKeepalive");
        return this.#timers.set("keepalive", now + keepaliveInterval(frame.lease));
      case "found":
      case "inactive":
      case "meeting":
        if (!mayAnswer(frame, query)) return;
        this.dropQuery(query);
        this.#events.push(lookUpEvent(frame, query, now - sent.at, request.transmissions - 1));
        return;
      case "listing":
        if (query?.kind === "list") this.#handleListing(now, query, frame);
        return;
      case "leaveAck":
        if (kind === "leave") this.#end(true);
    }
  }

  #handleListing(now: Instant, query: Query, listing: Listing): void {
    this.dropQuery(query);
    if (!this.#list.isOpen) return;
    if (this.#list.add(listing) && this.lookUp(now, { kind: "list" })) return;
    this.#events.push({ kind: "list", clients: this.#list.close() });
  }

  #handleRegistered(now: Instant, frame: Registered, session: DirectorySession): void {
    this.#outstanding.finish("register");
    this.#timers.clear("giveUp");
    if (this.#state === "leaving") return;
    this.#timers.clear("rename");
    const { id, lease, seenAt, token } = frame;
    const { directoryKey } = session;
    const { hasChanged, isFormer } = this.#tokens.take(token, directoryKey);
    this.#state = "registered";
    this.#registeredAt = now;
    this.#session = session;
    this.#wanted.grant(id);
    const { name, lostName } = this.#wanted;
    if (lostName === "") this.#timers.clear("regain");
    else this.#timers.set("regain", now + REFUSED_RETRY);
    const isNew = this.#id !== id || this.#reportedName !== name;
    this.#reportedName = name;
    this.#id = id;
    this.#outstanding.finish("leaseKeepalive");
    this.#timers.set("keepalive", now + keepaliveInterval(lease));
    const proof = this.#exchange.otherProof(directoryKey);
    this.#otherFamily.start(now, id, session, this.#request.directoryAddresses, proof);
    // What the session before did not get an answer to is asked in this one.
    for (const request of this.#outstanding) request.nextAt = now;
    if (!isNew && hasChanged) this.#events.push({ kind: "entry" });
    if (!isNew) return;
    this.#events.push({ kind: "registered", id, name, lostName, seenAt, directoryKey, isFormer });
  }

  #handleRefused(now: Instant, reason: number): void {
    this.#outstanding.finish("register");
    if (this.#wanted.optionalName !== undefined) return this.#refuseName(reason);
    if (this.#id === undefined) {
      if (this.#wanted.takeOtherName(reason)) return this.#begin(now);
      this.#timers.clear("giveUp");
      this.#events.push({ kind: "refused", reason });
      return;
    }
    // The directory started again, and somebody else was quicker: stay reachable under another id.
    this.#wanted.refuse(reason);
    this.#registerAgain(now);
  }

  /** Another name was not granted: the own one stays. */
  #refuseName(reason: number | undefined): void {
    const { optionalName: name } = this.#wanted;
    this.#wanted.begin();
    const isWanted = this.#timers.get("rename") !== undefined || reason === undefined;
    this.#timers.clear("rename");
    if (name !== undefined && isWanted) this.#events.push({ kind: "nameRefused", name, reason });
  }

  /** Begins an exchange for another registration, which may ask for another name than the own one. */
  #begin(now: Instant, optionalName?: string): void {
    this.#wanted.begin(optionalName);
    const inUse = this.isLost ? undefined : this.#session?.address;
    this.#exchange = this.#beginExchange(inUse && [inUse]);
    this.#ask(now, "register");
  }

  /** Registers again, while what is known of the registration stays. */
  #registerAgain(now: Instant): void {
    const isDue = this.#timers.get("register") !== undefined;
    if (isDue || this.#outstanding.isRegistering || this.#hasLeft) return;
    this.#registeredAt = Math.max(now, this.#registeredAt + REGISTER_AGAIN_AFTER);
    this.#timers.set("register", this.#registeredAt);
  }

  #clear(): void {
    this.#outstanding.clear();
    this.#due = [];
    this.#otherFamily.stop();
    this.#timers.clearAll();
    this.#liveness.clear();
    this.#unproven.clear();
  }

  #end(acknowledged: boolean): void {
    this.#state = "left";
    this.#clear();
    this.#events.push({ kind: "left", acknowledged });
  }
}
