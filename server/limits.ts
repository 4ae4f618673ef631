/**
 * The rate limits of a directory, per source and in total.
 *
 * Requests above them get no answer, and are counted.
 *
 * @module
 */
import { type Address, sourceOf } from "../protocol/wire/address.ts";
import type { Instant } from "../protocol/machine.ts";
import { type Rate, RateLimit } from "./rate_limit.ts";

/** Registers with a valid cookie that would change the table: 600 a minute. */
export const REGISTRATIONS_PER_SOURCE: Rate = { perSecond: 10, burst: 200 };
/** The same in total, for a small table: 12,000 a minute. */
export const REGISTRATIONS_PER_SECOND = 200;
/** The least burst in total, for small tables. */
export const REGISTRATIONS_BURST_MIN = 1000;
/** Seconds in which all clients of a large table may be replaced. */
export const TURNOVER = 50;
/** Entries of one source in the table, unless told otherwise. */
export const CLIENTS_PER_SOURCE = 200;
/** Look-ups and Lists of registered clients. */
export const QUESTIONS_PER_SOURCE: Rate = { perSecond: 100, burst: 500 };
/** The same in total: more than a process could answer when this was set. */
export const QUESTIONS_IN_TOTAL: Rate = { perSecond: 250_000, burst: 10_000 };
/** Answers to senders with neither a valid cookie nor a valid token, mostly Challenges. */
export const STRANGERS_PER_SOURCE: Rate = { perSecond: 1000, burst: 2000 };
/** The same in total: about as many as a process can answer, because new clients are among them. */
export const STRANGERS_IN_TOTAL: Rate = { perSecond: 100_000, burst: 20_000 };
/**
 * The part of that for sources above their own limits: anybody can send in the name of a source, and
 * must not keep its clients out with that.
 */
export const STRANGERS_EXCESS: Rate = { perSecond: 50_000, burst: 10_000 };

/** Calls of registered clients. */
export const CALLS_PER_SOURCE: Rate = { perSecond: 2, burst: 20 };
/** The same in total. */
export const CALLS_IN_TOTAL: Rate = { perSecond: 20_000, burst: 5_000 };
/** Meetings that one client is sent. */
export const MEETINGS_PER_CLIENT: Rate = { perSecond: 5, burst: 10 };
/** Bytes that are carried for one client. */
export const CARRIED_PER_CLIENT: Rate = { perSecond: 4_096, burst: 65_536 };
/** The same for all clients of one source. */
export const CARRIED_PER_SOURCE: Rate = { perSecond: 65_536, burst: 524_288 };
/** Bytes that are carried a second for all clients together, unless told otherwise. */
export const CARRIED_IN_TOTAL = 1_000_000;

/** Days that a name is kept for its key after its client is gone, unless told otherwise. */
export const NAME_HOLD_DAYS = 7;
/** The same in milliseconds. */
export const NAME_HOLD: number = NAME_HOLD_DAYS * 24 * 60 * 60 * 1000;

/** The kinds of requests that are limited. */
export type LimitName = "registrations" | "questions" | "strangers" | "calls";
/** What is limited for a client, not for an address. */
export type ClientLimitName = "meetings" | "carried";

/** Registrations in total; after a restart, all clients register again at once. */
function registrationsInTotal(maxClients: number): Rate {
  return {
    perSecond: Math.max(maxClients / TURNOVER, REGISTRATIONS_PER_SECOND),
    burst: Math.max(maxClients, REGISTRATIONS_BURST_MIN),
  };
}

/** The most registrations that can be granted in a minute. */
export function registrationsPerMinute(maxClients: number): number {
  const { perSecond, burst } = registrationsInTotal(maxClients);
  return Math.ceil(burst + 60 * perSecond);
}

/** All limits of one directory. */
export class Limits {
  readonly #limits: Readonly<Record<LimitName, RateLimit>>;
  readonly #clientLimits: Readonly<Record<ClientLimitName, RateLimit>>;
  readonly #carriedBySource: RateLimit;

  /**
   * @param hasSourceLimits false to limit only the total.
   * @param carriedInTotal bytes that are carried a second for all clients together.
   */
  constructor(maxClients: number, hasSourceLimits: boolean, carriedInTotal: number) {
    const newLimit = (perSource: Rate, total: Rate, excess?: Rate): RateLimit =>
      new RateLimit(hasSourceLimits ? perSource : undefined, total, { excess });
    this.#limits = {
      registrations: newLimit(REGISTRATIONS_PER_SOURCE, registrationsInTotal(maxClients)),
      questions: newLimit(QUESTIONS_PER_SOURCE, QUESTIONS_IN_TOTAL),
      strangers: newLimit(STRANGERS_PER_SOURCE, STRANGERS_IN_TOTAL, STRANGERS_EXCESS),
      calls: newLimit(CALLS_PER_SOURCE, CALLS_IN_TOTAL),
    };
    const carried = { perSecond: carriedInTotal, burst: Math.max(carriedInTotal, 65_536) };
    this.#carriedBySource = newLimit(CARRIED_PER_SOURCE, carried);
    this.#clientLimits = {
      meetings: new RateLimit(MEETINGS_PER_CLIENT, CALLS_IN_TOTAL),
      carried: new RateLimit(CARRIED_PER_CLIENT, carried),
    };
  }

  /** Counts a request of this source, and returns true, if the limits allow it. */
  take(now: Instant, name: LimitName, from: Address): boolean {
    return this.#limits[name].take(now, from);
  }

  /** The same for a client that is called. */
  takeMeeting(now: Instant, id: number): boolean {
    return this.#clientLimits.meetings.takeFor(now, `${id}`, 1);
  }

  /** The same for bytes that are carried, of a client and its source. */
  takeCarried(now: Instant, id: number, from: Address, size: number): boolean {
    return this.#clientLimits.carried.takeFor(now, `${id}`, size) &&
      this.#carriedBySource.takeFor(now, sourceOf(from), size);
  }

  /** The number of token buckets: at most `SOURCES_MAX` for each limit. */
  get size(): number {
    const limits = [...Object.values(this.#limits), ...Object.values(this.#clientLimits)];
    return [...limits, this.#carriedBySource].reduce((sum, { size }) => sum + size, 0);
  }
}
