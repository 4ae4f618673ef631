import { MIXED } from "./profile.ts";
import { simulateMany } from "./seeds.ts";

// In a file of its own, so that `deno test --parallel` runs it beside the other seeds.
Deno.test("a bad network loses nothing without a word: 1200 seeds, fixed timers", () => {
  simulateMany(1200, ["fixed"], MIXED);
});
