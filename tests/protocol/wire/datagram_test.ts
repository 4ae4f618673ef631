import { failure, type Result, success } from "../../../protocol/result.ts";
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  DatagramWriter,
  decodeDatagram,
  type DecodedDatagram,
  type DecodedFrames,
  type DecodeError,
  decodeFrames,
  encodeDatagram,
  encodeVersionAnswer,
} from "../../../protocol/wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Header,
} from "../../../protocol/wire/frame.ts";
import {
  naiveDecode,
  naiveDecodeFrames,
  naiveEncode,
  naiveEncodeFrames,
} from "../../reference/naive_codec.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { KINDS, randomFrame, randomHeader } from "../../support/random_frame.ts";
import { fromHex } from "../../support/hex.ts";
import { formatCount, IS_FULL, scaled } from "../../support/scale.ts";
import { SEALED, type Vector, VECTORS } from "../../support/vectors.ts";

type Decoded = Result<DecodedDatagram, DecodeError>;

const HEADER: Header = { type: DatagramType.Request, connection: 7, packet: 1 };
const SEALED_TYPES: readonly number[] = [DatagramType.Handshake, DatagramType.Connection];

/** What decoding bad bytes gives. */
function rejected(reason: Exclude<DecodeError["reason"], "version">): Decoded {
  return failure({ reason });
}

/** What decoding a vector is to give. */
function expected(
  { header, frames, unknownFrames, version }: Vector,
): Decoded | DecodedFrames | undefined {
  if (header === undefined) return { frames: [...frames], unknownFrames };
  if (version !== undefined) return failure({ reason: "version", version, header });
  return success({ header, frames: [...frames], unknownFrames });
}

/** A vector's bytes decoded: a datagram, or what is sealed in one. */
function decode({ header }: Vector, bytes: Uint8Array): Decoded | DecodedFrames | undefined {
  return header === undefined ? decodeFrames(bytes) : decodeDatagram(bytes);
}

/** Whether two values are equal in depth; much faster than assertEquals(). */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (a instanceof Uint8Array !== b instanceof Uint8Array) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) =>
    isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
  );
}

/** Decodes with both codecs, which must agree. `numbers` are the same bytes. */
function decodeBoth(bytes: Uint8Array, what: string, numbers = Array.from(bytes)): Decoded {
  const real = decodeDatagram(bytes);
  const naive = naiveDecode(numbers);
  if (!isSame(real, naive)) assertEquals<unknown>(real, naive, `${what}: ${hex(bytes)}`);
  return real;
}

/** The same for what is sealed. */
function decodeFramesBoth(
  bytes: Uint8Array,
  what: string,
  numbers = Array.from(bytes),
): DecodedFrames | undefined {
  const real = decodeFrames(bytes);
  const naive = naiveDecodeFrames(numbers);
  if (!isSame(real, naive)) assertEquals<unknown>(real, naive, `${what}: ${hex(bytes)}`);
  return real;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** The lengths at which a frame of these bytes has just ended. */
function frameEnds(bytes: Uint8Array, start: number): number[] {
  const ends = [start];
  for (let end = start; end < bytes.length;) {
    end += 3 + 256 * bytes[end + 1]! + bytes[end + 2]!;
    ends.push(end);
  }
  return ends;
}

Deno.test("VECTORS hold every kind of frame", () => {
  const kinds = new Set(
    VECTORS.flatMap((v) => [...v.frames, ...v.encoded]).map((f) => f.kind),
  );
  assertEquals([...kinds].sort(), [...KINDS].sort());
});

Deno.test("decodeDatagram() and decodeFrames() read every vector, and so does the naive codec", () => {
  for (const vector of VECTORS) {
    const { bytes } = vector;
    assertEquals(decode(vector, bytes), expected(vector), vector.name);
    const naive = vector.header === undefined ? naiveDecodeFrames : naiveDecode;
    assertEquals<unknown>(naive([...bytes]), expected(vector), vector.name);
  }
});

Deno.test("encodeDatagram() writes every vector, and so does the naive codec", () => {
  for (const { name, bytes, header, encoded, unknownFrames, version } of VECTORS) {
    if (unknownFrames > 0 || version !== undefined) continue;
    const real = encodeDatagram(header ?? HEADER, encoded);
    const naive = Uint8Array.from(naiveEncode(header ?? HEADER, encoded));
    const start = header === undefined ? 16 : 0;
    assertEquals(hex(real.subarray(start)), hex(bytes), name);
    assertEquals(hex(naive.subarray(start)), hex(bytes), name);
  }
});

Deno.test("decodeDatagram() leaves sealed frames as they are", () => {
  for (const { name, bytes, header } of SEALED) {
    for (let size = 16; size <= bytes.length; size++) {
      const sealed = bytes.subarray(16, size);
      assertEquals(decodeBoth(bytes.subarray(0, size), name), success({ header, sealed }));
    }
  }
});

Deno.test("decodeDatagram() rejects every truncation but where a frame ends", () => {
  for (const vector of VECTORS) {
    const { bytes } = vector;
    const whole = decode(vector, bytes);
    const start = vector.header === undefined ? 0 : 16;
    const ends = frameEnds(bytes, start);
    for (let size = 0; size < bytes.length; size++) {
      const part = bytes.subarray(0, size);
      const cut = start === 0 ? decodeFramesBoth(part, vector.name) : decodeBoth(part, vector.name);
      const what = `${vector.name}, cut to ${size} bytes`;
      assertEquals(framesOf(cut) !== undefined, ends.includes(size), what);
      const frames = framesOf(cut);
      if (frames !== undefined) {
        assertEquals(frames, framesOf(whole)?.slice(0, frames.length));
      } else if (cut !== undefined && "error" in cut) {
        assertEquals(cut.error.reason, size < start ? "size" : "frame");
      }
    }
  }
});

function framesOf(decoded: Decoded | DecodedFrames | undefined): readonly Frame[] | undefined {
  if (decoded === undefined || "frames" in decoded) return decoded?.frames;
  return decoded.ok ? decoded.value.sealed === undefined ? decoded.value.frames : [] : undefined;
}

/** Checks every changed byte; in a slice, every flipped bit. `check` gets the same bytes twice. */
function changeEach(
  original: Uint8Array,
  check: (bytes: Uint8Array, numbers: number[]) => void,
): void {
  const bytes = original.slice();
  const numbers = Array.from(original);
  for (const [at, byte] of original.entries()) {
    // The middle of the longest text is the same character over and over: flipped bits will do.
    const isMiddle = at >= 256 && at < bytes.length - 256;
    const isBits = isMiddle || !IS_FULL;
    for (let change = 1; change < 256; change = isBits ? change * 2 : change + 1) {
      bytes[at] = numbers[at] = byte ^ change;
      check(bytes, numbers);
    }
    bytes[at] = numbers[at] = byte;
  }
}

const CHANGE = IS_FULL ? "change of a single byte" : "flipped bit";

Deno.test(`decodeDatagram() agrees with the naive codec on every ${CHANGE}`, () => {
  for (const { name, bytes, header } of [...VECTORS, ...SEALED]) {
    const both = header === undefined ? decodeFramesBoth : decodeBoth;
    changeEach(bytes, (changed, numbers) => both(changed, name, numbers));
  }
});

function checkRandomDatagrams(prng: Prng, frameCount: number): void {
  for (let left = frameCount; left > 0;) {
    const header = randomHeader(prng);
    const frames = Array.from({ length: 1 + prng.int(4) }, () => randomFrame(prng));
    left -= frames.length;
    const naive = Uint8Array.from(naiveEncode(header, frames));
    if (naive.length > DATAGRAM_SIZE_MAX) {
      assertThrows(() => encodeDatagram(header, frames), RangeError, "the datagram is full");
      continue;
    }
    const bytes = encodeDatagram(header, frames);
    assertEquals(hex(bytes), hex(naive));
    const kept = frames.filter((frame) => frame.kind !== "padding");
    const decoded = decodeBoth(bytes, "random frames");
    const body = bytes.subarray(16);
    const wanted: Decoded = SEALED_TYPES.includes(header.type)
      ? success({ header, sealed: body })
      : success({ header, frames: kept, unknownFrames: 0 });
    if (!isSame(decoded, wanted)) assertEquals(decoded, wanted);
    const opened = decodeFramesBoth(body, "random frames");
    if (!isSame(opened, { frames: kept, unknownFrames: 0 })) {
      assertEquals(opened, { frames: kept, unknownFrames: 0 });
    }
    assertEquals(hex(body), hex(Uint8Array.from(naiveEncodeFrames(frames))));
  }
}

const RANDOM_FRAMES = scaled(100_000, 5_000);

Deno.test(`decodeDatagram() gives ${formatCount(RANDOM_FRAMES)} random frames back`, () => {
  for (const seed of [1, seedFromEnv()]) {
    withSeed(seed, (prng) => checkRandomDatagrams(prng, RANDOM_FRAMES / 2));
  }
});

Deno.test("decodeDatagram() rejects a datagram over 1200 bytes", () => {
  const longest = encodeDatagram(HEADER, [], DATAGRAM_SIZE_MAX);
  assertEquals(longest.length, 1200);
  assert(decodeBoth(longest, "longest").ok);
  const bytes = new Uint8Array(1201);
  bytes.set(longest);
  bytes[18]!++;
  assertEquals(decodeBoth(bytes, "over-long"), rejected("size"));
});

Deno.test("decodeDatagram() rejects another magic and an unknown type", () => {
  const bytes = encodeDatagram(HEADER, [{ kind: "connectionKeepalive" }]);
  assertEquals(decodeBoth(bytes.with(0, 0x74), "magic"), rejected("magic"));
  assertEquals(decodeBoth(bytes.with(1, 0x64), "magic"), rejected("magic"));
  for (const type of [0, 7, 254]) {
    assertEquals(decodeBoth(bytes.with(3, type), "type"), rejected("type"));
  }
});

Deno.test("decodeDatagram() reports another version, whatever follows the header", () => {
  for (const version of [0, 2, 255]) {
    const bytes = fromHex("7563 01 09 00000007 0000000000000001 24ffff").with(2, version);
    const header = { type: 9, connection: 7, packet: 1 };
    const decoded = decodeBoth(bytes, "version");
    assertEquals<unknown>(decoded, failure({ reason: "version", version, header }));
  }
});

Deno.test("decodeDatagram() rejects bytes after the last frame", () => {
  const bytes = encodeDatagram(HEADER, [{ kind: "connectionKeepalive" }]);
  for (const tail of [[0], [0, 0], [0, 0, 1]]) {
    const longer = Uint8Array.from([...bytes, ...tail]);
    assertEquals(decodeBoth(longer, "trailing"), rejected("frame"));
  }
});

Deno.test("decodeDatagram() rejects a frame that is longer than its fields", () => {
  for (const kind of KINDS) {
    // These go on to the end of the frame.
    const isOpen = ["padding", "message", "connectionRequest", "connectionAccept"].includes(kind);
    if (isOpen) continue;
    withSeed(2, (prng) => {
      const bytes = encodeDatagram(HEADER, [randomFrame(prng, kind)]);
      const longer = Uint8Array.from([...bytes, 0]);
      new DataView(longer.buffer).setUint16(17, bytes.length - 16 - 3 + 1);
      assertEquals(decodeBoth(longer, kind), rejected("frame"));
    });
  }
});

Deno.test("decodeDatagram() rejects bad UTF-8", () => {
  const bad = ["80", "c3", "c080", "e0a080e0", "ed a0 80", "f4 90 80 80", "f8 88 80 80 80", "ff"];
  for (const digits of bad) {
    const text = fromHex(digits);
    const bytes = encodeDatagram(HEADER, [
      { kind: "message", seq: 0, sender: 1, flags: 0, text: "?".repeat(text.length) },
    ]);
    bytes.set(text, bytes.length - text.length);
    assertEquals(decodeBoth(bytes, digits), rejected("frame"));
  }
});

Deno.test("decodeDatagram() rejects an address without a port or of another family", () => {
  const seenAt = { hostname: "192.0.2.7", port: 40000 };
  const token = new Uint8Array(16);
  const bytes = encodeDatagram(HEADER, [
    { kind: "registered", nonce: 1n, token, id: 1, lease: 45000, seenAt },
  ]);
  const [familyAt, portAt] = [bytes.length - 7, bytes.length - 2];
  assert(decodeBoth(bytes, "address").ok);
  for (const family of [0, 5, 16]) {
    const decoded = decodeBoth(bytes.with(familyAt, family), "family");
    assertEquals(decoded, rejected("frame"));
  }
  const withoutPort = bytes.with(portAt, 0).with(portAt + 1, 0);
  assertEquals(decodeBoth(withoutPort, "port"), rejected("frame"));
});

Deno.test("decodeDatagram() keeps a byte order mark and zeros in a text", () => {
  const frame: Frame = { kind: "message", seq: 0, sender: 1, flags: 0, text: "\ufeffa\0b\ufeff" };
  const decoded = decodeBoth(encodeDatagram(HEADER, [frame]), "byte order mark");
  assertEquals(decoded, success({ header: HEADER, frames: [frame], unknownFrames: 0 }));
});

Deno.test("decodeDatagram() reads a datagram at any offset of a buffer", () => {
  const buffer = new Uint8Array(2000).fill(0xee);
  for (const vector of VECTORS) {
    const { bytes } = vector;
    buffer.set(bytes, 333);
    const view = buffer.subarray(333, 333 + bytes.length);
    assertEquals(decode(vector, view), expected(vector), vector.name);
  }
});

Deno.test("encodeDatagram() pads to the size asked for", () => {
  const frames: Frame[] = [{ kind: "connectionKeepalive" }];
  for (const size of [0, 19, 22, 23, 160, 1200]) {
    const bytes = encodeDatagram(HEADER, frames, size);
    assertEquals(bytes.length, Math.max(size, 19));
    assertEquals(hex(bytes), hex(Uint8Array.from(naiveEncode(HEADER, frames, size))));
  }
  // A frame has three bytes at least.
  assertEquals(encodeDatagram(HEADER, frames, 20).length, 22);
});

Deno.test("encodeDatagram() throws where the frames do not fit", () => {
  const frames: Frame[] = [{ kind: "padding", size: 1182 }];
  assertThrows(() => encodeDatagram(HEADER, frames), RangeError, "padding");
});

Deno.test("DatagramWriter.add() takes a frame that just fits and refuses it one byte later", () => {
  const writer = new DatagramWriter();
  for (const frame of VECTORS.flatMap((vector) => vector.frames)) {
    const size = naiveEncode(HEADER, [frame]).length - 16;
    const filler: Frame = { kind: "padding", size: 1200 - 16 - 3 - size };
    if (filler.size < 0) continue;
    writer.start(HEADER);
    assert(writer.add(filler));
    assert(writer.add(frame), frame.kind);
    assertEquals(writer.size, 1200);
    assertEquals(hex(writer.finish()), hex(Uint8Array.from(naiveEncode(HEADER, [filler, frame]))));

    const longer: Frame = { kind: "padding", size: filler.size + 1 };
    writer.start(HEADER);
    assert(writer.add(longer));
    const before = hex(writer.finish());
    assertFalse(writer.add(frame), frame.kind);
    assertEquals(hex(writer.finish()), before);
  }
});

Deno.test("DatagramWriter.add() leaves the datagram usable when it refuses or throws", () => {
  const writer = new DatagramWriter();
  const small: Frame = { kind: "message", seq: 1, sender: 2, flags: 0, text: "é" };
  writer.start(HEADER);
  assert(writer.add(small));
  assertFalse(writer.add({ ...small, text: "é".repeat(580) }));
  assertThrows(
    () => writer.add({ kind: "inactive", nonce: 1n, id: 2, name: "é".repeat(128) }),
    TypeError,
  );
  assertThrows(
    () => writer.add({ kind: "challenge", nonce: 1n, cookie: new Uint8Array(15) }),
    TypeError,
  );
  const address = { hostname: "localhost", port: 1 };
  const publicKey = new Uint8Array(32);
  assertThrows(
    () => writer.add({ kind: "found", nonce: 1n, id: 1, name: "", address, publicKey }),
    TypeError,
    "localhost",
  );
  assert(writer.add(small));
  assertEquals(hex(writer.finish()), hex(encodeDatagram(HEADER, [small, small])));
});

Deno.test("DatagramWriter.start() uses its buffer again and leaves nothing of what was there", () => {
  const writer = new DatagramWriter();
  writer.start({ type: DatagramType.Request, connection: 2 ** 32 - 1, packet: 2 ** 53 - 1 });
  for (let i = 0; i < 10; i++) {
    writer.add({ kind: "message", seq: 9, sender: 9, flags: 255, text: "x".repeat(99) });
  }
  const first = writer.finish();
  writer.start(HEADER);
  writer.add({ kind: "connectionKeepalive" });
  writer.padTo(160);
  const second = writer.finish();
  assertEquals(hex(second), hex(encodeDatagram(HEADER, [{ kind: "connectionKeepalive" }], 160)));
  assertEquals(second.buffer, first.buffer);
  assertEquals(hex(first.subarray(0, 160)), hex(second));
});

Deno.test("decodeDatagram() takes a packet counter of 2^53 - 1 and rejects a higher one", () => {
  const bytes = encodeDatagram({ ...HEADER, packet: 2 ** 53 - 1 }, []);
  assert(decodeDatagram(bytes).ok);
  for (const [offset, value] of [[9, 0x20], [8, 0x80]] as const) {
    const reason = "packet";
    assertEquals(decodeBoth(bytes.with(offset, value), reason), rejected(reason));
  }
});

Deno.test("encodeVersionAnswer() echoes the connection id and the packet counter in 16 bytes", () => {
  const answer = encodeVersionAnswer({ type: 77 as DatagramType, connection: 5, packet: 2 ** 40 });
  assertEquals(hex(answer), "75 63 01 ff 00 00 00 05 00 00 01 00 00 00 00 00");
});
