import { assertEquals } from "@std/assert";
import { IdSet } from "../../../server/table/id_set.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";

/** An IdSet and a plain Set with the same ids. */
class Pair {
  readonly set = new IdSet();
  readonly plain = new Set<number>();

  add(id: number): void {
    if (this.plain.has(id)) return;
    this.plain.add(id);
    this.set.add(id);
  }

  remove(id: number): void {
    if (this.plain.delete(id)) this.set.remove(id);
  }

  check(): void {
    const ids = [...this.plain].sort((a, b) => a - b);
    assertEquals([...this.set.above(0)], ids);
    let free = 1;
    while (this.plain.has(free)) free++;
    assertEquals(this.set.smallestFree(), free);
    for (const index of [0, 1, 1023, 1024, ids.length - 1, ids.length]) {
      assertEquals(this.set.from(index).next().value, ids[index], `${index}`);
    }
  }
}

/** A random id; most are close together, some are far away. */
function anyId(prng: Prng): number {
  return prng.chance(0.1) ? 1 + prng.int(2 ** 32 - 1) : 1 + prng.int(6000);
}

Deno.test("IdSet has the order and the first gap of a plain Set, over several chunks", () => {
  withSeed(seedFromEnv(), (prng) => {
    const pair = new Pair();
    pair.check();
    for (let round = 0; round < 30; round++) {
      // It grows and shrinks, so that chunks are split and merged.
      const growth = round % 10 < 6 ? 0.8 : 0.1;
      for (let i = 0; i < 1500; i++) {
        if (!prng.chance(growth)) pair.remove(prng.chance(0.5) ? anyId(prng) : 1 + prng.int(300));
        else pair.add(prng.chance(0.5) ? pair.set.smallestFree() : anyId(prng));
      }
      pair.check();
    }
    for (const id of [...pair.plain]) pair.remove(id);
    pair.check();
  });
});

Deno.test("IdSet.smallestFree() finds gaps between consecutive ids, and none after a high one", () => {
  const pair = new Pair();
  for (let id = 1; id <= 5000; id++) {
    assertEquals(pair.set.smallestFree(), id);
    pair.add(id);
  }
  pair.add(9000);
  assertEquals(pair.set.smallestFree(), 5001);
  for (const id of [4000, 3, 1025]) pair.remove(id);
  for (const id of [3, 1025, 4000, 5001]) {
    assertEquals(pair.set.smallestFree(), id);
    pair.add(id);
  }
});

Deno.test("IdSet.from() goes on to the end, over several chunks", () => {
  const pair = new Pair();
  for (let id = 2; id <= 6000; id += 2) pair.add(id);
  assertEquals([...pair.set.from(1000)], [...pair.set.above(2000)]);
  assertEquals([...pair.set.from(3000)], []);
});

Deno.test("IdSet.above() starts after any id", () => {
  const pair = new Pair();
  for (let id = 10; id <= 30_000; id += 10) pair.add(id);
  for (const after of [0, 9, 10, 10_239, 10_240, 10_241, 29_999, 30_000, 2 ** 32 - 1]) {
    const [first] = pair.set.above(after);
    const next = 10 * Math.floor(after / 10) + 10;
    assertEquals(first, next <= 30_000 ? next : undefined, `${after}`);
  }
});
