import { assertEquals } from "@std/assert";
import { quote, shorten } from "../../cli/quote.ts";

Deno.test("shorten() keeps 40 characters, and marks the cut", () => {
  assertEquals(shorten("x".repeat(40)), "x".repeat(40));
  assertEquals(shorten("x".repeat(41)), `${"x".repeat(40)}…`);
});

Deno.test("shorten() never splits a surrogate pair", () => {
  assertEquals(shorten("👋".repeat(41)), `${"👋".repeat(40)}…`);
});

Deno.test("quote() escapes line breaks, controls and quotation marks", () => {
  assertEquals(quote('a"b\n\x1b'), '"a\\"b\\n\\u001b"');
});
