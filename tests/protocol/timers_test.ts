import { assert, assertEquals, assertFalse } from "@std/assert";
import { earlier, Timers } from "../../protocol/timers.ts";

type Name = "resend" | "lease" | "silence";

Deno.test("Timers.next() is the earliest deadline, undefined where there is none", () => {
  const timers = new Timers<Name>();
  assertEquals(timers.next(), undefined);
  timers.set("lease", 300);
  assertEquals(timers.next(), 300);
  timers.set("resend", 100);
  timers.set("silence", 200);
  assertEquals(timers.next(), 100);
  timers.clear("resend");
  assertEquals(timers.next(), 200);
});

Deno.test("Timers.next() may be 0 or before it", () => {
  const timers = new Timers<Name>();
  timers.set("lease", 0);
  assertEquals(timers.next(), 0);
  timers.set("resend", -5);
  assertEquals(timers.next(), -5);
});

Deno.test("Timers.set() moves a timer, and clears it where there is no deadline", () => {
  const timers = new Timers<Name>();
  timers.set("resend", 100);
  timers.set("resend", 250);
  assertEquals(timers.get("resend"), 250);
  assertEquals(timers.next(), 250);
  timers.set("resend", undefined);
  assertEquals(timers.get("resend"), undefined);
  assertEquals(timers.next(), undefined);
});

Deno.test("Timers.clear() takes one timer away, clearAll() all", () => {
  const timers = new Timers<Name>();
  timers.set("resend", 1);
  timers.set("lease", 2);
  timers.clear("silence");
  timers.clear("resend");
  assertEquals(timers.get("resend"), undefined);
  assertEquals(timers.get("lease"), 2);
  timers.set("resend", 1);
  timers.clearAll();
  assertEquals(timers.next(), undefined);
});

Deno.test("Timers.expire() is true once, from the deadline on", () => {
  const timers = new Timers<Name>();
  timers.set("resend", 100);
  timers.set("lease", 100);
  assertFalse(timers.expire("resend", 99.9));
  assertEquals(timers.get("resend"), 100);
  assert(timers.expire("resend", 100));
  assertFalse(timers.expire("resend", 100));
  assertEquals(timers.get("resend"), undefined);
  assert(timers.expire("lease", 5000));
  assertEquals(timers.next(), undefined);
});

Deno.test("Timers.expire() is false for a timer that is not set", () => {
  assertFalse(new Timers<Name>().expire("silence", Infinity));
});

Deno.test("earlier() takes the lesser, or the one that is there", () => {
  assertEquals(earlier(1, 2), 1);
  assertEquals(earlier(2, 1), 1);
  assertEquals(earlier(undefined, 0), 0);
  assertEquals(earlier(0, undefined), 0);
  assertEquals(earlier(undefined, undefined), undefined);
});
