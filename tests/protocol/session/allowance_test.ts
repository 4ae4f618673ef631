import { assertEquals } from "@std/assert";
import { Allowance } from "../../../protocol/session/allowance.ts";

/** How many may be taken now. */
function takeAll(allowance: Allowance, now: number): number {
  let taken = 0;
  while (allowance.take(now)) taken++;
  return taken;
}

Deno.test("Allowance starts full, and grows by so many a second", () => {
  const allowance = new Allowance(20, 40);
  assertEquals(takeAll(allowance, 5000), 40);
  assertEquals(takeAll(allowance, 5049), 0);
  assertEquals(takeAll(allowance, 5050), 1);
  assertEquals(takeAll(allowance, 6050), 20);
});

Deno.test("Allowance never holds more than its most", () => {
  const allowance = new Allowance(20, 40);
  assertEquals(takeAll(allowance, 0), 40);
  assertEquals(takeAll(allowance, 1e9), 40);
});

Deno.test("Allowance loses no part of one, however often it is asked", () => {
  const allowance = new Allowance(10, 1);
  assertEquals(takeAll(allowance, 0), 1);
  let taken = 0;
  for (let now = 1; now <= 10_000; now++) if (allowance.take(now)) taken++;
  assertEquals(taken, 100);
});
