import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createCipheriv } from "node:crypto";
import { COOKIE_SLOT, CookieJar } from "../../../protocol/directory/cookie.ts";
import { ENDPOINT_SIZE } from "../../../protocol/wire/endpoint_bytes.ts";
import { Prng } from "../../support/random.ts";

const ENDPOINT = new Uint8Array(ENDPOINT_SIZE).fill(0x0a);
const NONCE = 0x1122_3344_5566_7788n;

/** CBC-MAC by its definition, with a cipher for each text. */
function naiveCookie(key: Uint8Array, slot: number): Uint8Array {
  const text = new Uint8Array(32);
  text.set(ENDPOINT);
  const view = new DataView(text.buffer);
  view.setBigUint64(18, NONCE);
  view.setBigUint64(24, view.getBigUint64(24) | BigInt.asUintN(48, BigInt(slot)));
  const cipher = createCipheriv("aes-256-cbc", key, new Uint8Array(16));
  return new Uint8Array(cipher.update(text).subarray(16));
}

Deno.test("CookieJar.make() returns the CBC-MAC of each text, whatever came before it", () => {
  const key = new Prng(1).bytes(32);
  const jar = new CookieJar(() => key);
  for (const slot of [0, 0, 1, 2 ** 32 + 7, 1]) {
    assertEquals(jar.make(slot * COOKIE_SLOT, ENDPOINT, NONCE), naiveCookie(key, slot));
  }
});

Deno.test("CookieJar.isValid() accepts a cookie in its time slot and the next only", () => {
  const jar = new CookieJar(new Prng(2).bytes);
  for (const slot of [0, 1, 5]) {
    const now = slot * COOKIE_SLOT;
    const cookie = jar.make(now, ENDPOINT, NONCE).slice();
    const times = [-2, -1, 0, 1, 2, 3].map((slots) => now + slots * COOKIE_SLOT);
    const valid = times.map((time) => jar.isValid(time, ENDPOINT, NONCE, cookie));
    assertEquals(valid, [false, false, true, true, false, false]);
    assert(jar.isValid(now + 2 * COOKIE_SLOT - 1, ENDPOINT, NONCE, cookie));
  }
});

Deno.test("CookieJar.isValid() rejects any changed bit, endpoint or nonce", () => {
  const jar = new CookieJar(new Prng(3).bytes);
  const cookie = jar.make(0, ENDPOINT, NONCE).slice();
  for (let bit = 0; bit < 8 * cookie.length; bit++) {
    const changed = cookie.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert(!jar.isValid(0, ENDPOINT, NONCE, changed), `bit ${bit}`);
  }
  for (let index = 0; index < ENDPOINT_SIZE; index++) {
    const other = ENDPOINT.with(index, 0xff);
    assert(!jar.isValid(0, other, NONCE, cookie), `byte ${index} of the endpoint`);
  }
  for (let bit = 0n; bit < 64n; bit++) {
    assert(!jar.isValid(0, ENDPOINT, NONCE ^ 1n << bit, cookie), `bit ${bit} of the nonce`);
  }
  assert(jar.isValid(0, ENDPOINT, NONCE, cookie));
  assert(!jar.isValid(0, ENDPOINT, NONCE, new Uint8Array(16)));
});

Deno.test("CookieJar has a random key", () => {
  const random = new Prng(4).bytes;
  const [one, other] = [new CookieJar(random), new CookieJar(random)];
  assertNotEquals(one.make(0, ENDPOINT, NONCE), other.make(0, ENDPOINT, NONCE));
});
