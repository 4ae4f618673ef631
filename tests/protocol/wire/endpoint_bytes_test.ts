import { assertEquals, assertThrows } from "@std/assert";
import {
  addressOf,
  ENDPOINT_SIZE,
  readEndpoint,
  writeEndpoint,
} from "../../../protocol/wire/endpoint_bytes.ts";
import { toHex } from "../../support/hex.ts";

function bytesOf(hostname: string, port = 0x1b9f): Uint8Array {
  const bytes = new Uint8Array(ENDPOINT_SIZE).fill(0xee);
  writeEndpoint(bytes, { hostname, port });
  return bytes;
}

Deno.test("writeEndpoint() writes an IPv4 host and the same one as an IPv6 socket shows it alike", () => {
  const digits = "00000000000000000000ffffc00002071b9f";
  assertEquals(toHex(bytesOf("192.0.2.7")), digits);
  assertEquals(toHex(bytesOf("::ffff:192.0.2.7")), digits);
  assertEquals(toHex(bytesOf("2001:db8::7")), "20010db80000000000000000000000071b9f");
});

Deno.test("readEndpoint() and addressOf() give an IPv4 host in its own form", () => {
  for (const hostname of ["192.0.2.7", "2001:db8::7", "::", "::fffe:0:1", "::fffe:1.2.3.4"]) {
    const bytes = bytesOf(hostname);
    const isIpv4 = hostname === "192.0.2.7";
    assertEquals(addressOf(bytes).length, isIpv4 ? 6 : 18, hostname);
    const again = new Uint8Array(ENDPOINT_SIZE);
    writeEndpoint(again, readEndpoint(bytes));
    assertEquals(toHex(again), toHex(bytes), hostname);
  }
  assertEquals(readEndpoint(bytesOf("::ffff:1.2.3.4", 1)), { hostname: "1.2.3.4", port: 1 });
});

Deno.test("writeEndpoint() throws for what no socket says", () => {
  for (const hostname of ["localhost", "", "1.2.3"]) {
    assertThrows(() => bytesOf(hostname), TypeError, hostname);
  }
});
