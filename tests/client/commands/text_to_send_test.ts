import { assertEquals } from "@std/assert";
import { TEXT_INPUT_MAX, textToSend } from "../../../client/commands/text_to_send.ts";
import { TEXT_SIZE_MAX } from "../../../protocol/connection/send_queue.ts";

/** The text, or the code of the error. */
function read(input: string | Uint8Array): string {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  const result = textToSend(bytes.subarray(0, TEXT_INPUT_MAX + 1));
  return result.ok ? result.value : result.error.code;
}

Deno.test("textToSend() takes the whole input, without the line end after its last line", () => {
  assertEquals(read("one\n\ntwo\n"), "one\n\ntwo");
  assertEquals(read("zoë\r\n"), "zoë");
  assertEquals(read("one\n\n"), "one\n");
  assertEquals(read("no line end"), "no line end");
});

Deno.test("textToSend() takes a text of the largest size, and rejects a longer one", () => {
  const longest = "x".repeat(TEXT_SIZE_MAX);
  for (const end of ["", "\n", "\r\n"]) assertEquals(read(longest + end), longest);
  for (const end of ["y", "y\n", "\n\n\n", "yyyy"]) assertEquals(read(longest + end), "tooLong");
});

Deno.test("textToSend() rejects what is empty, and what is not UTF-8", () => {
  for (const input of ["", "\n", "\r\n"]) assertEquals(read(input), "usage");
  assertEquals(read(Uint8Array.of(0x61, 0xff, 0x0a)), "encoding");
});
