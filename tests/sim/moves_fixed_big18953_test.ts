import { formatCount, scaled } from "../support/scale.ts";
import { simulateMoves } from "./moves.ts";

const SEEDS = scaled(8000, 8);

Deno.test(`no move ends a connection at 20% loss: ${formatCount(SEEDS)} seeds, fixed timers`, () => {
  simulateMoves(SEEDS, ["fixed"]);
});
