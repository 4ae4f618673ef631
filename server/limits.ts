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
/** Look-ups, Lists and Also Ats of registered clients. */
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

/** The limits that an operator may set, and set anew while the directory runs. */
export interface Rates {
  readonly registrationsPerSource: Rate;
  readonly questionsPerSource: Rate;
  readonly questionsInTotal: Rate;
  readonly strangersPerSource: Rate;
  readonly strangersInTotal: Rate;
  readonly strangersExcess: Rate;
  readonly callsPerSource: Rate;
  readonly callsInTotal: Rate;
  readonly meetingsPerClient: Rate;
  readonly carriedPerClient: Rate;
  readonly carriedPerSource: Rate;
  readonly carriedInTotal: Rate;
}

/** The limits where the operator sets none. */
export const RATES: Rates = {
  registrationsPerSource: REGISTRATIONS_PER_SOURCE,
  questionsPerSource: QUESTIONS_PER_SOURCE,
  questionsInTotal: QUESTIONS_IN_TOTAL,
  strangersPerSource: STRANGERS_PER_SOURCE,
  strangersInTotal: STRANGERS_IN_TOTAL,
  strangersExcess: STRANGERS_EXCESS,
  callsPerSource: CALLS_PER_SOURCE,
  callsInTotal: CALLS_IN_TOTAL,
  meetingsPerClient: MEETINGS_PER_CLIENT,
  carriedPerClient: CARRIED_PER_CLIENT,
  carriedPerSource: CARRIED_PER_SOURCE,
  carriedInTotal: carriedRate(CARRIED_IN_TOTAL),
};

/** So many bytes a second, and a burst that lets a client have its own. */
function carriedRate(perSecond: number): Rate {
  return { perSecond, burst: Math.max(perSecond, CARRIED_PER_CLIENT.burst) };
}

/** The usual limits, but so many bytes that are carried a second for all clients together. */
export function usualRates(carriedInTotal: number): Rates {
  return { ...RATES, carriedInTotal: carriedRate(carriedInTotal) };
}

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

/** What a directory is started with. */
export interface LimitOptions {
  readonly maxClients: number;
  /** False to limit only the total. */
  readonly hasSourceLimits: boolean;
}

/** The token buckets of each limit. */
interface Buckets {
  readonly bySource: Readonly<Record<LimitName, RateLimit>>;
  readonly byClient: Readonly<Record<ClientLimitName, RateLimit>>;
  readonly carriedBySource: RateLimit;
}

/** All limits of one directory. */
export class Limits {
  readonly #options: LimitOptions;
  #buckets: Buckets;

  constructor(options: LimitOptions, rates: Rates = RATES) {
    this.#options = options;
    this.#buckets = newBuckets(options, rates);
  }

  /** Sets other limits from now on; every bucket is full again. */
  change(rates: Rates): void {
    this.#buckets = newBuckets(this.#options, rates);
  }

  /** Counts a request of this source, and returns true, if the limits allow it. */
  take(now: Instant, name: LimitName, from: Address): boolean {
    return this.#buckets.bySource[name].take(now, from);
  }

  /** The same for a client that is called. */
  takeMeeting(now: Instant, id: number): boolean {
    return this.#buckets.byClient.meetings.takeFor(now, `${id}`, 1);
  }

  /** The same for bytes that are carried, of a client and its source. */
  takeCarried(now: Instant, id: number, from: Address, size: number): boolean {
    const { byClient, carriedBySource } = this.#buckets;
    return byClient.carried.takeFor(now, `${id}`, size) &&
      carriedBySource.takeFor(now, sourceOf(from), size);
  }

  /** The number of token buckets: at most `SOURCES_MAX` for each limit. */
  get size(): number {
    const { bySource, byClient, carriedBySource } = this.#buckets;
    const limits = [...Object.values(bySource), ...Object.values(byClient), carriedBySource];
    return limits.reduce((sum, { size }) => sum + size, 0);
  }
}

function newBuckets(options: LimitOptions, rates: Rates): Buckets {
  const { maxClients, hasSourceLimits } = options;
  const newLimit = (perSource: Rate, total: Rate, excess?: Rate): RateLimit =>
    new RateLimit(hasSourceLimits ? perSource : undefined, total, { excess });
  const { strangersPerSource, strangersInTotal, strangersExcess, carriedInTotal } = rates;
  return {
    bySource: {
      registrations: newLimit(rates.registrationsPerSource, registrationsInTotal(maxClients)),
      questions: newLimit(rates.questionsPerSource, rates.questionsInTotal),
      strangers: newLimit(strangersPerSource, strangersInTotal, strangersExcess),
      calls: newLimit(rates.callsPerSource, rates.callsInTotal),
    },
    byClient: {
      meetings: new RateLimit(rates.meetingsPerClient, rates.callsInTotal),
      carried: new RateLimit(rates.carriedPerClient, carriedInTotal),
    },
    carriedBySource: newLimit(rates.carriedPerSource, carriedInTotal),
  };
}
