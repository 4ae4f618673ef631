import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { createCipheriv } from "node:crypto";
import { COOKIE_SLOT, SUBJECT_SIZE, TimedMac } from "../../../protocol/directory/timed_mac.ts";
import { Prng } from "../../support/random.ts";

const SUBJECT = new Uint8Array(SUBJECT_SIZE).fill(0x0a);

/** CBC-MAC by its definition, with a cipher for each text. */
function naiveCode(key: Uint8Array, slot: number): Uint8Array {
  const text = new Uint8Array(32);
  text.set(SUBJECT);
  const view = new DataView(text.buffer);
  view.setBigUint64(24, view.getBigUint64(24) | BigInt.asUintN(48, BigInt(slot)));
  const cipher = createCipheriv("aes-256-cbc", key, new Uint8Array(16));
  return new Uint8Array(cipher.update(text).subarray(16));
}

Deno.test("TimedMac.make() returns the CBC-MAC of each text, whatever came before it", () => {
  const key = new Prng(1).bytes(32);
  const mac = new TimedMac(() => key);
  for (const slot of [0, 0, 1, 2 ** 32 + 7, 1]) {
    assertEquals(mac.make(slot * COOKIE_SLOT, SUBJECT), naiveCode(key, slot));
  }
  assertEquals(mac.make(COOKIE_SLOT, SUBJECT, 1), naiveCode(key, 0));
});

Deno.test("TimedMac.isValid() accepts a code in its time slot and the next only", () => {
  const mac = new TimedMac(new Prng(2).bytes);
  for (const slot of [0, 1, 5]) {
    const now = slot * COOKIE_SLOT;
    const code = mac.make(now, SUBJECT).slice();
    const times = [-2, -1, 0, 1, 2, 3].map((slots) => now + slots * COOKIE_SLOT);
    const valid = times.map((time) => mac.isValid(time, SUBJECT, code));
    assertEquals(valid, [false, false, true, true, false, false]);
    assert(mac.isValid(now + 2 * COOKIE_SLOT - 1, SUBJECT, code));
  }
});

Deno.test("TimedMac.isValid() rejects any changed bit of a code, or of its beginning", () => {
  const mac = new TimedMac(new Prng(3).bytes);
  const whole = mac.make(0, SUBJECT).slice();
  for (const code of [whole, whole.slice(0, 8)]) {
    assert(mac.isValid(0, SUBJECT, code));
    for (let bit = 0; bit < 8 * code.length; bit++) {
      const changed = code.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      assert(!mac.isValid(0, SUBJECT, changed), `bit ${bit} of ${code.length} bytes`);
    }
  }
  assert(!mac.isValid(0, SUBJECT, whole.slice(8)), "its end");
  assert(!mac.isValid(0, SUBJECT, new Uint8Array(16)));
});

Deno.test("TimedMac.isValid() rejects any changed bit of the subject", () => {
  const mac = new TimedMac(new Prng(3).bytes);
  const code = mac.make(0, SUBJECT).slice();
  for (let bit = 0; bit < 8 * SUBJECT_SIZE; bit++) {
    const other = SUBJECT.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    assert(!mac.isValid(0, other, code), `bit ${bit}`);
  }
  assert(mac.isValid(0, SUBJECT, code));
});

Deno.test("TimedMac has a random key", () => {
  const random = new Prng(4).bytes;
  const [one, other] = [new TimedMac(random), new TimedMac(random)];
  assertNotEquals(one.make(0, SUBJECT), other.make(0, SUBJECT));
});
