import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  bytesToHost,
  formatAddress,
  hostToBytes,
  inTurn,
  sameAddress,
} from "../../../protocol/wire/address.ts";
import { seedFromEnv, withSeed } from "../../support/random.ts";
import { fromHex } from "../../support/hex.ts";

/** Canonical text and bytes; the IPv6 ones are from RFC 5952. */
const HOSTS = [
  ["0.0.0.0", "00000000"],
  ["127.0.0.1", "7f000001"],
  ["192.0.2.7", "c0000207"],
  ["255.255.255.255", "ffffffff"],
  ["::", "00000000000000000000000000000000"],
  ["::1", "00000000000000000000000000000001"],
  ["1::", "00010000000000000000000000000000"],
  ["fe80::1:2", "fe800000000000000000000000010002"],
  ["2001:db8::7", "20010db8000000000000000000000007"],
  // 4.2.2: a single zero is not shortened; 4.2.3: the longest run is, and of two the first.
  ["2001:db8:0:1:1:1:1:1", "20010db8000000010001000100010001"],
  ["2001:0:0:1::1", "20010000000000010000000000000001"],
  ["2001:db8::1:0:0:1", "20010db8000000000001000000000001"],
  ["0:1:2:3:4:5:6:7", "00000001000200030004000500060007"],
  ["1:2:3:4:5:6::", "00010002000300040005000600000000"],
  ["::3:4:5:6:7:8", "00000000000300040005000600070008"],
  ["ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffffffffffffffffffffffffffffffff"],
  // 5: an IPv4-mapped address shows the IPv4 address.
  ["::ffff:192.0.2.7", "00000000000000000000ffffc0000207"],
] as const;

Deno.test("inTurn() takes IPv6 and IPv4 in turn, in their order, the family of the first one first", () => {
  const [a, b, c, x, y] = ["::a", "::b", "::c", "10.0.0.1", "10.0.0.2"] as const;
  assertEquals(inTurn([a, b, c, x, y]), [a, x, b, y, c]);
  assertEquals(inTurn([x, a, b, c]), [x, a, b, c]);
  assertEquals(inTurn([x, y, a]), [x, a, y]);
  assertEquals(inTurn([a, b]), [a, b]);
  assertEquals(inTurn([y, x]), [y, x]);
  assertEquals(inTurn([]), []);
});

Deno.test("hostToBytes() and bytesToHost() agree on canonical addresses", () => {
  for (const [host, hex] of HOSTS) {
    assertEquals(hostToBytes(host), fromHex(hex), host);
    assertEquals(bytesToHost(fromHex(hex)), host);
  }
});

Deno.test("hostToBytes() reads IPv6 addresses that are not canonical, and leaves out the zone", () => {
  const hosts = [
    ["2001:DB8::0007", "2001:db8::7"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["::FFFF:c000:207", "::ffff:192.0.2.7"],
    ["1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"],
    ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
    ["1:2:3:4:5:6:192.0.2.33", "1:2:3:4:5:6:c000:221"],
    ["fe80::1%eth0", "fe80::1"],
  ] as const;
  for (const [host, canonical] of hosts) {
    assertEquals(hostToBytes(host), hostToBytes(canonical), host);
  }
});

Deno.test("hostToBytes() gives nothing for a text that is no IP address", () => {
  const texts = [
    ...["", " ", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "1.2.3.", "1.2.3.-1", "1.2.3.0x4"],
    ...["1.2.3.04", "1.2.3.4 ", "1.2.3.4\n", "1,2,3,4", "1.2.3.4%eth0", "１.2.3.4"],
    ...[":", ":::", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "::1::", "1::2::3"],
    ...["12345::", "g::", "::-1", "[::1]", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8"],
    ...["::1.2.3", "::1.2.3.256", "::1.2.3.4:5", "1.2.3.4::", "1.2.3.4:1.2.3.4::"],
    ...["1.2.3.4:1::1.2.3.4", "::1.2.3.4:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4"],
  ];
  for (const text of texts) assertEquals(hostToBytes(text), undefined, JSON.stringify(text));
});

Deno.test("bytesToHost() writes what URL makes of the same IPv6 address", () => {
  const check = (seed: number): void =>
    withSeed(seed, (prng) => {
      for (let i = 0; i < 10_000; i++) {
        const bytes = prng.bytes(16);
        for (let at = 0; at < 16; at += 2) if (prng.chance(0.6)) bytes.fill(0, at, at + 2);
        const view = new DataView(bytes.buffer);
        const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((at) => view.getUint16(at).toString(16));
        const host = bytesToHost(bytes);
        // RFC 5952, section 5, writes mapped IPv4 addresses with dots; URL does not.
        if (!host.includes(".")) {
          assertEquals(`[${host}]`, new URL(`http://[${groups.join(":")}]`).hostname);
        }
        assertEquals(hostToBytes(host), bytes, host);
      }
    });
  check(1);
  check(seedFromEnv());
});

Deno.test("formatAddress() puts an IPv6 address into brackets", () => {
  assertEquals(formatAddress({ hostname: "127.0.0.1", port: 7070 }), "127.0.0.1:7070");
  assertEquals(formatAddress({ hostname: "::1", port: 1 }), "[::1]:1");
});

Deno.test("sameAddress() compares host and port", () => {
  const address = { hostname: "127.0.0.1", port: 7070 };
  assert(sameAddress(address, { ...address }));
  assertFalse(sameAddress(address, { ...address, port: 7071 }));
  assertFalse(sameAddress(address, { ...address, hostname: "127.0.0.2" }));
});
