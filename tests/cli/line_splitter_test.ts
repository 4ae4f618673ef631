import { assertEquals } from "@std/assert";
import { type Line, LINE_LENGTH_MAX, LineSplitter } from "../../cli/line_splitter.ts";

/** The lines of these chunks. */
function split(...chunks: (string | number[])[]): Line[] {
  const splitter = new LineSplitter();
  const encoder = new TextEncoder();
  const lines = chunks.flatMap((chunk) => {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : Uint8Array.from(chunk);
    return [...splitter.push(bytes)];
  });
  return [...lines, ...splitter.end()];
}

Deno.test("LineSplitter splits at LF and CRLF, and yields a last line without either", () => {
  assertEquals(split("a\r\nb\n\n c\rd \ne"), ["a", "b", "", " c\rd ", "e"]);
  assertEquals(split("a\n"), ["a"]);
  assertEquals(split(), []);
});

Deno.test("LineSplitter joins lines and characters that arrive in pieces", () => {
  const bytes = [...new TextEncoder().encode("日本\r\nx")];
  assertEquals(split(...bytes.map((byte) => [byte])), ["日本", "x"]);
});

Deno.test("LineSplitter replaces invalid UTF-8, and drops a byte order mark", () => {
  assertEquals(split([0xef, 0xbb, 0xbf, 0x61, 0xff, 0x0a, 0xe6]), ["a\ufffd", "\ufffd"]);
});

Deno.test("LineSplitter yields undefined for a line that is too long, and goes on after it", () => {
  const piece = "x".repeat(LINE_LENGTH_MAX / 8);
  const tooLong = Array<string>(9).fill(piece);
  assertEquals(split("a\n", ...tooLong, "y\nb\n"), ["a", undefined, "b"]);
  assertEquals(split(...tooLong), [undefined]);
  assertEquals(split("x".repeat(LINE_LENGTH_MAX)), ["x".repeat(LINE_LENGTH_MAX)]);
});
