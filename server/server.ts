/**
 * The directory's side of the protocol: frames in, frames out. Pure: no clock, socket or
 * randomness of its own.
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
import type { TableClient } from "./table/entry.ts";
import { Announcements, type ServerEvent, type TableEvent } from "./event.ts";
import { NO_SLOT } from "./table/hash_index.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../protocol/wire/endpoint_bytes.ts";
import { type LimitName, Limits } from "./limits.ts";
import { AnswerQueue } from "./answer_queue.ts";
import { readRequest } from "../protocol/wire/directory_request.ts";

/** Clients in the largest Listing: their number is one byte. */
const LISTING_LENGTH_MAX = 255;
/** Bytes in a Listing's datagram beside the clients: the nonce, `more` and their number are some. */
const LISTING_OVERHEAD = HEADER_SIZE + FRAME_HEADER_SIZE + 8 + 1 + 1;

/** Why something that came, or an answer to it, came to nothing. */
export type DropReason =
  /** Under 16 or over 1200 bytes. */
  | "size"
  /** Not of this protocol. */
  | "magic"
  /** Of another version; answered, unless it was an answer. */
  | "version"
  /** A type of datagram that this version does not know. */
  | "type"
  /** A packet counter above 2^53 - 1. */
  | "packet"
  /** A frame that is cut short, too long or malformed. */
  | "frame"
  /** A datagram that is none for a directory. */
  | "notRequest"
  /** A frame in a Request that is none, or unknown; the others were read. */
  | "strayFrame"
  /** A request with an unknown token, or from another address than its client's; refused. */
  | "token"
  /** Without the proof that a private directory asks for, or with a wrong one. */
  | "proof"
  /** A Register that had its effect before, on an entry that has since changed or gone. */
  | "replay"
  /** Beyond what one source, or all together, may have: see `limits.ts`. */
  | LimitName
  /** An answer, because too many wait to be sent. */
  | "output";

/** The settings of a {@linkcode Server}. */
export interface ServerOptions {
  /** The most clients in the table. */
  maxClients: number;
  /** Milliseconds that an entry lives without a Lease Keepalive. */
  lease: number;
  random: Random;
  /** Only who has it too is answered; undefined for a public directory. */
  secret?: Uint8Array | undefined;
  /** Whether a single source is limited, and not only all together; true where left out. */
  hasSourceLimits?: boolean;
}

/** A directory that is driven by datagrams and the time. */
export class Server implements DatagramMachine<ServerEvent> {
  /** How much was dropped, by reason. */
  readonly dropped: Partial<Record<DropReason, number>> = {};
  /** The Look-ups that were answered. */
  lookUps = 0;
  readonly #lease: number;
  readonly #cookies: CookieJar;
  readonly #directory: MemoryTable;
  readonly #limits: Limits;
  readonly #prover: Prover | undefined;
  readonly #answers: AnswerQueue;
  readonly #announcements: Announcements;
  /** Where the datagram at hand came from. */
  readonly #endpoint = new Uint8Array(ENDPOINT_SIZE);
  readonly #tellExpired = (client: TableClient): void => {
    this.#announcements.tellChange("expired", client);
  };

  constructor(options: ServerOptions) {
    const { lease, random, secret, maxClients, hasSourceLimits = true } = options;
    this.#lease = lease;
    this.#cookies = new CookieJar(random);
    this.#directory = new MemoryTable(options);
    this.#limits = new Limits(maxClients, hasSourceLimits);
    this.#prover = secret && new Prover(secret);
    this.#answers = new AnswerQueue(this.#prover);
    this.#announcements = new Announcements(this.#directory);
  }

  /** Who is active, as an event. */
  table(): TableEvent {
    return this.#announcements.table();
  }

  /** The token buckets that are kept: those of all limits, each with a bound. */
  get buckets(): number {
    return this.#limits.size;
  }

  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.#expire(now);
    this.#answers.seal();
    writeEndpoint(this.#endpoint, from);
    if (this.#prover === undefined) this.#handleProven(now, bytes, from);
    else if (this.#prover.isProven(bytes)) {
      // Without the proof, so that no frame in front of it can reach into it.
      this.#handleProven(now, bytes.subarray(0, bytes.length - PROOF_SIZE), from);
    } else this.#drop("proof");
    this.#announcements.tellTable(now);
  }

  handleTimeout(now: Instant): void {
    this.#expire(now);
    this.#announcements.tellTable(now);
  }

  nextTimeout(): Instant | undefined {
    return earlier(this.#directory.nextExpiry(), this.#announcements.nextTimeout());
  }

  pollTransmit(): Transmit | undefined {
    return this.#answers.poll();
  }

  pollEvent(): ServerEvent | undefined {
    return this.#announcements.poll();
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
        const slot = this.#directory.findToken(frame.token);
        if (slot === NO_SLOT || !this.#directory.entries.isAt(slot, this.#endpoint)) {
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
        // It was checked, or this directory is public.
        return;
      default:
        this.#drop("strayFrame");
    }
  }

  #handleRegister(now: Instant, frame: Register, from: Address): void {
    const { nonce, token, wantedId, port, publicKey, name } = frame;
    const endpoint = this.#endpoint;
    if (!this.#cookies.isGood(now, endpoint, nonce, frame.cookie)) {
      if (!this.#admit(now, "strangers", from)) return;
      const cookie = this.#cookies.make(now, endpoint, nonce);
      return this.#answerWith(from, { kind: "challenge", nonce, cookie });
    }
    const request = { nonce, token, wantedId, port, publicKey, name, endpoint };
    if (this.#directory.isReplay(request)) return this.#drop("replay");
    const isRepeat = this.#directory.isRepeat(request);
    if (!isRepeat && !this.#admit(now, "registrations", from)) return;
    if (name !== "" && nameProblem(name) !== undefined) {
      return this.#refuse(nonce, from, RefusalReason.badName);
    }
    const result = this.#directory.register(now, request);
    if (!result.ok) return this.#refuse(nonce, from, result.reason);
    const { slot, change, replaced } = result;
    const { entries } = this.#directory;
    this.#count(this.#answers.addRegistered(from, nonce, entries, slot, this.#lease));
    if (replaced !== undefined) this.#announcements.tellChange("left", replaced);
    if (change !== "none") this.#announcements.tellChange(change, entries.client(slot));
  }

  #handleKeepalive(now: Instant, slot: number, { nonce }: LeaseKeepalive, from: Address): void {
    this.#directory.renew(now, slot);
    this.#answerWith(from, { kind: "leaseKeepaliveAck", nonce, lease: this.#lease });
  }

  #handleLookUp(frame: LookUp, from: Address): void {
    const { nonce, id, name } = frame;
    this.lookUps++;
    const directory = this.#directory;
    const slot = id === 0 ? directory.findName(name) : directory.find(id);
    if (slot === NO_SLOT) return this.#answerWith(from, { kind: "inactive", nonce, id, name });
    this.#count(this.#answers.addFound(from, nonce, directory.entries, slot));
  }

  #handleList(frame: List, from: Address): void {
    const clients: ListEntry[] = [];
    let space = this.#answers.sizeMax - LISTING_OVERHEAD;
    let more = 0;
    const { entries } = this.#directory;
    for (const slot of this.#directory.above(frame.after)) {
      // The id and the size of the name, then the name.
      space -= 4 + 1 + entries.nameSize(slot);
      if (space < 0 || clients.length === LISTING_LENGTH_MAX) {
        more = 1;
        break;
      }
      clients.push({ id: entries.id(slot), name: entries.name(slot) });
    }
    this.#answerWith(from, { kind: "listing", nonce: frame.nonce, more, clients });
  }

  #handleLeave(now: Instant, { token, nonce }: Leave, from: Address): void {
    // From whatever address: who has the token may go, and a NAT may have moved it.
    const slot = this.#directory.findToken(token);
    if (slot !== NO_SLOT) {
      this.#announcements.tellChange("left", this.#directory.entries.client(slot));
      this.#directory.remove(slot);
    } else if (!this.#admit(now, "strangers", from)) return;
    this.#answerWith(from, { kind: "leaveAck", nonce });
  }

  #refuse(nonce: bigint, to: Address, reason: number): void {
    this.#answerWith(to, { kind: "refused", nonce, reason });
  }

  #answerWith(to: Address, frame: Frame): void {
    this.#count(this.#answers.add(to, frame));
  }

  /** Counts an answer for which there was no room. */
  #count(isAdded: boolean): void {
    if (!isAdded) this.#drop("output");
  }

  /** Whether the limit leaves room for this; if not, it is dropped. */
  #admit(now: Instant, name: LimitName, from: Address): boolean {
    const isAdmitted = this.#limits.take(now, name, from);
    if (!isAdmitted) this.#drop(name);
    return isAdmitted;
  }

  #drop(reason: DropReason, count = 1): void {
    if (count > 0) this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
  }

  #expire(now: Instant): void {
    this.#directory.expire(now, this.#tellExpired);
  }
}
