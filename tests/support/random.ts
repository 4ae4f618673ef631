/**
 * Reproducible randomness: a generator, and its seed.
 *
 * @module
 */

/** The mulberry32 generator: small, fast, and good enough to make test data. */
export class Prng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A number from 0 to 2^32 - 1. */
  u32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A number from 0 up to, but not including, 1. */
  next(): number {
    return this.u32() / 2 ** 32;
  }

  /** A whole number from 0 up to, but not including, `n`. */
  int(n: number): number {
    return Math.floor(this.next() * n);
  }

  /** A number from 0 to 2^64 - 1. */
  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** New random bytes; bound, so that it can be used as a `Random`. */
  readonly bytes = (size: number): Uint8Array => {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i++) bytes[i] = this.u32() >>> 24;
    return bytes;
  };

  /** One of the items, which must not be empty. */
  pick<T>(items: readonly T[]): T {
    return items[this.int(items.length)] as T;
  }

  /** True with the probability `p`. */
  chance(p: number): boolean {
    return this.next() < p;
  }
}

/** The seed in `UDP_CHAT_SEED`, or a random one. */
export function seedFromEnv(): number {
  const text = Deno.env.get("UDP_CHAT_SEED");
  if (text === undefined || text === "") return Math.floor(Math.random() * 2 ** 32);
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
    throw new Error(`Cannot use UDP_CHAT_SEED: expected 0 to ${2 ** 32 - 1}, got "${text}"`);
  }
  return seed;
}

/** Runs `body` with a generator; an error names the seed. */
export function withSeed(seed: number, body: (prng: Prng) => void): void {
  try {
    body(new Prng(seed));
  } catch (error) {
    throw new Error(`With UDP_CHAT_SEED=${seed}: ${error}`, { cause: error });
  }
}
