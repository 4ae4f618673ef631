import { assertEquals } from "@std/assert";
import { HashIndex } from "../../../server/table/hash_index.ts";
import { KeyedHash } from "../../../server/table/keyed_hash.ts";
import { NO_SLOT } from "../../../server/table/table.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";

Deno.test("HashIndex finds what was added and not removed, however hashes collide", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (const hashes of [1, 3, 40, 2 ** 32]) {
      const slotsMax = 20;
      const hashOf = Array.from({ length: slotsMax }, () => prng.int(hashes));
      const index = new HashIndex(slotsMax, (slot) => hashOf[slot]!);
      const find = (slot: number): boolean => {
        for (let cell = index.first(hashOf[slot]!);; cell = index.next(cell)) {
          if (index.at(cell) === slot) return true;
          if (index.at(cell) === NO_SLOT) return false;
        }
      };
      const there = new Set<number>();
      for (let i = 0; i < 2000; i++) {
        const slot = prng.int(slotsMax);
        if (there.delete(slot)) index.remove(slot);
        else {
          there.add(slot);
          index.add(hashOf[slot]!, slot);
        }
        for (let other = 0; other < slotsMax; other++) assertEquals(find(other), there.has(other));
      }
    }
  });
});

Deno.test("KeyedHash.hash() depends on the key, the size and every byte, and on nothing after these", () => {
  const prng = new Prng(1);
  const hash = new KeyedHash(prng.bytes);
  const bytes = prng.bytes(40);
  for (let size = 0; size < 40; size++) {
    const value = hash.hash(bytes, size);
    assertEquals(value, hash.hash(bytes.slice(0, size), size));
    assertEquals(value >>> 0, value);
    const others = [hash.hash(bytes, size + 1), new KeyedHash(prng.bytes).hash(bytes, size)];
    for (let at = 0; at < size; at++) others.push(hash.hash(bytes.with(at, bytes[at]! ^ 1), size));
    assertEquals(others.includes(value), false, `${size} bytes`);
  }
});

Deno.test("KeyedHash.hash() spreads consecutive numbers", () => {
  const hash = new KeyedHash(new Prng(1).bytes);
  const counts = new Uint32Array(256);
  for (let n = 0; n < 65_536; n++) {
    counts[hash.hash(Uint8Array.of(n, n >> 8, 0, 0), 4) & 255]!++;
  }
  // 256 each are expected, and 16 is the standard deviation.
  assertEquals(counts.every((count) => count > 256 - 6 * 16 && count < 256 + 6 * 16), true);
});
