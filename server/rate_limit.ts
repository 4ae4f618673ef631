/**
 * Token buckets, one for each source and one for the total.
 *
 * @module
 */
import { type Address, sourceOf } from "../protocol/wire/address.ts";
import type { Instant } from "../protocol/machine.ts";

/** The most sources with a bucket; above it, the half that asked less recently is forgotten. */
export const SOURCES_MAX = 65_536;
/** Milliseconds by which sums of fractions may be inexact. */
const TOLERANCE = 1e-3;

/** How fast a token bucket fills, and what it holds when it is full. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What a {@linkcode RateLimit} may have beside its rates. */
export interface RateLimitOptions {
  /** What all sources together may have above their own rates; nothing where it is left out. */
  readonly excess?: Rate | undefined;
  /** The most sources with a bucket. */
  readonly sourcesMax?: number;
}

/**
 * Limits the rate of each source and the total.
 *
 * A bucket is stored as the instant at which it will be full; a full one need not be stored.
 */
export class RateLimit {
  readonly #perSource: Buckets | undefined;
  readonly #total: Rate;
  readonly #excess: Rate | undefined;
  #totalFullAt: Instant = -Infinity;
  #excessFullAt: Instant = -Infinity;

  /** @param perSource undefined to limit only the total. */
  constructor(perSource: Rate | undefined, total: Rate, options: RateLimitOptions = {}) {
    const { excess, sourcesMax = SOURCES_MAX } = options;
    this.#perSource = perSource && new Buckets(perSource, sourcesMax);
    this.#total = total;
    this.#excess = excess;
  }

  /** The number of sources with a bucket. */
  get size(): number {
    return this.#perSource?.size ?? 0;
  }

  /**
   * Takes a token from the bucket of the source, or of the excess, and one from the total; takes none,
   * and returns false, if they are empty.
   */
  take(now: Instant, from: Address): boolean {
    return this.takeFor(now, sourceOf(from), 1);
  }

  /** The same for so many tokens, and for something else than an address. */
  takeFor(now: Instant, source: string, count: number): boolean {
    const totalFullAt = spend(this.#total, this.#totalFullAt, now, count);
    if (totalFullAt === undefined) return false;
    const isWithin = this.#perSource?.take(now, source, count) ?? true;
    if (!isWithin && !this.#takeExcess(now, count)) return false;
    this.#totalFullAt = totalFullAt;
    return true;
  }

  #takeExcess(now: Instant, count: number): boolean {
    const fullAt = this.#excess && spend(this.#excess, this.#excessFullAt, now, count);
    this.#excessFullAt = fullAt ?? this.#excessFullAt;
    return fullAt !== undefined;
  }
}

/**
 * The buckets of the sources, in two generations. Used buckets move to the younger one. The older
 * one is dropped when the younger one has half of all sources, or when all its buckets are full.
 */
class Buckets {
  readonly #rate: Rate;
  readonly #lengthMax: number;
  #younger = new Map<string, Instant>();
  #older = new Map<string, Instant>();
  #startedAt: Instant = -Infinity;

  constructor(rate: Rate, sourcesMax: number) {
    this.#rate = rate;
    this.#lengthMax = Math.floor(sourcesMax / 2);
  }

  get size(): number {
    return this.#younger.size + this.#older.size;
  }

  take(now: Instant, source: string, count: number): boolean {
    const fillTime = 1000 * this.#rate.burst / this.#rate.perSecond;
    if (now >= this.#startedAt + fillTime) this.#rotate(now);
    const before = this.#younger.get(source) ?? this.#older.get(source);
    const fullAt = spend(this.#rate, before, now, count);
    const kept = fullAt ?? before;
    if (kept === undefined) return false;
    if (!this.#younger.has(source) && this.#younger.size >= this.#lengthMax) this.#rotate(now);
    // Also when it was refused, so that a source that goes on asking is not forgotten.
    this.#younger.set(source, kept);
    this.#older.delete(source);
    return fullAt !== undefined;
  }

  #rotate(now: Instant): void {
    this.#older = this.#younger;
    this.#younger = new Map();
    this.#startedAt = now;
  }
}

/** When a bucket will be full after tokens are taken from it; undefined if it has not as many. */
function spend(
  { perSecond, burst }: Rate,
  fullAt: Instant | undefined,
  now: Instant,
  count: number,
): Instant | undefined {
  const cost = 1000 / perSecond;
  const next = Math.max(fullAt ?? now, now) + count * cost;
  return next - now <= burst * cost + TOLERANCE ? next : undefined;
}
