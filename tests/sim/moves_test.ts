import { formatCount, scaled } from "../support/scale.ts";
import { simulateMoves } from "./moves.ts";

const SEEDS = scaled(2000, 5);

// In a file of its own, so that `deno test --parallel` runs it beside the other seeds.
Deno.test(`no move ends a connection at 20% loss: ${formatCount(SEEDS)} seeds, adaptive timers`, () => {
  simulateMoves(SEEDS, ["adaptive"]);
});
