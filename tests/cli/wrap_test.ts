import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { cutToWidth, hang, screenWidth, widestWidth, wrapped } from "../../cli/wrap.ts";

Deno.test("cutToWidth() keeps what fits, else cuts at a column and adds an ellipsis", () => {
  assertEquals(["", "ab", "abc", "世界界"].map((text) => cutToWidth(text, 2)), [
    "",
    "ab",
    "a…",
    "…",
  ]);
  assertEquals(cutToWidth("世界界", 5), "世界…");
  assertEquals([1, 0, -1].map((columns) => cutToWidth("ab", columns)), ["…", "", ""]);
});

Deno.test("cutToWidth() never splits a grapheme", () => {
  const family = "👨‍👩‍👧‍👦";
  const flag = "🇨🇿";
  const accented = "e\u0301";
  for (const grapheme of [family, flag, accented, "❤️", "👍🏽", "1️⃣"]) {
    const width = screenWidth(grapheme);
    for (let columns = 1; columns < 3 * width; columns++) {
      const whole = Math.min(2, Math.floor((columns - 1) / width));
      assertEquals(cutToWidth(grapheme.repeat(3), columns), `${grapheme.repeat(whole)}…`);
    }
  }
});

Deno.test("screenWidth() is the largest width where terminals differ", () => {
  assertEquals(["", "abc", "世界", "e\u0301", "❤", "❤️"].map(screenWidth), [0, 3, 4, 1, 1, 2]);
});

Deno.test("widestWidth() is no less than what any terminal draws", () => {
  // Widths by glibc 2.36, tmux 3.3a and newer ones that unicodeWidth() does not know, or knows only in part.
  const drawn: readonly (readonly [character: string, width: number])[] = [
    ["\u0600", 1],
    ["\u06dd", 1],
    ["\u070f", 1],
    ["\u08e2", 1],
    ["\u{110bd}", 1],
    ["\u3248", 2],
    ["\u4dc0", 2],
    ["\u{18d00}", 2],
    ["\u{1fadf}", 2],
    ["a", 1],
    ["é", 1],
    ["日", 2],
    ["\u302a", 2],
    ["❤\ufe0f", 2],
    ["…", 2],
  ];
  for (const [character, width] of drawn) {
    assertGreaterOrEqual(widestWidth(character), width, character);
  }
  assertEquals(["", "abc é", "日本", "жук"].map(widestWidth), [0, 5, 4, 3]);
});

Deno.test("hang() makes rows of a screen that has hardly more than the indent", () => {
  const rows = hang("09:05 * ", 8, "WARNING, bob: NEW key", 8, 12).split("\n");
  assertEquals(rows, ["09:05 * ", "  WARNING,", "  bob: NEW", "  key"]);
});

Deno.test("wrapped() makes rows of the width asked for, whatever the text", () => {
  const wrapping = { first: 0, rest: 4, measure: widestWidth };
  assertEquals([...wrapped("ab cdefgh\n\ni", wrapping)], ["", "ab", "cdef", "gh", "", "i"]);
  assertEquals([...wrapped("日本語", { ...wrapping, first: 3 })], ["日", "本語"]);
  // One grapheme of many characters.
  assertEquals([...wrapped(`ᄀ${"ᅡ".repeat(6)}`, { ...wrapping, first: 4 })].length, 2);
});
