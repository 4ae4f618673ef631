import { assert, assertEquals } from "@std/assert";
import { Prng } from "../support/random.ts";
import { GilbertElliott } from "../sim/gilbert_elliott.ts";
import { delaysOf, quantile, ratios, summarize } from "./stats.ts";

Deno.test("quantile() takes the nearest rank", () => {
  const values = Array.from({ length: 200 }, (_, index) => index + 1);
  assertEquals([0, 0.5, 0.99, 1].map((q) => quantile(values, q)), [1, 100, 198, 200]);
  assertEquals([0, 0.5, 1].map((q) => quantile([7], q)), [7, 7, 7]);
  assertEquals(quantile([10, 20, 30], 0.5), 20);
  assertEquals(quantile([], 0.5), NaN);
});

Deno.test("summarize() finds median, least and greatest in any order", () => {
  assertEquals(summarize([30, 10, 20]), { median: 20, min: 10, max: 30 });
  assertEquals(summarize([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 });
  assertEquals(summarize([10, 9, 100]).median, 10, "by value, not as texts");
  assertEquals(summarize([]), { median: NaN, min: NaN, max: NaN });
});

Deno.test("ratios() divides round by round", () => {
  assertEquals(ratios([10, 30], [5, 10]), [2, 3]);
  assertEquals(ratios([1, 2], [1]), [1, NaN]);
});

Deno.test("delaysOf() sorts by value", () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  assertEquals(delaysOf(values), { count: 100, p50: 50, p99: 99, worst: 100 });
});

Deno.test("GilbertElliott loses 5% in bursts of 4 on the average", () => {
  const line = new GilbertElliott(new Prng(1));
  let [lost, bursts, wasLost] = [0, 0, false];
  const count = 1_000_000;
  for (let index = 0; index < count; index++) {
    const isLost = line.loses(0.05);
    if (isLost) lost++;
    if (isLost && !wasLost) bursts++;
    wasLost = isLost;
  }
  assert(Math.abs(lost / count - 0.05) < 0.002, `${lost} of ${count} are lost`);
  assert(Math.abs(lost / bursts - 4) < 0.1, `${lost} in ${bursts} bursts`);
});
