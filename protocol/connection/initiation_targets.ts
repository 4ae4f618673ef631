/**
 * Where the Initiation of a request goes: to the addresses that the directory told, to where Punches
 * came from, and over the directory itself.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import { RTO_INITIAL, type RttEstimator } from "../recovery/rtt.ts";
import { PUNCH_SCHEDULE } from "../session/path.ts";
import type { Whereabouts } from "../session/session.ts";
import { type Address, sameAddress } from "../wire/address.ts";
import { PUNCH_SIZE } from "../wire/frame.ts";
import { isCarried } from "../wire/remote.ts";

/** Addresses, besides those that were told, that Punches are heeded from. */
export const PUNCHED_MAX = 4;

/** An address that the Initiation goes to. */
interface Target {
  readonly address: Address;
  readonly isTold: boolean;
  /** How many Punches from there led to an Initiation. */
  punches: number;
  /** How many Initiations of this handshake went there. */
  sent: number;
  /** When the first one did since the directory named it, or a Punch came from there, and the last. */
  sentAt: Instant;
  lastSentAt: Instant;
  isDue: boolean;
}

/** The addresses of one request. */
export class InitiationTargets {
  #number: bigint;
  #targets: Target[];
  #mayCarry: boolean;

  /**
   * Starts with what the directory told.
   *
   * @param number that of the meeting: a Punch of the responder has it.
   */
  constructor({ addresses, isNear }: Whereabouts, number: bigint) {
    this.#targets = addresses.map((address) => newTarget(address, true));
    this.#number = number;
    this.#mayCarry = isNear;
  }

  /** Takes what the directory tells in another meeting. */
  tell({ addresses }: Whereabouts, number: bigint): void {
    const told = addresses.map((address) => this.#find(address) ?? newTarget(address, true));
    const others = this.#targets.filter((each) => !each.isTold && !told.includes(each));
    this.#targets = [...told, ...others];
    this.#number = number;
    for (const target of told) [target.punches, target.sentAt] = [0, Infinity];
  }

  /** Begins another handshake. */
  restart(): void {
    for (const target of this.#targets) [target.sent, target.sentAt] = [0, Infinity];
  }

  /** Makes an Initiation due to all addresses. */
  aim(): void {
    for (const target of this.#targets) {
      target.isDue = this.#mayCarry || !isCarried(target.address);
    }
  }

  /** Lets the directory carry the Initiation from now on, and makes one due there, unless it did before. */
  carry(): void {
    if (this.#mayCarry) return;
    this.#mayCarry = true;
    for (const target of this.#targets) target.isDue ||= isCarried(target.address);
  }

  /**
   * Takes a Punch of so many bytes: an Initiation is due to where it came from, unless one just left.
   * It is no larger, and there are no more of them than a responder sends Punches: anybody who sees one
   * can send copies, and name any source.
   *
   * @returns false where it is for another meeting.
   */
  handlePunch(now: Instant, number: bigint, size: number, from: Address): boolean {
    if (number !== this.#number || size < PUNCH_SIZE) return false;
    const target = this.#find(from) ?? this.#addPunched(from);
    if (target === undefined || now < target.lastSentAt + PUNCH_SCHEDULE[1]!) return true;
    // NATs may have let in nothing of what went there before.
    if (target.punches === 0) target.sentAt = Infinity;
    if (++target.punches <= PUNCH_SCHEDULE.length) target.isDue = true;
    return true;
  }

  /** The next address that an Initiation is due to; it is sent now. */
  next(now: Instant): Address | undefined {
    const target = this.#targets.find(({ isDue }) => isDue);
    if (target === undefined) return undefined;
    target.isDue = false;
    target.sent++;
    target.sentAt = Math.min(target.sentAt, now);
    target.lastSentAt = now;
    return target.address;
  }

  /** Whether an Initiation went there. */
  wasTried(from: Address): boolean {
    return (this.#find(from)?.sent ?? 0) > 0;
  }

  /** Where the responder is whose Response came from there: there, if an Initiation went there. */
  answeredAt(from: Address): Address | undefined {
    const source = this.#find(from);
    const isTried = source !== undefined && source.sent > 0;
    return (isTried ? source : this.#targets.find(({ sent }) => sent > 0))?.address;
  }

  /** Takes note of how long an authentic Response took, if an Initiation went to where it came from. */
  measure(now: Instant, from: Address, rtt: RttEstimator): void {
    const { sent = 0, sentAt = Infinity } = this.#find(from) ?? {};
    if (sent > 1) rtt.assume(now - sentAt);
    // What is longer than nothing known says nothing.
    else if (sent === 1 && now < sentAt + RTO_INITIAL) rtt.sample(now - sentAt);
  }

  /** Nothing is due any more. */
  clear(): void {
    for (const target of this.#targets) target.isDue = false;
  }

  #find(from: Address): Target | undefined {
    return this.#targets.find(({ address }) => sameAddress(address, from));
  }

  #addPunched({ hostname, port }: Address): Target | undefined {
    if (this.#targets.filter(({ isTold }) => !isTold).length >= PUNCHED_MAX) return undefined;
    const target = newTarget({ hostname, port }, false);
    this.#targets.push(target);
    return target;
  }
}

function newTarget(address: Address, isTold: boolean): Target {
  return {
    address,
    isTold,
    punches: 0,
    sent: 0,
    sentAt: Infinity,
    lastSentAt: -Infinity,
    isDue: false,
  };
}
