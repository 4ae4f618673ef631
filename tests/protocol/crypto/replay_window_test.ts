import { assertEquals } from "@std/assert";
import { REPLAY_WINDOW, ReplayWindow } from "../../../protocol/crypto/replay_window.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";

/** The same, kept as what it is about: the set of everything that was accepted. */
class NaiveWindow {
  readonly #seen = new Set<number>();
  highest = -1;

  isNew(packet: number): boolean {
    return packet > this.highest - REPLAY_WINDOW && !this.#seen.has(packet);
  }

  accept(packet: number): void {
    this.#seen.add(packet);
    this.highest = Math.max(this.highest, packet);
  }
}

/** Gives both windows the same counters, each as a receiver would. */
function assertAgrees(packets: Iterable<number>): void {
  const window = new ReplayWindow();
  const naive = new NaiveWindow();
  for (const packet of packets) {
    const isNew = window.isNew(packet);
    assertEquals(isNew, naive.isNew(packet), `packet ${packet}, highest ${naive.highest}`);
    if (isNew) {
      window.accept(packet);
      naive.accept(packet);
      assertEquals(window.isNew(packet), false);
    }
    assertEquals(window.highest, naive.highest);
  }
}

/** Counters around a front that moves on, now by little, now by much. */
function* counters(prng: Prng, start: number): Generator<number> {
  let front = start;
  for (let left = 20_000; left > 0; left--) {
    if (prng.chance(0.5)) front += prng.pick([0, 1, 1, 2, 31, 32, 33, 64]);
    if (prng.chance(0.002)) {
      front += prng.pick([2047, 2048, 2049, 2079, 2080, 2081, 10_000, 2 ** 32]);
    }
    yield Math.max(0, front - prng.int(prng.chance(0.5) ? 4 : REPLAY_WINDOW + 100));
  }
}

Deno.test("ReplayWindow agrees with a set in any order", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (const start of [0, 1, 5000, 2 ** 32 - 3000, 2 ** 48, 2 ** 52]) {
      assertAgrees(counters(prng, start));
    }
  });
});

Deno.test("ReplayWindow takes every counter once, in order and backwards", () => {
  const rising = Array.from({ length: 3 * REPLAY_WINDOW }, (_, index) => index);
  assertAgrees([...rising, ...rising]);
  assertAgrees([...rising.toReversed(), ...rising]);
});

Deno.test("ReplayWindow has an edge at 2048: one counter below the highest for each place", () => {
  assertEquals(REPLAY_WINDOW, 2048);
  // The highest in each place of a word, so that the edge is in each place, too.
  for (let highest = 5000; highest < 5200; highest++) {
    const window = new ReplayWindow();
    window.accept(highest);
    assertEquals(window.isNew(highest), false);
    for (let below = 1; below <= 2047; below++) assertEquals(window.isNew(highest - below), true);
    for (const below of [2048, 2049, 2080, 2081, 5000]) {
      assertEquals(window.isNew(highest - below), false);
    }
    window.accept(highest - 2047);
    assertEquals(window.isNew(highest - 2047), false);
    assertEquals(window.isNew(highest - 2046), true);
  }
});

Deno.test("ReplayWindow forgets all marks after a leap, and only then takes their places again", () => {
  for (const leap of [1, 31, 32, 33, 2047, 2048, 2079, 2080, 2081, 4160, 2 ** 40]) {
    const window = new ReplayWindow();
    for (let packet = 0; packet < 2100; packet++) window.accept(packet);
    const highest = 2099 + leap;
    window.accept(highest);
    for (let packet = Math.max(0, highest - 2047); packet < highest; packet++) {
      assertEquals(window.isNew(packet), packet >= 2100, `leap ${leap}, packet ${packet}`);
    }
  }
});

Deno.test("ReplayWindow starts with nothing seen: counter 0 is new, and so is the highest there is", () => {
  for (const packet of [0, 1, Number.MAX_SAFE_INTEGER]) {
    const window = new ReplayWindow();
    assertEquals(window.highest, -1);
    assertEquals(window.isNew(packet), true);
    window.accept(packet);
    assertEquals(window.isNew(packet), false);
    assertEquals(window.highest, packet);
  }
});
