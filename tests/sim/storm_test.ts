import { assertGreater } from "@std/assert";
import { STORM } from "./profile.ts";
import { simulateMany } from "./seeds.ts";

Deno.test("a storm loses nothing without a word: 2500 seeds, timers of both kinds", () => {
  const sums = simulateMany(2500, ["adaptive", "fixed"], STORM);
  for (const trouble of ["bursts", "large", "tooLong"]) assertGreater(sums[trouble]!, 2500);
});
