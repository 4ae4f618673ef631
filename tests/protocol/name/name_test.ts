import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  goodName,
  NAME_LENGTH_MAX,
  nameKey,
  nameProblem,
  normalName,
} from "../../../protocol/name/name.ts";

Deno.test("nameProblem() finds nothing wrong with a good name", () => {
  const names = ["a", "zoë", "Борис", "小明", "x1", "1x", "a-b_c.d", "x".repeat(32)];
  for (const name of names) assertEquals(nameProblem(name), undefined, name);
});

Deno.test("nameProblem() rejects an empty name", () => {
  assertEquals(nameProblem(""), "cannot be empty");
});

Deno.test("nameProblem() rejects spaces, control and format characters", () => {
  const problem = "cannot hold spaces or control characters";
  const names = [
    ...[" ", "a b", " a", "a ", "a\tb", "a\nb", "a\0", "\x1b[31m", "\x7f", "\x9b", "a\u00a0b"],
    // Line separator, bidi override, zero-width space, byte order mark, half a pair.
    ...["a\u2028", "a\u202eb", "a\u200bb", "\ufeffa", "\ud83d"],
    // Bidi isolates, joiners, word joiner, soft hyphen, tags.
    ...["a\u2066b\u2069", "a\u200cb", "a\u200db", "a\u2060b", "a\u00adb", "a\u{e0062}"],
  ];
  for (const name of names) assertEquals(nameProblem(name), problem, JSON.stringify(name));
});

Deno.test("nameProblem() rejects what the command line takes for something else", () => {
  for (const name of ["0", "7", "00123", "７", "٧", "७7"]) {
    assertEquals(nameProblem(name), "cannot be a number: that is a client id", name);
  }
  assertEquals(nameProblem("/leave"), 'cannot start with "/"');
  assertEquals(nameProblem("@zoë"), 'cannot start with "@"');
});

Deno.test("nameProblem() rejects more than 32 characters, and more than 128 bytes", () => {
  const problem = `cannot have more than ${NAME_LENGTH_MAX} characters`;
  assertEquals(nameProblem("x".repeat(33)), problem);
  // A character is what a reader takes for one: a letter with two vowel signs is nine bytes.
  assertEquals(nameProblem("é".repeat(32)), undefined);
  assertEquals(nameProblem("é".repeat(33)), problem);
  assertEquals(nameProblem("𠮷".repeat(32)), undefined);
  assertEquals(nameProblem("र्मा".repeat(15)), problem);
});

Deno.test("goodName() is the name, or none where it is no good name", () => {
  assertEquals(["ana", "", "a b", "👋"].map(goodName), ["ana", "", "", ""]);
});

Deno.test("normalName() makes good names of what keyboards give", () => {
  for (const [typed, name] of [["zoe\u0308", "zoë"], ["Ａｎａ", "Ana"], ["ｱﾅ", "アナ"]] as const) {
    assertEquals(normalName(typed), name);
    assertEquals(nameProblem(name), undefined);
    assert(nameProblem(typed) !== undefined, typed);
  }
});

Deno.test("nameKey() is the same for names of the same letters", () => {
  const same = [
    ["zoe\u0308", "zoë", "ZOË", "ZOE\u0308"],
    // Full width, ligatures, mathematical and circled letters, the sign of the Kelvin.
    ["ana", "ANA", "Ａｎａ", "𝐚𝐧𝐚", "𝒶𝓃𝒶", "ⓐⓝⓐ", "ᴬⁿᵃ", "𝖠𝗇𝖺"],
    ["fi", "ﬁ", "Fi", "ＦＩ"],
    ["kim", "\u212aim", "KIM"],
    ["x2", "x²", "x₂", "x②"],
    // Case folding is more than lower case.
    ["strasse", "straße", "STRASSE", "STRAẞE", "ſtraße"],
    ["σοφοσ", "σοφος", "ΣΟΦΟΣ", "ϲοφοϲ"],
    ["ǆ", "ǅ", "Ǆ", "dž"],
    ["ꭰ", "Ꭰ"],
    // Variation selectors are not seen.
    ["a❤", "A❤\ufe0f", "a❤\ufe0e"],
  ];
  for (const names of same) {
    assertEquals(names.map(nameKey), names.map(() => nameKey(names[0]!)), names.join());
  }
});

Deno.test("nameKey() is another for names of other letters", () => {
  // Letters of another script, or with another mark, differ; the fingerprint shows the difference.
  for (const name of ["aná", "anna", "аna", "αna", "an", "ana1", "ana-"]) {
    assertNotEquals(nameKey(name), nameKey("ana"), name);
  }
});

Deno.test("nameKey() takes each letter and its other case for one, and its own key for the same", () => {
  for (let code = 0; code < 0x20000; code++) {
    const letter = String.fromCodePoint(code);
    if (/\p{Cs}/u.test(letter)) continue;
    const key = nameKey(letter);
    const others = [letter.toLowerCase(), letter.toUpperCase(), letter.normalize("NFKC"), key];
    for (const other of others) assert(nameKey(other) === key, `${code.toString(16)} ${other}`);
  }
});
