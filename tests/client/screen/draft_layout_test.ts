import { assertEquals } from "@std/assert";
import { columnOf, cursorAt, draftRows, rowOf } from "../../../client/screen/draft_layout.ts";

function texts(prompt: string, text: string, columns: number): string[] {
  return draftRows(prompt, text, columns).map((row) => row.prompt + row.text);
}

Deno.test("draftRows() wraps at the edge and at line breaks, never inside a grapheme", () => {
  assertEquals(texts("> ", "", 10), ["> "]);
  assertEquals(texts("> ", "abc def", 6), ["> abc ", "def"]);
  assertEquals(texts("> ", "a\n\nb", 6), ["> a", "", "b"]);
  assertEquals(texts("> ", "日日日", 5), ["> 日", "日日"]);
  assertEquals(texts("> ", "👍🏽👍🏽", 8).join("").length, 2 + "👍🏽👍🏽".length);
});

Deno.test("draftRows() has a row for the cursor after a full one", () => {
  assertEquals(texts("> ", "abcd", 6), ["> abcd", ""]);
  assertEquals(texts("> ", "abcd\ne", 6), ["> abcd", "", "e"]);
});

Deno.test("draftRows() puts the text below a prompt that fills the row", () => {
  assertEquals(texts("prompt > ", "ab", 9), ["prompt > ", "ab"]);
});

Deno.test("rowOf(), columnOf() and cursorAt() find the cursor", () => {
  const rows = draftRows("> ", "abcdefg\n日本", 6);
  assertEquals([0, 3, 4, 7, 8, 10].map((cursor) => [rowOf(rows, cursor), columnOf(rows, cursor)]), [
    [0, 2],
    [0, 5],
    [1, 0],
    [1, 3],
    [2, 0],
    [2, 4],
  ]);
  assertEquals([0, 2, 5].map((column) => cursorAt(rows[0]!, column)), [0, 0, 3]);
  assertEquals([0, 1, 2, 9].map((column) => cursorAt(rows[2]!, column)), [8, 8, 9, 10]);
});
