import { assertEquals } from "@std/assert";
import { parseScreen } from "../../docs/picture/runs.ts";

const PLAIN = { color: undefined, isBold: false, isDim: false };

Deno.test("parseScreen() keeps words together, and each other character alone", () => {
  assertEquals(parseScreen(["  id  my name · 世 🍰!", ""]), [[
    { column: 2, columns: 2, text: "id", look: PLAIN },
    { column: 6, columns: 7, text: "my name", look: PLAIN },
    { column: 14, columns: 1, text: "·", look: PLAIN },
    { column: 16, columns: 2, text: "世", look: PLAIN },
    { column: 19, columns: 2, text: "🍰", look: PLAIN },
    { column: 21, columns: 1, text: "!", look: PLAIN },
  ], []]);
});

Deno.test("parseScreen(): a look lasts until it is changed, beyond its row too", () => {
  const rows = [
    "\x1b[1;32ma\x1b[22mb",
    "c\x1b[38;5;166md\x1b[39me\x1b[2;91mf\x1b[0mg\x1b[31mh\x1b[mi",
  ];
  const looks = parseScreen(rows).flat().map(({ text, look }) => [text, ...Object.values(look)]);
  assertEquals(looks, [
    ["a", 2, true, false],
    ["b", 2, false, false],
    ["c", 2, false, false],
    ["d", 166, false, false],
    ["e", undefined, false, false],
    ["f", 9, false, true],
    ["g", undefined, false, false],
    ["h", 1, false, false],
    ["i", undefined, false, false],
  ]);
});

Deno.test("parseScreen(): other codes are nothing that is seen", () => {
  assertEquals(parseScreen(["\x1b[4m\x1b[48;5;1mab"])[0], [
    { column: 0, columns: 2, text: "ab", look: PLAIN },
  ]);
});
