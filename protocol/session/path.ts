/**
 * Where the other end of a connection is, and how it may move.
 *
 * A new address is believed only when the other end has answered a challenge there, and none at the
 * old one: who copies datagrams from elsewhere gains nothing, however quick (RFC 9000, section 9.3).
 *
 * @module
 */
import { type Address, formatAddress, sameAddress } from "../wire/address.ts";
import { type Instant, type Random, randomU64 } from "../machine.ts";
import { hmacSha256 } from "../crypto/hmac.ts";
import type { Frame, PathChallenge, PathResponse } from "../wire/frame.ts";

/** Milliseconds that an old address has, at least, to show that the other end is still there. */
export const PATH_PATIENCE = 300;
/** Bytes sent to an unproven address for each byte that came from it, at most. */
export const AMPLIFICATION_MAX = 3;
/** Frames that wait to be sent. */
export const RESPONSES_MAX = 8;
/** Addresses that are looked at together. */
export const CANDIDATES_MAX = 4;
/** Bytes of the datagram with a Path Challenge. */
const CHALLENGE_SIZE = 16 + 3 + 8 + 16;
const SECRET_SIZE = 32;

const encoder = new TextEncoder();

/** An address that the other end may have moved to. */
interface Candidate {
  readonly address: Address;
  readonly nonce: bigint;
  received: number;
  sent: number;
  isProven: boolean;
}

/** A comparison of addresses: it lasts until one of them is proven, and has had its time. */
interface Round {
  ends: Instant;
  /** Makes the nonces of the candidates: an answer is known even where its candidate had to go. */
  readonly secret: Uint8Array;
  /** Of the challenge to the address that the other end had. */
  readonly nonce: bigint;
  /** Whether the other end answered there: it is where it was. */
  isHome: boolean;
}

/** A frame that has to go to an address of its own. */
export interface PathFrame {
  /** The frame. */
  readonly frame: Frame;
  /** Where it goes. */
  readonly to: Address;
  /** Bytes in its datagram, where they matter. */
  readonly size?: number;
}

/** What the path has to know of a datagram. */
export interface ReceivedDatagram {
  /** Its bytes, sealed. */
  readonly size: number;
  /** Its packet counter; undefined for a Handshake datagram. */
  readonly packet: number | undefined;
  /** What is in it. */
  readonly frames: readonly Frame[];
  /** Whether its packet counter is the highest so far. */
  readonly isNewest: boolean;
  /** Where it came from. */
  readonly from: Address;
}

/** The address of the other end. */
export class Path {
  readonly #random: Random;
  #address: Address;
  #candidates: Candidate[] = [];
  #round: Round | undefined;
  /** The packet counter of the newest datagram, and until when a copy of it tells something. */
  #newest: { packet: number | undefined; until: Instant } = { packet: undefined, until: 0 };
  #due: PathFrame[] = [];
  /** Where an Accept went, until one of these addresses is settled on. */
  #accepted: Address[] = [];

  /** Starts with an address that is known to be good. */
  constructor(address: Address, random: Random) {
    this.#address = copyOf(address);
    this.#accepted = [this.#address];
    this.#random = random;
  }

  /** Where datagrams go. */
  get address(): Address {
    return this.#address;
  }

  /** Takes another address for the Accept: the Request came from there, too. */
  accept(address: Address): void {
    this.#address = copyOf(address);
    if (this.#accepted.some((each) => sameAddress(each, address))) return;
    if (this.#accepted.length >= CANDIDATES_MAX) this.#accepted.shift();
    this.#accepted.push(this.#address);
  }

  /** Takes the address that an Accept was confirmed from: some Requests may have been copies. */
  settle(from: Address): void {
    if (this.#accepted.some((each) => sameAddress(each, from))) this.#address = copyOf(from);
    this.#accepted = [];
  }

  /**
   * Takes note of an authentic datagram.
   *
   * @param patience milliseconds in which the old address can be expected to answer.
   */
  handleDatagram(now: Instant, received: ReceivedDatagram, patience: number): void {
    const { size, packet, frames, isNewest, from } = received;
    if (isNewest && !isProbe(frames)) {
      this.#newest.packet = packet;
      this.#newest.until = now + Math.max(PATH_PATIENCE, patience);
      return this.#handleNewest(now, size, from, patience);
    }
    const candidate = this.#candidates.find(({ address }) => sameAddress(address, from));
    if (candidate !== undefined) candidate.received += size;
  }

  /**
   * Whether a datagram that came before is worth a look, if it is authentic: a copy of the newest one,
   * from another address. Which copy is the first tells nothing, since a copier may be quicker: the
   * answers to challenges tell. A copy that comes much later is none of the other end's.
   */
  mayBeCopy(now: Instant, packet: number, from: Address): boolean {
    const newest = this.#newest;
    return packet === newest.packet && now <= newest.until && !sameAddress(from, this.#address);
  }

  /** Takes note of an authentic copy of the newest datagram. */
  handleCopy(now: Instant, size: number, from: Address, patience: number): void {
    this.#handleNewest(now, size, from, patience);
  }

  #handleNewest(now: Instant, size: number, from: Address, patience: number): void {
    if (sameAddress(from, this.#address)) return;
    this.handleTimeout(now);
    let candidate = this.#candidates.find(({ address }) => sameAddress(address, from));
    if (candidate !== undefined) candidate.received += size;
    const ends = now + Math.max(PATH_PATIENCE, patience);
    const round = this.#round ??= {
      ends,
      secret: this.#random(SECRET_SIZE),
      nonce: randomU64(this.#random),
      isHome: false,
    };
    if (candidate === undefined) {
      if (this.#candidates.length >= CANDIDATES_MAX && now < round.ends) return;
      candidate = this.#add(from, nonceOf(round, from));
      candidate.received = size;
    }
    if (!round.isHome && !candidate.isProven) this.#challenge(candidate, round);
  }

  /**
   * Takes a Path Challenge: the answer goes to where it came from, and to where the other end was,
   * in case that it came by a copier.
   */
  handleChallenge({ nonce }: PathChallenge, from: Address): void {
    if (this.#due.length + 2 > RESPONSES_MAX) return;
    const frame: PathResponse = { kind: "pathResponse", nonce };
    this.#due.push({ frame, to: copyOf(from) });
    if (!sameAddress(from, this.#address)) this.#due.push({ frame, to: this.#address });
  }

  /** Looks at one more address: the oldest that is not proven makes room. */
  #add(address: Address, nonce: bigint): Candidate {
    if (this.#candidates.length >= CANDIDATES_MAX) {
      const oldest = this.#candidates.findIndex(({ isProven }) => !isProven);
      this.#candidates.splice(Math.max(0, oldest), 1);
    }
    const candidate = { address: copyOf(address), nonce, received: 0, sent: 0, isProven: false };
    this.#candidates.push(candidate);
    return candidate;
  }

  /** Takes a Path Response, by whatever way it came: the challenge went only one (RFC 9000, 8.2.3). */
  handleResponse(now: Instant, { nonce }: PathResponse, from: Address): void {
    const round = this.#round;
    if (round === undefined) return;
    if (round.nonce === nonce) round.isHome = true;
    let candidate = this.#candidates.find((each) => each.nonce === nonce);
    // Who copies from many addresses may have pushed out the one that answers.
    if (candidate === undefined && nonce === nonceOf(round, from)) {
      candidate = this.#add(from, nonce);
    }
    if (candidate?.isProven === false) {
      candidate.isProven = true;
      // The answer of the old address may be as late.
      if (now >= round.ends) round.ends = now + PATH_PATIENCE;
    }
    this.handleTimeout(now);
  }

  /** At the end of a round, moves to a proven address if the old one was silent. */
  handleTimeout(now: Instant): void {
    const round = this.#round;
    if (round === undefined || now < round.ends) return;
    const candidate = this.#candidates.findLast(({ isProven }) => isProven);
    if (!round.isHome && candidate === undefined) return;
    if (!round.isHome && candidate !== undefined) this.#address = candidate.address;
    this.#round = undefined;
    this.#candidates = [];
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    const round = this.#round;
    const isDecided = round?.isHome || this.#candidates.some(({ isProven }) => isProven);
    return isDecided ? round?.ends : undefined;
  }

  /** The next frame that has to go to an address of its own. */
  pollFrame(): PathFrame | undefined {
    return this.#due.shift();
  }

  #challenge(candidate: Candidate, round: Round): void {
    if (candidate.sent + CHALLENGE_SIZE > AMPLIFICATION_MAX * candidate.received) return;
    if (this.#due.length + 2 > RESPONSES_MAX) return;
    candidate.sent += CHALLENGE_SIZE;
    const { nonce, address } = candidate;
    this.#due.push({ frame: { kind: "pathChallenge", nonce }, to: address });
    this.#due.push({ frame: { kind: "pathChallenge", nonce: round.nonce }, to: this.#address });
  }
}

/** Whether there are but Path Challenges and Responses, which say nothing of a move. */
function isProbe(frames: readonly Frame[]): boolean {
  return frames.every(({ kind }) => kind === "pathChallenge" || kind === "pathResponse");
}

/** The nonce of the challenge to an address, which nobody can tell who does not receive there. */
function nonceOf({ secret }: Round, address: Address): bigint {
  const code = hmacSha256(secret, encoder.encode(formatAddress(address)));
  return new DataView(code.buffer, code.byteOffset).getBigUint64(0);
}

function copyOf({ hostname, port }: Address): Address {
  return { hostname, port };
}
