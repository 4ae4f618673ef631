import { assertEquals } from "@std/assert";
import { CLOCK_JUMP_MIN, ClockJumps } from "../../protocol/clock_jumps.ts";

Deno.test("ClockJumps tells by how much one clock jumped, once", () => {
  const jumps = new ClockJumps(1_000, 50_000);
  assertEquals(jumps.take(4_000, 53_000), undefined);
  assertEquals(jumps.take(7_000, 126_000), 70_000);
  assertEquals(jumps.take(10_000, 129_000), undefined);
  assertEquals(jumps.take(13_000, 62_000), -70_000);
  assertEquals(jumps.take(16_000, 65_000), undefined);
});

Deno.test("ClockJumps does not add up what is adjusted little by little", () => {
  const jumps = new ClockJumps(0, 0);
  for (let step = 1; step <= 100; step++) {
    assertEquals(jumps.take(step * 1_000, step * (1_000 + CLOCK_JUMP_MIN - 1)), undefined);
  }
});
