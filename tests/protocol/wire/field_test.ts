import { assert, assertEquals } from "@std/assert";
import { DatagramWriter, decodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  FRAGMENT_SIZE_MAX,
  MESSAGE_HEADER_SIZE,
} from "../../../protocol/wire/frame.ts";
import { fragmentEnd } from "../../../protocol/connection/message_ring.ts";

const HEADER = { type: DatagramType.Response, session: 7, packet: 1 };

// The loops are long enough for the compiler to optimise them: in Deno 2.4 TextEncoder.encodeInto()
// is wrong from then on for texts whose characters are all below U+0100.

Deno.test("restText is written whole or not at all, also where the code is hot", () => {
  const writer = new DatagramWriter();
  for (let round = 0; round < 30_000; round++) {
    const texts = ["é".repeat(300 + round % 200), `${"é".repeat(100 + round % 300)}x`];
    writer.start(HEADER);
    const written = texts.filter((text, seq) => {
      const size = new TextEncoder().encode(text).length;
      const fits = writer.size + MESSAGE_HEADER_SIZE + size <= DATAGRAM_SIZE_MAX;
      const isAdded = writer.add({ kind: "message", seq, sender: 1, flags: 0, text });
      if (isAdded !== fits) throw new Error(`${size} bytes after ${writer.size}: ${isAdded}`);
      return isAdded;
    });
    const decoded = decodeDatagram(writer.finish());
    assert(decoded.ok);
    const read = decoded.value.frames.map((frame) => frame.kind === "message" ? frame.text : "");
    if (read.join() !== written.join()) throw new Error(`round ${round}: another text`);
  }
});

Deno.test("fragmentEnd() cuts at the same places, also where the code is hot", () => {
  for (let round = 0; round < 30_000; round++) {
    const bytes = new TextEncoder().encode("é".repeat(100 + round % 300));
    const end = fragmentEnd(bytes, 0);
    const expected = Math.min(bytes.length, FRAGMENT_SIZE_MAX);
    if (end !== expected) assertEquals(end, expected);
  }
});
