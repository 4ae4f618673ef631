/**
 * How many mutations the fuzz tests make, each of them in every run: 5 million at least in all.
 *
 * Half of them are the same every time, half are not.
 *
 * @module
 */
import { type Prng, seedFromEnv, withSeed } from "../support/random.ts";

/** Mutations by what takes them. */
export const FUZZ_COUNTS = {
  // fuzz_codec_test.ts
  datagrams: 2_000_000,
  frames: 2_000_000,
  contents: 400_000,
  requestCodes: 60_000,
  cookies: 60_000,
  proofs: 60_000,
  seals: 150_000,
  messageOne: 6_000,
  messageTwo: 6_000,
  // fuzz_directory_test.ts
  directory: 300_000,
  privateDirectory: 100_000,
  // fuzz_client_test.ts
  client: 250_000,
  strangers: 50_000,
  // fuzz_peer_test.ts
  peer: 400_000,
} as const;

/** Runs `body` for half of the count with a seed that is always the same, and for half with another. */
export function fuzz(
  what: keyof typeof FUZZ_COUNTS,
  body: (prng: Prng, count: number) => void,
): void {
  const count = FUZZ_COUNTS[what] / 2;
  for (const seed of [1, seedFromEnv()]) withSeed(seed, (prng) => body(prng, count));
}

/** Counts by name, to see what a run has reached. */
export class Tally {
  readonly counts: Record<string, number> = {};

  add(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  assertReached(...names: string[]): void {
    const missed = names.filter((name) => this.counts[name] === undefined);
    if (missed.length === 0) return;
    throw new Error(`the run reached ${JSON.stringify(this.counts)}, not ${missed.join(", ")}`);
  }
}
