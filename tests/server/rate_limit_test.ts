import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { sourceOf } from "../../protocol/wire/address.ts";
import { RateLimit } from "../../server/rate_limit.ts";
import { Prng, seedFromEnv, withSeed } from "../support/random.ts";

const PLENTY = { perSecond: 1e6, burst: 1e6 };

function host(hostname: string): { hostname: string; port: number } {
  return { hostname, port: 1 };
}

/** The number of `count` attempts at one instant that are granted. */
function grants(limit: RateLimit, now: number, hostname: string, attempts: number): number {
  let granted = 0;
  for (let i = 0; i < attempts; i++) if (limit.take(now, host(hostname))) granted++;
  return granted;
}

Deno.test("RateLimit grants a burst, then the rate", () => {
  const limit = new RateLimit({ perSecond: 10, burst: 5 }, PLENTY);
  assertEquals(grants(limit, 1000, "192.0.2.1", 9), 5);
  assertEquals(grants(limit, 1099, "192.0.2.1", 9), 0);
  assertEquals(grants(limit, 1100, "192.0.2.1", 9), 1);
  assertEquals(grants(limit, 1350, "192.0.2.1", 9), 2);
  assertEquals(grants(limit, 99_999, "192.0.2.1", 9), 5);
});

Deno.test("RateLimit grants the whole burst at any instant", () => {
  for (const now of [0, 0.1, 1e6 + 1 / 3, 1e10]) {
    const limit = new RateLimit({ perSecond: 7, burst: 300 }, PLENTY);
    assertEquals(grants(limit, now, "192.0.2.1", 999), 300, `${now}`);
  }
});

Deno.test("RateLimit limits each source, and the total", () => {
  const limit = new RateLimit({ perSecond: 1, burst: 4 }, { perSecond: 1, burst: 10 });
  assertEquals(grants(limit, 0, "192.0.2.1", 9), 4);
  assertEquals(grants(limit, 0, "192.0.2.2", 9), 4);
  assertEquals(grants(limit, 0, "192.0.2.3", 9), 2);
  // A refusal by the total takes nothing from the source.
  assertEquals(grants(limit, 8000, "192.0.2.3", 9), 4);
});

Deno.test("RateLimit takes nothing from the total when it refuses a source", () => {
  const limit = new RateLimit({ perSecond: 1, burst: 1 }, { perSecond: 1, burst: 3 });
  assertEquals(grants(limit, 0, "192.0.2.1", 1000), 1);
  assertEquals(grants(limit, 0, "192.0.2.2", 1), 1);
  assertEquals(grants(limit, 0, "192.0.2.3", 1), 1);
});

Deno.test("RateLimit grants sources an excess that they share, within the total", () => {
  const excess = { perSecond: 10, burst: 20 };
  const limit = new RateLimit({ perSecond: 1, burst: 4 }, { perSecond: 5, burst: 30 }, { excess });
  assertEquals(grants(limit, 0, "192.0.2.1", 99), 24);
  assertEquals(grants(limit, 0, "192.0.2.2", 99), 4);
  assertEquals(grants(limit, 0, "192.0.2.3", 99), 2);
  assertEquals(grants(limit, 1000, "192.0.2.1", 99), 5);
});

Deno.test("RateLimit without a limit per source limits the total", () => {
  const limit = new RateLimit(undefined, { perSecond: 1, burst: 100 });
  assertEquals(grants(limit, 0, "192.0.2.1", 1000), 100);
  assertEquals(limit.size, 0);
});

Deno.test("RateLimit keeps a bounded number of buckets, and forgets the least recent", () => {
  const limit = new RateLimit({ perSecond: 0.001, burst: 1 }, PLENTY, { sourcesMax: 100 });
  for (let i = 0; i < 10_000; i++) {
    // One source keeps asking, and is refused.
    assertEquals(grants(limit, 0, "192.0.2.1", 1), i === 0 ? 1 : 0);
    assertEquals(grants(limit, 0, `10.0.${i >> 8}.${i & 255}`, 1), 1);
    assertLessOrEqual(limit.size, 100);
  }
  // The previous source is remembered, the first one is forgotten.
  assertEquals(grants(limit, 0, "10.0.39.15", 1), 0);
  assertEquals(grants(limit, 0, "10.0.0.0", 1), 1);
});

Deno.test("RateLimit forgets buckets that are full again", () => {
  const limit = new RateLimit({ perSecond: 10, burst: 10 }, PLENTY);
  for (let i = 0; i < 5000; i++) limit.take(i / 10, host(`10.0.${i >> 8}.${i & 255}`));
  assertEquals(limit.size, 5000);
  for (const now of [2000, 4000]) limit.take(now, host("192.0.2.1"));
  assertEquals(limit.size, 1);
});

Deno.test("RateLimit never grants a source more than its burst and rate", () => {
  withSeed(seedFromEnv(), (prng: Prng) => {
    const rate = { perSecond: 20, burst: 8 };
    const limit = new RateLimit(rate, PLENTY, { sourcesMax: 64 });
    const granted = new Map<string, number[]>();
    let [now, excess] = [0, 0];
    for (let i = 0; i < 50_000; i++) {
      now += prng.int(5);
      const hostname = `10.0.0.${prng.int(30)}`;
      if (!limit.take(now, host(hostname))) continue;
      const at = granted.get(hostname) ?? [];
      granted.set(hostname, at);
      at.push(now);
      for (let back = 0; back < Math.min(at.length, 40); back++) {
        const since = at[at.length - 1 - back]!;
        const most = rate.burst + (now - since) * rate.perSecond / 1000;
        excess = Math.max(excess, back + 1 - most);
      }
    }
    assertLessOrEqual(excess, 0.001);
    assert(granted.size === 30);
  });
});

Deno.test("sourceOf() is the IPv4 address, or the /64 of an IPv6 address", () => {
  const same = [
    ["192.0.2.1", "::ffff:192.0.2.1"],
    ["2001:db8::1", "2001:db8:0:0:ffff::"],
    ["fe80::1%eth0", "fe80::2"],
  ] as const;
  for (const [a, b] of same) assertEquals(sourceOf(host(a)), sourceOf(host(b)));
  const sources = [
    "192.0.2.1",
    "192.0.2.2",
    "2001:db8::1",
    "2001:db8:0:1::1",
    "::1",
    "::192.0.2.1",
  ];
  // The last two are in ::/64.
  assertEquals(new Set(sources.map((hostname) => sourceOf(host(hostname)))).size, 5);
});
