import { assert, assertEquals } from "@std/assert";
import { REQUEST_WINDOW } from "../../../protocol/crypto/replay_window.ts";
import { Entries } from "../../../server/table/entries.ts";
import {
  ENDPOINT_SIZE,
  readEndpoint,
  writeEndpoint,
} from "../../../protocol/wire/endpoint_bytes.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { type Entry, readEntry } from "../../support/table_entry.ts";

const CLIENTS_MAX = 50;
const encoder = new TextEncoder();

function endpointOf(hostname: string, port: number): Uint8Array {
  const endpoint = new Uint8Array(ENDPOINT_SIZE).fill(0xaa);
  writeEndpoint(endpoint, { hostname, port });
  return endpoint;
}

/** Adds an entry with this id and random fields. */
function addAny(prng: Prng, entries: Entries, id: number, now: number): Entry {
  const secret = prng.bytes(12);
  const publicKey = prng.bytes(32);
  const slot = entries.add(id, secret, publicKey, now, now + 100);
  const token = Uint8Array.of(id >>> 24, id >>> 16, id >>> 8, id, ...secret);
  const name = prng.pick(["", "a", "ä", "x".repeat(prng.int(128)), "王".repeat(prng.int(42))]);
  const address = {
    hostname: prng.pick(["10.1.2.3", "2001:db8::1"]),
    port: 1 + prng.int(65_535),
  };
  const sessionKey = prng.bytes(32);
  const session = prng.u32();
  const packet = prng.int(2 ** 32) * 2 ** 21;
  entries.setSession(slot, endpointOf(address.hostname, address.port), sessionKey, session);
  entries.setPacket(slot, packet);
  // The second name replaces the first.
  entries.setName(slot, encoder.encode("y".repeat(prng.int(128))));
  entries.setName(slot, encoder.encode(name));
  const times = { joinedAt: now, expiresAt: now + 100 };
  return { slot, id, name, token, publicKey, address, sessionKey, session, packet, ...times };
}

Deno.test("Entries takes each packet counter once, in any order, down to a window", () => {
  withSeed(seedFromEnv(), (prng) => {
    const entries = new Entries(CLIENTS_MAX);
    const { slot, packet: first } = addAny(prng, entries, 1, 0);
    const taken = new Set([first]);
    let highest = first;
    for (let i = 0; i < 5000; i++) {
      const packet = highest + prng.int(80) - prng.pick([40, 60, 79]);
      const isNew = packet > first && packet >= highest - REQUEST_WINDOW && !taken.has(packet);
      assertEquals(entries.takePacket(slot, packet), isNew, `${packet - highest}`);
      if (isNew) taken.add(packet);
      highest = Math.max(highest, packet);
      assertEquals(entries.packet(slot), highest);
    }
    assert(taken.size > 500);
  });
});

Deno.test("Entries keeps the fields of each entry, whatever happens to others", () => {
  withSeed(seedFromEnv(), (prng) => {
    const entries = new Entries(CLIENTS_MAX);
    /** In the order of the ends of their leases. */
    let expected: Entry[] = [];
    for (let now = 0; now < 3000; now++) {
      const other = expected.length === 0 ? undefined : prng.pick(expected);
      const id = prng.chance(0.5) ? 1 + prng.int(CLIENTS_MAX) : 1 + prng.int(2 ** 32 - 1);
      const isFree = expected.every((entry) => entry.id !== id);
      const turn = prng.int(10);
      if (other !== undefined && turn < 3) {
        entries.remove(other.slot);
        expected = expected.filter((entry) => entry !== other);
      } else if (other !== undefined && turn < 5) {
        entries.renew(other.slot, now + 100);
        expected = expected.filter((entry) => entry !== other);
        expected.push({ ...other, expiresAt: now + 100 });
      } else if (isFree && expected.length < CLIENTS_MAX) {
        expected.push(addAny(prng, entries, id, now));
      }
      assertEquals(entries.size, expected.length);
      assertEquals(entries.oldest, expected[0]?.slot ?? -1);
      if (now % 50 !== 0) continue;
      for (const entry of expected) {
        assertEquals(readEntry(entries, entry.slot), entry);
        if (entries.isDirect(entry.id)) assertEquals(entries.find(entry.id), entry.slot);
      }
    }
    for (const { slot } of expected) {
      assertEquals(entries.oldest, slot);
      entries.remove(slot);
    }
    for (let id = 0; id <= CLIENTS_MAX; id++) assertEquals(entries.find(id), -1);
  });
});

Deno.test("writeEndpoint() writes both forms of an IPv4 address in the same way", () => {
  const mapped = endpointOf("::ffff:10.1.2.3", 5);
  assertEquals(endpointOf("10.1.2.3", 5), mapped);
  assertEquals(readEndpoint(mapped), { hostname: "10.1.2.3", port: 5 });
  for (const hostname of ["0.0.0.0", "255.255.255.255", "::", "::1", "fe80::1:2", "::1.2.3.4"]) {
    const { hostname: read, port } = readEndpoint(endpointOf(hostname, 65_535));
    assertEquals([endpointOf(read, port), port], [endpointOf(hostname, 65_535), 65_535]);
  }
});
