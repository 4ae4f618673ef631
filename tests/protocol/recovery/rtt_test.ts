import { assertEquals } from "@std/assert";
import { RESEND_INTERVAL, TIMER_POLICIES } from "../../../protocol/recovery/timer_policy.ts";
import { RTO_INITIAL, RTO_MIN, RttEstimator } from "../../../protocol/recovery/rtt.ts";

/** An estimator that has taken these samples. */
function estimate(...samples: number[]): RttEstimator {
  const rtt = new RttEstimator(TIMER_POLICIES.adaptive);
  for (const sample of samples) rtt.sample(sample);
  return rtt;
}

Deno.test("RttEstimator.timeout() is 1 s before the first sample", () => {
  assertEquals(RTO_INITIAL, 1000);
  assertEquals(estimate().timeout(1), 1000);
  assertEquals(estimate().srtt, undefined);
});

Deno.test("RttEstimator.assume() counts until the first sample, and where it is shorter than nothing known", () => {
  const rtt = estimate();
  rtt.assume(1_200);
  assertEquals([rtt.timeout(1), rtt.patience, rtt.srtt], [1_000, 1_000, undefined]);
  rtt.assume(200);
  rtt.assume(400);
  assertEquals([rtt.timeout(1), rtt.timeout(2), rtt.patience], [300, 600, 600]);
  assertEquals(rtt.srtt, undefined);
  rtt.sample(100);
  rtt.assume(10);
  assertEquals([rtt.timeout(1), rtt.patience, rtt.srtt], [300, 300, 100]);
});

Deno.test("RttEstimator.timeout() is three times the first sample", () => {
  const rtt = estimate(100);
  assertEquals(rtt.srtt, 100);
  assertEquals(rtt.timeout(1), 100 + 4 * 50);
});

Deno.test("RttEstimator.timeout() follows RFC 6298 from sample to sample", () => {
  // RTTVAR is 3/4 of it and 1/4 of the deviation from the old SRTT; SRTT is 7/8 and 1/8.
  const steady = estimate(100, 100);
  assertEquals(steady.srtt, 100);
  assertEquals(steady.timeout(1), 100 + 4 * 37.5);
  const slower = estimate(100, 100, 200);
  assertEquals(slower.srtt, 112.5);
  assertEquals(slower.timeout(1), 112.5 + 4 * 53.125);
  const faster = estimate(100, 100, 200, 20);
  assertEquals(faster.srtt, 100.9375);
  assertEquals(faster.timeout(1), 100.9375 + 4 * (0.75 * 53.125 + 0.25 * 92.5));
});

Deno.test("RttEstimator.timeout() keeps a millisecond above a steady round-trip time", () => {
  assertEquals(estimate(...Array<number>(100).fill(200)).timeout(1), 201);
});

Deno.test("RttEstimator.timeout() is never under its floor", () => {
  assertEquals(RTO_MIN, 50);
  assertEquals(estimate(0).timeout(1), 50);
  assertEquals(estimate(16).timeout(1), 50);
  assertEquals(estimate(17).timeout(1), 51);
  assertEquals(estimate(100).timeout(1, 1000), 1000);
  assertEquals(estimate(400).timeout(1, 1000), 1200);
});

Deno.test("RttEstimator.timeout() doubles with each transmission, from the floor up", () => {
  assertEquals([1, 2, 3, 4].map((n) => estimate(100).timeout(n)), [300, 600, 1200, 2400]);
  assertEquals([1, 2, 3, 4].map((n) => estimate(1).timeout(n)), [50, 100, 200, 400]);
  assertEquals([1, 2, 3].map((n) => estimate(1).timeout(n, 1000)), [1000, 2000, 4000]);
});

Deno.test("RttEstimator.timeout() is never over 10 s", () => {
  assertEquals(RESEND_INTERVAL, 10_000);
  assertEquals([4, 5, 6].map((n) => estimate().timeout(n)), [8000, 10_000, 10_000]);
  assertEquals(estimate().timeout(5000), 10_000);
  assertEquals(estimate(60_000).timeout(1), 10_000);
});

Deno.test("RttEstimator.timeout() is exactly 10 s in fixed mode, for all samples", () => {
  const rtt = new RttEstimator(TIMER_POLICIES.fixed);
  assertEquals(rtt.timeout(1), 10_000);
  for (const sample of [0, 100, 60_000]) {
    rtt.sample(sample);
    assertEquals([1, 2, 50].map((n) => rtt.timeout(n)), [10_000, 10_000, 10_000]);
    assertEquals(rtt.timeout(1, 1000), 10_000);
  }
});

Deno.test("RttEstimator.srtt is measured in fixed mode too", () => {
  const rtt = new RttEstimator(TIMER_POLICIES.fixed);
  rtt.sample(80);
  assertEquals(rtt.srtt, 80);
});
