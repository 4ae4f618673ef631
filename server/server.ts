/**
 * The directory's side of the protocol: frames in, frames out. Pure: no clock, socket or
 * randomness of its own.
 *
 * @module
 */
import { type Address, sameAddress } from "../protocol/address.ts";
import { DatagramWriter, decodeDatagram, encodeVersionAnswer } from "../protocol/datagram.ts";
import type { Driven, Instant, Random, Transmit } from "../protocol/driven.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  type Leave,
  type List,
  type ListEntry,
  type LookUp,
  RefusalReason,
  type Register,
} from "../protocol/frame.ts";
import { nameProblem } from "../protocol/name.ts";
import { earlier } from "../protocol/timers.ts";
import { CookieJar } from "./cookie.ts";
import { Directory, type Entry } from "./directory.ts";
import { Announcements, type ServerEvent, type TableEvent } from "./event.ts";

/** Answers that wait to be sent; further ones are dropped, and the clients ask again. */
export const OUTPUT_MAX = 1024;
/** Clients in the largest Listing: their number is one byte. */
const LISTING_LENGTH_MAX = 255;
/** Bytes for the clients in a Listing: beside them stand the nonce, `more` and their number. */
const LISTING_SIZE_MAX = DATAGRAM_SIZE_MAX - HEADER_SIZE - FRAME_HEADER_SIZE - 8 - 1 - 1;

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
  /** An answer, because too many wait to be sent. */
  | "output";

/** The settings of a {@linkcode Server}. */
export interface ServerOptions {
  /** The most clients in the table. */
  maxClients: number;
  /** Milliseconds that an entry lives without a Lease Keepalive. */
  lease: number;
  random: Random;
}

/** An answer to send: a frame, or a finished datagram. Those with one `to` share a datagram. */
type Answer = { to: Address; frame: Frame } | { to: Address; bytes: Uint8Array };

/** A directory that is driven by datagrams and the time. */
export class Server implements Driven<ServerEvent> {
  /** How much was dropped, by reason. */
  readonly dropped: Partial<Record<DropReason, number>> = {};
  readonly #lease: number;
  readonly #cookies: CookieJar;
  readonly #directory: Directory;
  readonly #writer = new DatagramWriter();
  readonly #output: Answer[] = [];
  readonly #announcements: Announcements;

  constructor(options: ServerOptions) {
    this.#lease = options.lease;
    this.#cookies = new CookieJar(options.random);
    this.#directory = new Directory(options);
    this.#announcements = new Announcements(this.#directory);
  }

  /** Who is active, as an event. */
  table(): TableEvent {
    return this.#announcements.table();
  }

  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void {
    this.#expire(now);
    // A copy, whose identity marks the answers to this datagram.
    const source = { hostname: from.hostname, port: from.port };
    const decoded = decodeDatagram(bytes);
    if (decoded.ok && decoded.header.type === DatagramType.Request) {
      this.#drop("strayFrame", decoded.unknownFrames);
      for (const frame of decoded.frames) this.#handleFrame(now, frame, source);
    } else if (decoded.ok) {
      this.#drop("notRequest");
    } else {
      this.#drop(decoded.reason);
      if (decoded.reason === "version" && decoded.header.type !== DatagramType.Version) {
        this.#answer({ to: source, bytes: encodeVersionAnswer(decoded.header) });
      }
    }
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
    const first = this.#output.shift();
    if (first === undefined) return undefined;
    const { to } = first;
    if ("bytes" in first) return { bytes: first.bytes, to };
    this.#writer.start({ type: DatagramType.Answer, connection: 0, packet: 0 });
    this.#writer.add(first.frame);
    for (let next = this.#output[0]; next?.to === to && "frame" in next; next = this.#output[0]) {
      if (!this.#writer.add(next.frame)) break;
      this.#output.shift();
    }
    return { bytes: this.#writer.finish(), to };
  }

  pollEvent(): ServerEvent | undefined {
    return this.#announcements.poll();
  }

  #handleFrame(now: Instant, frame: Frame, from: Address): void {
    switch (frame.kind) {
      case "register":
        return this.#handleRegister(now, frame, from);
      case "leave":
        return this.#handleLeave(frame, from);
      case "leaseKeepalive":
      case "lookUp":
      case "list": {
        const entry = this.#authenticate(frame.token, from);
        if (entry === undefined) {
          this.#drop("token");
          return this.#refuse(frame.nonce, from, RefusalReason.unknownToken);
        }
        if (frame.kind === "lookUp") return this.#handleLookUp(frame, from);
        if (frame.kind === "list") return this.#handleList(frame, from);
        this.#directory.renew(now, entry);
        const { nonce } = frame;
        return this.#answerWith(from, { kind: "leaseKeepaliveAck", nonce, lease: this.#lease });
      }
      default:
        this.#drop("strayFrame");
    }
  }

  #handleRegister(now: Instant, frame: Register, from: Address): void {
    const { nonce, token, wantedId, port, name } = frame;
    const cookie = this.#cookies.challenge(now, from, nonce, frame.cookie);
    if (cookie !== undefined) return this.#answerWith(from, { kind: "challenge", nonce, cookie });
    if (name !== "" && nameProblem(name) !== undefined) {
      return this.#refuse(nonce, from, RefusalReason.badName);
    }
    const address = reachableAddress(from);
    const result = this.#directory.register(now, { nonce, token, wantedId, port, name, address });
    if (!result.ok) return this.#refuse(nonce, from, result.reason);
    const { entry, change, replaced } = result;
    const granted = { token: entry.token, id: entry.id, lease: this.#lease, seenAt: address };
    this.#answerWith(from, { kind: "registered", nonce, ...granted });
    if (replaced !== undefined) this.#announcements.tellChange("left", replaced);
    if (change !== "none") this.#announcements.tellChange(change, entry);
  }

  #handleLookUp(frame: LookUp, from: Address): void {
    const { nonce, id, name } = frame;
    const entry = id === 0 ? this.#directory.getByName(name) : this.#directory.get(id);
    if (entry === undefined) return this.#answerWith(from, { kind: "inactive", nonce, id, name });
    const { address } = entry;
    this.#answerWith(from, { kind: "found", nonce, id: entry.id, name: entry.name, address });
  }

  #handleList(frame: List, from: Address): void {
    const clients: ListEntry[] = [];
    let space = LISTING_SIZE_MAX;
    let more = 0;
    for (const { id, name } of this.#directory.entries(frame.after)) {
      // The id and the size of the name, then the name.
      space -= 4 + 1 + utf8Size(name);
      if (space < 0 || clients.length === LISTING_LENGTH_MAX) {
        more = 1;
        break;
      }
      clients.push({ id, name });
    }
    this.#answerWith(from, { kind: "listing", nonce: frame.nonce, more, clients });
  }

  #handleLeave(frame: Leave, from: Address): void {
    // From whatever address: who has the token may go, and a NAT may have moved it.
    const entry = this.#directory.getByToken(frame.token);
    if (entry !== undefined) {
      this.#directory.remove(entry);
      this.#announcements.tellChange("left", entry);
    }
    this.#answerWith(from, { kind: "leaveAck", nonce: frame.nonce });
  }

  /** The client that a request with this token, from this address, speaks for. */
  #authenticate(token: Uint8Array, from: Address): Entry | undefined {
    const entry = this.#directory.getByToken(token);
    if (entry === undefined) return undefined;
    return sameAddress(entry.address, reachableAddress(from)) ? entry : undefined;
  }

  #refuse(nonce: bigint, to: Address, reason: number): void {
    this.#answerWith(to, { kind: "refused", nonce, reason });
  }

  #answerWith(to: Address, frame: Frame): void {
    this.#answer({ to, frame });
  }

  #answer(answer: Answer): void {
    if (this.#output.length < OUTPUT_MAX) this.#output.push(answer);
    else this.#drop("output");
  }

  #drop(reason: DropReason, count = 1): void {
    if (count > 0) this.dropped[reason] = (this.dropped[reason] ?? 0) + count;
  }

  #expire(now: Instant): void {
    for (const entry of this.#directory.expire(now)) {
      this.#announcements.tellChange("expired", entry);
    }
  }
}

/** The address as an IPv4 client can use it, where an IPv6 socket took its datagram (RFC 4291). */
function reachableAddress(from: Address): Address {
  const { hostname, port } = from;
  return { hostname: hostname.replace(/^::ffff:(?=\d+\.)/, ""), port };
}

const encoder = new TextEncoder();

function utf8Size(text: string): number {
  return encoder.encode(text).length;
}
