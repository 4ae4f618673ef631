import { formatCount, scaled } from "../support/scale.ts";
import { MIXED } from "./profile.ts";
import { simulateSeeds } from "./simulation.ts";

const SEEDS = scaled(1200, 4);

Deno.test(`a bad network loses nothing silently: ${formatCount(SEEDS)} seeds, timers of both kinds`, () => {
  simulateSeeds(SEEDS, ["adaptive", "fixed"], MIXED, ["corrupted", "replayed", "moves"]);
});
