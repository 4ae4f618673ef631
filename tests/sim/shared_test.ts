// Clients that know two directories, which fail, as does the store that these share.
import { assertGreater } from "@std/assert";
import { formatCount, IS_FULL, scaled } from "../support/scale.ts";
import { runSeeds } from "./seeds.ts";
import { SharedRun } from "./shared_run.ts";

const SEEDS = scaled(1500, 5);

Deno.test(`two directories and their store fail, and no client is lost: ${formatCount(SEEDS)} seeds`, () => {
  const sums = runSeeds(SEEDS, (seed) => new SharedRun(seed, ["adaptive", "adaptive", "fixed"]));
  if (!IS_FULL) return;
  for (const what of ["faults", "moved"] as const) assertGreater(sums[what], 3 * SEEDS, what);
  for (const what of ["lost", "back", "unavailable"] as const) {
    assertGreater(sums[what], SEEDS / 10, what);
  }
});
