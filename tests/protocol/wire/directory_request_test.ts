import { assert, assertEquals } from "@std/assert";
import { decodeFrames, encodeDatagram } from "../../../protocol/wire/datagram.ts";
import { readCommonRequest } from "../../../protocol/wire/directory_request.ts";
import { DatagramType, type Frame } from "../../../protocol/wire/frame.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";

/** Frames as they are sealed in a Request. */
function plain(...frames: Frame[]): Uint8Array {
  const header = { type: DatagramType.Request, session: 1, packet: 0 };
  return encodeDatagram(header, frames).slice(16);
}

/** What decodeFrames() makes of a Request with one frame. */
function decodeOne(bytes: Uint8Array): Frame | undefined {
  const decoded = decodeFrames(bytes);
  const count = (decoded?.frames.length ?? 0) + (decoded?.unknownFrames ?? 0);
  return count === 1 ? decoded?.frames[0] : undefined;
}

function requests(prng: Prng, name: string): Frame[] {
  return [
    { kind: "leaseKeepalive" },
    { kind: "lookUp", id: prng.int(2 ** 32), name },
    { kind: "leave" },
    { kind: "list", after: 1 },
  ];
}

Deno.test("readCommonRequest() reads the frequent requests as decodeFrames() does", () => {
  withSeed(1, (prng) => {
    for (const name of ["", "ana", "x".repeat(255)]) {
      for (const frame of requests(prng, name)) {
        const bytes = plain(frame);
        const isFrequent = frame.kind === "leaseKeepalive" || frame.kind === "lookUp";
        assertEquals<unknown>(readCommonRequest(bytes), isFrequent ? decodeOne(bytes) : undefined);
        assertEquals(readCommonRequest(plain(frame, frame)), undefined);
        assertEquals(readCommonRequest(plain(frame, { kind: "padding", size: 0 })), undefined);
      }
    }
    assertEquals(readCommonRequest(plain({ kind: "lookUp", id: 1, name: "ä" })), undefined);
    assertEquals(readCommonRequest(new Uint8Array()), undefined);
  });
});

Deno.test("readCommonRequest() takes no damaged bytes for another frame than decodeFrames() does", () => {
  withSeed(seedFromEnv(), (prng) => {
    let read = 0;
    for (let i = 0; i < 50_000; i++) {
      const name = prng.pick(["", "ana", "x".repeat(100), "ä"]);
      let bytes = plain(prng.pick(requests(prng, name)));
      for (let flips = prng.int(3); flips > 0; flips--) {
        bytes[prng.int(prng.chance(0.5) ? Math.min(8, bytes.length) : bytes.length)] = prng.int(
          256,
        );
      }
      if (prng.chance(0.1)) bytes = bytes.slice(0, prng.int(bytes.length));
      if (prng.chance(0.1)) bytes = Uint8Array.of(...bytes, ...prng.bytes(prng.int(5)));
      const request = readCommonRequest(bytes);
      if (request === undefined) continue;
      read++;
      assertEquals<unknown>(request, decodeOne(bytes));
    }
    assert(read > 1000);
  });
});
