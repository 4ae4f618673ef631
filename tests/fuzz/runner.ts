/**
 * How many mutations each fuzz test makes, and what they reached.
 *
 * @module
 */
import { type Prng, seedFromEnv, withSeed } from "../support/random.ts";
import { IS_FULL, scaled, SHARE } from "../support/scale.ts";

/** Mutations in a full run, 5 million at least in all. */
export const FUZZ_COUNTS = {
  // codec_test.ts
  datagrams: 2_000_000,
  frames: 2_000_000,
  commonRequests: 300_000,
  mac1: 60_000,
  cookies: 60_000,
  directoryMacs: 60_000,
  registrations: 100_000,
  packets: 150_000,
  messageOne: 6_000,
  messageTwo: 6_000,
  // directory_test.ts
  directory: 300_000,
  privateDirectory: 100_000,
  // client_test.ts
  client: 250_000,
  strangers: 50_000,
  // peer_test.ts
  peer: 400_000,
} as const;

/** A slice makes one mutation in so many. */
const SLICE = 500;

/** Runs `body` for half of the count with a fixed seed, and for the other half with a random one. */
export function fuzz(
  what: keyof typeof FUZZ_COUNTS,
  body: (prng: Prng, count: number) => void,
): void {
  const count = scaled(FUZZ_COUNTS[what], FUZZ_COUNTS[what] / SLICE) / 2;
  for (const seed of [1, seedFromEnv()]) withSeed(seed, (prng) => body(prng, count));
}

/** Counts outcomes by name, so that a test sees whether its mutations reached them. */
export class Tally {
  readonly counts: Record<string, number> = {};

  add(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** Checks a whole run; a part of it is too small to reach everything. */
  assertReached(...names: string[]): void {
    if (!IS_FULL || SHARE < 1) return;
    const missed = names.filter((name) => this.counts[name] === undefined);
    if (missed.length === 0) return;
    throw new Error(`the run reached ${JSON.stringify(this.counts)}, not ${missed.join(", ")}`);
  }
}
