import { formatCount, scaled } from "../support/scale.ts";
import { STORM } from "./profile.ts";
import { simulateSeeds } from "./simulation.ts";

const SEEDS = scaled(5000, 4);
const TROUBLES = ["corrupted", "replayed", "moves", "bursts", "large", "tooLong"] as const;

Deno.test(`a storm loses nothing silently: ${formatCount(SEEDS)} seeds, timers of both kinds`, () => {
  simulateSeeds(SEEDS, ["adaptive", "fixed"], STORM, TROUBLES);
});
