/**
 * The address of the peer in a session, and how it may move.
 *
 * A new address is believed only when the peer has answered a challenge there, and none at the old
 * one: whoever copies packets from elsewhere gains nothing, however quick (RFC 9000, 9.3).
 *
 * @module
 */
import { hmacSha256 } from "../crypto/hmac.ts";
import { type Instant, type Random, randomU64 } from "../machine.ts";
import { earlier } from "../timers.ts";
import { type Address, formatAddress, sameAddress } from "../wire/address.ts";
import {
  type Frame,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  type PathChallenge,
  type PathResponse,
  TAG_SIZE,
} from "../wire/frame.ts";

/** Milliseconds that an old address has, at least, to show that the peer is still there. */
export const PATH_PATIENCE = 300;
/** Milliseconds after which a Path Challenge that is not answered is followed by another. */
export const CHALLENGE_INTERVAL = 1_000;
/** Milliseconds after which an address that sends no more is not considered any more. */
export const CANDIDATE_LIFE = 10_000;
/** Milliseconds in which the peer may return to the address that it moved from without a challenge. */
export const RETURN_LIMIT = 60_000;
/** Bytes sent to an unvalidated address for each byte that came from it, at most (RFC 9000, 8.1). */
export const AMPLIFICATION_MAX = 3;
/** Path frames that wait to be sent. */
export const PATH_FRAMES_MAX = 8;
/** Addresses that are considered together. */
export const CANDIDATES_MAX = 4;
/** Bytes of a packet with a Path Challenge or a Path Response. */
const FRAME_PACKET_SIZE = HEADER_SIZE + FRAME_HEADER_SIZE + 8 + TAG_SIZE;
const SECRET_SIZE = 32;

const encoder = new TextEncoder();

/** An address that the peer may have moved to. */
interface Candidate {
  readonly address: Address;
  readonly nonce: bigint;
  received: number;
  receivedAt: Instant;
  sent: number;
  isValidated: boolean;
}

/** A comparison of addresses: it lasts until one is validated, and the old one has had its time. */
interface Round {
  ends: Instant;
  challengeAt: Instant;
  /** Makes the nonces of the candidates: an answer is known even where its candidate had to go. */
  readonly secret: Uint8Array;
  /** Of the challenge to the address that the peer had. */
  readonly nonce: bigint;
  /** Whether the peer answered there: it has not moved. */
  isHome: boolean;
}

/** A frame that has to go to an address of its own. */
export interface PathFrame {
  /** The frame. */
  readonly frame: Frame;
  /** Where it goes. */
  readonly to: Address;
}

/** What the path has to know of a packet. */
export interface ReceivedPacket {
  /** Its bytes. */
  readonly size: number;
  /** Its packet counter. */
  readonly packet: number;
  /** What is in it. */
  readonly frames: readonly Frame[];
  /** Whether its packet counter is the highest so far. */
  readonly isNewest: boolean;
  /** Where it came from. */
  readonly from: Address;
}

/** The address of the peer. */
export class Path {
  readonly #random: Random;
  #address: Address;
  /** Whether the peer has shown that it receives there. */
  #isProven: boolean;
  #candidates: Candidate[] = [];
  #round: Round | undefined;
  /** The address that the peer moved from, and until when it may return there at once. */
  #previous: { address: Address; until: Instant } | undefined;
  /** The packet counter of the newest packet, and until when a copy of it says something. */
  #newest = { packet: -1, until: 0 };
  #due: PathFrame[] = [];

  /**
   * Starts with an address.
   *
   * @param isProven whether the peer received there: who copies a packet may be the first to deliver it.
   */
  constructor(address: Address, random: Random, isProven = true) {
    this.#address = copyOf(address);
    this.#random = random;
    this.#isProven = isProven;
  }

  /** Where packets go. */
  get address(): Address {
    return this.#address;
  }

  /**
   * Takes note of an authentic packet.
   *
   * @param patience milliseconds in which the old address can be expected to answer.
   */
  handlePacket(now: Instant, received: ReceivedPacket, patience: number): void {
    const { size, packet, frames, isNewest, from } = received;
    if (isNewest && !isProbe(frames)) {
      this.#newest.packet = packet;
      this.#newest.until = now + Math.max(PATH_PATIENCE, patience);
      return this.#handleNewest(now, size, from, patience);
    }
    const candidate = this.#find(from);
    if (candidate !== undefined) candidate.received += size;
  }

  /**
   * Whether a packet that came before is worth a look, if it is authentic: a copy of the newest one,
   * from another address. Which copy is the first says nothing, since a copier may be quicker: the
   * answers to challenges do. A copy that comes much later is none of the peer's.
   */
  mayBeCopy(now: Instant, packet: number, from: Address): boolean {
    const newest = this.#newest;
    return packet === newest.packet && now <= newest.until && !sameAddress(from, this.#address);
  }

  /** Takes note of an authentic copy of the newest packet. */
  handleCopy(now: Instant, size: number, from: Address, patience: number): void {
    this.#handleNewest(now, size, from, patience);
  }

  #handleNewest(now: Instant, size: number, from: Address, patience: number): void {
    if (sameAddress(from, this.#address)) return;
    this.handleTimeout(now);
    if (this.#returns(now, from)) return;
    const round = this.#round ??= {
      ends: now + Math.max(PATH_PATIENCE, patience),
      challengeAt: now,
      secret: this.#random(SECRET_SIZE),
      nonce: randomU64(this.#random),
      isHome: false,
    };
    let candidate = this.#find(from);
    if (candidate === undefined) {
      if (this.#candidates.length >= CANDIDATES_MAX && now < round.ends) return;
      candidate = this.#add(now, from, nonceOf(round, from));
    }
    candidate.received += size;
    candidate.receivedAt = now;
    if (!round.isHome && !candidate.isValidated) this.#challenge(now, round, candidate);
  }

  /**
   * Goes back to the address before a move, where the peer speaks from there again: once, since a
   * copier may seem to be there, too.
   */
  #returns(now: Instant, from: Address): boolean {
    const previous = this.#previous;
    if (previous === undefined || now > previous.until) return false;
    if (!sameAddress(from, previous.address)) return false;
    this.#previous = undefined;
    this.#address = previous.address;
    this.#isProven = false;
    this.#endRound();
    return true;
  }

  /**
   * Takes a Path Challenge: the answer goes to where it came from, and to where the peer was, in case
   * that it came by a copier.
   */
  handleChallenge({ nonce }: PathChallenge, from: Address): void {
    if (this.#due.length + 2 > PATH_FRAMES_MAX) return;
    const frame: PathResponse = { kind: "pathResponse", nonce };
    const candidate = this.#find(from);
    if (candidate === undefined || spend(candidate)) this.#due.push({ frame, to: copyOf(from) });
    if (!sameAddress(from, this.#address)) this.#due.push({ frame, to: this.#address });
  }

  /** Considers one more address: the oldest that is not validated makes room. */
  #add(now: Instant, address: Address, nonce: bigint): Candidate {
    if (this.#candidates.length >= CANDIDATES_MAX) {
      const oldest = this.#candidates.findIndex(({ isValidated }) => !isValidated);
      this.#candidates.splice(Math.max(0, oldest), 1);
    }
    const candidate = {
      address: copyOf(address),
      nonce,
      received: 0,
      receivedAt: now,
      sent: 0,
      isValidated: false,
    };
    this.#candidates.push(candidate);
    return candidate;
  }

  /** Takes a Path Response, whichever way it came: the challenge went only one (RFC 9000, 8.2.3). */
  handleResponse(now: Instant, { nonce }: PathResponse, from: Address): void {
    const round = this.#round;
    if (round === undefined) return;
    if (round.nonce === nonce) round.isHome = this.#isProven = true;
    let candidate = this.#candidates.find((each) => each.nonce === nonce);
    // Whoever copies from many addresses may have pushed out the one that answers.
    if (candidate === undefined && nonce === nonceOf(round, from)) {
      candidate = this.#add(now, from, nonce);
    }
    if (candidate?.isValidated === false) {
      candidate.isValidated = true;
      // The answer of the old address may be as late.
      if (now >= round.ends) round.ends = now + PATH_PATIENCE;
    }
    this.handleTimeout(now);
  }

  /** Challenges again; at the end of a round, moves to a validated address if the old one was silent. */
  handleTimeout(now: Instant): void {
    const round = this.#round;
    if (round === undefined) return;
    const validated = this.#candidates.findLast(({ isValidated }) => isValidated);
    if (round.isHome || validated !== undefined) {
      if (now < round.ends) return;
      if (!round.isHome && validated !== undefined) this.#move(now, validated.address);
      return this.#endRound();
    }
    this.#candidates = this.#candidates.filter(({ receivedAt }) =>
      now < receivedAt + CANDIDATE_LIFE
    );
    if (this.#candidates.length === 0) return this.#endRound();
    if (now < round.challengeAt) return;
    for (const candidate of this.#candidates) this.#challenge(now, round, candidate);
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    const round = this.#round;
    if (round === undefined) return undefined;
    if (round.isHome || this.#candidates.some(({ isValidated }) => isValidated)) return round.ends;
    let timeout: Instant | undefined = round.challengeAt;
    for (const { receivedAt } of this.#candidates) {
      timeout = earlier(timeout, receivedAt + CANDIDATE_LIFE);
    }
    return timeout;
  }

  /** The next frame that has to go to an address of its own, or the next to this address. */
  pollFrame(to?: Address): PathFrame | undefined {
    const at = this.#due.findIndex((each) => to === undefined || sameAddress(each.to, to));
    return at < 0 ? undefined : this.#due.splice(at, 1)[0];
  }

  #find(from: Address): Candidate | undefined {
    return this.#candidates.find(({ address }) => sameAddress(address, from));
  }

  #challenge(now: Instant, round: Round, candidate: Candidate): void {
    round.challengeAt = now + CHALLENGE_INTERVAL;
    if (this.#due.length + 2 > PATH_FRAMES_MAX || !spend(candidate)) return;
    const { nonce, address } = candidate;
    this.#due.push({ frame: { kind: "pathChallenge", nonce }, to: address });
    this.#due.push({ frame: { kind: "pathChallenge", nonce: round.nonce }, to: this.#address });
  }

  #move(now: Instant, address: Address): void {
    // Back to where it never received, or where it returned to for nothing, there is no short way.
    this.#previous = this.#isProven
      ? { address: this.#address, until: now + RETURN_LIMIT }
      : undefined;
    this.#address = address;
    this.#isProven = true;
    this.#endRound();
  }

  #endRound(): void {
    this.#round = undefined;
    this.#candidates = [];
  }
}

/** Whether one more packet may go to an address; if so, it is counted. */
function spend(candidate: Candidate): boolean {
  const sent = candidate.sent + FRAME_PACKET_SIZE;
  const isAllowed = candidate.isValidated || sent <= AMPLIFICATION_MAX * candidate.received;
  if (isAllowed) candidate.sent = sent;
  return isAllowed;
}

/** Whether there are only Path Challenges and Responses, which say nothing of a move. */
function isProbe(frames: readonly Frame[]): boolean {
  return frames.every(({ kind }) => kind === "pathChallenge" || kind === "pathResponse");
}

/** The nonce of the challenge to an address, which only a receiver there can know. */
function nonceOf({ secret }: Round, address: Address): bigint {
  const code = hmacSha256(secret, encoder.encode(formatAddress(address)));
  return new DataView(code.buffer, code.byteOffset).getBigUint64(0);
}

function copyOf({ hostname, port }: Address): Address {
  return { hostname, port };
}
