/**
 * How often something may happen: token buckets, one for each source and one for all.
 *
 * @module
 */
import { type Address, sourceOf } from "../protocol/wire/address.ts";
import type { Instant } from "../protocol/machine.ts";

/** Sources whose buckets are kept, at most; of more, the half that asked less recently goes. */
export const SOURCES_MAX = 65_536;
/** Milliseconds by which sums of fractions may be off. */
const TOLERANCE = 1e-3;

/** A token bucket: what it holds when it is full, and how fast it fills. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/**
 * Says no to a source that asks too often, and to all where together they do.
 *
 * A bucket is kept as the instant at which it will be full; one that is full need not be kept.
 */
export class RateLimit {
  readonly #perSource: Buckets | undefined;
  readonly #total: Rate;
  #totalFullAt: Instant = -Infinity;

  /** @param perSource undefined for no limit. */
  constructor(perSource: Rate | undefined, total: Rate, sourcesMax = SOURCES_MAX) {
    this.#perSource = perSource && new Buckets(perSource, sourcesMax);
    this.#total = total;
  }

  /** The sources whose buckets are kept. */
  get size(): number {
    return this.#perSource?.size ?? 0;
  }

  /** Takes a token from both buckets; false, and nothing is taken, where one of them is empty. */
  take(now: Instant, from: Address): boolean {
    const totalFullAt = spend(this.#total, this.#totalFullAt, now);
    if (totalFullAt === undefined) return false;
    if (this.#perSource?.take(now, sourceOf(from)) === false) return false;
    this.#totalFullAt = totalFullAt;
    return true;
  }
}

/**
 * The buckets of the sources, in two generations: what is used goes to the younger one, and the
 * older one is dropped as a whole when the younger has its share of the room, or is so old that
 * every bucket in the older one is full.
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

  take(now: Instant, source: string): boolean {
    const fillTime = 1000 * this.#rate.burst / this.#rate.perSecond;
    if (now >= this.#startedAt + fillTime) this.#age(now);
    const before = this.#younger.get(source) ?? this.#older.get(source);
    const fullAt = spend(this.#rate, before, now);
    const kept = fullAt ?? before;
    if (kept === undefined) return false;
    if (!this.#younger.has(source) && this.#younger.size >= this.#lengthMax) this.#age(now);
    // Even if it was refused: a source that goes on asking is not forgotten.
    this.#younger.set(source, kept);
    this.#older.delete(source);
    return fullAt !== undefined;
  }

  #age(now: Instant): void {
    this.#older = this.#younger;
    this.#younger = new Map();
    this.#startedAt = now;
  }
}

/** When a bucket will be full once a token is taken from it; undefined where it has none. */
function spend(
  { perSecond, burst }: Rate,
  fullAt: Instant | undefined,
  now: Instant,
): Instant | undefined {
  const cost = 1000 / perSecond;
  const next = Math.max(fullAt ?? now, now) + cost;
  return next - now <= burst * cost + TOLERANCE ? next : undefined;
}
