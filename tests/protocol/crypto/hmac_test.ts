import { assertEquals, assertThrows } from "@std/assert";
import { openSealed, seal } from "../../../protocol/crypto/aead.ts";
import { hkdf, hmacSha256 } from "../../../protocol/crypto/hmac.ts";
import { DATAGRAM_SIZE_MAX } from "../../../protocol/wire/frame.ts";
import { fromHex, toHex } from "../../support/hex.ts";

const utf8 = new TextEncoder();

// RFC 4231, test cases 1, 2 and 4.
const CASES = [
  {
    key: new Uint8Array(20).fill(0x0b),
    text: utf8.encode("Hi There"),
    code: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
  },
  {
    key: utf8.encode("Jefe"),
    text: utf8.encode("what do ya want for nothing?"),
    code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
  },
  {
    key: Uint8Array.from({ length: 25 }, (_, index) => index + 1),
    text: new Uint8Array(50).fill(0xcd),
    code: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
  },
];

for (const [index, { key, text, code }] of CASES.entries()) {
  Deno.test(`hmacSha256() gives the code of RFC 4231, case ${index + 1}, however the text is cut`, () => {
    for (const cut of [0, 1, text.length]) {
      const parts = [text.subarray(0, cut), text.subarray(cut)];
      assertEquals(toHex(hmacSha256(key, ...parts)), code);
    }
  });
}

Deno.test("hmacSha256() refuses a text that is longer than a datagram", () => {
  const part = new Uint8Array(DATAGRAM_SIZE_MAX);
  assertEquals(hmacSha256(CASES[1]!.key, part).length, 32);
  assertThrows(() => hmacSha256(CASES[1]!.key, part, Uint8Array.of(0)), RangeError, "too long");
});

Deno.test("hmacSha256() leaves what was opened as it is", () => {
  const [key, plain] = [new Uint8Array(32), utf8.encode("opened")];
  const opened = openSealed(key, 0, seal(key, 0, new Uint8Array(), plain), 0);
  hmacSha256(key, new Uint8Array(100).fill(1));
  assertEquals(opened, plain);
});

// RFC 5869, test cases 1 and 3: the first block.
Deno.test("hkdf() gives the first 32 bytes of RFC 5869, with and without salt and info", () => {
  const input = new Uint8Array(22).fill(0x0b);
  const [salt, info] = [fromHex("000102030405060708090a0b0c"), fromHex("f0f1f2f3f4f5f6f7f8f9")];
  assertEquals(
    toHex(hkdf(salt, input, info)),
    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
  );
  const nothing = new Uint8Array();
  assertEquals(
    toHex(hkdf(nothing, input, nothing)),
    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d",
  );
});
