import { assertEquals } from "@std/assert";
import { addressNotes } from "../../server/address_notes.ts";

const NOT_PUBLIC = [
  ...["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.5", "169.254.1.1", "100.64.0.1"],
  ...["::1", "fe80::1", "fd00::1"],
];
const IPV4 = ["192.0.2.1", "198.51.100.2"];
const IPV6 = ["2001:db8::1", "2001:db8::2"];

function notes(host: string, own: readonly string[], isIpv6Only = false): string[] {
  return addressNotes(host, own, () => isIpv6Only);
}

function note(family: string, addresses: readonly string[]): string {
  return `Several public ${family} addresses: give one as --host, or answers may leave from ` +
    `another (${addresses.join(", ")})`;
}

Deno.test("addressNotes() names the public addresses of each family that is served, where there are several", () => {
  const own = [...NOT_PUBLIC, ...IPV4, ...IPV6];
  assertEquals(notes("0.0.0.0", own), [note("IPv4", IPV4)]);
  assertEquals(notes("::", own), [note("IPv4", IPV4), note("IPv6", IPV6)]);
  assertEquals(notes("::", [...NOT_PUBLIC, IPV4[0]!, ...IPV6]), [note("IPv6", IPV6)]);
});

Deno.test("addressNotes() has nothing to say where answers leave from the address that was asked", () => {
  for (const host of ["127.0.0.1", IPV4[0]!, IPV6[0]!]) {
    assertEquals(notes(host, [...IPV4, ...IPV6]), []);
  }
  for (const own of [[], NOT_PUBLIC, [IPV4[0]!, IPV6[0]!, ...NOT_PUBLIC]]) {
    assertEquals(notes("::", own), []);
    assertEquals(notes("0.0.0.0", own), []);
  }
});

Deno.test("addressNotes() says where :: is for IPv6 alone", () => {
  const alone = "On this system :: is for IPv6 alone: clients with IPv4 need --host 0.0.0.0";
  assertEquals(notes("::", [...IPV4, ...IPV6], true), [alone, note("IPv6", IPV6)]);
  assertEquals(notes("0.0.0.0", IPV4, true), [note("IPv4", IPV4)]);
  assertEquals(notes("::1", IPV6, true), []);
});
