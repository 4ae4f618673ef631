import { assertEquals } from "@std/assert";
import { cutToWidth, screenWidth } from "../../cli/wrap.ts";

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
