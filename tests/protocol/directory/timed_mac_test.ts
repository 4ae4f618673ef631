import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { COOKIE_SLOT, TimedMac } from "../../../protocol/directory/timed_mac.ts";
import { Prng } from "../../support/random.ts";

const SUBJECT = new Uint8Array(26).fill(0x0a);

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
  for (let bit = 0; bit < 8 * SUBJECT.length; bit++) {
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
