/**
 * Fills a table in a process of its own, for memory_test.ts, with as many clients as its
 * argument says, and prints the bytes for each client.
 *
 * @module
 */
import { ENDPOINT_SIZE, writeEndpoint } from "../../../protocol/wire/endpoint_bytes.ts";
import { CLIENTS_PER_SOURCE, NAME_HOLD, registrationsPerMinute } from "../../../server/limits.ts";
import { MemoryTable } from "../../../server/table/memory_table.ts";
import { Prng } from "../../support/random.ts";
import { residentBytes } from "../../support/resident_bytes.ts";

const CLIENTS = Number(Deno.args[0]);
/** Clients that register before the first measurement, so that the young heap has its full size. */
const WARM_UP = 50_000;

const table = new MemoryTable({
  maxClients: CLIENTS,
  maxPerSource: CLIENTS_PER_SOURCE,
  lease: 1000,
  nameHold: NAME_HOLD,
  replaysMax: registrationsPerMinute(CLIENTS),
  random: new Prng(1).bytes,
});
const sessionKey = new Uint8Array(32);
const endpoint = new Uint8Array(ENDPOINT_SIZE);
const token = new Uint8Array(16);
let before = 0;
for (let n = 0; n < CLIENTS; n++) {
  if (n === WARM_UP) before = residentBytes();
  new DataView(sessionKey.buffer).setUint32(4, n);
  writeEndpoint(endpoint, { hostname: `10.${n >> 16}.${n >> 8 & 255}.${n & 255}`, port: 7 });
  const name = `client${n}`;
  const publicKey = sessionKey;
  const ids = { session: n, packet: 0, token, wantedId: 0 };
  table.register(0, { sessionKey, publicKey, name, endpoint, ...ids });
}
const bytes = (residentBytes() - before) / (CLIENTS - WARM_UP);
// Used once more, so that it is not garbage before.
console.log(bytes, table.size);
