/**
 * The directory's side of the protocol: requests in, answers out. Pure: no clock, socket or
 * randomness of its own.
 *
 * @module
 */
import { nameProblem } from "../protocol/name/name.ts";
import {
  type DirectoryRequest,
  findRequest,
  readRegister,
  readRequest,
  Registrar,
} from "../protocol/directory/registrar.ts";
import { openRequest } from "../protocol/directory/registration_key.ts";
import type { DatagramMachine, Instant, Transmit } from "../protocol/machine.ts";
import { earlier } from "../protocol/timers.ts";
import type { Address } from "../protocol/wire/address.ts";
import {
  type Datagram,
  decodeDatagram,
  encodeUnknownAnswer,
  encodeVersionAnswer,
} from "../protocol/wire/datagram.ts";
import {
  ENDPOINT_SIZE,
  isIpv4,
  readEndpoint,
  writeEndpoint,
} from "../protocol/wire/endpoint_bytes.ts";
import {
  type AlsoAt,
  type Credentials,
  DatagramType,
  type Frame,
  type Header,
  type LookUp,
  RefusalReason,
  type Register,
} from "../protocol/wire/frame.ts";
import { AnswerQueue } from "./answer_queue.ts";
import { Introductions } from "./introductions.ts";
import { DepartedClients } from "./departed.ts";
import { listingAfter } from "./listing.ts";
import { EventReporter, type ServerEvent, type TableEvent } from "./event.ts";
import {
  CARRIED_IN_TOTAL,
  CLIENTS_PER_SOURCE,
  type LimitName,
  Limits,
  NAME_HOLD,
  type Rates,
  registrationsPerMinute,
  usualRates,
} from "./limits.ts";
import type { ServerOptions } from "./server_options.ts";
import { type DropReason, type RefusalName, refusalName, type Totals } from "./totals.ts";
import type { StoreInput, StoreQuestion } from "./store/store.ts";
import { LocalTable } from "./table/local_table.ts";
import { SharedTable } from "./table/shared_table.ts";
import { NO_SLOT } from "./table/table.ts";
import type { SharedSettings, Table, TableClient, TableHandlers } from "./table/table.ts";

/** Says that the store cannot be asked. */
const UNAVAILABLE: Frame = { kind: "refused", reason: RefusalReason.unavailable };
/** The requests that are answered by what the table says, or that show whether it can be asked. */
const NEEDS_TABLE: ReadonlySet<DirectoryRequest["kind"]> = new Set(
  ["leaseKeepalive", "lookUp", "list", "call"] as const,
);

/** Directories that share a store, so many of which can be flooded with Registers at the same time. */
const DIRECTORIES_USUAL = 8;

/** A directory that is driven by datagrams, the time, and the store where there is one. */
export class Server implements DatagramMachine<ServerEvent> {
  /** How much was dropped, by reason. */
  readonly dropped: Partial<Record<DropReason, number>> = {};
  /** How many Registers were refused, by reason. */
  readonly refused: Partial<Record<RefusalName, number>> = {};
  /** The Registers that were granted. */
  registrations = 0;
  /** The Look-ups that were answered. */
  lookUps = 0;
  /** What the directories of one table have in common. */
  readonly settings: SharedSettings;
  /** Those of the directory that has made the latest keys of the store, which may be this one. */
  sharedSettings: SharedSettings | undefined;
  readonly #lease: number;
  readonly #isPrivate: boolean;
  readonly #registrar: Registrar;
  readonly #table: Table;
  /** The same, where it is shared. */
  readonly #shared: SharedTable | undefined;
  readonly #introductions: Introductions;
  readonly #departed = new DepartedClients();
  readonly #limits: Limits;
  readonly #answers = new AnswerQueue();
  readonly #events: EventReporter;
  /** Where the datagram at hand came from. */
  readonly #endpoint = new Uint8Array(ENDPOINT_SIZE);

  constructor(options: ServerOptions) {
    const { lease, maxClients, secret, random, hasSourceLimits = true } = options;
    const { relayLimit = CARRIED_IN_TOTAL, maxPerSource = CLIENTS_PER_SOURCE } = options;
    const { nameHold = NAME_HOLD, directory } = options;
    this.#lease = lease;
    this.#isPrivate = secret !== undefined;
    this.#registrar = new Registrar(options);
    // A cookie is valid for a minute at most, at whichever directory.
    const replaysMax = registrationsPerMinute(maxClients) *
      (directory === undefined ? 1 : DIRECTORIES_USUAL);
    const places = { maxClients, maxPerSource: hasSourceLimits ? maxPerSource : undefined };
    const { identity: { publicKey } } = options;
    this.settings = { ...places, lease, nameHold, publicKey };
    const parts = { ...this.settings, replaysMax, random };
    const handlers: TableHandlers = {
      report: (kind, client) => this.#events.reportChange(kind, client),
      deliver: (now, slot, frame) => this.#introductions.deliver(now, slot, frame),
      useKeys: ({ current, previous, settings }) => {
        this.sharedSettings = settings;
        this.#registrar.useKeys(current, previous);
        this.#introductions.useKeys(current, previous);
      },
      hasRoom: () => this.#answers.hasRoom,
    };
    this.#shared = directory === undefined
      ? undefined
      : new SharedTable({ ...parts, directory, settings: this.settings }, handlers);
    this.#table = this.#shared ?? new LocalTable(parts, handlers);
    const { rates = usualRates(relayLimit) } = options;
    this.#limits = new Limits({ maxClients, hasSourceLimits }, rates);
    this.#introductions = new Introductions({
      table: this.#table,
      limits: this.#limits,
      isRelay: relayLimit > 0,
      random,
      notify: (slot, frame) => this.#notify(slot, frame),
      drop: (reason) => this.#drop(reason),
    });
    this.#events = new EventReporter(this.#table);
  }

  /** Sets other limits from now on. */
  changeRates(rates: Rates): void {
    this.#limits.change(rates);
  }

  /** Asks for another secret from now on; who is registered stays. For a private directory. */
  changeSecret(secret: Uint8Array): void {
    this.#registrar.changeSecret(secret);
  }

  /** Who is active, as an event. */
  table(): TableEvent {
    return this.#events.table();
  }

  /** The active clients from the `index`th on, counted from 0, by rising id. */
  *clientsFrom(index: number): Generator<TableClient, void> {
    for (const slot of this.#table.listFrom(index)) yield this.#table.entries.client(slot);
  }

  /** Whether it knows who is active; not while its store cannot be asked. */
  get isAvailable(): boolean {
    return this.#table.isAvailable;
  }

  /** What it has done since it was started. */
  get totals(): Totals {
    const { count: introductions, carriedDatagrams, carriedBytes } = this.#introductions;
    const { registrations, lookUps, refused, dropped } = this;
    const clients = this.#table.size;
    const carried = { carriedDatagrams, carriedBytes };
    return { clients, registrations, lookUps, introductions, ...carried, refused, dropped };
  }

  /** The token buckets that are kept: those of all limits, each with a bound. */
  get buckets(): number {
    return this.#limits.size;
  }

  /** Takes what came from the store together. */
  handleStore(now: Instant, inputs: readonly StoreInput[]): void {
    for (const input of inputs) this.#shared?.handleStore(now, input);
    this.#events.reportTable(now);
  }

  /** The next question to the store, if any. */
  pollQuestion(now: Instant): StoreQuestion | undefined {
    return this.#shared?.pollQuestion(now);
  }

  /**
   * Tells clients with ids above `after`, `countMax` at most, to go to another directory: this one
   * stops. There must be another.
   *
   * @returns the last id of many, undefined where all were told.
   */
  sendAway(after: number, countMax: number): number | undefined {
    let count = 0;
    for (const slot of this.#table.listAbove(after)) {
      if (this.#table.isHere(slot)) this.#notify(slot, UNAVAILABLE);
      if (++count === countMax) return this.#table.entries.id(slot);
    }
    return undefined;
  }

  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.#table.handleTimeout(now);
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) {
      this.#drop(decoded.error.reason);
      if (decoded.error.reason === "version") this.#answerVersion(now, decoded.error.header, from);
    } else {
      writeEndpoint(this.#endpoint, from);
      const datagram = decoded.value;
      const { header: { type }, frames: [credentials] } = datagram;
      if (type === DatagramType.Request) this.#handleRequest(now, datagram, from);
      else if (type === DatagramType.Register && credentials?.kind === "credentials") {
        this.#handleCredentials(now, datagram, credentials, from);
        // A Punch only keeps its sender's mapping alive.
      } else if (type !== DatagramType.Punch) this.#drop("notRequest");
    }
    this.#events.reportTable(now);
  }

  handleTimeout(now: Instant): void {
    this.#table.handleTimeout(now);
    this.#events.reportTable(now);
  }

  nextTimeout(): Instant | undefined {
    return earlier(this.#table.nextTimeout(), this.#events.nextTimeout());
  }

  pollTransmit(): Transmit | undefined {
    return this.#answers.poll();
  }

  pollEvent(): ServerEvent | undefined {
    return this.#events.poll();
  }

  /** Takes a Register. */
  #handleCredentials(
    now: Instant,
    datagram: Datagram,
    credentials: Credentials,
    from: Address,
  ): void {
    if (!this.#registrar.isSigned(datagram)) return this.#drop("secret");
    if (!this.#registrar.hasCookie(now, credentials, from)) {
      if (!this.#admit(now, "strangers", from)) return;
      return this.#answer(from, this.#registrar.encodeChallenge(now, credentials, from));
    }
    const slot = this.#table.findEndpoint(this.#endpoint);
    const known = this.#isHere(slot) ? this.#table.entries.sessionKey(slot) : undefined;
    const repeated = known && readRegister(known, datagram);
    if (repeated !== undefined) return this.#handleRepeat(now, slot, datagram, from);
    // Nothing that costs as much is done for a source that asks too often.
    if (!this.#admit(now, "registrations", from)) return;
    const sessionKey = this.#registrar.agree(credentials);
    const frame = sessionKey && readRegister(sessionKey, datagram);
    if (sessionKey === undefined || frame === undefined) return this.#drop("forged");
    if (this.#table.isReplay(sessionKey)) return this.#drop("replay");
    this.#handleRegister(now, frame, credentials.publicKey, sessionKey, datagram, from);
  }

  /** The Register that the entry is from, sent again: its answer was lost. */
  #handleRepeat(now: Instant, slot: number, { header: { packet } }: Datagram, from: Address): void {
    if (!this.#isNew(slot, packet)) return;
    this.#table.renew(now, slot);
    this.#answerRegistered(slot, packet, from);
  }

  #handleRegister(
    now: Instant,
    frame: Register,
    publicKey: Uint8Array,
    sessionKey: Uint8Array,
    { header: { packet } }: Datagram,
    from: Address,
  ): void {
    const { session, token, wantedId, name } = frame;
    const endpoint = this.#endpoint;
    const refuse = (reason: number): void => {
      const cause = refusalName(reason);
      this.refused[cause] = (this.refused[cause] ?? 0) + 1;
      this.#answer(from, this.#registrar.encodeRefusal(sessionKey, session, reason));
    };
    if (name !== "" && nameProblem(name) !== undefined) return refuse(RefusalReason.badName);
    const request = { sessionKey, session, packet, token, wantedId, publicKey, name, endpoint };
    this.#table.register(now, request, (result) => {
      if (!result.ok) return refuse(result.error);
      this.registrations++;
      this.#answerRegistered(result.value, packet, from);
    });
  }

  #handleRequest(now: Instant, datagram: Datagram, from: Address): void {
    const { session: id, packet } = datagram.header;
    const { entries } = this.#table;
    const slot = this.#table.find(id);
    const isHere = this.#isHere(slot);
    if (!isHere || !entries.isAt(slot, this.#endpoint)) {
      const isKnown = isHere && this.#handleElsewhere(now, slot, datagram, from) ||
        this.#handleDeparted(datagram, from);
      if (!isKnown) this.#handleUnknown(now, "unknown", datagram, from);
      return;
    }
    const plain = openRequest(entries.sessionKey(slot), datagram);
    if (plain === undefined) return this.#handleUnknown(now, "forged", datagram, from);
    if (!this.#isNew(slot, packet)) return;
    const frame = findRequest(plain);
    if (frame === undefined) return this.#drop("notRequest");
    this.#handleFrame(now, slot, datagram, frame, from);
  }

  /** Takes a request of a client from another address than its own; false where it is not authentic. */
  #handleElsewhere(now: Instant, slot: number, datagram: Datagram, from: Address): boolean {
    const { entries } = this.#table;
    const frame = readRequest(entries.sessionKey(slot), datagram);
    if (frame === undefined) return false;
    if (frame.kind === "alsoAt") this.#handleAlsoAt(now, slot, datagram, frame, from);
    else if (this.#isNew(slot, datagram.header.packet)) {
      // Its address has changed: it has to register again, and a private directory says so, too.
      this.#drop("unknown");
      if (this.#admit(now, "strangers", from)) {
        this.#answer(from, encodeUnknownAnswer(datagram.header));
      }
    }
    return true;
  }

  /** Notes the address of the other family. */
  #handleAlsoAt(
    now: Instant,
    slot: number,
    { header: { packet } }: Datagram,
    frame: AlsoAt,
    from: Address,
  ): void {
    const { entries } = this.#table;
    const isOther = isIpv4(this.#endpoint) !== isIpv4(entries.endpoint(slot));
    // The session is known, so nothing says that it is not: with a new cookie the client asks again.
    if (!this.#registrar.hasCookie(now, frame, from)) this.#drop("unknown");
    else if (!isOther) this.#drop("notRequest");
    else if (this.#isNew(slot, packet) && this.#admit(now, "questions", from)) {
      this.#table.setOtherEndpoint(now, slot, this.#endpoint);
      this.#answerFrame(slot, packet, from, { kind: "alsoAtAck", seenAt: from });
    }
  }

  /** Acknowledges a Leave again; false where the request is no such. */
  #handleDeparted(datagram: Datagram, from: Address): boolean {
    const { session: id, packet } = datagram.header;
    const client = this.#departed.find(this.#endpoint, id);
    const frame = client && readRequest(client.sessionKey, datagram);
    if (client === undefined || frame?.kind !== "leave") return false;
    if (packet <= client.packet) this.#drop("replay");
    else {
      client.packet = packet;
      const { sessionKey, session } = client;
      const ack = this.#registrar.encodeAnswer(sessionKey, session, packet, { kind: "leaveAck" });
      this.#answer(from, ack);
    }
    return true;
  }

  /** A request that cannot be opened: its sender may have to register again. */
  #handleUnknown(
    now: Instant,
    reason: "unknown" | "forged",
    { header }: Datagram,
    from: Address,
  ): void {
    this.#drop(reason);
    if (this.#answersStrangers(now, from)) this.#answer(from, encodeUnknownAnswer(header));
  }

  #handleFrame(
    now: Instant,
    slot: number,
    { header: { packet }, bytes: { length: size } }: Datagram,
    frame: DirectoryRequest,
    from: Address,
  ): void {
    if (frame.kind === "leaseKeepalive") this.#table.renew(now, slot);
    if (!this.#table.isAvailable && NEEDS_TABLE.has(frame.kind)) {
      return this.#answerFrame(slot, packet, from, UNAVAILABLE);
    }
    switch (frame.kind) {
      case "leaseKeepalive":
        return this.#answerFrame(slot, packet, from, {
          kind: "leaseKeepaliveAck",
          lease: this.#lease,
        });
      case "lookUp":
        return this.#handleLookUp(now, slot, packet, frame, from);
      case "list":
        if (!this.#admit(now, "questions", from)) return;
        return this.#answerFrame(slot, packet, from, listingAfter(this.#table, frame));
      case "call": {
        const answer = this.#introductions.call(now, slot, frame, size, from);
        if (answer !== undefined) this.#answerFrame(slot, packet, from, answer);
        return;
      }
      case "carry":
        return this.#introductions.carry(now, slot, frame, from);
      case "alsoAt":
        // It is there already.
        return this.#drop("notRequest");
      case "leave":
        this.#answerFrame(slot, packet, from, { kind: "leaveAck" });
        this.#departed.add(this.#table.entries, slot);
        return this.#table.remove(now, slot);
    }
  }

  #handleLookUp(now: Instant, slot: number, packet: number, frame: LookUp, from: Address): void {
    if (!this.#admit(now, "questions", from)) return;
    const { id, name } = frame;
    const { entries } = this.#table;
    this.lookUps++;
    const found = id === 0 ? this.#table.findName(name) : this.#table.find(id);
    if (found === NO_SLOT) {
      return this.#answerFrame(slot, packet, from, { kind: "inactive", id, name });
    }
    const key = entries.sessionKey(slot);
    const session = entries.session(slot);
    this.#answer(from, this.#registrar.encodeFound(key, session, packet, entries, found));
  }

  /** Tells a client something that it has not asked for. */
  #notify(slot: number, frame: Frame): void {
    if (!this.#isHere(slot)) {
      if (!this.#table.send(slot, frame)) this.#drop("elsewhere");
      return;
    }
    const { entries } = this.#table;
    const [key, session] = [entries.sessionKey(slot), entries.session(slot)];
    const notice = this.#registrar.encodeNotice(key, session, entries.takeNotice(slot), frame);
    this.#answer(readEndpoint(entries.endpoint(slot)), notice);
  }

  /** Whether there is a client in this slot that is registered here. */
  #isHere(slot: number): boolean {
    return slot !== NO_SLOT && this.#table.isHere(slot);
  }

  /** Whether a client's packet came for the first time; if so, it is noted. */
  #isNew(slot: number, packet: number): boolean {
    const isNew = this.#table.entries.takePacket(slot, packet);
    if (!isNew) this.#drop("replay");
    return isNew;
  }

  #answerRegistered(slot: number, packet: number, to: Address): void {
    const { entries } = this.#table;
    const [token, id] = [entries.token(slot), entries.id(slot)];
    // In the form that all are told.
    const seenAt = readEndpoint(entries.endpoint(slot));
    const lease = this.#lease;
    this.#answerFrame(slot, packet, to, { kind: "registered", token, id, lease, seenAt });
  }

  /** Answers a client, under its key. */
  #answerFrame(slot: number, packet: number, to: Address, frame: Frame): void {
    const { entries } = this.#table;
    const [key, session] = [entries.sessionKey(slot), entries.session(slot)];
    this.#answer(to, this.#registrar.encodeAnswer(key, session, packet, frame));
  }

  #answerVersion(now: Instant, header: Header, from: Address): void {
    if (header.type === DatagramType.Version || !this.#answersStrangers(now, from)) return;
    this.#answer(from, encodeVersionAnswer(header));
  }

  /** Whether one that has shown nothing is answered: not by a private directory. */
  #answersStrangers(now: Instant, from: Address): boolean {
    return !this.#isPrivate && this.#admit(now, "strangers", from);
  }

  /** Queues an answer; counts it where there is no room. */
  #answer(to: Address, bytes: Uint8Array): void {
    if (!this.#answers.add(to, bytes)) this.#drop("output");
  }

  /** Whether the limit leaves room for this; if not, it is dropped. */
  #admit(now: Instant, name: LimitName, from: Address): boolean {
    const isAdmitted = this.#limits.take(now, name, from);
    if (!isAdmitted) this.#drop(name);
    return isAdmitted;
  }

  #drop(reason: DropReason): void {
    this.dropped[reason] = (this.dropped[reason] ?? 0) + 1;
  }
}
