/**
 * The limits of a directory: how much one source may ask of it, and how much all together.
 *
 * Beyond them there is no answer, and what was not answered is counted.
 *
 * @module
 */
import type { Address } from "../protocol/wire/address.ts";
import type { Instant } from "../protocol/machine.ts";
import { type Rate, RateLimit } from "./rate_limit.ts";

/** Registers with a good cookie that would change the table: 600 a minute. */
export const REGISTRATIONS_PER_SOURCE: Rate = { perSecond: 10, burst: 200 };
/** The same in total, in a small table: 12,000 a minute. */
export const REGISTRATIONS_PER_SECOND = 200;
/** The least burst of them in total, for small tables. */
export const REGISTRATIONS_BURST_MIN = 1000;
/** Seconds in which as many as a large table holds may come and go. */
export const TURNOVER = 50;
/** Look-ups and Lists of registered clients. */
export const QUESTIONS_PER_SOURCE: Rate = { perSecond: 100, burst: 500 };
/** The same in total: a bound beyond what a process answered when it was set. */
export const QUESTIONS_IN_TOTAL: Rate = { perSecond: 250_000, burst: 10_000 };
/** Answers to those who have shown neither a good cookie nor a good token, Challenges above all. */
export const STRANGERS_PER_SOURCE: Rate = { perSecond: 1000, burst: 2000 };
/** The same in total: about as many as a process can answer, since newcomers are among them. */
export const STRANGERS_IN_TOTAL: Rate = { perSecond: 100_000, burst: 20_000 };

/** What is limited. */
export type LimitName = "registrations" | "questions" | "strangers";

/** Registrations in total; a directory that was restarted gets all its clients back at once. */
function registrationsInTotal(maxClients: number): Rate {
  return {
    perSecond: Math.max(maxClients / TURNOVER, REGISTRATIONS_PER_SECOND),
    burst: Math.max(maxClients, REGISTRATIONS_BURST_MIN),
  };
}

/** The most registrations that are granted in a minute. */
export function registrationsPerMinute(maxClients: number): number {
  const { perSecond, burst } = registrationsInTotal(maxClients);
  return Math.ceil(burst + 60 * perSecond);
}

/** All limits of one directory. */
export class Limits {
  readonly #limits: Readonly<Record<LimitName, RateLimit>>;

  /** @param hasSourceLimits false for the limits in total only. */
  constructor(maxClients: number, hasSourceLimits: boolean) {
    const newLimit = (perSource: Rate, total: Rate): RateLimit =>
      new RateLimit(hasSourceLimits ? perSource : undefined, total);
    this.#limits = {
      registrations: newLimit(REGISTRATIONS_PER_SOURCE, registrationsInTotal(maxClients)),
      questions: newLimit(QUESTIONS_PER_SOURCE, QUESTIONS_IN_TOTAL),
      strangers: newLimit(STRANGERS_PER_SOURCE, STRANGERS_IN_TOTAL),
    };
  }

  /** Whether this source may have one more; if so, it is counted. */
  take(now: Instant, name: LimitName, from: Address): boolean {
    return this.#limits[name].take(now, from);
  }

  /** The buckets that are kept: at most `SOURCES_MAX` for each limit. */
  get size(): number {
    return Object.values(this.#limits).reduce((sum, { size }) => sum + size, 0);
  }
}
