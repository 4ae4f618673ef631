// A client that was killed and starts again at the same address, before its lease ended.
import { assertEquals } from "@std/assert";
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import { MemoryTable } from "../../../server/table/memory_table.ts";
import { Prng } from "../../support/random.ts";

const { bytes: random } = new Prng(1);

function newTable(): MemoryTable {
  return new MemoryTable({ maxClients: 10, lease: 45_000, nameHold: 0, replaysMax: 1000, random });
}

/** Registers a new run at the address of client `n`; returns its id. */
function register(table: MemoryTable, n: number, publicKey: Uint8Array, wantedId = 0): number {
  const endpoint = new Uint8Array(ENDPOINT_SIZE);
  writeEndpoint(endpoint, { hostname: "127.0.0.1", port: 40_000 + n });
  const run = { sessionKey: random(32), session: 1, packet: 0, token: new Uint8Array(16) };
  const result = table.register(0, { ...run, wantedId, publicKey, name: "", endpoint });
  return result.ok ? table.entries.id(result.value.slot) : 0;
}

Deno.test("MemoryTable.register() gives a new run with the key and address of an old one its id", () => {
  const table = newTable();
  const [ana, ben, eve] = [random(32), random(32), random(32)];
  assertEquals([register(table, 1, ana), register(table, 2, ben)], [1, 2]);
  table.remove(0, table.find(1));
  assertEquals(register(table, 2, ben), 2);
  assertEquals(register(table, 2, ben, 7), 7);
  assertEquals(register(table, 2, eve), 1);
  assertEquals(table.size, 1);
});
