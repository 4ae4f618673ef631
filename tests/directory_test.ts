import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { RefusalReason } from "../protocol/frame.ts";
import { Directory, type Entry, type RegisterRequest } from "../server/directory.ts";
import { Prng, seedFromEnv, withSeed } from "./random.ts";
import { publicKeyOf } from "./server_stage.ts";

const LEASE = 45_000;

function newDirectory(maxClients = 10_000): Directory {
  return new Directory({ maxClients, lease: LEASE, random: new Prng(1).bytes });
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
    address: { hostname: "127.0.0.1", port: 40_000 + n },
    ...fields,
  };
}

function join(directory: Directory, n: number, fields?: Partial<RegisterRequest>, now = 0): Entry {
  const result = directory.register(now, request(n, fields));
  assert(result.ok);
  return result.entry;
}

function ids(entries: Iterable<Entry>): number[] {
  return Array.from(entries, ({ id }) => id);
}

Deno.test("Directory.register() gives the smallest free id", () => {
  const directory = newDirectory();
  const entries = [1, 2, 3, 4, 5].map((n) => join(directory, n));
  assertEquals(ids(entries), [1, 2, 3, 4, 5]);
  directory.remove(entries[3]!);
  directory.remove(entries[1]!);
  assertEquals(ids([6, 7, 8].map((n) => join(directory, n))), [2, 4, 6]);
});

Deno.test("Directory.register() steps over ids that were asked for", () => {
  const directory = newDirectory();
  assertEquals(join(directory, 1, { wantedId: 2 }).id, 2);
  assertEquals(join(directory, 2, { wantedId: 4_294_967_295 }).id, 4_294_967_295);
  assertEquals(ids([3, 4, 5].map((n) => join(directory, n))), [1, 3, 4]);
  assertEquals(ids(directory.entries()), [1, 2, 3, 4, 4_294_967_295]);
});

Deno.test("Directory.register() finds the smallest free id as a search from 1 does", () => {
  withSeed(seedFromEnv(), (prng) => {
    const directory = newDirectory();
    const active = new Map<number, Entry>();
    for (let n = 1; n <= 2000; n++) {
      if (prng.chance(0.4) && active.size > 0) {
        const entry = prng.pick([...active.values()]);
        directory.remove(entry);
        active.delete(entry.id);
        continue;
      }
      let expected = 1;
      while (active.has(expected)) expected++;
      if (prng.chance(0.3)) {
        const wantedId = 1 + prng.int(500);
        const result = directory.register(0, request(n, { wantedId }));
        assertEquals(result.ok, !active.has(wantedId));
        if (result.ok) active.set(wantedId, result.entry);
      } else {
        const entry = join(directory, n);
        assertEquals(entry.id, expected);
        active.set(entry.id, entry);
      }
      assertEquals(directory.size, active.size);
    }
    assertEquals(ids(directory.entries()), [...active.keys()].sort((a, b) => a - b));
  });
});

Deno.test("Directory.getByToken() finds a client by its token alone", () => {
  const directory = newDirectory();
  const entry = join(directory, 1);
  const other = join(directory, 2);
  assertEquals(directory.getByToken(entry.token.slice()), entry);
  assertNotEquals(entry.token.slice(4), other.token.slice(4));
  for (let at = 0; at < 16; at++) {
    const forged = entry.token.slice();
    forged[at]! ^= 1;
    assertEquals(directory.getByToken(forged), undefined, `byte ${at}`);
  }
  assertEquals(directory.getByToken(new Uint8Array(16)), undefined);
  directory.remove(entry);
  assertEquals(directory.getByToken(entry.token), undefined);
});

Deno.test("Directory.getByName() takes names for the same that differ in case or form", () => {
  const directory = newDirectory();
  const entry = join(directory, 1, { name: "Åsa" });
  assertEquals(directory.getByName("A\u030aSA"), entry);
  assertEquals(directory.getByName("asa"), undefined);
  assertEquals(directory.getByName(""), undefined);
});

Deno.test("Directory.register() rule 1: an entry with the token keeps its id", () => {
  const directory = newDirectory();
  const entry = join(directory, 1, { name: "ana" });
  const { token, publicKey } = entry;
  const moved = request(2, { token, publicKey, wantedId: 9, name: "anna", port: 7 });
  assertEquals(directory.register(5, moved), {
    ok: true,
    entry,
    change: "moved",
    replaced: undefined,
  });
  assertEquals(entry.id, 1);
  assertEquals(entry.address, moved.address);
  assertEquals([entry.name, entry.port, entry.nonce], ["anna", 7, 2n]);
  assertEquals([entry.joinedAt, entry.expiresAt], [0, 5 + LEASE]);
  assertEquals(directory.getByName("ana"), undefined);
  assertEquals(directory.getByName("anna"), entry);
  assertEquals(directory.size, 1);
});

Deno.test("Directory.register() rule 1: the same address and name are no change", () => {
  const directory = newDirectory();
  const entry = join(directory, 1, { name: "ana" });
  const again = request(1, { nonce: 99n, token: entry.token, name: "ana" });
  assertEquals(directory.register(5, again), {
    ok: true,
    entry,
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
  assertEquals(result, { ok: true, entry, change: "moved", replaced: other });
  assertEquals(ids(directory.entries()), [1]);
  assertEquals(directory.getByName("bob"), undefined);
});

Deno.test("Directory.register() rule 2: the same Register again changes nothing", () => {
  const directory = newDirectory(1);
  const entry = join(directory, 1, { name: "ana" });
  const before = entry.token.slice();
  assertEquals(directory.register(5, request(1, { name: "ana" })), {
    ok: true,
    entry,
    change: "none",
    replaced: undefined,
  });
  assertEquals(entry.token, before);
  assertEquals(entry.expiresAt, 5 + LEASE);
  assertEquals(directory.size, 1);
});

Deno.test("Directory.register() rule 2: a new nonce at the same address is a new run", () => {
  const directory = newDirectory(1);
  const old = join(directory, 1, { name: "ana" });
  const result = directory.register(5, request(1, { nonce: 9n, name: "ana" }));
  assert(result.ok);
  assertEquals([result.change, result.replaced], ["joined", old]);
  assertEquals([result.entry.id, result.entry.joinedAt], [1, 5]);
  assertNotEquals(result.entry.token, old.token);
  assertEquals(directory.getByToken(old.token), undefined);
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
  assertEquals([own.name, directory.get(own.id)], ["bob", own]);
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
  assertEquals(directory.expire(1000 + LEASE - 1), []);
  assertEquals(directory.expire(1000 + LEASE), [first]);
  assertEquals(directory.nextExpiry(), 2000 + LEASE);
  assertEquals(directory.expire(2000 + LEASE), [second]);
  assertEquals([directory.size, directory.nextExpiry()], [0, undefined]);
});

Deno.test("Directory.expire() takes many entries out at once", () => {
  const directory = newDirectory();
  const entries = Array.from({ length: 1000 }, (_, i) => join(directory, i, { name: `n${i + 1}` }));
  for (const entry of entries) if (entry.id % 3 === 0) directory.renew(1000, entry);
  assertEquals(directory.expire(LEASE).length, 667);
  const left = Array.from({ length: 333 }, (_, index) => 3 * (index + 1));
  assertEquals(ids(directory.entries()), left);
  assertEquals([directory.getByName("n1"), directory.getByName("n3")?.id], [undefined, 3]);
  assertEquals(join(directory, 1001).id, 1);
});

Deno.test("Directory.expire() spares an entry that was renewed", () => {
  const directory = newDirectory();
  const [first, second] = [join(directory, 1), join(directory, 2)];
  directory.renew(10_000, first);
  assertEquals(directory.expire(LEASE), [second]);
  assertEquals(directory.expire(LEASE + 9999), []);
  assertEquals(directory.expire(LEASE + 10_000), [first]);
});

Deno.test("Directory.nextExpiry() is never later than the end of a lease", () => {
  withSeed(seedFromEnv(), (prng) => {
    const directory = newDirectory();
    const active = new Set<Entry>();
    let now = 0;
    for (let n = 1; n <= 3000; n++) {
      now += prng.int(1000);
      for (const entry of directory.expire(now)) {
        assert(entry.expiresAt <= now);
        active.delete(entry);
      }
      const due = [...active].map((entry) => entry.expiresAt);
      assert(due.every((instant) => instant > now && instant >= directory.nextExpiry()!));
      const kind = active.size === 0 ? 0 : prng.int(3);
      if (kind === 0) active.add(join(directory, n, {}, now));
      else if (kind === 1) directory.renew(now, prng.pick([...active]));
      else {
        const entry = prng.pick([...active]);
        directory.remove(entry);
        active.delete(entry);
      }
    }
  });
});

Deno.test("Directory.entries() pages through 10,000 clients by rising id", () => {
  const directory = newDirectory();
  for (let n = 1; n <= 10_000; n++) join(directory, n, { wantedId: ((n * 7919) % 10_007) + 1 });
  const seen: number[] = [];
  for (let after = 0;;) {
    const page: number[] = [];
    for (const { id } of directory.entries(after)) {
      page.push(id);
      if (page.length === 100) break;
    }
    if (page.length === 0) break;
    seen.push(...page);
    after = page.at(-1)!;
  }
  assertEquals(seen.length, 10_000);
  assert(seen.every((id, index) => index === 0 || id > seen[index - 1]!));
});
