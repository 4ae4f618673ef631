import { assertEquals } from "@std/assert";
import { decodeSessionId, encodeSessionId } from "../../../protocol/session/session_id.ts";

Deno.test("decodeSessionId() undoes encodeSessionId()", () => {
  for (const id of [1, 2 ** 31, 2 ** 32 - 1]) {
    assertEquals(decodeSessionId(encodeSessionId(id)), id);
  }
  assertEquals(encodeSessionId(0x01020304), Uint8Array.of(1, 2, 3, 4));
});

Deno.test("decodeSessionId() takes neither 0, which stands for none, nor another size", () => {
  assertEquals(decodeSessionId(new Uint8Array(4)), undefined);
  for (const size of [0, 3, 5, 100]) {
    assertEquals(decodeSessionId(new Uint8Array(size).fill(1)), undefined);
  }
});
