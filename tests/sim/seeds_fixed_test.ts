import { formatCount, scaled } from "../support/scale.ts";
import { MIXED } from "./profile.ts";
import { simulateSeeds } from "./simulation.ts";

const SEEDS = scaled(1200, 4);

// In a file of its own, so that `deno test --parallel` runs it beside the other seeds.
Deno.test(`a bad network loses nothing silently: ${formatCount(SEEDS)} seeds, fixed timers`, () => {
  simulateSeeds(SEEDS, ["fixed"], MIXED, ["corrupted", "replayed", "moves"]);
});
