import { assertEquals } from "@std/assert";
import { localAddresses } from "../../client/local_addresses.ts";
import { localHosts } from "../../client/local_host.ts";
import { CANDIDATES_LENGTH_MAX } from "../../protocol/wire/frame.ts";

function hostsFor(isIpv6Only: boolean, ...hostnames: string[]): string[] {
  return localHosts(hostnames.map((hostname) => ({ hostname, port: 7070 })), isIpv6Only);
}

Deno.test("localHosts() is for both families, whichever the directory has", () => {
  for (const hosts of [["192.0.2.1"], ["2001:db8::1"], ["2001:db8::1", "192.0.2.1"]]) {
    assertEquals(hostsFor(false, ...hosts), ["::", "0.0.0.0"]);
  }
  assertEquals(hostsFor(false, "127.0.0.1", "192.0.2.1"), ["::", "0.0.0.0"]);
});

Deno.test("localHosts() is loopback where the directory is only there", () => {
  assertEquals(hostsFor(false, "127.0.0.1"), ["127.0.0.1"]);
  assertEquals(hostsFor(false, "127.0.0.2", "127.0.0.3"), ["127.0.0.1"]);
  assertEquals(hostsFor(false, "::1"), ["::1"]);
  assertEquals(hostsFor(false, "::1", "127.0.0.1"), ["::", "127.0.0.1"]);
});

Deno.test("localHosts() is of the directory's family where a socket has only one", () => {
  assertEquals(hostsFor(true, "192.0.2.1"), ["0.0.0.0"]);
  assertEquals(hostsFor(true, "2001:db8::1"), ["::"]);
  assertEquals(hostsFor(true, "2001:db8::1", "192.0.2.1"), ["0.0.0.0"]);
  assertEquals(hostsFor(true, "::1"), ["::1"]);
  assertEquals(hostsFor(true, "::1", "127.0.0.1"), ["127.0.0.1"]);
});

Deno.test("localAddresses() has the private addresses that the socket is reached at", () => {
  const interfaces = ["127.0.0.1", "192.168.1.2", "198.51.100.7", "fd00::2", "2001:db8::2", "::1"];
  const at = (...hostnames: string[]): unknown =>
    hostnames.map((hostname) => ({ hostname, port: 7 }));
  const bound = (hostname: string, isIpv6Only = false): unknown =>
    localAddresses({ hostname, port: 7 }, isIpv6Only, interfaces);
  assertEquals(bound("::"), at("192.168.1.2", "fd00::2"));
  assertEquals(bound("0.0.0.0"), at("192.168.1.2"));
  assertEquals(bound("::", true), at("fd00::2"));
  assertEquals(bound("0.0.0.0", true), at("192.168.1.2"));
  const many = Array.from({ length: 20 }, (_, n) => `10.0.0.${n}`);
  assertEquals(
    localAddresses({ hostname: "::", port: 7 }, false, many).length,
    CANDIDATES_LENGTH_MAX,
  );
});
