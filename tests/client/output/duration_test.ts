import { assertEquals } from "@std/assert";
import { elapsed, formatMs, seconds } from "../../../client/output/duration.ts";

Deno.test("elapsed() shows an age in its largest unit", () => {
  const ages: [ms: number, text: string][] = [
    [-5000, "just now"],
    [59_999, "just now"],
    [60_000, "1 minute ago"],
    [59 * 60_000, "59 minutes ago"],
    [3_600_000, "1 hour ago"],
    [47 * 3_600_000, "47 hours ago"],
    [48 * 3_600_000, "2 days ago"],
    [400 * 24 * 3_600_000, "400 days ago"],
  ];
  for (const [ms, text] of ages) assertEquals(elapsed(ms), text);
});

Deno.test("seconds() rounds a wait up, and shows none below zero", () => {
  assertEquals([1, 1000, 1001, -20].map(seconds), ["1 s", "1 s", "2 s", "0 s"]);
});

Deno.test("formatMs() shows a decimal below 10 ms", () => {
  assertEquals([0.36, 9.94, 10, 23.4].map(formatMs), ["0.4 ms", "9.9 ms", "10 ms", "23 ms"]);
});
