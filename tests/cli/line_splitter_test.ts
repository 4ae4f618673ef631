import { assertEquals } from "@std/assert";
import {
  type Line,
  LINE_SIZE_MAX,
  type LineProblem,
  LineSplitter,
} from "../../cli/line_splitter.ts";

/** The texts and problems of the lines of these chunks. */
function split(...chunks: (string | number[])[]): (string | Record<"problem", LineProblem>)[] {
  const splitter = new LineSplitter();
  const encoder = new TextEncoder();
  const lines = chunks.flatMap((chunk) => {
    const bytes = typeof chunk === "string" ? encoder.encode(chunk) : Uint8Array.from(chunk);
    return [...splitter.push(bytes)];
  });
  return [...lines, ...splitter.end()].map((line: Line) => "text" in line ? line.text : line);
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

Deno.test("LineSplitter drops a byte order mark, and keeps a replacement character", () => {
  assertEquals(split([0xef, 0xbb, 0xbf, 0x61], "\n\ufffd"), ["a", "\ufffd"]);
});

Deno.test("LineSplitter says which line is not UTF-8, and goes on after it", () => {
  const problem = { problem: "notUtf8" } as const;
  assertEquals(split("a\nM", [0xfc], "ller\nb\n", [0xe6]), ["a", problem, "b", problem]);
});

Deno.test("LineSplitter says that the input is UTF-16, once", () => {
  const little = [..."hi\nyou\n"].flatMap((character) => [character.charCodeAt(0), 0]);
  const big = [..."hi\nyou\n"].flatMap((character) => [0, character.charCodeAt(0)]);
  assertEquals(split([0xff, 0xfe, ...little]), [{ problem: "utf16" }]);
  assertEquals(split([0xfe, 0xff, ...big]), [{ problem: "utf16" }]);
});

Deno.test("LineSplitter says which line is too long, and goes on after it", () => {
  const piece = "x".repeat(LINE_SIZE_MAX / 8);
  const tooLong = Array<string>(9).fill(piece);
  const problem = { problem: "tooLong" } as const;
  assertEquals(split("a\n", ...tooLong, "y\nb\n"), ["a", problem, "b"]);
  assertEquals(split(...tooLong), [problem]);
  assertEquals(split("x".repeat(LINE_SIZE_MAX)), ["x".repeat(LINE_SIZE_MAX)]);
});
