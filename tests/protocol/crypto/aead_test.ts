import { assertEquals, assertNotEquals } from "@std/assert";
import { open, rekey, seal, TAG_SIZE } from "../../../protocol/crypto/aead.ts";
import { Prng, seedFromEnv } from "../../support/random.ts";
import { fromHex, toHex } from "../../support/hex.ts";

const NOTHING = new Uint8Array();
const COUNTER_MAX = 2n ** 64n - 1n;

/** The same by WebCrypto, with the nonce put together here. */
async function webSeal(
  key: Uint8Array,
  counter: bigint,
  associated: Uint8Array,
  plain: Uint8Array,
): Promise<Uint8Array> {
  const iv = fromHex(counter.toString(16).padStart(24, "0"));
  const webKey = await crypto.subtle.importKey("raw", key.slice(), "AES-GCM", false, ["encrypt"]);
  const parameters = { name: "AES-GCM", iv: iv.slice(), additionalData: associated.slice() };
  return new Uint8Array(await crypto.subtle.encrypt(parameters, webKey, plain.slice()));
}

// McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B.
Deno.test("seal() gives the bytes of GCM test case 13: nothing, under zero", () => {
  const sealed = seal(new Uint8Array(32), 0n, NOTHING, NOTHING);
  assertEquals(toHex(sealed), "530f8afbc74536b9a963b4f1c4cb738b");
});

Deno.test("seal() gives the bytes of GCM test case 14: a block of zeros, under zero", () => {
  const sealed = seal(new Uint8Array(32), 0n, NOTHING, new Uint8Array(16));
  assertEquals(
    toHex(sealed),
    "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919",
  );
});

Deno.test("seal() agrees with WebCrypto on any key, counter and text", async () => {
  const prng = new Prng(seedFromEnv());
  const counters = [0n, 1n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n, COUNTER_MAX];
  for (let run = 0; run < 200; run++) {
    const counter = run < counters.length ? counters[run]! : prng.u64();
    const key = prng.bytes(32);
    const associated = prng.bytes(prng.int(40));
    const plain = prng.bytes(prng.int(1200));
    const sealed = seal(key, counter, associated, plain);
    assertEquals(toHex(sealed), toHex(await webSeal(key, counter, associated, plain)));
    assertEquals(open(key, counter, associated, sealed), plain);
  }
});

Deno.test("open() rejects every flipped bit of the sealed bytes, the associated data and the key", () => {
  const prng = new Prng(2);
  const parts = [prng.bytes(32), prng.bytes(16), NOTHING] as const;
  const [key, associated] = parts;
  const sealed = seal(key, 3n, associated, prng.bytes(20));
  for (const bytes of [key, associated, sealed]) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      assertEquals(open(key, 3n, associated, sealed), undefined);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
  }
  assertEquals(open(key, 3n, associated, sealed)?.length, 20);
});

Deno.test("open() rejects another counter and every truncation", () => {
  const prng = new Prng(3);
  const key = prng.bytes(32);
  const sealed = seal(key, 3n, NOTHING, prng.bytes(20));
  for (const counter of [0n, 2n, 4n, 3n + 2n ** 32n, COUNTER_MAX]) {
    assertEquals(open(key, counter, NOTHING, sealed), undefined);
  }
  for (let size = 0; size < sealed.length; size++) {
    assertEquals(open(key, 3n, NOTHING, sealed.subarray(0, size)), undefined);
  }
});

Deno.test("open() gives a plain array, and an empty one for an empty text", () => {
  const key = new Uint8Array(32);
  const sealed = seal(key, 1n, NOTHING, NOTHING);
  assertEquals(sealed.length, TAG_SIZE);
  assertEquals(open(key, 1n, NOTHING, sealed), NOTHING);
});

// Noise, revision 34, section 4.2: REKEY(k) is the first 32 bytes of ENCRYPT(k, 2^64-1, "", zeros).
Deno.test("rekey() agrees with the Noise specification, by WebCrypto", async () => {
  let key = new Prng(4).bytes(32);
  for (let times = 0; times < 3; times++) {
    const expected = await webSeal(key, COUNTER_MAX, NOTHING, new Uint8Array(32));
    const next = rekey(key);
    assertEquals(toHex(next), toHex(expected.subarray(0, 32)));
    assertNotEquals(toHex(next), toHex(key));
    key = next;
  }
});
