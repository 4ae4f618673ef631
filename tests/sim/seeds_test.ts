import { MIXED } from "./profile.ts";
import { simulateMany } from "./seeds.ts";

Deno.test("a bad network loses nothing without a word: 1200 seeds, timers of both kinds", () => {
  simulateMany(1200, ["adaptive", "fixed"], MIXED);
});
