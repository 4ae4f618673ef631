// Every decoder, and every check that bytes from strangers pass before a state machine.
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import {
  decodeDatagram,
  type DecodedFrames,
  decodeFrames,
  encodeDatagram,
} from "../../protocol/wire/datagram.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import {
  decodeAcceptContent,
  decodeRequestContent,
  encodeAcceptContent,
  encodeRequestContent,
  hasMac1,
  openCookie,
  PROLOGUE,
} from "../../protocol/session/handshake.ts";
import { Initiator, readMessageOne } from "../../protocol/crypto/noise.ts";
import { Prover } from "../../protocol/crypto/proof.ts";
import { Opener } from "../../protocol/crypto/seal.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import { fuzz, FUZZ_COUNTS, Tally } from "./runner.ts";
import { BODIES, DATAGRAMS, mutate } from "./mutate.ts";
import { naiveDecode, naiveDecodeFrames } from "../reference/naive_codec.ts";
import { randomNumber, randomText } from "../support/random_frame.ts";
import type { Prng } from "../support/random.ts";
import {
  CONTENT,
  DERIVED,
  INPUTS,
  MESSAGES,
  PUBLIC_KEYS,
  SEALED,
  vectorBytes,
} from "../support/vectors.ts";

/** The naive codec, which is slow, decodes one in so many. */
const COMPARE_EVERY = 50;

Deno.test("a full run of the fuzz tests makes 5,000,000 mutations", () => {
  const sum = Object.values<number>(FUZZ_COUNTS).reduce((a, b) => a + b);
  assertGreaterOrEqual(sum, 5_000_000);
});

Deno.test("decodeDatagram() survives any bytes, and reads them as the naive codec does", () => {
  fuzz("datagrams", (prng, count) => {
    const tally = new Tally();
    for (let i = 0; i < count; i++) {
      const bytes = mutate(prng, prng.pick(DATAGRAMS), 16);
      const decoded = decodeDatagram(bytes);
      tally.add(decoded.ok ? decoded.value.sealed ? "sealed" : "ok" : decoded.error.reason);
      if (i % COMPARE_EVERY === 0) assertEquals<unknown>(decoded, naiveDecode([...bytes]));
    }
    tally.assertReached("ok", "sealed", "size", "magic", "version", "type", "packet", "frame");
  });
});

Deno.test("decodeFrames() survives any bytes, and encoding the result decodes to the same", () => {
  fuzz("frames", (prng, count) => {
    const tally = new Tally();
    for (let i = 0; i < count; i++) {
      const bytes = mutate(prng, prng.pick(BODIES), 0);
      const decoded = decodeFrames(bytes);
      tally.add(decoded === undefined ? "frame" : "ok");
      if (i % COMPARE_EVERY === 0) checkFrames(bytes, decoded);
    }
    tally.assertReached("ok", "frame");
  });
});

function checkFrames(bytes: Uint8Array, decoded: DecodedFrames | undefined): void {
  assertEquals<unknown>(decoded, naiveDecodeFrames([...bytes]));
  // Sealed frames are shorter than a datagram.
  if (decoded === undefined || bytes.length > 1184) return;
  const header = { type: DatagramType.Connection, connection: 0, packet: 0 };
  const again = decodeFrames(encodeDatagram(header, decoded.frames).subarray(16));
  assertEquals(again, { frames: decoded.frames, unknownFrames: 0 });
}

Deno.test("decodeRequestContent() and decodeAcceptContent() survive any bytes", () => {
  fuzz("contents", (prng, count) => {
    const tally = new Tally();
    const [u32, name] = [() => randomNumber(prng), () => randomText(prng, 128)];
    for (let i = 0; i < count; i++) {
      const isRequest = i % 2 === 0;
      const rest = { responder: u32(), timestamp: prng.u64(), name: name() };
      const good = isRequest
        ? encodeRequestContent({ ...rest, requester: u32() })
        : encodeAcceptContent({ ...rest, connection: u32() });
      // Mostly of the same size, because others are rejected at once.
      const mutant = mutate(prng, good, 8);
      const bytes = prng.chance(0.9) ? resized(mutant, good.length) : mutant;
      const content = isRequest ? decodeRequestContent(bytes) : decodeAcceptContent(bytes);
      tally.add(content === undefined ? "bad" : "good");
      if (content === undefined) continue;
      const again = "requester" in content
        ? encodeRequestContent(content)
        : encodeAcceptContent(content);
      // The padding after the name is not checked.
      const used = 16 + 1 + new TextEncoder().encode(content.name).length;
      assertSameBytes(again.subarray(0, used), bytes.subarray(0, used));
      assert(bytes.length === good.length);
    }
    tally.assertReached("good", "bad");
  });
});

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(bytes.subarray(0, size));
  return whole;
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function assertSameBytes(a: Uint8Array, b: Uint8Array): void {
  if (!isSameBytes(a, b)) assertEquals(a, b);
}

/** A mutant of the bytes that differs from them. */
function altered(prng: Prng, bytes: Uint8Array, offset: number): Uint8Array {
  for (;;) {
    const mutant = mutate(prng, bytes, offset);
    if (!isSameBytes(mutant, bytes)) return mutant;
  }
}

Deno.test("hasMac1() takes no altered Connection Request", () => {
  const request = vectorBytes("Connection Request");
  const key = PUBLIC_KEYS.responderStatic;
  assert(hasMac1(request, key));
  fuzz("requestCodes", (prng, count) => {
    for (let i = 0; i < count; i++) {
      const mutant = altered(prng, request, 16);
      // It does not check mac2.
      const isSame = mutant.length === 299 &&
        isSameBytes(mutant.subarray(0, 283), request.subarray(0, 283));
      assertEquals(hasMac1(mutant, key), isSame);
      assertEquals(hasMac1(resized(mutant, 299).fill(7, 282, 283), key), false);
    }
  });
});

Deno.test("openCookie() opens nothing but the answer to this very request", () => {
  const mac1 = vectorBytes("Connection Request").subarray(267, 283);
  const key = PUBLIC_KEYS.responderStatic;
  const reply = vectorBytes("Cookie Reply").subarray(16);
  const open = (bytes: Uint8Array, code: Uint8Array): Uint8Array | undefined => {
    const decoded = decodeFrames(bytes);
    const frame = decoded?.frames[0];
    return frame?.kind === "cookieReply" ? openCookie(frame, key, code) : undefined;
  };
  assertSameBytes(open(reply, mac1)!, DERIVED.cookie);
  const tally = new Tally();
  fuzz("cookies", (prng, count) => {
    for (let i = 0; i < count; i++) {
      const mutant = resized(altered(prng, reply, 0), reply.length);
      const isSame = isSameBytes(mutant, reply);
      const cookie = open(mutant, isSame ? mac1.toReversed() : mac1);
      tally.add(mutant[0] === 0x2a ? "tried" : "other");
      assertEquals(cookie, undefined);
    }
  });
  tally.assertReached("tried");
});

Deno.test("Prover.isProven() takes no altered datagram", () => {
  const prover = new Prover(INPUTS.directorySecret);
  const datagram = vectorBytes("Lease Keepalive, to a private directory");
  assert(prover.isProven(datagram));
  fuzz("proofs", (prng, count) => {
    for (let i = 0; i < count; i++) {
      assertEquals(prover.isProven(altered(prng, datagram, 16)), false);
    }
  });
});

Deno.test("Opener.open() opens no altered datagram, nor one a second time", () => {
  fuzz("seals", (prng, count) => {
    const openers = SEALED.map(({ key, header }) =>
      new Opener(key, header.type === DatagramType.Handshake ? Infinity : undefined)
    );
    const open = (index: number, bytes: Uint8Array): Uint8Array | undefined => {
      const decoded = decodeDatagram(bytes);
      if (!decoded.ok || decoded.value.sealed === undefined) return undefined;
      return openers[index]!.open(
        decoded.value.header.packet,
        bytes.subarray(0, 16),
        decoded.value.sealed,
      );
    };
    const datagrams = SEALED.map(({ bytes }) => bytes);
    const shift = prng.int(SEALED.length);
    for (let i = 0; i < count; i++) {
      const index = (i + shift) % SEALED.length;
      assertEquals(open(index, altered(prng, datagrams[index]!, 16)), undefined);
    }
    // They still open each valid datagram once.
    for (const [index, { plain }] of SEALED.entries()) {
      assertSameBytes(open(index, datagrams[index]!)!, plain);
      assertEquals(open(index, datagrams[index]!), undefined);
    }
  });
});

Deno.test("readMessageOne() reads no altered message, whatever the keys in it", () => {
  const local = new KeyPair(INPUTS.responderStatic);
  const message = MESSAGES.one;
  assert(readMessageOne(local, message, PROLOGUE) !== undefined);
  fuzz("messageOne", (prng, count) => {
    for (let i = 0; i < count; i++) {
      assertEquals(readMessageOne(local, altered(prng, message, 0), PROLOGUE), undefined);
    }
  });
});

Deno.test("Initiator.readMessageTwo() reads no altered message", () => {
  const local = new KeyPair(INPUTS.requesterStatic);
  const ephemeral = new KeyPair(INPUTS.requesterEphemeral);
  const remote = PUBLIC_KEYS.responderStatic;
  const { requester, responder, timestamp } = CONTENT;
  const payload = encodeRequestContent({
    requester: requester.id,
    responder: responder.id,
    timestamp,
    name: requester.name,
  });
  const read = (message: Uint8Array): Uint8Array | undefined => {
    const initiator = new Initiator(local, ephemeral, remote, PROLOGUE);
    initiator.writeMessageOne(payload);
    return initiator.readMessageTwo(message)?.hash;
  };
  const message = MESSAGES.two;
  assertSameBytes(read(message)!, DERIVED.hash);
  fuzz("messageTwo", (prng, count) => {
    for (let i = 0; i < count; i++) assertEquals(read(altered(prng, message, 0)), undefined);
  });
});
