import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { fromHex } from "../../../cli/hex.ts";
import { nameProblem } from "../../../protocol/name/name.ts";
import {
  fingerprint,
  parseFingerprint,
  shortAuthenticationString,
} from "../../../protocol/crypto/fingerprint.ts";

/** The public key of Alice in RFC 7748, 6.1. */
const KEY = fromHex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a", 32)!;
const HASH = Uint8Array.from({ length: 32 }, (_, index) => index);

// The digits of both vectors were made with another program, from the words in the doc comments.
Deno.test("fingerprint() gives the digits of the vector", () => {
  assertEquals(fingerprint(KEY), "59369 74045 32933 52070 88083 49096");
});

Deno.test("shortAuthenticationString() gives the digits of the vector", () => {
  assertEquals(shortAuthenticationString(HASH), "71961 77214 00415 60769 95612 16647");
});

Deno.test("a fingerprint and a short authentication string of the same bytes differ", () => {
  assertNotEquals(fingerprint(HASH), shortAuthenticationString(HASH));
});

Deno.test("fingerprint() differs in every group where one bit does", () => {
  const other = KEY.slice();
  other[31]! ^= 1;
  const groups = fingerprint(KEY).split(" ");
  assertEquals(groups.filter((group, at) => group === fingerprint(other).split(" ")[at]), []);
});

Deno.test("fingerprint() keeps the zeros that a group begins with", () => {
  for (let seed = 0; seed < 200; seed++) {
    assertMatch(fingerprint(Uint8Array.of(seed)), /^\d{5}( \d{5}){5}$/);
  }
});

Deno.test("parseFingerprint() takes groups with spaces, hyphens or nothing between them", () => {
  const text = fingerprint(KEY);
  for (const between of [" ", "-", ""]) {
    assertEquals(parseFingerprint(text.replaceAll(" ", between)), text);
  }
});

Deno.test("parseFingerprint() takes nothing else, and above all no name and no client id", () => {
  for (
    const text of [
      "",
      "ana",
      "4294967295",
      "1234567890-12345678901234567890",
      "12345 67890-12345 67890-12345 67890",
      "12345 67890 12345 67890 12345",
      "12345 67890 12345 67890 12345 67890 1",
      "12345 67890 12345 67890 12345 6789x",
      "١٢٣٤٥ 67890 12345 67890 12345 67890",
    ]
  ) assertEquals(parseFingerprint(text), undefined, text);
  for (const between of ["-", ""]) {
    assertNotEquals(nameProblem(fingerprint(KEY).replaceAll(" ", between)), undefined);
  }
});
