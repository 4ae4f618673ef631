import { assertEquals, assertGreater } from "@std/assert";
import { STORM } from "./profile.ts";
import { simulateMany } from "./seeds.ts";

// In a file of its own, so that `deno test --parallel` runs it beside the other seeds.
Deno.test("a storm loses nothing without a word: 2500 seeds, fixed timers", () => {
  const sums = simulateMany(2500, ["fixed"], STORM);
  assertGreater(sums.bursts!, 2500);
  // Only adaptive timers go with datagrams above the base size.
  assertEquals(sums.large, 0);
});
