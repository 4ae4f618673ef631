// Every decoder, and every check that bytes from strangers pass before a state machine.
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { readMessageOne } from "../../protocol/crypto/noise.ts";
import { Opener } from "../../protocol/crypto/seal.ts";
import { openAnswer, openRequest } from "../../protocol/directory/registration_key.ts";
import { hasMac1, mac1Key, openCookie } from "../../protocol/session/macs.ts";
import { PROLOGUE } from "../../protocol/session/outgoing_handshake.ts";
import {
  type Datagram,
  DatagramWriter,
  decodeDatagram,
  decodeFrames,
  encodeDatagram,
} from "../../protocol/wire/datagram.ts";
import { readCommonRequest } from "../../protocol/wire/directory_request.ts";
import { DatagramType, type Frame, HEADER_SIZE } from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";
import { randomFrame } from "../support/random_frame.ts";
import { ADDRESS, BODIES, DATAGRAMS, HANDSHAKE, PACKETS, REGISTRATION } from "./corpus.ts";
import { mutate } from "./mutate.ts";
import { fuzz, FUZZ_COUNTS, Tally } from "./runner.ts";

/** One in so many is encoded again, which is slow. */
const CHECK_EVERY = 50;
/** Where the codes of an Initiation begin: mac1, then mac2. */
const MAC1_AT = 154 - 32;
const MAC2_AT = 154 - 16;

Deno.test("a full run of the fuzz tests makes 5,000,000 mutations", () => {
  const sum = Object.values<number>(FUZZ_COUNTS).reduce((a, b) => a + b);
  assertGreaterOrEqual(sum, 5_000_000);
});

Deno.test("decodeDatagram() survives any bytes, and encoding the result decodes to the same", () => {
  fuzz("datagrams", (prng, count) => {
    const tally = new Tally();
    for (let i = 0; i < count; i++) {
      const bytes = mutate(prng, prng.pick(DATAGRAMS), HEADER_SIZE);
      const decoded = decodeDatagram(bytes);
      if (!decoded.ok) {
        tally.add(decoded.error.reason);
        continue;
      }
      const { sealedAt, frames, header } = decoded.value;
      tally.add(sealedAt < bytes.length ? "sealed" : "clear");
      assert(sealedAt >= HEADER_SIZE && sealedAt <= bytes.length);
      if (i % CHECK_EVERY === 0) checkFrames(bytes.subarray(HEADER_SIZE, sealedAt), { frames });
      assert(Object.values(DatagramType).includes(header.type));
    }
    tally.assertReached("clear", "sealed", "size", "magic", "version", "type", "packet", "frame");
  });
});

Deno.test("decodeFrames() survives any bytes, and encoding the result decodes to the same", () => {
  fuzz("frames", (prng, count) => {
    const tally = new Tally();
    for (let i = 0; i < count; i++) {
      const bytes = mutate(prng, prng.pick(BODIES), 0);
      const decoded = decodeFrames(bytes);
      tally.add(decoded === undefined ? "frame" : "ok");
      if (i % CHECK_EVERY === 0 && decoded !== undefined) checkFrames(bytes, decoded);
    }
    tally.assertReached("ok", "frame");
  });
});

function checkFrames(bytes: Uint8Array, { frames }: { frames: readonly Frame[] }): void {
  // Frames of unknown types and Padding are left out, so that it cannot be larger.
  const writer = new DatagramWriter(HEADER_SIZE + bytes.length);
  writer.start({ type: DatagramType.Packet, session: 0, packet: 0 });
  for (const frame of frames) assert(writer.add(frame), `no room for the ${frame.kind} frame`);
  const again = writer.finish();
  assertEquals(decodeFrames(again.subarray(HEADER_SIZE)), {
    frames: [...frames],
    unknownFrames: 0,
  });
}

Deno.test("readCommonRequest() reads a request as decodeFrames() does, or not at all", () => {
  fuzz("commonRequests", (prng, count) => {
    const tally = new Tally();
    for (let i = 0; i < count; i++) {
      const kind = prng.chance(0.8) ? "lookUp" : "leaseKeepalive";
      const header = { type: DatagramType.Request, session: 0, packet: 0 };
      const good = encodeDatagram(header, [randomFrame(prng, kind)]).subarray(HEADER_SIZE);
      const bytes = prng.chance(0.3) ? good : mutate(prng, good, 0);
      const frame = readCommonRequest(bytes);
      tally.add(frame?.kind ?? "none");
      if (frame !== undefined) {
        assertEquals(decodeFrames(bytes), { frames: [frame], unknownFrames: 0 });
      }
    }
    tally.assertReached("lookUp", "leaseKeepalive", "none");
  });
});

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const whole = new Uint8Array(size);
  whole.set(bytes.subarray(0, size));
  return whole;
}

/** A mutant of the bytes that differs from them. */
function altered(prng: Prng, bytes: Uint8Array, offset: number): Uint8Array {
  for (;;) {
    const mutant = mutate(prng, bytes, offset);
    if (!isSameBytes(mutant, bytes)) return mutant;
  }
}

/** What a mutant of a datagram decodes to, where it still does. */
function decode(bytes: Uint8Array): Datagram | undefined {
  const decoded = decodeDatagram(bytes);
  return decoded.ok ? decoded.value : undefined;
}

Deno.test("hasMac1() takes no altered Initiation", () => {
  const { initiation, responder: { publicKey } } = HANDSHAKE;
  const key = mac1Key(publicKey);
  assert(hasMac1(initiation, key));
  fuzz("mac1", (prng, count) => {
    for (let i = 0; i < count; i++) {
      const mutant = resized(altered(prng, initiation, HEADER_SIZE), initiation.length);
      // It does not check mac2.
      const isSame = (): boolean =>
        isSameBytes(mutant.subarray(0, MAC2_AT), initiation.subarray(0, MAC2_AT));
      assertEquals(hasMac1(mutant, key), isSame());
      mutant[prng.int(MAC2_AT - MAC1_AT) + MAC1_AT]! ^= 1 << prng.int(8);
      // The mutant may have been just this bit away from the original.
      assertEquals(hasMac1(mutant, key), isSame());
    }
  });
});

Deno.test("openCookie() opens nothing but the answer to this very Initiation", () => {
  const { initiation, cookie, responder: { publicKey } } = HANDSHAKE;
  const reply = cookie.subarray(HEADER_SIZE);
  const open = (bytes: Uint8Array, to: Uint8Array): Uint8Array | undefined => {
    const frame = decodeFrames(bytes)?.frames[0];
    return frame?.kind === "cookieReply" ? openCookie(frame, publicKey, to) : undefined;
  };
  assert(open(reply, initiation) !== undefined);
  const other = initiation.with(MAC1_AT, initiation[MAC1_AT]! ^ 1);
  const tally = new Tally();
  fuzz("cookies", (prng, count) => {
    for (let i = 0; i < count; i++) {
      const mutant = resized(altered(prng, reply, 0), reply.length);
      const isSame = isSameBytes(mutant, reply);
      assertEquals(open(mutant, isSame ? other : initiation), undefined);
      tally.add(mutant[0] === reply[0] ? "tried" : "other");
    }
  });
  tally.assertReached("tried");
});

Deno.test("a private directory and its clients take no altered Register or Challenge", () => {
  const { secret, signed } = REGISTRATION;
  const clear = 16 + 75;
  for (const bytes of signed) assert(secret.isSigned(bytes));
  fuzz("directoryMacs", (prng, count) => {
    for (let i = 0; i < count; i++) {
      const original = prng.pick(signed);
      const mutant = resized(altered(prng, original, HEADER_SIZE), original.length);
      // What is sealed after it is not covered.
      const isSame = isSameBytes(mutant.subarray(0, clear), original.subarray(0, clear));
      assertEquals(secret.isSigned(mutant), isSame);
    }
  });
});

Deno.test("no altered Register, Request or Answer opens, nor one as if it went the other way", () => {
  const { key, requests, answers } = REGISTRATION;
  for (const bytes of requests) assert(openRequest(key, decode(bytes)!) !== undefined);
  for (const bytes of answers) assert(openAnswer(key, decode(bytes)!) !== undefined);
  const tally = new Tally();
  fuzz("registrations", (prng, count) => {
    for (let i = 0; i < count; i++) {
      const isRequest = prng.chance(0.5);
      const original = prng.pick(isRequest ? requests : answers);
      const [open, openOther] = isRequest ? [openRequest, openAnswer] : [openAnswer, openRequest];
      assertEquals(openOther(key, decode(original)!), undefined);
      const datagram = decode(altered(prng, original, HEADER_SIZE));
      tally.add(datagram === undefined ? "other" : "tried");
      if (datagram !== undefined) assertEquals(open(key, datagram), undefined);
    }
  });
  tally.assertReached("tried");
});

Deno.test("Opener.open() opens no altered Packet, nor one a second time", () => {
  const { key, bytes: packets } = PACKETS;
  fuzz("packets", (prng, count) => {
    const opener = new Opener(key);
    const open = (bytes: Uint8Array): Uint8Array | undefined => {
      const datagram = decode(bytes);
      const isPacket = datagram?.header.type === DatagramType.Packet;
      return isPacket ? opener.open(datagram.header.packet, bytes) : undefined;
    };
    for (let i = 0; i < count; i++) {
      const original = prng.pick(packets);
      const mutant = altered(prng, original, HEADER_SIZE);
      assertEquals(open(mutant), undefined);
      const datagram = decode(mutant);
      if (datagram !== undefined) {
        assertEquals(opener.isAuthentic(datagram.header.packet, mutant), false);
      }
    }
    // It still opens each that was not altered, once.
    for (const bytes of packets) {
      assert(open(bytes) !== undefined);
      assertEquals(open(bytes), undefined);
    }
  });
});

Deno.test("readMessageOne() reads no altered message, whatever the keys in it", () => {
  const { responder, messages: { one } } = HANDSHAKE;
  assert(readMessageOne(responder, one, PROLOGUE) !== undefined);
  fuzz("messageOne", (prng, count) => {
    for (let i = 0; i < count; i++) {
      assertEquals(readMessageOne(responder, altered(prng, one, 0), PROLOGUE), undefined);
    }
  });
});

Deno.test("OutgoingHandshake.handleResponse() takes no altered Response, and the true one after it", () => {
  const { outgoing, messages: { two } } = HANDSHAKE;
  const handle = (messageTwo: Uint8Array): unknown =>
    outgoing.handleResponse(0, { kind: "response", messageTwo }, ADDRESS);
  fuzz("messageTwo", (prng, count) => {
    for (let i = 0; i < count; i++) assertEquals(handle(altered(prng, two, 0)), undefined);
  });
  assert(handle(two) !== undefined);
});
