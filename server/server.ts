/**
 * The state machine of a directory.
 *
 * @module
 */
import type { Address } from "../protocol/wire/address.ts";
import { decodeDatagram, encodeVersionAnswer } from "../protocol/wire/datagram.ts";
import type { DatagramMachine, Instant, Random, Transmit } from "../protocol/machine.ts";
import {
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  type LeaseKeepalive,
  type Leave,
  type List,
  type ListEntry,
  type LookUp,
  RefusalReason,
  type Register,
} from "../protocol/wire/frame.ts";
import { nameProblem } from "../protocol/directory/name.ts";
import { PROOF_SIZE, Prover } from "../protocol/crypto/proof.ts";
import { earlier } from "../protocol/timers.ts";
import { CookieJar } from "./cookie.ts";
import { MemoryTable } from "./table/memory_table.ts";
import { NO_SLOT, type Table, type TableClient } from "./table/table.ts";
import { EventReporter, type ServerEvent, type TableEvent } from "./event.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../protocol/wire/endpoint_bytes.ts";
import { type LimitName, Limits, registrationsPerMinute } from "./limits.ts";
import { AnswerQueue } from "./answer_queue.ts";
import { readRequest } from "../protocol/wire/directory_request.ts";

/** Clients in the largest Listing: their number is one byte. */
const LISTING_LENGTH_MAX = 255;
/** Bytes in a Listing's datagram except for the clients: the headers, the nonce and two fields. */
const LISTING_OVERHEAD = HEADER_SIZE + FRAME_HEADER_SIZE + 8 + 1 + 1;

/** Why a datagram, a frame or an answer was dropped. */
export type DropReason =
  /** Under 16 or over 1200 bytes. */
  | "size"
  /** Of another protocol. */
  | "magic"
  /** Of another version; answered, unless it is an answer itself. */
  | "version"
  /** Of an unknown type. */
  | "type"
  /** With a packet counter above 2^53 - 1. */
  | "packet"
  /** With a frame that is truncated, too long or malformed. */
  | "frame"
  /** Of a type that clients do not send to a directory. */
  | "notRequest"
  /** A frame that is no request, or unknown; the other frames of its datagram were handled. */
  | "strayFrame"
  /** A request with an unknown token, or from another address than its client's; refused. */
  | "token"
  /** Without the proof that a private directory requires, or with a wrong one. */
  | "proof"
  /** A Register that has had its effect, on an entry that has since changed or gone. */
  | "replay"
  /** Above a rate limit: see `limits.ts`. */
  | LimitName
  /** An answer, because too many wait to be sent. */
  | "output";

/** The settings of a {@linkcode Server}. */
export interface ServerOptions {
  /** The most clients in the table. */
  maxClients: number;
  /** Milliseconds that an entry lasts without a Lease Keepalive. */
  lease: number;
  random: Random;
  /** Only clients with the same secret are answered; undefined for a public directory. */
  secret?: Uint8Array | undefined;
  /** Whether each source is limited, not only the total; true by default. */
  hasSourceLimits?: boolean;
}

/** A directory: answers requests, and reports the changes of its table. */
export class Server implements DatagramMachine<ServerEvent> {
  /** How much was dropped, by reason. */
  readonly dropped: Partial<Record<DropReason, number>> = {};
  /** Look-ups that were answered. */
  lookUps = 0;
  readonly #lease: number;
  readonly #cookies: CookieJar;
  readonly #table: Table;
  readonly #limits: Limits;
  readonly #prover: Prover | undefined;
  readonly #answers: AnswerQueue;
  readonly #events: EventReporter;
  /** The source of the datagram that is being handled. */
  readonly #endpoint = new Uint8Array(ENDPOINT_SIZE);
  readonly #reportExpired = (client: TableClient): void => {
    this.#events.reportChange("expired", client);
  };

  constructor(options: ServerOptions) {
    const { lease, random, secret, maxClients, hasSourceLimits = true } = options;
    this.#lease = lease;
    this.#cookies = new CookieJar(random);
    // A cookie is valid for a minute at most.
    const replaysMax = registrationsPerMinute(maxClients);
    this.#table = new MemoryTable({ maxClients, lease, replaysMax, random });
    this.#limits = new Limits(maxClients, hasSourceLimits);
    this.#prover = secret && new Prover(secret);
    this.#answers = new AnswerQueue(this.#prover);
    this.#events = new EventReporter(this.#table);
  }

  /** The active clients, as an event. */
  table(): TableEvent {
    return this.#events.table();
  }

  /** The number of token buckets, which has a bound. */
  get buckets(): number {
    return this.#limits.size;
  }

  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.#expire(now);
    this.#answers.seal();
    writeEndpoint(this.#endpoint, from);
    if (this.#prover === undefined) this.#handleProven(now, bytes, from);
    else if (this.#prover.isProven(bytes)) {
      // Without the proof, so that no frame before it can extend into it.
      this.#handleProven(now, bytes.subarray(0, bytes.length - PROOF_SIZE), from);
    } else this.#drop("proof");
    this.#events.reportTable(now);
  }

  handleTimeout(now: Instant): void {
    this.#expire(now);
    this.#events.reportTable(now);
  }

  nextTimeout(): Instant | undefined {
    return earlier(this.#table.nextExpiry(), this.#events.nextTimeout());
  }

  pollTransmit(): Transmit | undefined {
    return this.#answers.poll();
  }

  pollEvent(): ServerEvent | undefined {
    return this.#events.poll();
  }

  #handleProven(now: Instant, bytes: Uint8Array, from: Address): void {
    const request = readRequest(bytes);
    if (request !== undefined) return this.#handleFrame(now, request, from);
    const decoded = decodeDatagram(bytes);
    if (decoded.ok && !decoded.value.sealed && decoded.value.header.type === DatagramType.Request) {
      this.#drop("strayFrame", decoded.value.unknownFrames);
      for (const frame of decoded.value.frames) this.#handleFrame(now, frame, from);
    } else if (decoded.ok) {
      this.#drop("notRequest");
    } else {
      this.#drop(decoded.error.reason);
      if (
        decoded.error.reason !== "version" || decoded.error.header.type === DatagramType.Version
      ) return;
      if (this.#admit(now, "strangers", from)) {
        this.#count(this.#answers.addDatagram(from, encodeVersionAnswer(decoded.error.header)));
      }
    }
  }

  #handleFrame(now: Instant, frame: Frame, from: Address): void {
    switch (frame.kind) {
      case "register":
        return this.#handleRegister(now, frame, from);
      case "leave":
        return this.#handleLeave(now, frame, from);
      case "leaseKeepalive":
      case "lookUp":
      case "list": {
        const slot = this.#table.findToken(frame.token);
        if (slot === NO_SLOT || !this.#table.entries.isAt(slot, this.#endpoint)) {
          this.#drop("token");
          if (!this.#admit(now, "strangers", from)) return;
          return this.#refuse(frame.nonce, from, RefusalReason.unknownToken);
        }
        if (frame.kind === "leaseKeepalive") return this.#handleKeepalive(now, slot, frame, from);
        if (!this.#admit(now, "questions", from)) return;
        if (frame.kind === "lookUp") return this.#handleLookUp(frame, from);
        return this.#handleList(frame, from);
      }
      case "proof":
        // It was verified, or this directory is public.
        return;
      default:
        this.#drop("strayFrame");
    }
  }

  #handleRegister(now: Instant, frame: Register, from: Address): void {
    const { nonce, token, wantedId, publicKey, name } = frame;
    const endpoint = this.#endpoint;
    if (!this.#cookies.isValid(now, endpoint, nonce, frame.cookie)) {
      if (!this.#admit(now, "strangers", from)) return;
      const cookie = this.#cookies.make(now, endpoint, nonce);
      return this.#answer(from, { kind: "challenge", nonce, cookie });
    }
    const request = { nonce, token, wantedId, publicKey, name, endpoint };
    if (this.#table.isReplay(request)) return this.#drop("replay");
    const isRepeat = this.#table.isRepeat(request);
    if (!isRepeat && !this.#admit(now, "registrations", from)) return;
    if (name !== "" && nameProblem(name) !== undefined) {
      return this.#refuse(nonce, from, RefusalReason.badName);
    }
    const result = this.#table.register(now, request);
    if (!result.ok) return this.#refuse(nonce, from, result.error);
    const { slot, change, replaced } = result.value;
    const { entries } = this.#table;
    this.#count(this.#answers.addRegistered(from, nonce, entries, slot, this.#lease));
    if (replaced !== undefined) this.#events.reportChange("left", replaced);
    if (change !== "none") this.#events.reportChange(change, entries.client(slot));
  }

  #handleKeepalive(now: Instant, slot: number, { nonce }: LeaseKeepalive, from: Address): void {
    this.#table.renew(now, slot);
    this.#answer(from, { kind: "leaseKeepaliveAck", nonce, lease: this.#lease });
  }

  #handleLookUp(frame: LookUp, from: Address): void {
    const { nonce, id, name } = frame;
    this.lookUps++;
    const table = this.#table;
    const slot = id === 0 ? table.findName(name) : table.find(id);
    if (slot === NO_SLOT) return this.#answer(from, { kind: "inactive", nonce, id, name });
    this.#count(this.#answers.addFound(from, nonce, table.entries, slot));
  }

  #handleList(frame: List, from: Address): void {
    const clients: ListEntry[] = [];
    let space = this.#answers.sizeMax - LISTING_OVERHEAD;
    let more = 0;
    const { entries } = this.#table;
    for (const slot of this.#table.listAbove(frame.after)) {
      // The id and the size of the name, then the name.
      space -= 4 + 1 + entries.nameSize(slot);
      if (space < 0 || clients.length === LISTING_LENGTH_MAX) {
        more = 1;
        break;
      }
      clients.push({ id: entries.id(slot), name: entries.name(slot) });
    }
    this.#answer(from, { kind: "listing", nonce: frame.nonce, more, clients });
  }

  #handleLeave(now: Instant, { token, nonce }: Leave, from: Address): void {
    // From any address: the token is enough, and a NAT may have changed the address.
    const slot = this.#table.findToken(token);
    if (slot !== NO_SLOT) {
      this.#events.reportChange("left", this.#table.entries.client(slot));
      this.#table.remove(slot);
    } else if (!this.#admit(now, "strangers", from)) return;
    this.#answer(from, { kind: "leaveAck", nonce });
  }

  #refuse(nonce: bigint, to: Address, reason: number): void {
    this.#answer(to, { kind: "refused", nonce, reason });
  }

  #answer(to: Address, frame: Frame): void {
    this.#count(this.#answers.add(to, frame));
  }

  /** Counts an answer that could not be added. */
  #count(isAdded: boolean): void {
    if (!isAdded) this.#drop("output");
  }

  /** Whether the rate limit allows a request; counts it as dropped if not. */
  #admit(now: Instant, name: LimitName, from: Address): boolean {
    const isAdmitted = this.#limits.take(now, name, from);
    if (!isAdmitted) this.#drop(name);
    return isAdmitted;
  }

  #drop(reason: DropReason, count = 1): void {
    if (count > 0) this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
  }

  #expire(now: Instant): void {
    this.#table.expire(now, this.#reportExpired);
  }
}
