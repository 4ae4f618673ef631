import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { DatagramWriter, encodeDatagram } from "../../../protocol/wire/datagram.ts";
import {
  DatagramType,
  type Frame,
  type Header,
  PACKET_SIZE_MAX,
  TAG_SIZE,
} from "../../../protocol/wire/frame.ts";
import { naiveEncode, type NaiveFrame } from "../../reference/naive_codec.ts";
import { toHex } from "../../support/hex.ts";
import { VECTORS } from "../../support/vectors.ts";

const HEADER: Header = { type: DatagramType.Response, session: 7, packet: 1 };

/** A datagram as the naive codec writes it, in hex digits. */
function naiveHex(frames: readonly Frame[]): string {
  return toHex(Uint8Array.from(naiveEncode(HEADER, frames as unknown as NaiveFrame[])));
}

Deno.test("DatagramWriter.add() takes a frame that just fits and refuses it one byte later", () => {
  const writer = new DatagramWriter();
  for (const frame of VECTORS.flatMap((vector) => vector.frames)) {
    const size = naiveHex([frame]).length / 2 - 16;
    const filler: Frame = { kind: "padding", size: 1200 - 16 - 3 - size };
    if (filler.size < 0) continue;
    writer.start(HEADER);
    assert(writer.add(filler));
    assert(writer.add(frame), frame.kind);
    assertEquals(writer.size, 1200);
    assertEquals(toHex(writer.finish()), naiveHex([filler, frame]));

    const longer: Frame = { kind: "padding", size: filler.size + 1 };
    writer.start(HEADER);
    assert(writer.add(longer));
    const before = toHex(writer.finish());
    assertFalse(writer.add(frame), frame.kind);
    assertEquals(toHex(writer.finish()), before);
  }
});

Deno.test("DatagramWriter.add() leaves the datagram usable when it refuses or throws", () => {
  const writer = new DatagramWriter();
  const small: Frame = { kind: "message", seq: 1, sender: 2, flags: 0, text: "é" };
  writer.start(HEADER);
  assert(writer.add(small));
  assertFalse(writer.add({ ...small, text: "é".repeat(580) }));
  assertThrows(() => writer.add({ kind: "inactive", id: 2, name: "é".repeat(128) }), TypeError);
  const nonce = new Uint8Array(24);
  assertThrows(
    () => writer.add({ kind: "cookieReply", nonce, cookie: new Uint8Array(31) }),
    TypeError,
  );
  const address = { hostname: "localhost", port: 1 };
  const publicKey = new Uint8Array(32);
  assertThrows(
    () => writer.add({ kind: "found", id: 1, name: "", address, publicKey }),
    TypeError,
    "localhost",
  );
  assert(writer.add(small));
  assertEquals(toHex(writer.finish()), toHex(encodeDatagram(HEADER, [small, small])));
});

Deno.test("DatagramWriter.start() uses its buffer again and leaves nothing of what was there", () => {
  const writer = new DatagramWriter();
  writer.start({ type: DatagramType.Request, session: 2 ** 32 - 1, packet: 2 ** 53 - 1 });
  for (let i = 0; i < 10; i++) {
    writer.add({ kind: "message", seq: 9, sender: 9, flags: 255, text: "x".repeat(99) });
  }
  const first = writer.finish();
  writer.start(HEADER);
  writer.add({ kind: "connectionKeepalive" });
  writer.padTo(160);
  const second = writer.finish();
  const wanted = encodeDatagram(HEADER, [{ kind: "connectionKeepalive" }], 160);
  assertEquals(toHex(second), toHex(wanted));
  assertEquals(second.buffer, first.buffer);
  assertEquals(toHex(first.subarray(0, 160)), toHex(second));
});

Deno.test("a DatagramWriter for sealed frames leaves room for the tag, which counts as padded", () => {
  const writer = new DatagramWriter(100, true);
  writer.start(HEADER);
  assertFalse(writer.add({ kind: "padding", size: 100 - 16 - 3 - TAG_SIZE + 1 }));
  assert(writer.add({ kind: "padding", size: 100 - 16 - 3 - TAG_SIZE }));
  assertEquals(writer.room, 0);
  assertEquals(writer.finish().length, 100);
  writer.start(HEADER);
  writer.padTo(60);
  assertEquals([writer.size, writer.finish().length], [60 - TAG_SIZE, 60]);
});

Deno.test("DatagramWriter.limit is the size of the largest datagram from the next start() on", () => {
  const writer = new DatagramWriter(100, true);
  const frame: Frame = { kind: "padding", size: 1000 };
  writer.start(HEADER);
  assertFalse(writer.add(frame));
  writer.limit = PACKET_SIZE_MAX;
  writer.start(HEADER);
  assert(writer.add(frame));
  assert(writer.add({ kind: "padding", size: 64_000 }));
  writer.limit = 100;
  writer.start(HEADER);
  assertFalse(writer.add(frame));
});

Deno.test("DatagramWriter.append() takes frames that are encoded already, or refuses them", () => {
  const frames: Frame[] = [{ kind: "ringing", responder: 2 }, { kind: "connectionKeepalive" }];
  const encoded = encodeDatagram(HEADER, frames);
  const writer = new DatagramWriter(encoded.length);
  writer.start(HEADER);
  assert(writer.append(encoded, 16, encoded.length));
  assertEquals(toHex(writer.finish()), toHex(encoded));
  assertFalse(writer.append(encoded, 16, 17));
  assertEquals(toHex(writer.finish()), toHex(encoded));
});
