import { assert, assertEquals } from "@std/assert";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import { DatagramType, type Frame } from "../../../protocol/wire/frame.ts";
import { readRequest } from "../../../protocol/wire/directory_request.ts";
import { Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { registerFrame, requestBytes } from "../../support/server_stage.ts";

/** What decodeDatagram() makes of a Request with one frame. */
function decodeOne(bytes: Uint8Array): Frame | undefined {
  const decoded = decodeDatagram(bytes);
  const isRequest = decoded.ok && decoded.value.sealed === undefined &&
    decoded.value.header.type === DatagramType.Request;
  if (!isRequest || decoded.value.frames.length + decoded.value.unknownFrames !== 1) {
    return undefined;
  }
  return decoded.value.frames[0];
}

function frames(prng: Prng, name: string): Frame[] {
  const token = prng.bytes(16);
  const nonce = prng.u64();
  return [
    { kind: "leaseKeepalive", nonce, token },
    { kind: "lookUp", nonce, token, id: prng.int(2 ** 32), name },
    registerFrame(prng.int(1000), { token, cookie: prng.bytes(16), name }),
    { kind: "leave", nonce, token },
    { kind: "list", nonce, token, after: 1 },
  ];
}

Deno.test("readRequest() reads the frequent requests as decodeDatagram() does", () => {
  const prng = new Prng(1);
  for (const name of ["", "ana", "x".repeat(128)]) {
    for (const frame of frames(prng, name)) {
      const bytes = requestBytes([frame]);
      const isFrequent = frame.kind !== "leave" && frame.kind !== "list";
      assertEquals(readRequest(bytes), isFrequent ? decodeOne(bytes) : undefined);
      assertEquals(readRequest(requestBytes([frame, frame])), undefined);
    }
  }
  assertEquals(readRequest(requestBytes([frames(prng, "ä")[1]!])), undefined);
});

Deno.test("readRequest() takes no damaged datagram for another than decodeDatagram() does", () => {
  withSeed(seedFromEnv(), (prng) => {
    let read = 0;
    for (let i = 0; i < 50_000; i++) {
      const name = prng.pick(["", "ana", "x".repeat(100), "ä"]);
      let bytes = requestBytes([prng.pick(frames(prng, name))]).slice();
      for (let flips = prng.int(3); flips > 0; flips--) {
        bytes[prng.int(prng.chance(0.5) ? 20 : bytes.length)] = prng.int(256);
      }
      if (prng.chance(0.1)) bytes = bytes.slice(0, prng.int(bytes.length));
      if (prng.chance(0.1)) bytes = Uint8Array.of(...bytes, ...prng.bytes(prng.int(5)));
      const request = readRequest(bytes);
      if (request === undefined) continue;
      read++;
      assertEquals(request, decodeOne(bytes) as typeof request);
    }
    assert(read > 1000);
  });
});
