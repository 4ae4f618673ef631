// What keeps the mappings of NATs alive: protocol/README.md, "Meeting".
import { assertEquals } from "@std/assert";
import {
  MAPPING_KEEPALIVE,
  MappingKeepalive,
} from "../../../protocol/connection/mapping_keepalive.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import { carriedTo } from "../../../protocol/wire/remote.ts";

const DIRECTORY: Address = { hostname: "192.0.2.1", port: 7070 };
const PEER: Address = { hostname: "2001:db8::2", port: 4000 };
/** Addresses without a NAT or a firewall on the way. */
const NEAR: Address[] = ["127.0.0.1", "::1", "192.168.1.2", "10.0.0.9", "fd00::1"]
  .map((hostname) => ({ hostname, port: 1 }));

function drained(keepalive: MappingKeepalive): Address[] {
  const all: Address[] = [];
  for (let next = keepalive.pollTransmit(); next; next = keepalive.pollTransmit()) {
    const decoded = decodeDatagram(next.bytes);
    const frames = decoded.ok ? decoded.value.frames : [];
    assertEquals(frames.map((frame) => ({ ...frame })), [{ kind: "punch", number: 0n }]);
    all.push(next.to);
  }
  return all;
}

Deno.test("every 4 s a Punch for no meeting goes to each address that has to reach this client", () => {
  assertEquals(MAPPING_KEEPALIVE, 4_000);
  const keepalive = new MappingKeepalive();
  const addresses = [DIRECTORY, PEER];
  keepalive.handleTimeout(1_000, addresses);
  assertEquals([drained(keepalive), keepalive.nextTimeout()], [[], 5_000]);
  keepalive.handleTimeout(4_999, addresses);
  assertEquals(drained(keepalive), []);
  for (const now of [5_000, 9_000]) {
    keepalive.handleTimeout(now, addresses);
    assertEquals([drained(keepalive), keepalive.nextTimeout()], [addresses, now + 4_000]);
  }
});

Deno.test("nothing goes to where no NAT is on the way, or what is carried; then no timer runs", () => {
  const keepalive = new MappingKeepalive();
  keepalive.handleTimeout(0, [DIRECTORY]);
  keepalive.handleTimeout(4_000, [...NEAR, carriedTo(7), DIRECTORY]);
  assertEquals(drained(keepalive), [DIRECTORY]);
  keepalive.handleTimeout(8_000, [...NEAR, carriedTo(7)]);
  assertEquals([drained(keepalive), keepalive.nextTimeout()], [[], undefined]);
});
