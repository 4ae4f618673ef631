import { assert, assertEquals, assertNotEquals } from "@std/assert";
import type { Address } from "../../../protocol/wire/address.ts";
import { RefusalReason } from "../../../protocol/wire/frame.ts";
import { EXPIRED_MAX, MemoryTable } from "../../../server/table/memory_table.ts";
import { NO_SLOT, type RegisterRequest, type TableClient } from "../../../server/table/table.ts";
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { type Entry, readEntry } from "../../support/table_entry.ts";

const LEASE = 45_000;

function newTable(maxClients = 10_000): MemoryTable {
  const random = new Prng(1).bytes;
  return new MemoryTable({ maxClients, lease: LEASE, nameHold: 0, replaysMax: 1000, random });
}

function addressOf(n: number): Address {
  return { hostname: "127.0.0.1", port: 40_000 + n };
}

function endpointOf(n: number): Uint8Array {
  const endpoint = new Uint8Array(ENDPOINT_SIZE);
  writeEndpoint(endpoint, addressOf(n));
  return endpoint;
}

/** The entry in a slot, undefined for none. */
function entryAt(table: MemoryTable, slot: number): Entry | undefined {
  return slot === NO_SLOT ? undefined : readEntry(table.entries, slot);
}

function getByName(table: MemoryTable, name: string): Entry | undefined {
  return entryAt(table, table.findName(name));
}

/** The entry as events report it. */
function clientOf({ id, name, address, joinedAt }: Entry): TableClient {
  return { id, name, address, joinedAt };
}

function expire(table: MemoryTable, now: number): TableClient[] {
  const expired: TableClient[] = [];
  table.expire(now, (client) => expired.push(client));
  return expired;
}

function idsAbove(table: MemoryTable, after = 0): number[] {
  return Array.from(table.listAbove(after), (slot) => table.entries.id(slot));
}

/** The static key of client `n`: for a table any bytes will do. */
function publicKeyOf(n: number): Uint8Array {
  return new Uint8Array(32).fill(n).fill(n >> 8, 0, 1).fill(n >> 16, 1, 2);
}

/** The key of session `n`. */
function keyOf(n: number): Uint8Array {
  return new Prng(n).bytes(32);
}

/** A Register from port 40000 + `n`, in session `n`. */
function request(n: number, fields: Partial<RegisterRequest> = {}): RegisterRequest {
  return {
    sessionKey: keyOf(n),
    session: n,
    packet: 0,
    token: new Uint8Array(16),
    wantedId: 0,
    publicKey: publicKeyOf(n),
    name: "",
    endpoint: endpointOf(n),
    ...fields,
  };
}

function join(
  table: MemoryTable,
  n: number,
  fields?: Partial<RegisterRequest>,
  now = 0,
): Entry {
  const result = table.register(now, request(n, fields));
  assert(result.ok);
  return readEntry(table.entries, result.value.slot);
}

function ids(entries: Iterable<Entry>): number[] {
  return Array.from(entries, ({ id }) => id);
}

Deno.test("MemoryTable.register() assigns the smallest free id", () => {
  const table = newTable();
  const entries = [1, 2, 3, 4, 5].map((n) => join(table, n));
  assertEquals(ids(entries), [1, 2, 3, 4, 5]);
  table.remove(0, entries[3]!.slot);
  table.remove(0, entries[1]!.slot);
  assertEquals(ids([6, 7, 8].map((n) => join(table, n))), [2, 4, 6]);
});

Deno.test("MemoryTable.register() skips ids that clients asked for", () => {
  const table = newTable();
  assertEquals(join(table, 1, { wantedId: 2 }).id, 2);
  assertEquals(join(table, 2, { wantedId: 4_294_967_295 }).id, 4_294_967_295);
  assertEquals(ids([3, 4, 5].map((n) => join(table, n))), [1, 3, 4]);
  assertEquals(idsAbove(table), [1, 2, 3, 4, 4_294_967_295]);
});

Deno.test("MemoryTable.register() finds the same free id as a search from 1", () => {
  withSeed(seedFromEnv(), (prng) => {
    const table = newTable();
    const active = new Map<number, Entry>();
    for (let n = 1; n <= 2000; n++) {
      if (prng.chance(0.4) && active.size > 0) {
        const entry = prng.pick([...active.values()]);
        table.remove(0, entry.slot);
        active.delete(entry.id);
        continue;
      }
      let expected = 1;
      while (active.has(expected)) expected++;
      if (prng.chance(0.3)) {
        const wantedId = 1 + prng.int(500);
        const result = table.register(0, request(n, { wantedId }));
        assertEquals(result.ok, !active.has(wantedId));
        if (result.ok) active.set(wantedId, readEntry(table.entries, result.value.slot));
      } else {
        const entry = join(table, n);
        assertEquals(entry.id, expected);
        active.set(entry.id, entry);
      }
      assertEquals(table.size, active.size);
    }
    assertEquals(idsAbove(table), [...active.keys()].sort((a, b) => a - b));
  });
});

Deno.test("MemoryTable.register() knows an entry by its whole token and its key only", () => {
  const table = newTable();
  const { token, publicKey } = join(table, 1);
  const other = join(table, 2);
  assertNotEquals(token.slice(4), other.token.slice(4));
  let n = 10;
  const idWith = (fields: Partial<RegisterRequest>): number => {
    const entry = join(table, n++, fields);
    if (entry.id > 1) table.remove(0, entry.slot);
    return entry.id;
  };
  for (let at = 0; at < 16; at++) {
    const forged = token.with(at, token[at]! ^ 1);
    assertNotEquals(idWith({ token: forged, publicKey }), 1, `byte ${at}`);
  }
  assertNotEquals(idWith({ token }), 1);
  assertEquals(idWith({ token, publicKey }), 1);
});

Deno.test("MemoryTable.findEndpoint() finds a client where it is now", () => {
  const table = newTable();
  const entry = join(table, 1);
  join(table, 2);
  assertEquals(table.findEndpoint(endpointOf(1)), entry.slot);
  const { token, publicKey } = entry;
  assert(table.register(0, request(3, { token, publicKey })).ok);
  assertEquals(table.findEndpoint(endpointOf(1)), NO_SLOT);
  assertEquals(table.findEndpoint(endpointOf(3)), entry.slot);
  table.remove(0, entry.slot);
  assertEquals(table.findEndpoint(endpointOf(3)), NO_SLOT);
});

Deno.test("MemoryTable.replays has the sessions that ended, whichever way", () => {
  const table = newTable();
  const ended = (...ns: number[]): boolean[] => ns.map((n) => table.replays.has(keyOf(n)));
  const { token, publicKey } = join(table, 1);
  const left = join(table, 2);
  join(table, 3);
  assertEquals(ended(1, 2, 3), [false, false, false]);
  // Registers again, leaves, is replaced, expires.
  join(table, 4, { token, publicKey });
  table.remove(0, left.slot);
  join(table, 5, { endpoint: endpointOf(3) });
  assertEquals(ended(1, 2, 3, 4, 5), [true, true, true, false, false]);
  expire(table, LEASE);
  assertEquals(ended(4, 5), [true, true]);
});

Deno.test("MemoryTable.findName() ignores case and Unicode form", () => {
  const table = newTable();
  const entry = join(table, 1, { name: "Åsa" });
  assertEquals(getByName(table, "A\u030aSA"), entry);
  assertEquals(getByName(table, "asa"), undefined);
  assertEquals(getByName(table, ""), undefined);
  // One of the two is ASCII, which has a faster path.
  const road = join(table, 2, { name: "Strasse" });
  assertEquals(getByName(table, "straße"), road);
  assertEquals(getByName(table, "STRASSE"), road);
});

Deno.test("MemoryTable.register() with the token: an entry keeps its id", () => {
  const table = newTable();
  const entry = join(table, 1, { name: "ana" });
  const { token, publicKey } = entry;
  const moved = request(2, { token, publicKey, wantedId: 9, name: "anna" });
  assertEquals(table.register(5, moved), {
    ok: true,
    value: { slot: entry.slot, change: "moved", replaced: undefined, displaced: undefined },
  });
  const after = readEntry(table.entries, entry.slot);
  assertEquals(after, {
    ...entry,
    ...{ address: addressOf(2), name: "anna", sessionKey: keyOf(2), session: 2 },
    expiresAt: 5 + LEASE,
  });
  assertEquals([after.id, after.joinedAt], [1, 0]);
  assertEquals(getByName(table, "ana"), undefined);
  assertEquals(getByName(table, "anna"), after);
  assertEquals(table.size, 1);
});

Deno.test("MemoryTable.register() with the token: the same address and name are no change", () => {
  const table = newTable();
  const entry = join(table, 1, { name: "ana" });
  const again = request(1, { sessionKey: keyOf(99), token: entry.token, name: "ana" });
  assertEquals(table.register(5, again), {
    ok: true,
    value: { slot: entry.slot, change: "none", replaced: undefined, displaced: undefined },
  });
});

Deno.test("MemoryTable.register() with the token: a client at the address of another replaces it", () => {
  const table = newTable(2);
  const entry = join(table, 1);
  const other = join(table, 2, { name: "bob" });
  const { token, publicKey } = entry;
  const own = { token, publicKey };
  // The name stays with its key.
  assertEquals(table.register(0, request(2, { ...own, name: "bob" })).ok, false);
  const result = table.register(0, request(2, { ...own, name: "bea" }));
  assertEquals(result, {
    ok: true,
    value: { slot: entry.slot, change: "moved", replaced: clientOf(other), displaced: undefined },
  });
  assertEquals(idsAbove(table), [1]);
  assertEquals(getByName(table, "bob"), undefined);
});

Deno.test("MemoryTable.register() without the token: a client at the same address is a new run", () => {
  const table = newTable(1);
  const old = join(table, 1, { name: "ana" });
  const result = table.register(5, request(1, { sessionKey: keyOf(9), name: "ana" }));
  assert(result.ok);
  assertEquals([result.value.change, result.value.replaced], ["joined", clientOf(old)]);
  const entry = readEntry(table.entries, result.value.slot);
  assertEquals([entry.id, entry.joinedAt, entry.sessionKey], [1, 5, keyOf(9)]);
  assertNotEquals(entry.token, old.token);
  assertEquals(table.size, 1);
});

Deno.test("MemoryTable.register() without the token: only a run with the same key inherits id and name", () => {
  const table = newTable();
  join(table, 1, { name: "ana", wantedId: 7 });
  const refusal = (fields: Partial<RegisterRequest>): number | undefined => {
    const result = table.register(0, request(1, { publicKey: publicKeyOf(66), ...fields }));
    return result.ok ? undefined : result.error;
  };
  assertEquals(refusal({ wantedId: 7 }), RefusalReason.idTaken);
  assertEquals(refusal({ name: "ANA" }), RefusalReason.nameTaken);
  const heir = join(table, 1, { name: "ANA", wantedId: 7 });
  assertEquals([heir.id, heir.name], [7, "ANA"]);
  assertEquals(refusal({ name: "eve" }), undefined);
  assertEquals([table.size, getByName(table, "ana")], [1, undefined]);
});

Deno.test("MemoryTable.register() refuses the id or name of another client, and one client too many", () => {
  const table = newTable(3);
  join(table, 1, { wantedId: 7, name: "ana" });
  const own = join(table, 2, { name: "bob" });
  const refusal = (n: number, fields: Partial<RegisterRequest>) => {
    const result = table.register(0, request(n, fields));
    return result.ok ? undefined : result.error;
  };
  assertEquals(refusal(3, { wantedId: 7 }), RefusalReason.idTaken);
  assertEquals(refusal(3, { name: "ANA" }), RefusalReason.nameTaken);
  assertEquals(refusal(2, { token: own.token, name: "ana" }), RefusalReason.nameTaken);
  assertEquals(refusal(2, { wantedId: 7 }), RefusalReason.idTaken);
  assertEquals(table.size, 2);
  assertEquals(entryAt(table, table.find(own.id)), own);
  join(table, 3);
  assertEquals(refusal(4, {}), RefusalReason.full);
  assertEquals(refusal(3, {}), undefined);
});

Deno.test("MemoryTable.expire() removes an entry at the end of its lease, not before", () => {
  const table = newTable();
  assertEquals(table.nextExpiry(), undefined);
  const first = join(table, 1, {}, 1000);
  const second = join(table, 2, {}, 2000);
  assertEquals(table.nextExpiry(), 1000 + LEASE);
  assertEquals(expire(table, 1000 + LEASE - 1), []);
  assertEquals(expire(table, 1000 + LEASE), [clientOf(first)]);
  assertEquals(table.nextExpiry(), 2000 + LEASE);
  assertEquals(expire(table, 2000 + LEASE), [clientOf(second)]);
  assertEquals([table.size, table.nextExpiry()], [0, undefined]);
});

Deno.test("MemoryTable.expire() removes many entries at once", () => {
  const table = newTable();
  const entries = Array.from({ length: 1000 }, (_, i) => join(table, i, { name: `n${i + 1}` }));
  for (const entry of entries) if (entry.id % 3 === 0) table.renew(1000, entry.slot);
  assertEquals(expire(table, LEASE).length, 667);
  const left = Array.from({ length: 333 }, (_, index) => 3 * (index + 1));
  assertEquals(idsAbove(table), left);
  assertEquals([getByName(table, "n1"), getByName(table, "n3")?.id], [undefined, 3]);
  assertEquals(join(table, 1001).id, 1);
});

Deno.test("MemoryTable.expire() keeps an entry that was renewed", () => {
  const table = newTable();
  const [first, second] = [join(table, 1), join(table, 2)];
  table.renew(10_000, first.slot);
  assertEquals(expire(table, LEASE), [clientOf(second)]);
  assertEquals(expire(table, LEASE + 9999), []);
  assertEquals(expire(table, LEASE + 10_000), [clientOf(first)]);
});

Deno.test("MemoryTable.expire() removes a bounded number, after which more are due at once", () => {
  const table = newTable();
  for (let n = 1; n <= EXPIRED_MAX + 5; n++) join(table, n);
  assertEquals(expire(table, LEASE).length, EXPIRED_MAX);
  assertEquals([table.size, table.nextExpiry()], [5, LEASE]);
  assertEquals(expire(table, LEASE).length, 5);
});

Deno.test("MemoryTable.nextExpiry() is never later than the end of a lease", () => {
  withSeed(seedFromEnv(), (prng) => {
    const table = newTable();
    /** The ends of the leases, by slot. */
    const active = new Map<number, number>();
    let now = 0;
    for (let n = 1; n <= 3000; n++) {
      now += prng.int(1000);
      const ids = new Map([...active.keys()].map((slot) => [table.entries.id(slot), slot]));
      for (const { id } of expire(table, now)) {
        assert(active.get(ids.get(id)!)! <= now);
        active.delete(ids.get(id)!);
      }
      const due = [...active.values()];
      assert(due.every((instant) => instant > now && instant >= table.nextExpiry()!));
      assertEquals(table.size, active.size);
      const kind = active.size === 0 ? 0 : prng.int(3);
      if (kind === 0) active.set(join(table, n, {}, now).slot, now + LEASE);
      else {
        const slot = prng.pick([...active.keys()]);
        if (kind === 1) {
          table.renew(now, slot);
          active.set(slot, now + LEASE);
        } else {
          table.remove(0, slot);
          active.delete(slot);
        }
      }
    }
  });
});

Deno.test("MemoryTable.listAbove() pages through 10,000 clients by rising id", () => {
  const table = newTable();
  for (let n = 1; n <= 10_000; n++) join(table, n, { wantedId: ((n * 7919) % 10_007) + 1 });
  const seen: number[] = [];
  for (let after = 0;;) {
    const page: number[] = [];
    for (const slot of table.listAbove(after)) {
      page.push(table.entries.id(slot));
      if (page.length === 100) break;
    }
    if (page.length === 0) break;
    seen.push(...page);
    after = page.at(-1)!;
  }
  assertEquals(seen.length, 10_000);
  assert(seen.every((id, index) => index === 0 || id > seen[index - 1]!));
});
