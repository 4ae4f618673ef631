import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  open,
  openRandom,
  openSealed,
  rekey,
  seal,
  sealInPlace,
  sealRandom,
} from "../../../protocol/crypto/aead.ts";
import { PACKET_SIZE_MAX, TAG_SIZE } from "../../../protocol/wire/frame.ts";
import {
  chachaOpen,
  chachaSeal,
  hchacha20,
  nonceOf,
  xchachaOpen,
  xchachaSeal,
} from "../../reference/naive_crypto.ts";
import { fromHex, toHex } from "../../support/hex.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";

const NOTHING = new Uint8Array();
const COUNTER_MAX = 2n ** 64n - 1n;

const SUNSCREEN = new TextEncoder().encode(
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, " +
    "sunscreen would be it.",
);
const RISING_KEY = Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index);
const SUNSCREEN_ASSOCIATED = fromHex("50515253c0c1c2c3c4c5c6c7");

/** The prefix and the counter that are in a nonce of 12 bytes. */
function split(nonce: Uint8Array): [prefix: number, counter: bigint] {
  const view = new DataView(nonce.slice().buffer);
  return [view.getUint32(0, true), view.getBigUint64(4, true)];
}

/** Clear bytes, and after them room for what is sealed, and for its tag. */
function datagramOf(clear: Uint8Array, plain: Uint8Array): Uint8Array {
  return Uint8Array.of(...clear, ...plain, ...new Uint8Array(TAG_SIZE));
}

Deno.test("sealInPlace() gives the bytes of RFC 8439, section 2.8.2, and openSealed() takes them", () => {
  const [prefix, counter] = split(fromHex("070000004041424344454647"));
  const clearSize = SUNSCREEN_ASSOCIATED.length;
  const bytes = datagramOf(SUNSCREEN_ASSOCIATED, SUNSCREEN);
  sealInPlace(RISING_KEY, counter, bytes, clearSize, prefix);
  assertEquals(
    toHex(bytes.subarray(clearSize)),
    toHex(fromHex(`
      d31a8d34648e60db7b86afbc53ef7ec2 a4aded51296e08fea9e2b5a736ee62d6
      3dbea45e8ca9671282fafb69da92728b 1a71de0a9e060b2905d6a5b67ecd3b36
      92ddbd7f2d778b8c9803aee328091b58 fab324e4fad675945585808b4831d7bc
      3ff4def08e4b7a9de576d26586cec64b 6116
      1ae10b594f09e26a7e902ecbd0600691`)),
  );
  assertEquals(openSealed(RISING_KEY, counter, bytes, clearSize, prefix), SUNSCREEN);
});

// Its nonce, 00 00 00 00 01 02 03 04 05 06 07 08, has the prefix that Noise has.
Deno.test("open() takes the bytes of RFC 8439, appendix A.5", () => {
  const key = fromHex("1c9240a5eb55d38af333888604f6b5f0473917c1402b80099dca5cbc207075c0");
  const [prefix, counter] = split(fromHex("000000000102030405060708"));
  assertEquals(prefix, 0);
  const sealed = fromHex(`
    64a0861575861af460f062c79be643bd 5e805cfd345cf389f108670ac76c8cb2
    4c6cfc18755d43eea09ee94e382d26b0 bdb7b73c321b0100d4f03b7f355894cf
    332f830e710b97ce98c8a84abd0b9481 14ad176e008d33bd60f982b1ff37c855
    9797a06ef4f0ef61c186324e2b350638 3606907b6a7c02b0f9f6157b53c867e4
    b9166c767b804d46a59b5216cde7a4e9 9040c5a40433225ee282a1b0a06c523e
    af4534d7f83fa1155b0047718cbc546a 0d072b04b3564eea1b422273f548271a
    0bb2316053fa76991955ebd63159434e cebb4e466dae5a1073a6727627097a10
    49e617d91d361094fa68f0ff77987130 305beaba2eda04df997b714d6c6f2c29
    a6ad5cb4022b02709b eead9d67890cbb22392336fea1851f38`);
  const plain = open(key, counter, fromHex("f33388860000000000004e91"), sealed);
  assertEquals(
    new TextDecoder().decode(plain?.slice()),
    "Internet-Drafts are draft documents valid for a maximum of six months and may be updated, " +
      "replaced, or obsoleted by other documents at any time. It is inappropriate to use " +
      "Internet-Drafts as reference material or to cite them other than as /“work in " +
      "progress./”",
  );
});

Deno.test("sealRandom() gives the bytes of draft-irtf-cfrg-xchacha-03, appendix A.3.1", () => {
  const nonce = fromHex("404142434445464748494a4b4c4d4e4f5051525354555657");
  const sealed = sealRandom(RISING_KEY, nonce, SUNSCREEN_ASSOCIATED, SUNSCREEN);
  assertEquals(
    toHex(sealed),
    toHex(fromHex(`
      bd6d179d3e83d43b9576579493c0e939 572a1700252bfaccbed2902c21396cbb
      731c7f1b0b4aa6440bf3a82f4eda7e39 ae64c6708c54c216cb96b72e1213b452
      2f8c9ba40db5d945b11b69b982c1bb9e 3f3fac2bc369488f76b2383565d3fff9
      21f9664c97637da9768812f615c68b13 b52e
      c0875924c1c7987947deafd8780acf49`)),
  );
  assertEquals(openRandom(RISING_KEY, nonce, SUNSCREEN_ASSOCIATED, sealed), SUNSCREEN);
});

// The naive ciphers are the reference of other tests.
Deno.test("the naive ciphers give the same published bytes", () => {
  const nonce = fromHex("070000004041424344454647");
  const [prefix, counter] = split(nonce);
  assertEquals(toHex(nonceOf(counter, prefix)), toHex(nonce));
  assertEquals(
    toHex(chachaSeal(RISING_KEY, nonce, SUNSCREEN_ASSOCIATED, SUNSCREEN)).slice(-32),
    "1ae10b594f09e26a7e902ecbd0600691",
  );
  // The draft, section 2.2.1.
  const rising = Uint8Array.from({ length: 32 }, (_, index) => index);
  assertEquals(
    toHex(hchacha20(rising, fromHex("000000090000004a0000000031415927"))),
    "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc",
  );
});

Deno.test("seal() and open() agree with the naive ciphers on any key, nonce and text", () => {
  const counters = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, COUNTER_MAX];
  const check = (prng: Prng): void => {
    for (let run = 0; run < 100; run++) {
      const counter = run < counters.length ? counters[run]! : prng.u64();
      const key = prng.bytes(32);
      const associated = prng.bytes(prng.int(120));
      const plain = prng.bytes(prng.int(300));
      const sealed = seal(key, counter, associated, plain);
      const nonce = nonceOf(counter);
      assertEquals(toHex(sealed), toHex(chachaSeal(key, nonce, associated, plain)));
      assertEquals(open(key, counter, associated, sealed), plain);
      assertEquals(toHex(chachaOpen(key, nonce, associated, sealed)), toHex(plain));
    }
  };
  for (const seed of [1, seedFromEnv()]) withSeed(seed, check);
});

Deno.test("sealInPlace() and openSealed() agree with the naive ciphers, under any prefix", () => {
  const check = (prng: Prng): void => {
    for (const counter of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, prng.u32()]) {
      const prefix = prng.pick([0, 1, prng.u32()]);
      const [key, clear] = [prng.bytes(32), prng.bytes(prng.int(120))];
      const plain = prng.bytes(prng.int(300));
      const bytes = datagramOf(clear, plain);
      sealInPlace(key, counter, bytes, clear.length, prefix);
      const nonce = nonceOf(BigInt(counter), prefix);
      const sealed = chachaSeal(key, nonce, clear, plain);
      assertEquals(toHex(bytes), toHex(Uint8Array.of(...clear, ...sealed)));
      assertEquals(openSealed(key, counter, bytes, clear.length, prefix), plain);
    }
  };
  for (const seed of [1, seedFromEnv()]) withSeed(seed, check);
});

Deno.test("sealRandom() and openRandom() agree with the naive ciphers", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < 50; run++) {
      const [key, nonce] = [prng.bytes(32), prng.bytes(24)];
      const [associated, plain] = [prng.bytes(prng.int(40)), prng.bytes(prng.int(100))];
      const sealed = sealRandom(key, nonce, associated, plain);
      assertEquals(toHex(sealed), toHex(xchachaSeal(key, nonce, associated, plain)));
      assertEquals(openRandom(key, nonce, associated, sealed), plain);
      assertEquals(toHex(xchachaOpen(key, nonce, associated, sealed)), toHex(plain));
      assertEquals(openRandom(key, nonce.with(23, nonce[23]! ^ 1), associated, sealed), undefined);
    }
  });
});

Deno.test("a counter is the same as a number and as a bigint", () => {
  const key = new Prng(6).bytes(32);
  for (const counter of [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 52 + 12_345, 2 ** 53 - 1]) {
    const sealed = seal(key, counter, NOTHING, SUNSCREEN);
    assertEquals(toHex(sealed), toHex(seal(key, BigInt(counter), NOTHING, SUNSCREEN)));
  }
});

Deno.test("open() rejects every flipped bit of the sealed bytes, the associated data and the key", () => {
  const prng = new Prng(2);
  const [key, associated] = [prng.bytes(32), prng.bytes(16)];
  const sealed = seal(key, 3, associated, prng.bytes(20));
  for (const bytes of [key, associated, sealed]) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(open(key, 3, associated, sealed), undefined);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  assertEquals(open(key, 3, associated, sealed)?.length, 20);
});

Deno.test("open() rejects another counter and every truncation", () => {
  const prng = new Prng(3);
  const key = prng.bytes(32);
  const sealed = seal(key, 3, NOTHING, prng.bytes(20));
  for (const counter of [0n, 2n, 4n, 3n + 2n ** 32n, COUNTER_MAX]) {
    assertEquals(open(key, counter, NOTHING, sealed), undefined);
  }
  for (let size = 0; size < sealed.length; size++) {
    assertEquals(open(key, 3, NOTHING, sealed.subarray(0, size)), undefined);
  }
});

Deno.test("open() gives an empty text for one", () => {
  const key = new Uint8Array(32);
  const sealed = seal(key, 1, NOTHING, NOTHING);
  assertEquals(sealed.length, TAG_SIZE);
  assertEquals(open(key, 1, NOTHING, sealed), NOTHING);
});

Deno.test("openSealed() rejects another prefix, and every flipped bit of the datagram", () => {
  const prng = new Prng(4);
  const key = prng.bytes(32);
  const bytes = datagramOf(prng.bytes(16), prng.bytes(20));
  sealInPlace(key, 9, bytes, 16, 2);
  assertEquals(openSealed(key, 9, bytes, 16, 1), undefined);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assertEquals(openSealed(key, 9, bytes, 16, 2), undefined);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  assertEquals(openSealed(key, 9, bytes, 16, 2)?.length, 20);
});

Deno.test("the longest Packet is sealed and opened, and anything longer is not", () => {
  const key = new Prng(5).bytes(32);
  const plain = new Uint8Array(PACKET_SIZE_MAX - TAG_SIZE).fill(7);
  const bytes = datagramOf(NOTHING, plain);
  sealInPlace(key, 1, bytes, 0);
  assertEquals(openSealed(key, 1, bytes, 0), plain);
  assertEquals(openSealed(key, 1, Uint8Array.of(...bytes, 0), 0), undefined);
});

Deno.test("what openSealed() returned is another thing after the next cipher", () => {
  const key = new Prng(7).bytes(32);
  const [first, second] = [seal(key, 1, NOTHING, SUNSCREEN), seal(key, 2, NOTHING, RISING_KEY)];
  const view = openSealed(key, 1, first, 0)!;
  const copy = view.slice();
  openSealed(key, 2, second, 0);
  assertEquals(copy, SUNSCREEN);
  assertNotEquals(toHex(view), toHex(copy));
});

// Noise, revision 34, section 4.2: REKEY(k) is the first 32 bytes of ENCRYPT(k, 2^64-1, "", zeros).
Deno.test("rekey() agrees with the Noise specification", () => {
  let key = new Prng(4).bytes(32);
  for (let times = 0; times < 3; times++) {
    const expected = chachaSeal(key, nonceOf(COUNTER_MAX), NOTHING, new Uint8Array(32));
    const next = rekey(key);
    assertEquals(toHex(next), toHex(expected.subarray(0, 32)));
    assertNotEquals(toHex(next), toHex(key));
    key = next;
  }
});

Deno.test("the naive ciphers reject a changed tag", () => {
  const sealed = chachaSeal(RISING_KEY, nonceOf(1), NOTHING, SUNSCREEN);
  assertThrows(() =>
    chachaOpen(RISING_KEY, nonceOf(1), NOTHING, sealed.with(-1, sealed.at(-1)! ^ 1))
  );
  assertThrows(() => chachaOpen(RISING_KEY, nonceOf(1), NOTHING, sealed.slice(0, 15)));
});
