import { assertEquals, assertNotEquals } from "@std/assert";
import { NAME_LENGTH_MAX, nameKey, nameProblem } from "../protocol/name.ts";

Deno.test("nameProblem() finds nothing wrong with a good name", () => {
  const names = [
    "a",
    "zoë",
    "Борис",
    "小明",
    "👋",
    "x1",
    "1x",
    "a-b_c.d!",
    "a/b",
    "a@b",
    "x".repeat(32),
  ];
  for (const name of names) assertEquals(nameProblem(name), undefined, name);
});

Deno.test("nameProblem() rejects an empty name", () => {
  assertEquals(nameProblem(""), "cannot be empty");
});

Deno.test("nameProblem() rejects spaces, control and format characters", () => {
  const problem = "cannot hold spaces or control characters";
  const names = [
    ...[" ", "a b", " a", "a ", "a\tb", "a\nb", "a\0", "\x1b[31m", "\x7f", "\x9b", "a\u00a0b"],
    // Line separator, bidi override, zero-width space, byte order mark, private use, half a pair.
    ...["a\u2028", "a\u202eb", "a\u200bb", "\ufeffa", "\ue000", "\ud83d"],
  ];
  for (const name of names) assertEquals(nameProblem(name), problem, JSON.stringify(name));
});

Deno.test("nameProblem() rejects what the command line takes for something else", () => {
  for (const name of ["0", "7", "00123"]) {
    assertEquals(nameProblem(name), "cannot be a number: that is a client id", name);
  }
  assertEquals(nameProblem("/leave"), 'cannot start with "/"');
  assertEquals(nameProblem("@zoë"), 'cannot start with "@"');
});

Deno.test("nameProblem() rejects more than 32 characters, and more than 128 bytes", () => {
  const problem = `cannot have more than ${NAME_LENGTH_MAX} characters`;
  assertEquals(nameProblem("x".repeat(33)), problem);
  // A character is what a reader takes for one: an e with an accent of its own is three bytes.
  assertEquals(nameProblem("e\u0301".repeat(32)), undefined);
  assertEquals(nameProblem("e\u0301".repeat(33)), problem);
  assertEquals(nameProblem("👋".repeat(32)), undefined);
  assertEquals(nameProblem("👋".repeat(31) + "e\u0301\u0301"), problem);
});

Deno.test("nameKey() is the same for names that differ in case or in composition", () => {
  assertEquals(nameKey("ZOË"), nameKey("zoe\u0308"));
  assertEquals(nameKey("Ａｎａ"), nameKey("ana"));
  assertEquals(nameKey("ﬁ"), nameKey("fi"));
  assertNotEquals(nameKey("ana"), nameKey("aná"));
  assertNotEquals(nameKey("ana"), nameKey("anna"));
});
