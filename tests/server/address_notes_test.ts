import { assertEquals } from "@std/assert";
import { addressNotes } from "../../server/address_notes.ts";

const NOT_PUBLIC = [
  ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.5", "169.254.1.1", "100.64.0.1"],
  ...["::1", "fe80::1", "fd00::1"],
];
const IPV4 = ["192.0.2.1", "198.51.100.2"];
const IPV6 = ["2001:db8::1", "2001:db8::2"];

function note(family: string, addresses: readonly string[]): string {
  return `Several public ${family} addresses: give one as --host, or answers may leave from ` +
    `another (${addresses.join(", ")})`;
}

Deno.test("addressNotes() names the public addresses of each family that is served, where there are several", () => {
  const own = [...NOT_PUBLIC, ...IPV4, ...IPV6];
  assertEquals(addressNotes("0.0.0.0", own), [note("IPv4", IPV4)]);
  assertEquals(addressNotes("::", own), [note("IPv4", IPV4), note("IPv6", IPV6)]);
  assertEquals(addressNotes("::", [...NOT_PUBLIC, IPV4[0]!, ...IPV6]), [note("IPv6", IPV6)]);
});

Deno.test("addressNotes() has nothing to say where answers leave from the address that was asked", () => {
  for (const host of ["127.0.0.1", IPV4[0]!, IPV6[0]!]) {
    assertEquals(addressNotes(host, [...IPV4, ...IPV6]), []);
  }
  for (const own of [[], NOT_PUBLIC, [IPV4[0]!, IPV6[0]!, ...NOT_PUBLIC]]) {
    assertEquals(addressNotes("::", own), []);
    assertEquals(addressNotes("0.0.0.0", own), []);
  }
});
