import { assertEquals } from "@std/assert";
import { formatAge, formatLatency, formatSize, formatWait } from "../../cli/format.ts";

const HOUR = 3_600_000;

Deno.test("formatAge() shows whole units, at most two", () => {
  const ages: [ms: number, text: string][] = [
    [-5, "0s"],
    [999, "0s"],
    [7_999, "7s"],
    [60_000, "1m"],
    [754_000, "12m 34s"],
    [HOUR - 1, "59m 59s"],
    [5 * HOUR + 1000, "5h"],
    [5 * HOUR + 61_000, "5h 1m"],
    [24 * HOUR + 59 * 60_000, "1d"],
    [76 * HOUR, "3d 4h"],
    [400 * 24 * HOUR, "400d"],
  ];
  for (const [ms, text] of ages) assertEquals(formatAge(ms), text);
});

Deno.test("formatWait() rounds up to whole seconds", () => {
  assertEquals([-1, 0, 1, 1000, 1001, 90_000].map(formatWait), [
    "0s",
    "0s",
    "1s",
    "1s",
    "2s",
    "1m 30s",
  ]);
});

Deno.test("formatLatency() shows tenths of a millisecond below ten", () => {
  assertEquals([0.04, 0.36, 2, 2.34, 9.96, 23.4, 1500].map(formatLatency), [
    "0ms",
    "400µs",
    "2ms",
    "2ms 300µs",
    "10ms",
    "23ms",
    "1s 500ms",
  ]);
});

Deno.test("formatSize() counts in units of 1024 bytes", () => {
  assertEquals([0, 100, 1023, 4096, 65_536, 65_537, 4 * 1024 * 1024].map(formatSize), [
    "0 B",
    "100 B",
    "1020 B",
    "4 KiB",
    "64 KiB",
    "64 KiB",
    "4 MiB",
  ]);
});
