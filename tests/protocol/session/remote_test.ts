import { assert, assertEquals } from "@std/assert";
import {
  carriedTo,
  isCarried,
  isPrivate,
  pathKind,
  pathRank,
} from "../../../protocol/wire/remote.ts";
import { hostToBytes, sameAddress } from "../../../protocol/wire/address.ts";

const AT = (hostname: string) => ({ hostname, port: 1 });

Deno.test("carriedTo() is an address of its own for each client, in a prefix that is never routed", () => {
  const ids = [1, 2, 0xffff, 0x10000, 0x1_2345, 2 ** 32 - 1];
  for (const id of ids) {
    const address = carriedTo(id);
    assert(isCarried(address));
    assertEquals(address.port, id);
    const bytes = hostToBytes(address.hostname);
    assertEquals([...bytes!.subarray(0, 8)], [1, 0, 0, 0, 0, 0, 0, 0], address.hostname);
    assertEquals(new DataView(bytes!.buffer, bytes!.byteOffset).getUint32(12), id);
    assertEquals(ids.filter((other) => sameAddress(carriedTo(other), address)), [id]);
  }
});

Deno.test("isCarried() takes no address of a network for one", () => {
  for (const host of ["10.0.0.1", "100.0.0.1", "1000::1", "::1", "2001:db8:100::1", "1::100"]) {
    assertEquals(isCarried(AT(host)), false, host);
  }
});

Deno.test("isPrivate() knows the ranges for private networks, and their limits", () => {
  const inside = ["10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0"];
  for (const host of [...inside, "192.168.255.255", "fc00::", "fdff::1"]) {
    assert(isPrivate(host), host);
  }
  const outside = ["9.255.255.255", "11.0.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255"];
  const others = ["192.169.0.0", "127.0.0.1", "169.254.1.1", "100.64.0.1", "224.0.0.1", "0.0.0.0"];
  const ipv6 = ["fbff::1", "fe00::1", "fe80::1", "::1", "ff02::1", "100::1", "::ffff:10.0.0.1"];
  for (const host of [...outside, ...others, ...ipv6, "", "x"]) assert(!isPrivate(host), host);
});

Deno.test("a LAN is better than IPv6, that better than IPv4, and the directory the last resort", () => {
  const hosts = [carriedTo(9).hostname, "192.0.2.1", "2001:db8::1", "192.168.1.1"];
  assertEquals(hosts.map((host) => pathRank(AT(host))), [0, 1, 2, 3]);
  assertEquals(hosts.map((host) => pathKind(AT(host))), ["carried", "direct", "direct", "lan"]);
  assertEquals([pathRank(AT("fd00::1")), pathKind(AT("fd00::1"))], [3, "lan"]);
});
