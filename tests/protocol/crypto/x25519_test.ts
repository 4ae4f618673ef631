import { assert, assertEquals, assertThrows } from "@std/assert";
import { KEY_SIZE, KeyPair, makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { Prng } from "../../support/random.ts";
import { fromHex, toHex } from "../../support/hex.ts";

// RFC 7748, section 6.1.
const ALICE = {
  privateKey: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
  publicKey: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
};
const BOB = {
  privateKey: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
  publicKey: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
};
const SHARED = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742";

/** Every u-coordinate of low order below 2^255 (D. J. Bernstein, cr.yp.to/ecdh.html, "validate"). */
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

Deno.test("KeyPair has the public keys of RFC 7748, 6.1", () => {
  for (const { privateKey, publicKey } of [ALICE, BOB]) {
    assertEquals(toHex(new KeyPair(fromHex(privateKey)).publicKey), publicKey);
  }
});

Deno.test("KeyPair.agree() gives the secret of RFC 7748, 6.1, at both ends", () => {
  for (const [own, other] of [[ALICE, BOB], [BOB, ALICE]] as const) {
    const secret = new KeyPair(fromHex(own.privateKey)).agree(fromHex(other.publicKey));
    assertEquals(secret && toHex(secret), SHARED);
  }
});

Deno.test("KeyPair.agree() gives what RFC 7748, 5.2, has after 1 and 1000 rounds", () => {
  let [k, u] = [new Uint8Array(KEY_SIZE), new Uint8Array(KEY_SIZE)];
  k[0] = u[0] = 9;
  for (let round = 1; round <= 1000; round++) {
    const secret = new KeyPair(k).agree(u);
    assert(secret !== undefined);
    [k, u] = [Uint8Array.from(secret), k];
    if (round !== 1) continue;
    const first = "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079";
    assertEquals(toHex(k), first);
  }
  assertEquals(toHex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
});

Deno.test("KeyPair.agree() refuses every public key of low order, the unused bit set or not", () => {
  const pair = makeKeyPair(new Prng(1).bytes);
  for (const point of LOW_ORDER) {
    const bytes = fromHex(point);
    assertEquals(pair.agree(bytes), undefined, point);
    bytes[31]! |= 0x80;
    assertEquals(pair.agree(bytes), undefined, `${point}, bit 255 set`);
  }
});

Deno.test("KeyPair.agree() refuses bytes that are no key", () => {
  const prng = new Prng(2);
  const pair = makeKeyPair(prng.bytes);
  for (const size of [0, 1, 31, 33, 64]) assertEquals(pair.agree(prng.bytes(size)), undefined);
});

Deno.test("KeyPair takes any 32 bytes, and no other number of them", () => {
  for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
    const pair = new KeyPair(new Uint8Array(KEY_SIZE).fill(byte));
    assertEquals(pair.publicKey.length, KEY_SIZE);
  }
  for (const size of [0, 31, 33]) assertThrows(() => new KeyPair(new Uint8Array(size)));
});

Deno.test("makeKeyPair() takes its 32 bytes from the source that it is given, and keeps none", () => {
  const bytes = fromHex(ALICE.privateKey);
  const asked: number[] = [];
  const pair = makeKeyPair((size) => {
    asked.push(size);
    return bytes;
  });
  assertEquals(asked, [KEY_SIZE]);
  bytes.fill(0);
  const secret = pair.agree(fromHex(BOB.publicKey));
  assertEquals(secret && toHex(secret), SHARED);
});
