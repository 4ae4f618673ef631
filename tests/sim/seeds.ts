/**
 * Runs simulations by seed, and adds up what happened in them.
 *
 * @module
 */
import { seedFromEnv } from "../support/random.ts";
import type { World } from "./world.ts";

/** The sums over all seeds. */
export type Sums<Outcome> = Record<keyof Outcome, number>;

/** One simulation. */
export interface Simulated<Outcome> {
  readonly world: Pick<World, "network">;
  run(): Outcome;
}

/**
 * Simulates `count` seeds, from `UDP_CHAT_SEED` on if that is set, and prints the sums; an error
 * names its seed, and shows the end of the network's history.
 */
export function runSeeds<Outcome extends object>(
  count: number,
  make: (seed: number) => Simulated<Outcome>,
): Sums<Outcome> {
  const first = seedFromEnv();
  const sums = {} as Sums<Outcome>;
  for (let index = 0; index < count; index++) {
    const seed = (first + index) % 2 ** 32;
    const simulation = make(seed);
    let outcome: Outcome;
    try {
      outcome = simulation.run();
    } catch (error) {
      const message =
        `${error}\nwith UDP_CHAT_SEED=${seed}, ${simulation.world.network.describe()}`;
      throw new Error(message, { cause: error });
    }
    for (const name of Object.keys(outcome) as (keyof Outcome)[]) {
      sums[name] = (sums[name] ?? 0) + Number(outcome[name]);
    }
  }
  const text = Object.entries(sums).map(([name, sum]) => `${name} ${sum}`).join(", ");
  console.log(`${count} seeds from UDP_CHAT_SEED=${first}: ${text}`);
  return sums;
}
