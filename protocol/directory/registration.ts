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
  RefusalReason,
  type Refused,
  type Registered,
} from "../wire/frame.ts";
import type { DirectorySession } from "./directory_session.ts";
import type { EntryToken } from "./entry_token.ts";
import { Liveness } from "./liveness.ts";
import { OtherFamily } from "./other_family.ts";
import { Outstanding, OutstandingRequests, type Sent } from "./outstanding.ts";
import { Questions } from "./questions.ts";
import { Registering } from "./registering.ts";
import {
  noticeEvents,
  type Query,
  type RegistrationEvent,
  type RegistrationRequest,
} from "./registration_event.ts";
import { DirectorySecret } from "./registration_key.ts";
import { UnprovenProblems } from "./unproven.ts";

/** Milliseconds after which a Client Leave without an ack is given up. */
export const LEAVE_TIMEOUT = 30_000;
/** The same where a datagram, which anybody could forge, says that there is nothing to leave. */
export const LEAVE_UNKNOWN_TIMEOUT = 3_000;

/** One client's dealings with its directory, or with several that share a table. */
export class Registration implements Machine<RegistrationEvent> {
  readonly #registering: Registering;
  #state: "registering" | "registered" | "leaving" | "left" = "registering";
  #lease = 0;
  readonly #liveness: Liveness;
  /** Whether anything authentic came since the start. */
  #isHeard = false;
  readonly #unproven = new UnprovenProblems();
  readonly #outstanding: OutstandingRequests;
  readonly #questions: Questions;
  readonly #otherFamily: OtherFamily;
  /** What is to be sent before anything else. */
  #due: Transmit[] = [];
  readonly #timers = new Timers<"giveUp" | "keepalive">();
  #events: RegistrationEvent[] = [];

  /** Starts registering. */
  constructor(now: Instant, request: RegistrationRequest) {
    const { policy, random } = request;
    const secret = request.secret && new DirectorySecret(request.secret);
    this.#outstanding = new OutstandingRequests(policy);
    this.#questions = new Questions(this.#outstanding);
    this.#liveness = new Liveness(policy.repairDelay);
    this.#otherFamily = new OtherFamily({ secret, policy, random });
    this.#registering = new Registering(now, {
      request,
      secret,
      outstanding: this.#outstanding,
      questions: this.#questions,
      liveness: this.#liveness,
      unproven: this.#unproven,
      otherFamily: this.#otherFamily,
      report: (event) => this.#events.push(event),
    });
  }

  /** The client id, once the directory gave one. */
  get id(): number | undefined {
    return this.#registering.id;
  }

  /** The name that the directory knows this client by. */
  get name(): string {
    return this.#registering.name;
  }

  /** What names this client's entry, once there is one. */
  get entry(): EntryToken | undefined {
    return this.#registering.tokens.own;
  }

  /** The directory's addresses that know this client's: the one in use, then that of the other family. */
  get addresses(): Address[] {
    const { address } = this.#registering.session ?? {};
    return [address, this.#otherFamily.address].filter((each) => each !== undefined);
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
    this.#registering.changeAddresses(now, directoryAddresses);
  }

  /** Asks for another name: a `registered` or a `nameRefused` event follows. */
  rename(now: Instant, name: string): void {
    if (this.#state === "registered") this.#registering.rename(now, name);
  }

  /** Asks something, again after `resendMax` ms at the latest; false where too many questions are open. */
  lookUp(now: Instant, query: Query, resendMax?: number): boolean {
    if (this.#hasLeft || this.#outstanding.isFull) return false;
    const request = this.#questions.ask(now, query, resendMax);
    this.#registering.expect(now, false);
    if (query.kind !== "call") return true;
    request.nextAt = Math.max(now, this.#otherFamily.awaitedUntil ?? 0);
    this.#otherFamily.refresh(now);
    return true;
  }

  /** Whether a call of this client id has no answer yet. */
  isCalling(id: number): boolean {
    return this.#outstanding.isCalling(id);
  }

  /** Wraps a datagram for a client that was met, to be sent at once; undefined if that cannot be. */
  carry(number: bigint, to: number, datagram: Uint8Array): Transmit | undefined {
    const { session } = this.#registering;
    if (session === undefined || this.#state !== "registered") return undefined;
    const frame = { kind: "carry", number, to, datagram } as const;
    return { bytes: session.encodeRequest(this.id!, frame), to: session.address };
  }

  /** Takes a question back: its answer will not be reported. */
  dropQuery(query: Query): void {
    this.#outstanding.drop(query);
    this.#registering.settle();
  }

  /** Asks which clients are active; a `list` event follows. */
  list(now: Instant): void {
    if (this.#hasLeft) return;
    this.#questions.list(now);
    this.#registering.expect(now, false);
  }

  /** Sends Client Leave; the `left` event comes when it is acknowledged or given up. */
  leave(now: Instant): void {
    if (this.#hasLeft) return;
    this.#clear();
    if (this.id === undefined) return this.#end(false);
    this.#state = "leaving";
    this.#ask(now, "leave");
    if (this.isLost) this.#registering.move(now, "silent");
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
        return this.#handleNotice(now, datagram);
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
    const isFirst = this.#registering.handleChallenge(now, bytes, challenge, from);
    // The other addresses need not be asked any more.
    if (isFirst === true) this.#due = [];
    return isFirst !== undefined;
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
      this.#registering.expect(now, true);
      return true;
    }
    return false;
  }

  #handleNotice(now: Instant, datagram: Datagram): boolean {
    const { session } = this.#registering;
    if (session === undefined || datagram.header.session !== session.localId) return false;
    const frames = session.openNotice(datagram);
    if (frames?.some(isUnavailable)) this.#registering.move(now, "unavailable");
    this.#events.push(...(frames ?? []).flatMap(noticeEvents));
    return frames !== undefined;
  }

  /**
   * Takes the header of a request, which says that the directory does not know its session: anybody
   * could have sent it back, so it costs a registration, and changes nothing by itself.
   */
  #handleUnknown(now: Instant, { packet }: Header, from: Address): boolean {
    const { session } = this.#registering;
    const isMeant = session !== undefined && sameAddress(from, session.address) &&
      this.#outstanding.wereSent(session, packet);
    if (!isMeant) return false;
    if (this.#state === "registered") this.#registering.again(now);
    else if (this.#state === "leaving") {
      const giveUp = Math.min(this.#timers.get("giveUp") ?? Infinity, now + LEAVE_UNKNOWN_TIMEOUT);
      this.#timers.set("giveUp", giveUp);
    }
    return true;
  }

  /** Takes a Version datagram: the directory's counts while there is no id, if nothing better comes. */
  handleVersion(now: Instant, version: number, from: Address): boolean {
    const isHeeded = this.id === undefined && !this.#isHeard &&
      this.#registering.addresses.some((each) => sameAddress(each, from));
    if (isHeeded) this.#unproven.noteVersion(now, version);
    return isHeeded;
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("keepalive", now)) this.#ask(now, "leaseKeepalive");
    this.#registering.handleTimeout(now);
    if (this.#liveness.handleTimeout(now)) this.#registering.handleSilence(now);
    this.#events.push(...this.#unproven.handleTimeout(now));
    if (this.#timers.expire("giveUp", now)) this.#end(false);
    this.#otherFamily.handleTimeout(now);
    this.#events.push(...this.#questions.takeTimedOut(now));
  }

  /** Asks everything again at once: this end slept. */
  handleWake(now: Instant): void {
    for (const request of this.#outstanding) request.advance(now);
    // The directory was not silent meanwhile: nobody listened.
    this.#liveness.clear();
    if (this.#state === "registered") this.#ask(now, "leaseKeepalive");
    else this.#registering.expect(now, false);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    let timeout = earlier(this.#timers.next(), this.#unproven.nextTimeout());
    timeout = earlier(timeout, this.#registering.nextTimeout());
    timeout = earlier(timeout, this.#liveness.nextTimeout());
    timeout = earlier(timeout, this.#otherFamily.nextTimeout());
    return earlier(timeout, this.#outstanding.nextTimeout(this.#registering.session !== undefined));
  }

  /** See {@linkcode Machine}. */
  pollEvent(): RegistrationEvent | undefined {
    return this.#events.shift();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    const due = this.#due.shift() ?? this.#otherFamily.pollTransmit(now);
    if (due !== undefined) return due;
    const { session, waitMax } = this.#registering;
    const request = this.#outstanding.takeDue(now, session !== undefined, waitMax);
    if (request === undefined) return undefined;
    this.#due = this.#encode(now, request);
    return this.#due.shift();
  }

  /** The datagrams of one transmission. */
  #encode(now: Instant, request: Outstanding): Transmit[] {
    if (request.kind === "register") return this.#registering.encode(now, request);
    const session = this.#registering.session!;
    request.noteSent(now, session);
    // A Call is no smaller than what it brings about.
    const sizeMin = request.query?.kind === "call" ? CALL_SIZE : 0;
    const bytes = session.encodeRequest(this.id!, this.#frame(request), sizeMin);
    return [{ bytes, to: session.address }];
  }

  #frame({ kind, query }: Outstanding): Frame {
    if (query !== undefined) return this.#questions.frame(query);
    return { kind: kind === "leave" ? "leave" : "leaseKeepalive" };
  }

  #ask(now: Instant, kind: "leaseKeepalive" | "leave"): void {
    this.#outstanding.add(new Outstanding(now, kind));
    this.#registering.expect(now, false);
  }

  /** Notes that something authentic came from the directory. */
  #noteHeard(session: DirectorySession): void {
    this.#isHeard = true;
    this.#unproven.handleProof();
    // Another directory that answers is not yet one where the client is registered.
    if (session !== this.#registering.session) return this.#liveness.clear();
    if (this.#liveness.handleProof()) this.#events.push({ kind: "back" });
    this.#registering.cancel();
  }

  #handleFrame(now: Instant, frame: Frame, request: Outstanding, sent: Sent): void {
    const { kind } = request;
    switch (frame.kind) {
      case "registered":
        if (kind === "register") this.#handleRegistered(now, frame, sent.session);
        return;
      case "refused":
        if (kind !== "register") return this.#handleUnavailable(now, frame, request);
        return this.#registering.refuse(now, frame.reason, sent.session);
      case "leaseKeepaliveAck":
        if (kind !== "leaseKeepalive") return;
        this.#registering.handleRenewal();
        return this.#handleLease(now, frame.lease);
      case "leaveAck":
        if (kind === "leave") this.#end(true);
        return;
      default: {
        const event = this.#questions.handleFrame(now, frame, request, sent);
        if (event !== undefined) this.#events.push(event);
      }
    }
  }

  #handleRegistered(now: Instant, frame: Registered, session: DirectorySession): void {
    this.#outstanding.finish("register");
    if (this.#state === "leaving") {
      this.#registering.leaveAt(frame.id, session);
      return this.#outstanding.find("leave")?.advance(now);
    }
    this.#state = "registered";
    this.#registering.grant(now, frame, session);
    this.#handleLease(now, frame.lease);
    // What the session before did not get an answer to is asked in this one.
    for (const request of this.#outstanding) request.nextAt = now;
  }

  #handleLease(now: Instant, lease: number): void {
    this.#lease = lease;
    this.#outstanding.finish("leaseKeepalive");
    this.#timers.set("keepalive", now + this.#registering.keepaliveInterval(lease));
  }

  /** Takes the answer that the directory cannot answer now: it keeps the lease, as this client does. */
  #handleUnavailable(now: Instant, frame: Refused, request: Outstanding): void {
    if (!isUnavailable(frame) || this.#state !== "registered") return;
    const isMoving = this.#registering.move(now, "unavailable");
    if (request.kind === "leaseKeepalive") this.#handleLease(now, this.#lease);
    // Another directory is asked soon.
    else if (isMoving) request.nextAt = Infinity;
    else this.#events.push(...this.#questions.takeUnavailable());
  }

  #clear(): void {
    this.#outstanding.clear();
    this.#registering.stop();
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

/** Whether a frame says that the directory cannot answer now. */
function isUnavailable(frame: Frame): boolean {
  return frame.kind === "refused" && frame.reason === RefusalReason.unavailable;
}
