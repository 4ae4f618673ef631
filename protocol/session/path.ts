/**
 * The address of the peer in a session, and how it may move.
 *
 * A new address is used only when the peer has answered a challenge there. One that the directory or
 * the peer told takes over at once where it is better than the one in use. One that packets only came
 * from has to wait until the one in use is found silent: whoever copies packets from elsewhere gains
 * nothing, however quick (RFC 9000, 9.3).
 *
 * @module
 */
import { hmacSha256 } from "../crypto/hmac.ts";
import { type Instant, type Random, randomU64 } from "../machine.ts";
import { earlier } from "../timers.ts";
import { type Address, copyOf, formatAddress, sameAddress } from "../wire/address.ts";
import type { Frame, PathChallenge, PathResponse } from "../wire/frame.ts";
import { isPrivate, pathRank } from "../wire/remote.ts";
import { type Candidate, isAwaited, spend } from "./candidate.ts";

/** Milliseconds that an old address has, at least, to show that the peer is still there. */
export const PATH_PATIENCE = 300;
/** Milliseconds after which a Path Challenge that is not answered is followed by another. */
export const CHALLENGE_INTERVAL = 1_000;
/** Milliseconds after which an address that sends no more is not considered any more. */
export const CANDIDATE_LIFE = 10_000;
/** Milliseconds in which the peer may return to the address that it moved from without a challenge. */
export const RETURN_LIMIT = 60_000;
/** Path frames that wait to be sent. */
export const PATH_FRAMES_MAX = 32;
/** Addresses that packets came from, and that are considered together. */
export const CANDIDATES_MAX = 4;
/** Addresses that were told, and that are considered together. */
export const TOLD_MAX = 12;
/**
 * When datagrams go to an address that was told, in milliseconds from then on: so close to one another
 * that those of both ends meet, whenever each end was told.
 */
export const PUNCH_SCHEDULE: readonly number[] = [0, 50, 150, 350, 750, 1_550];
/** How many of these go to an address of a private range: it may be somebody else's. */
export const PRIVATE_TRIES = 2;
/** Milliseconds after the last of these in which an answer may still come. */
export const TOLD_PATIENCE = 1_000;
const SECRET_SIZE = 32;

const encoder = new TextEncoder();

/** A comparison of addresses: it lasts until one is validated, and the old one has had its time. */
interface Round {
  readonly startedAt: Instant;
  ends: Instant;
  challengeAt: Instant;
  /** Makes the nonces of the candidates: an answer is known even where its candidate had to go. */
  readonly secret: Uint8Array;
  /** Of the challenge to the address that the peer had, and of the addresses that it is told. */
  nonce: bigint;
  /** Whether the peer answered there: it has not moved. */
  isHome: boolean;
  /** Whether all has been compared: only addresses that were told may still answer, and be better. */
  isOver: boolean;
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
  #isProven: boolean;
  #candidates: Candidate[] = [];
  #round: Round | undefined;
  /** The address that the peer moved from, and until when it may return there at once. */
  #previous: { address: Address; until: Instant } | undefined;
  /** The packet counter of the newest packet, and until when a copy of it says something. */
  #newest = { packet: -1, until: 0 };
  #due: PathFrame[] = [];
  /** Hosts at which the peer was told to be: a NAT may give it another port for each of its peers. */
  #toldHosts: readonly string[] = [];
  /** Where this end may be reached in the network that both are in: the peer is told until it answers. */
  #own: readonly Address[] = [];

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

  /** Whether the peer has shown that it receives there. */
  get isProven(): boolean {
    return this.#isProven;
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

  /**
   * Considers addresses that the directory or the peer told, and asks whether the peer still is where
   * it was.
   *
   * @param own where this end may be reached in the network that both are in: the peer is told.
   */
  tell(
    now: Instant,
    addresses: readonly Address[],
    own: readonly Address[],
    patience: number,
  ): void {
    if (own.length > 0) this.#own = own;
    const fresh = addresses.filter((address) => !sameAddress(address, this.#address));
    this.#toldHosts = [...new Set([...this.#toldHosts, ...addresses.map((each) => each.hostname)])]
      .slice(-TOLD_MAX);
    if (fresh.length === 0 && own.length === 0) return;
    const round = this.#beginRound(now, patience);
    if (own.length > 0) round.nonce = randomU64(this.#random);
    for (const address of fresh.slice(0, TOLD_MAX)) this.#consider(now, round, address);
    this.#challengeHome(now, round);
    this.handleTimeout(now);
  }

  #consider(now: Instant, round: Round, address: Address): void {
    const candidate = this.#find(address) ?? this.#addTold(now, address, round);
    if (candidate.isValidated) return;
    candidate.isTold = true;
    candidate.tries = 0;
    candidate.nextAt = now;
    candidate.until = now + CANDIDATE_LIFE;
  }

  #handleNewest(now: Instant, size: number, from: Address, patience: number): void {
    if (sameAddress(from, this.#address)) return;
    this.handleTimeout(now);
    if (this.#returns(now, from)) return;
    const round = this.#beginRound(now, patience);
    let candidate = this.#find(from);
    if (candidate === undefined) {
      if (this.#seen().length >= CANDIDATES_MAX && now < round.ends) return;
      candidate = this.#add(now, from, nonceOf(round, from));
    }
    candidate.received += size;
    candidate.receivedAt = now;
    candidate.until = now + CANDIDATE_LIFE;
    const isOpen = !round.isHome || candidate.isTold;
    if (isOpen && !candidate.isValidated) this.#challenge(now, round, candidate);
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
   * that it came by a copier. A way that the peer tries is worth a try from this end (RFC 8445, 7.3.1.4).
   */
  handleChallenge(
    now: Instant,
    { nonce }: PathChallenge,
    from: Address,
    patience: number,
  ): void {
    const frame: PathResponse = { kind: "pathResponse", nonce };
    const candidate = this.#find(from);
    if (candidate === undefined || spend(candidate)) this.#send(frame, from);
    if (!sameAddress(from, this.#address)) this.#send(frame, this.#address);
    if (candidate !== undefined || !this.#isToldHost(from) || !this.#isBetter(from)) return;
    this.#consider(now, this.#beginRound(now, patience), from);
    this.handleTimeout(now);
  }

  #beginRound(now: Instant, patience: number): Round {
    const before = this.#round;
    if (before?.isOver === false) return before;
    const round = {
      startedAt: now,
      ends: now + Math.max(PATH_PATIENCE, patience),
      challengeAt: now,
      secret: before?.secret ?? this.#random(SECRET_SIZE),
      nonce: randomU64(this.#random),
      isHome: false,
      isOver: false,
    };
    this.#round = round;
    return round;
  }

  /** The addresses that packets only came from. */
  #seen(): Candidate[] {
    return this.#candidates.filter(({ isTold }) => !isTold);
  }

  #drop(dropped: Candidate | undefined): void {
    this.#candidates = this.#candidates.filter((each) => each !== dropped);
  }

  #addTold(now: Instant, address: Address, round: Round): Candidate {
    const told = this.#candidates.filter(({ isTold }) => isTold);
    if (told.length >= TOLD_MAX) this.#drop(told[0]);
    return this.#push(now, address, nonceOf(round, address));
  }

  /** Considers one more address: the oldest that is not validated makes room. */
  #add(now: Instant, address: Address, nonce: bigint): Candidate {
    const seen = this.#seen();
    if (seen.length >= CANDIDATES_MAX) {
      this.#drop(seen.find(({ isValidated }) => !isValidated) ?? seen[0]);
    }
    const candidate = this.#push(now, address, nonce);
    // A port of its own for this end, at a host that was told.
    candidate.isTold = this.#isToldHost(address);
    return candidate;
  }

  #push(now: Instant, address: Address, nonce: bigint): Candidate {
    const candidate: Candidate = {
      address: copyOf(address),
      nonce,
      received: 0,
      receivedAt: now,
      sent: 0,
      isValidated: false,
      isTold: false,
      tries: 0,
      nextAt: Infinity,
      until: now + CANDIDATE_LIFE,
    };
    this.#candidates.push(candidate);
    return candidate;
  }

  /** Takes a Path Response, whichever way it came: the challenge went only one (RFC 9000, 8.2.3). */
  handleResponse(now: Instant, { nonce }: PathResponse, from: Address): void {
    const round = this.#round;
    if (round === undefined) return;
    if (round.nonce === nonce) {
      round.isHome = this.#isProven = true;
      this.#own = [];
    }
    let candidate = this.#candidates.find((each) => each.nonce === nonce);
    // Whoever copies from many addresses may have pushed out the one that answers.
    if (candidate === undefined && nonce === nonceOf(round, from)) {
      candidate = this.#add(now, from, nonce);
    }
    if (candidate?.isValidated === false) {
      candidate.isValidated = true;
      candidate.nextAt = Infinity;
      // The answer of the old address may be as late.
      if (now >= round.ends) round.ends = now + PATH_PATIENCE;
    }
    this.handleTimeout(now);
  }

  /**
   * Challenges again; changes to a better address that was told and has answered, and, at the end of a
   * round, to any that has, where the one in use was silent.
   */
  handleTimeout(now: Instant): void {
    const round = this.#round;
    if (round === undefined) return;
    const best = this.#best();
    if (best?.isTold && this.#isBetter(best.address)) this.#upgrade(round, best);
    for (const candidate of this.#candidates) {
      if (now >= candidate.nextAt) this.#challengeTold(candidate);
    }
    if (!round.isOver && this.#isDecided(round) && now >= round.ends) {
      const other = this.#best();
      if (!round.isHome && other !== undefined) this.#move(now, round, other.address);
      round.isOver = true;
    }
    if (now >= round.startedAt + CANDIDATE_LIFE) this.#own = [];
    const isTelling = this.#own.length > 0;
    this.#candidates = this.#candidates.filter((each) =>
      round.isOver ? isAwaited(now, each) : each.isValidated || now < each.until
    );
    if (this.#candidates.length === 0 && !isTelling) return this.#endRound();
    if (now < round.challengeAt) return;
    if (!this.#isDecided(round) && !round.isOver) {
      for (const candidate of this.#seen()) this.#challenge(now, round, candidate);
    } else if (!isTelling) return;
    if (now >= round.challengeAt) this.#challengeHome(now, round);
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    const round = this.#round;
    if (round === undefined) return undefined;
    const isDecided = this.#isDecided(round);
    let timeout: Instant | undefined = isDecided ? round.ends : round.challengeAt;
    if (round.isOver) timeout = undefined;
    if (this.#own.length > 0) timeout = earlier(timeout, round.challengeAt);
    for (const { isTold, isValidated, nextAt, until } of this.#candidates) {
      if (!isValidated && (isTold || !isDecided)) {
        timeout = earlier(timeout, Math.min(nextAt, until));
      }
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

  #isToldHost({ hostname }: Address): boolean {
    return this.#toldHosts.includes(hostname);
  }

  /** Whether the peer answered, wherever it was asked. */
  #isDecided({ isHome }: Round): boolean {
    return isHome || this.#candidates.some(({ isValidated }) => isValidated);
  }

  /** The best address that was validated, of equal ones a told one, else the latest. */
  #best(): Candidate | undefined {
    const value = ({ address, isTold }: Candidate): number =>
      2 * pathRank(address) + Number(isTold);
    return this.#candidates.filter(({ isValidated }) => isValidated)
      .reduce<Candidate | undefined>(
        (best, each) => best === undefined || value(each) >= value(best) ? each : best,
        undefined,
      );
  }

  /** Whether an address that was told is better than the one in use. */
  #isBetter(address: Address): boolean {
    const difference = pathRank(address) - pathRank(this.#address);
    // Somebody between the two may have come in where it was not told.
    return difference > 0 || difference === 0 && !this.#isToldHost(this.#address);
  }

  /** Challenges an address that packets came from, and the one in use. */
  #challenge(now: Instant, round: Round, candidate: Candidate): void {
    round.challengeAt = now + CHALLENGE_INTERVAL;
    if (!spend(candidate)) return;
    const { nonce, address } = candidate;
    this.#send({ kind: "pathChallenge", nonce }, address);
    this.#challengeHome(now, round);
  }

  /** Challenges an address that was told. */
  #challengeTold(candidate: Candidate): void {
    const { address, nonce } = candidate;
    const tries = ++candidate.tries;
    const triesMax = isPrivate(address.hostname) ? PRIVATE_TRIES : PUNCH_SCHEDULE.length;
    const gap = PUNCH_SCHEDULE[tries]! - PUNCH_SCHEDULE[tries - 1]!;
    if (tries === triesMax) candidate.until = candidate.nextAt + TOLD_PATIENCE;
    candidate.nextAt = tries === triesMax ? Infinity : candidate.nextAt + gap;
    this.#send({ kind: "pathChallenge", nonce }, address);
  }

  /** Asks whether the peer still is where it was, and tells it where this end may be. */
  #challengeHome(now: Instant, round: Round): void {
    round.challengeAt = now + CHALLENGE_INTERVAL;
    if (round.isHome && this.#own.length === 0) return;
    this.#send({ kind: "pathChallenge", nonce: round.nonce }, this.#address);
    if (this.#own.length > 0) {
      this.#send({ kind: "candidates", addresses: this.#own }, this.#address);
    }
  }

  #send(frame: Frame, to: Address): void {
    if (this.#due.length < PATH_FRAMES_MAX) this.#due.push({ frame, to: copyOf(to) });
  }

  /** Goes on at a better address; the one in use before answered as well, as far as is known. */
  #upgrade(round: Round, candidate: Candidate): void {
    this.#drop(candidate);
    this.#address = candidate.address;
    this.#isProven = round.isHome = true;
    this.#previous = undefined;
  }

  #move(now: Instant, round: Round, address: Address): void {
    // Back to where it never received, or where it returned to for nothing, there is no short way.
    this.#previous = this.#isProven
      ? { address: this.#address, until: now + RETURN_LIMIT }
      : undefined;
    this.#drop(this.#find(address));
    this.#address = address;
    this.#isProven = round.isHome = true;
  }

  #endRound(): void {
    this.#round = undefined;
    this.#candidates = [];
  }
}

/** Whether there are only Path Challenges and Responses, which say nothing of a move. */
function isProbe(frames: readonly Frame[]): boolean {
  return frames.every(({ kind }) =>
    kind === "pathChallenge" || kind === "pathResponse" || kind === "candidates"
  );
}

/** The nonce of the challenge to an address, which only a receiver there can know. */
function nonceOf({ secret }: Round, address: Address): bigint {
  const code = hmacSha256(secret, encoder.encode(formatAddress(address)));
  return new DataView(code.buffer, code.byteOffset).getBigUint64(0);
}
