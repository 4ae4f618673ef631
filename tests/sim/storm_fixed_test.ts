import { assertEquals } from "@std/assert";
import { formatCount, scaled } from "../support/scale.ts";
import { STORM } from "./profile.ts";
import { simulateSeeds } from "./simulation.ts";

const SEEDS = scaled(5000, 4);

// In a file of its own, so that `deno test --parallel` runs it beside the other seeds.
Deno.test(`a storm loses nothing silently: ${formatCount(SEEDS)} seeds, fixed timers`, () => {
  const sums = simulateSeeds(SEEDS, ["fixed"], STORM, ["corrupted", "replayed", "moves", "bursts"]);
  // Only adaptive timers use datagrams above the base size.
  assertEquals(sums.large, 0);
});
