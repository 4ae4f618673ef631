import { assert, assertEquals } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import { sourceOf } from "../../../protocol/wire/address.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import { KeyedHash } from "../../../server/table/keyed_hash.ts";
import { SourceIndex } from "../../../server/table/source_index.ts";
import { NO_SLOT } from "../../../server/table/table.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";

const HOSTS = [
  "192.0.2.1",
  "192.0.2.2",
  "::ffff:192.0.2.1",
  "::1",
  "::2",
  "2001:db8::1",
  "2001:db8::ffff:1",
  "2001:db8:0:1::1",
];

function endpointOf(address: Address): Uint8Array {
  const endpoint = new Uint8Array(ENDPOINT_SIZE);
  writeEndpoint(endpoint, address);
  return endpoint;
}

Deno.test("SourceIndex.isSame() agrees with the sources of the rate limits", () => {
  const entries = { endpoint: () => endpointOf({ hostname: "::1", port: 1 }) };
  const index = new SourceIndex(entries, 1, 1, new KeyedHash(new Prng(1).bytes));
  for (const a of HOSTS) {
    for (const b of HOSTS) {
      const [one, other] = [{ hostname: a, port: 1 }, { hostname: b, port: 2 }];
      const isSame = sourceOf(one) === sourceOf(other);
      assertEquals(index.isSame(endpointOf(one), endpointOf(other)), isSame, `${a} and ${b}`);
    }
  }
});

Deno.test("SourceIndex counts, and finds the newest entry of the fullest source, as a search does", () => {
  withSeed(seedFromEnv(), (prng) => {
    const clientsMax = 40;
    const endpoints: Uint8Array[] = [];
    const entries = { endpoint: (slot: number) => endpoints[slot]! };
    const hash = new KeyedHash(new Prng(1).bytes);
    const index = new SourceIndex(entries, clientsMax, clientsMax, hash);
    /** The slots of each source, the oldest first. */
    const model = new Map<string, number[]>();
    const sources = new Map<number, string>();
    for (let step = 0; step < 5000; step++) {
      const isFull = sources.size === clientsMax;
      if (sources.size > 0 && (isFull || prng.chance(0.45))) {
        const slot = prng.pick([...sources.keys()]);
        index.remove(slot);
        const source = sources.get(slot)!;
        model.set(source, model.get(source)!.filter((each) => each !== slot));
        sources.delete(slot);
      } else {
        // Some slots are those of high ids.
        let slot = prng.int(2 * clientsMax);
        while (sources.has(slot)) slot = prng.int(2 * clientsMax);
        const address = { hostname: prng.pick(HOSTS), port: 1 + step };
        endpoints[slot] = endpointOf(address);
        index.add(slot);
        const source = sourceOf(address);
        sources.set(slot, source);
        model.set(source, [...model.get(source) ?? [], slot]);
      }
      const most = Math.max(...[...model.values()].map(({ length }) => length));
      assertEquals(index.countMax, most);
      const newest = [...model.values()].filter(({ length }) => length === most)
        .map((slots) => slots.at(-1) ?? NO_SLOT);
      if (most > 0) assert(newest.includes(index.newestOfFullest));
      const hostname = prng.pick(HOSTS);
      const count = model.get(sourceOf({ hostname, port: 1 }))?.length ?? 0;
      assertEquals(index.count(endpointOf({ hostname, port: 9 })), count);
    }
  });
});

Deno.test("SourceIndex keeps the order where directories together have more of a source than one may", () => {
  const endpoints = HOSTS.slice(0, 2).flatMap((hostname) =>
    [1, 2, 3, 4].map((port) => endpointOf({ hostname, port }))
  );
  const entries = { endpoint: (slot: number) => endpoints[slot]! };
  const index = new SourceIndex(entries, 8, 2, new KeyedHash(new Prng(1).bytes));
  for (const slot of [4, 0, 1, 2, 3]) index.add(slot);
  assertEquals([index.count(endpoints[0]!), index.countMax, index.newestOfFullest], [4, 2, 3]);
  for (const slot of [3, 1, 2]) index.remove(slot);
  assertEquals([index.count(endpoints[0]!), index.countMax], [1, 1]);
  for (const slot of [0, 4]) index.remove(slot);
  assertEquals(index.countMax, 0);
});
