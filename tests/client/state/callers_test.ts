import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import {
  Callers,
  CALLERS_MAX,
  KNOWN_PAUSE,
  STRANGER_PAUSE,
  STRANGERS_INTERVAL,
  STRANGERS_MAX,
} from "../../../client/state/callers.ts";
import type { IncomingRequest } from "../../../protocol/connection/incoming_requests.ts";
import { seedFromEnv, withSeed } from "../../support/random.ts";

/** Keys from 1000 on are known. */
const FRIEND = 1000;

function isKnown(key: Uint8Array): boolean {
  return new DataView(key.buffer).getUint32(0) >= FRIEND;
}

/** A request from key `n`. */
function request(n: number, requester = n): IncomingRequest {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, n);
  return { requester, name: "", key };
}

Deno.test("Callers reports a stranger's key once a minute, under whatever ids it calls", () => {
  const callers = new Callers(isKnown);
  let told = 0;
  for (let now = 0; now < STRANGER_PAUSE; now += 40) {
    const call = request(1, 1 + now % 7);
    if (callers.ring(now, call)) told++;
    if (callers.end(now, call)) told++;
  }
  // The ring, and its end.
  assertEquals(told, 2);
  assert(callers.ring(STRANGER_PAUSE, request(1)));
});

Deno.test("Callers reports a known key after 10 s, and any at once after the user's answer", () => {
  const callers = new Callers(isKnown);
  const call = request(FRIEND);
  assert(callers.ring(0, call));
  callers.end(1, call);
  assertEquals(callers.ring(KNOWN_PAUSE - 1, call), false);
  assertEquals(callers.nextTimeout(), KNOWN_PAUSE);
  assertEquals(callers.takeDue(KNOWN_PAUSE - 1), []);
  assertEquals(callers.takeDue(KNOWN_PAUSE), [call]);
  for (const each of [call, request(1)]) {
    callers.ring(KNOWN_PAUSE, each);
    callers.answer(each);
    assert(callers.ring(KNOWN_PAUSE + 1, each));
  }
});

Deno.test("Callers hides a quiet request under another name or id than that of the key's line", () => {
  for (const n of [1, FRIEND]) {
    const callers = new Callers(isKnown);
    assert(callers.ring(0, request(n)));
    callers.drop(request(n));
    callers.ring(1, request(n));
    assertEquals(callers.isHidden(request(n)), false);
    assertEquals(callers.isHidden({ ...request(n), name: "ana" }), true);
    callers.ring(2, request(n, 7));
    assertEquals(callers.isHidden(request(n, 7)), true);
    callers.showAll();
    assertEquals(callers.isHidden(request(n, 7)), false);
  }
});

Deno.test("Callers reports 6 strangers in any minute, and all known keys", () => {
  withSeed(seedFromEnv(), (prng) => {
    const callers = new Callers(isKnown);
    const told: number[] = [];
    for (let now = 0; now < 600_000; now += prng.int(200)) {
      const call = request(1 + prng.int(FRIEND - 1));
      told.push(...callers.takeDue(now).map(() => now));
      if (callers.ring(now, call)) told.push(now);
      else if (prng.chance(0.9)) callers.drop(call);
      if (prng.chance(0.01)) assert(callers.ring(now, request(FRIEND + now)), "a known key");
    }
    for (const [at, now] of told.entries()) {
      const next = told[at + STRANGERS_MAX] ?? Infinity;
      assertLessOrEqual(STRANGERS_INTERVAL, next - now);
    }
    // No less than that, either.
    assertLessOrEqual(9 * STRANGERS_MAX, told.length);
  });
});

Deno.test("Callers remembers a bounded number of keys", () => {
  const callers = new Callers(() => true);
  for (let n = 0; n <= CALLERS_MAX; n++) {
    assert(callers.ring(0, request(n)));
    callers.drop(request(n));
  }
  assertEquals([callers.ring(1, request(0)), callers.ring(1, request(CALLERS_MAX))], [true, false]);
});
