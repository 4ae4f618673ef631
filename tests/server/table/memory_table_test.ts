import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import { RefusalReason } from "../../../protocol/wire/frame.ts";
import {
  EXPIRED_MAX,
  MemoryTable,
  type RegisterRequest,
} from "../../../server/table/memory_table.ts";
import type { Entry, TableClient } from "../../../server/table/entry.ts";
import { NO_SLOT } from "../../../server/table/hash_index.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { publicKeyOf } from "../../support/server_stage.ts";

const LEASE = 45_000;

function newDirectory(maxClients = 10_000): MemoryTable {
  return new MemoryTable({ maxClients, lease: LEASE, random: new Prng(1).bytes });
}

function addressOf(n: number): Address {
  return { hostname: "127.0.0.1", port: 40_000 + n };
}

function endpointOf(n: number): Uint8Array {
  const endpoint = new Uint8Array(ENDPOINT_SIZE);
  writeEndpoint(endpoint, addressOf(n));
  return endpoint;
}

/** The entry in a slot that was found. */
function entryAt(directory: MemoryTable, slot: number): Entry | undefined {
  return slot === NO_SLOT ? undefined : directory.entries.get(slot);
}

function getByToken(directory: MemoryTable, token: Uint8Array): Entry | undefined {
  return entryAt(directory, directory.findToken(token));
}

function getByName(directory: MemoryTable, name: string): Entry | undefined {
  return entryAt(directory, directory.findName(name));
}

/** What the user is told of an entry. */
function told({ id, name, address, joinedAt }: Entry): TableClient {
  return { id, name, address, joinedAt };
}

function expire(directory: MemoryTable, now: number): TableClient[] {
  const expired: TableClient[] = [];
  directory.expire(now, (client) => expired.push(client));
  return expired;
}

function idsAbove(directory: MemoryTable, after = 0): number[] {
  return Array.from(directory.above(after), (slot) => directory.entries.id(slot));
}

/** A Register from port 40000 + `n`, with nonce `n`. */
function request(n: number, fields: Partial<RegisterRequest> = {}): RegisterRequest {
  return {
    nonce: BigInt(n),
    token: new Uint8Array(16),
    wantedId: 0,
    port: 1,
    publicKey: publicKeyOf(n),
    name: "",
    endpoint: endpointOf(n),
    ...fields,
  };
}

function join(
  directory: MemoryTable,
  n: number,
  fields?: Partial<RegisterRequest>,
  now = 0,
): Entry {
  const result = directory.register(now, request(n, fields));
  assert(result.ok);
  return directory.entries.get(result.slot);
}

function ids(entries: Iterable<Entry>): number[] {
  return Array.from(entries, ({ id }) => id);
}

Deno.test("Directory.register() gives the smallest free id", () => {
  const directory = newDirectory();
  const entries = [1, 2, 3, 4, 5].map((n) => join(directory, n));
  assertEquals(ids(entries), [1, 2, 3, 4, 5]);
  directory.remove(entries[3]!.slot);
  directory.remove(entries[1]!.slot);
  assertEquals(ids([6, 7, 8].map((n) => join(directory, n))), [2, 4, 6]);
});

Deno.test("Directory.register() steps over ids that were asked for", () => {
  const directory = newDirectory();
  assertEquals(join(directory, 1, { wantedId: 2 }).id, 2);
  assertEquals(join(directory, 2, { wantedId: 4_294_967_295 }).id, 4_294_967_295);
  assertEquals(ids([3, 4, 5].map((n) => join(directory, n))), [1, 3, 4]);
  assertEquals(idsAbove(directory), [1, 2, 3, 4, 4_294_967_295]);
});

Deno.test("Directory.register() finds the smallest free id as a search from 1 does", () => {
  withSeed(seedFromEnv(), (prng) => {
    const directory = newDirectory();
    const active = new Map<number, Entry>();
    for (let n = 1; n <= 2000; n++) {
      if (prng.chance(0.4) && active.size > 0) {
        const entry = prng.pick([...active.values()]);
        directory.remove(entry.slot);
        active.delete(entry.id);
        continue;
      }
      let expected = 1;
      while (active.has(expected)) expected++;
      if (prng.chance(0.3)) {
        const wantedId = 1 + prng.int(500);
        const result = directory.register(0, request(n, { wantedId }));
        assertEquals(result.ok, !active.has(wantedId));
        if (result.ok) active.set(wantedId, directory.entries.get(result.slot));
      } else {
        const entry = join(directory, n);
        assertEquals(entry.id, expected);
        active.set(entry.id, entry);
      }
      assertEquals(directory.size, active.size);
    }
    assertEquals(idsAbove(directory), [...active.keys()].sort((a, b) => a - b));
  });
});

Deno.test("Directory.getByToken() finds a client by its token alone", () => {
  const directory = newDirectory();
  const entry = join(directory, 1);
  const other = join(directory, 2);
  assertEquals(getByToken(directory, entry.token.slice()), entry);
  assertNotEquals(entry.token.slice(4), other.token.slice(4));
  for (let at = 0; at < 16; at++) {
    const forged = entry.token.slice();
    forged[at]! ^= 1;
    assertEquals(getByToken(directory, forged), undefined, `byte ${at}`);
  }
  assertEquals(getByToken(directory, new Uint8Array(16)), undefined);
  directory.remove(entry.slot);
  assertEquals(getByToken(directory, entry.token), undefined);
});

Deno.test("Directory.getByName() takes names for the same that differ in case or form", () => {
  const directory = newDirectory();
  const entry = join(directory, 1, { name: "Åsa" });
  assertEquals(getByName(directory, "A\u030aSA"), entry);
  assertEquals(getByName(directory, "asa"), undefined);
  assertEquals(getByName(directory, ""), undefined);
  // One of the two is ASCII, and takes a shorter way.
  const road = join(directory, 2, { name: "Strasse" });
  assertEquals(getByName(directory, "straße"), road);
  assertEquals(getByName(directory, "STRASSE"), road);
});

Deno.test("Directory.register() rule 1: an entry with the token keeps its id", () => {
  const directory = newDirectory();
  const entry = join(directory, 1, { name: "ana" });
  const { token, publicKey } = entry;
  const moved = request(2, { token, publicKey, wantedId: 9, name: "anna", port: 7 });
  assertEquals(directory.register(5, moved), {
    ok: true,
    slot: entry.slot,
    change: "moved",
    replaced: undefined,
  });
  const after = directory.entries.get(entry.slot);
  assertEquals(after, {
    ...entry,
    ...{ address: addressOf(2), name: "anna", port: 7, nonce: 2n, expiresAt: 5 + LEASE },
  });
  assertEquals([after.id, after.joinedAt], [1, 0]);
  assertEquals(getByName(directory, "ana"), undefined);
  assertEquals(getByName(directory, "anna"), after);
  assertEquals(directory.size, 1);
});

Deno.test("Directory.register() rule 1: the same address and name are no change", () => {
  const directory = newDirectory();
  const entry = join(directory, 1, { name: "ana" });
  const again = request(1, { nonce: 99n, token: entry.token, name: "ana" });
  assertEquals(directory.register(5, again), {
    ok: true,
    slot: entry.slot,
    change: "none",
    replaced: undefined,
  });
});

Deno.test("Directory.register() rule 1: a client that moves to another's address replaces it", () => {
  const directory = newDirectory(2);
  const entry = join(directory, 1);
  const other = join(directory, 2, { name: "bob" });
  const { token, publicKey } = entry;
  const own = { nonce: 9n, token, publicKey };
  // The name stays with its key.
  assertEquals(directory.register(0, request(2, { ...own, name: "bob" })).ok, false);
  const result = directory.register(0, request(2, { ...own, name: "bea" }));
  assertEquals(result, {
    ok: true,
    slot: entry.slot,
    change: "moved",
    replaced: told(other),
  });
  assertEquals(idsAbove(directory), [1]);
  assertEquals(getByName(directory, "bob"), undefined);
});

Deno.test("Directory.register() rule 2: the same Register again changes nothing", () => {
  const directory = newDirectory(1);
  const entry = join(directory, 1, { name: "ana" });
  const before = entry.token.slice();
  assertEquals(directory.register(5, request(1, { name: "ana" })), {
    ok: true,
    slot: entry.slot,
    change: "none",
    replaced: undefined,
  });
  const after = directory.entries.get(entry.slot);
  assertEquals(after, { ...entry, token: before, expiresAt: 5 + LEASE });
  assertEquals(directory.size, 1);
});

Deno.test("Directory.register() rule 2: a new nonce at the same address is a new run", () => {
  const directory = newDirectory(1);
  const old = join(directory, 1, { name: "ana" });
  const result = directory.register(5, request(1, { nonce: 9n, name: "ana" }));
  assert(result.ok);
  assertEquals([result.change, result.replaced], ["joined", told(old)]);
  const entry = directory.entries.get(result.slot);
  assertEquals([entry.id, entry.joinedAt], [1, 5]);
  assertNotEquals(entry.token, old.token);
  assertEquals(getByToken(directory, old.token), undefined);
  assertEquals(directory.size, 1);
});

Deno.test("Directory.register() rule 3: what another client has is refused", () => {
  const directory = newDirectory(3);
  join(directory, 1, { wantedId: 7, name: "ana" });
  const own = join(directory, 2, { name: "bob" });
  const refusal = (n: number, fields: Partial<RegisterRequest>) => {
    const result = directory.register(0, request(n, fields));
    return result.ok ? undefined : result.reason;
  };
  assertEquals(refusal(3, { wantedId: 7 }), RefusalReason.idTaken);
  assertEquals(refusal(3, { name: "ANA" }), RefusalReason.nameTaken);
  assertEquals(refusal(2, { token: own.token, name: "ana" }), RefusalReason.nameTaken);
  assertEquals(refusal(2, { nonce: 9n, wantedId: 7 }), RefusalReason.idTaken);
  assertEquals(directory.size, 2);
  assertEquals(entryAt(directory, directory.find(own.id)), own);
  join(directory, 3);
  assertEquals(refusal(4, {}), RefusalReason.full);
  assertEquals(refusal(3, { nonce: 9n }), undefined);
});

Deno.test("Directory.expire() takes an entry out at the end of its lease and not before", () => {
  const directory = newDirectory();
  assertEquals(directory.nextExpiry(), undefined);
  const first = join(directory, 1, {}, 1000);
  const second = join(directory, 2, {}, 2000);
  assertEquals(directory.nextExpiry(), 1000 + LEASE);
  assertEquals(expire(directory, 1000 + LEASE - 1), []);
  assertEquals(expire(directory, 1000 + LEASE), [told(first)]);
  assertEquals(directory.nextExpiry(), 2000 + LEASE);
  assertEquals(expire(directory, 2000 + LEASE), [told(second)]);
  assertEquals([directory.size, directory.nextExpiry()], [0, undefined]);
});

Deno.test("Directory.expire() takes many entries out at once", () => {
  const directory = newDirectory();
  const entries = Array.from({ length: 1000 }, (_, i) => join(directory, i, { name: `n${i + 1}` }));
  for (const entry of entries) if (entry.id % 3 === 0) directory.renew(1000, entry.slot);
  assertEquals(expire(directory, LEASE).length, 667);
  const left = Array.from({ length: 333 }, (_, index) => 3 * (index + 1));
  assertEquals(idsAbove(directory), left);
  assertEquals([getByName(directory, "n1"), getByName(directory, "n3")?.id], [undefined, 3]);
  assertEquals(join(directory, 1001).id, 1);
});

Deno.test("Directory.expire() spares an entry that was renewed", () => {
  const directory = newDirectory();
  const [first, second] = [join(directory, 1), join(directory, 2)];
  directory.renew(10_000, first.slot);
  assertEquals(expire(directory, LEASE), [told(second)]);
  assertEquals(expire(directory, LEASE + 9999), []);
  assertEquals(expire(directory, LEASE + 10_000), [told(first)]);
});

Deno.test("Directory.expire() takes out a bounded number, and says that more are due", () => {
  const directory = newDirectory();
  for (let n = 1; n <= EXPIRED_MAX + 5; n++) join(directory, n);
  assertEquals(expire(directory, LEASE).length, EXPIRED_MAX);
  assertEquals([directory.size, directory.nextExpiry()], [5, LEASE]);
  assertEquals(expire(directory, LEASE).length, 5);
});

Deno.test("Directory.nextExpiry() is never later than the end of a lease", () => {
  withSeed(seedFromEnv(), (prng) => {
    const directory = newDirectory();
    /** The ends of the leases, by slot. */
    const active = new Map<number, number>();
    let now = 0;
    for (let n = 1; n <= 3000; n++) {
      now += prng.int(1000);
      const ids = new Map([...active.keys()].map((slot) => [directory.entries.id(slot), slot]));
      for (const { id } of expire(directory, now)) {
        assert(active.get(ids.get(id)!)! <= now);
        active.delete(ids.get(id)!);
      }
      const due = [...active.values()];
      assert(due.every((instant) => instant > now && instant >= directory.nextExpiry()!));
      assertEquals(directory.size, active.size);
      const kind = active.size === 0 ? 0 : prng.int(3);
      if (kind === 0) active.set(join(directory, n, {}, now).slot, now + LEASE);
      else {
        const slot = prng.pick([...active.keys()]);
        if (kind === 1) {
          directory.renew(now, slot);
          active.set(slot, now + LEASE);
        } else {
          directory.remove(slot);
          active.delete(slot);
        }
      }
    }
  });
});

Deno.test("Directory.above() pages through 10,000 clients by rising id", () => {
  const directory = newDirectory();
  for (let n = 1; n <= 10_000; n++) join(directory, n, { wantedId: ((n * 7919) % 10_007) + 1 });
  const seen: number[] = [];
  for (let after = 0;;) {
    const page: number[] = [];
    for (const slot of directory.above(after)) {
      page.push(directory.entries.id(slot));
      if (page.length === 100) break;
    }
    if (page.length === 0) break;
    seen.push(...page);
    after = page.at(-1)!;
  }
  assertEquals(seen.length, 10_000);
  assert(seen.every((id, index) => index === 0 || id > seen[index - 1]!));
});
