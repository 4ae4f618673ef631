import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { failure, success } from "../../../protocol/result.ts";
import {
  decodeDatagram,
  type DecodedFrames,
  type DecodeError,
  decodeFrames,
  encodeDatagram,
  encodeUnknownAnswer,
  encodeVersionAnswer,
} from "../../../protocol/wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Header,
  PACKET_SIZE_MAX,
} from "../../../protocol/wire/frame.ts";
import {
  decodeBoth,
  type Decoded,
  decodeFramesBoth,
  isSame,
  naiveDecoded,
} from "../../reference/agreement.ts";
import {
  naiveDecodeFrames,
  naiveEncode,
  naiveEncodeFrames,
  type NaiveFrame,
} from "../../reference/naive_codec.ts";
import { fromHex } from "../../support/hex.ts";
import { type Prng, seedFromEnv, withSeed } from "../../support/random.ts";
import { KINDS, randomFrame, randomHeader } from "../../support/random_frame.ts";
import { formatCount, IS_FULL, scaled } from "../../support/scale.ts";
import { BAD, SEALED, type Vector, VECTORS } from "../../support/vectors.ts";

/** Of a type whose frames are clear. */
const HEADER: Header = { type: DatagramType.Response, session: 7, packet: 1 };
/** What frames are decoded to, as the naive codec takes them. */
const naive = (frames: readonly Frame[]): readonly NaiveFrame[] =>
  frames as unknown as readonly NaiveFrame[];

/** What decoding bad bytes gives. */
function rejected(reason: Exclude<DecodeError["reason"], "version">): Decoded {
  return failure({ reason });
}

/** A datagram whose frames are all clear. */
function clear(bytes: Uint8Array, header: Header, frames: readonly Frame[]): Decoded {
  return success({ bytes, header, frames, unknownFrames: 0, sealedAt: bytes.length });
}

/** What decoding a vector is to give; `bytes` are its own or a copy. */
function expected(
  { header, frames, unknownFrames, version }: Vector,
  bytes: Uint8Array,
): Decoded | DecodedFrames {
  if (header === undefined) return { frames: [...frames], unknownFrames };
  if (version !== undefined) return failure({ reason: "version", version, header });
  if (header.type === DatagramType.Version) return rejected("type");
  return success({ bytes, header, frames: [...frames], unknownFrames, sealedAt: bytes.length });
}

/** A vector's bytes decoded: a datagram, or what is sealed in one. */
function decode({ header }: Vector, bytes: Uint8Array): Decoded | DecodedFrames | undefined {
  return header === undefined ? decodeFrames(bytes) : decodeDatagram(bytes);
}

function hex(bytes: ArrayLike<number>): string {
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
  const kinds = new Set(VECTORS.flatMap((v) => [...v.frames, ...v.encoded]).map((f) => f.kind));
  assertEquals([...kinds].sort(), [...KINDS].sort());
});

Deno.test("decodeDatagram() and decodeFrames() read every vector, and so does the naive codec", () => {
  for (const vector of VECTORS) {
    const { bytes } = vector;
    assertEquals(decode(vector, bytes), expected(vector, bytes), vector.name);
    const naive = vector.header === undefined ? naiveDecodeFrames([...bytes]) : naiveDecoded(bytes);
    assertEquals<unknown>(naive, expected(vector, bytes), vector.name);
  }
});

Deno.test("encodeDatagram() writes every vector that a sender makes, and so does the naive codec", () => {
  for (const { name, bytes, header, encoded, only } of VECTORS) {
    if (only === "receiver") continue;
    const real = encodeDatagram(header ?? HEADER, encoded);
    const start = header === undefined ? 16 : 0;
    assertEquals(hex(real.subarray(start)), hex(bytes), name);
    const again = naiveEncode(header ?? HEADER, naive(encoded)).slice(start);
    assertEquals(hex(again), hex(bytes), name);
  }
});

Deno.test("decodeDatagram() leaves sealed frames as they are", () => {
  for (const { name, bytes, header } of SEALED) {
    const sealedAt = header.type === DatagramType.Register ? 91 : 16;
    for (let size = sealedAt; size <= bytes.length; size++) {
      const part = bytes.subarray(0, size);
      const decoded = decodeBoth(part, name);
      assert(decoded.ok, name);
      assertEquals(decoded.value.header, header);
      assertEquals([decoded.value.sealedAt, decoded.value.unknownFrames], [sealedAt, 0]);
      assertEquals(
        decoded.value.frames.map(({ kind }) => kind),
        sealedAt > 16 ? ["credentials"] : [],
      );
    }
  }
});

Deno.test("decodeFrames() reads what is sealed in every vector", () => {
  for (const { name, plain, frames } of SEALED) {
    assertEquals(decodeFramesBoth(plain, name)?.frames, frames, name);
  }
});

Deno.test("decodeFrames() takes nothing of frames one of which is bad", () => {
  for (const { name, plain } of BAD) {
    if (plain !== undefined) assertEquals(decodeFramesBoth(plain, name), undefined, name);
  }
});

Deno.test("decodeDatagram() rejects every truncation but where a frame ends", () => {
  for (const vector of VECTORS) {
    const { bytes, version, header } = vector;
    if (version !== undefined || header?.type === DatagramType.Version) continue;
    const whole = framesOf(decode(vector, bytes));
    const start = header === undefined ? 0 : 16;
    // What follows the Credentials is sealed, and they may not be shorter.
    const isRegister = header?.type === DatagramType.Register;
    const ends = isRegister ? [bytes.length] : frameEnds(bytes, start);
    for (let size = 0; size < bytes.length; size++) {
      const part = bytes.subarray(0, size);
      const cut = start === 0 ? decodeFramesBoth(part, vector.name) : decodeBoth(part, vector.name);
      const what = `${vector.name}, cut to ${size} bytes`;
      const frames = framesOf(cut);
      assertEquals(frames !== undefined, ends.includes(size), what);
      if (frames !== undefined) {
        assertEquals(frames, whole?.slice(0, frames.length));
      } else if (cut !== undefined && "error" in cut) {
        assertEquals(cut.error.reason, size < start ? "size" : "frame");
      }
    }
  }
});

function framesOf(decoded: Decoded | DecodedFrames | undefined): readonly Frame[] | undefined {
  if (decoded === undefined || "frames" in decoded) return decoded?.frames;
  return decoded.ok ? decoded.value.frames : undefined;
}

const BITS = [1, 2, 4, 8, 16, 32, 64, 128];
const CHANGES = Array.from({ length: 255 }, (_, index) => index + 1);

/** Checks every changed byte; in a slice, one flipped bit of each. `check` gets the same bytes twice. */
function changeEach(
  original: Uint8Array,
  check: (bytes: Uint8Array, numbers: number[]) => void,
): void {
  const bytes = original.slice();
  const numbers = Array.from(original);
  for (const [at, byte] of original.entries()) {
    // The middle of the longest text is the same character over and over: flipped bits will do.
    const isMiddle = at >= 256 && at < bytes.length - 256;
    const changes = !IS_FULL ? [1 << at % 8] : isMiddle ? BITS : CHANGES;
    for (const change of changes) {
      bytes[at] = numbers[at] = byte ^ change;
      check(bytes, numbers);
    }
    bytes[at] = numbers[at] = byte;
  }
}

const CHANGE = IS_FULL ? "every change of a single byte" : "a flipped bit of each byte";

Deno.test(`decodeDatagram() agrees with the naive codec on ${CHANGE}`, () => {
  for (const { name, bytes, header } of [...VECTORS, ...SEALED]) {
    const both = header === undefined ? decodeFramesBoth : decodeBoth;
    changeEach(bytes, (changed, numbers) => both(changed, name, numbers));
  }
});

/** Where the sealed frames of a datagram begin. */
function sealedAtOf({ type }: Header, length: number): number {
  const { Request, Answer, Notice, Packet, Register } = DatagramType;
  const isSealed = type === Request || type === Answer || type === Notice || type === Packet;
  return isSealed ? 16 : type === Register ? 91 : length;
}

function checkRandomDatagrams(prng: Prng, frameCount: number): void {
  for (let left = frameCount; left > 0;) {
    const header = randomHeader(prng);
    const frames = Array.from({ length: 1 + prng.int(4) }, () => randomFrame(prng));
    left -= frames.length;
    const wanted = Uint8Array.from(naiveEncode(header, naive(frames)));
    if (wanted.length > DATAGRAM_SIZE_MAX) {
      assertThrows(() => encodeDatagram(header, frames), RangeError, "the datagram is full");
      continue;
    }
    const bytes = encodeDatagram(header, frames);
    assertEquals(hex(bytes), hex(wanted));
    const kept = frames.filter((frame) => frame.kind !== "padding");
    const decoded = decodeBoth(bytes, "random frames");
    if (sealedAtOf(header, bytes.length) === bytes.length) {
      const { Version } = DatagramType;
      const right = header.type === Version ? rejected("type") : clear(bytes, header, kept);
      if (!isSame(decoded, right)) assertEquals(decoded, right);
    }
    const opened = decodeFramesBoth(bytes.subarray(16), "random frames");
    if (!isSame(opened, { frames: kept, unknownFrames: 0 })) {
      assertEquals(opened, { frames: kept, unknownFrames: 0 });
    }
    assertEquals(hex(bytes.subarray(16)), hex(naiveEncodeFrames(naive(frames))));
  }
}

const RANDOM_FRAMES = scaled(100_000, 2_000);

Deno.test(`decodeDatagram() gives ${formatCount(RANDOM_FRAMES)} random frames back`, () => {
  for (const seed of [1, seedFromEnv()]) {
    withSeed(seed, (prng) => checkRandomDatagrams(prng, RANDOM_FRAMES / 2));
  }
});

Deno.test("decodeDatagram() rejects a datagram over 1200 bytes, unless it is a Packet", () => {
  for (const type of [1, 2, 3, 4, 5, 6, 7, 254] as const) {
    const longest = encodeDatagram({ ...HEADER, type }, [], DATAGRAM_SIZE_MAX);
    // A Register's first frame is Credentials; a Padding is none, and longer than they are.
    assertEquals(decodeBoth(longest, "longest").ok, type !== DatagramType.Register);
    const longer = new Uint8Array(DATAGRAM_SIZE_MAX + 1);
    longer.set(longest);
    assertEquals(decodeBoth(longer, "over-long"), rejected("size"));
  }
});

Deno.test("decodeDatagram() takes a Packet of 65,488 bytes and rejects a longer one", () => {
  const bytes = new Uint8Array(PACKET_SIZE_MAX + 1);
  bytes.set(encodeDatagram({ ...HEADER, type: DatagramType.Packet }, []));
  assert(decodeBoth(bytes.subarray(0, -1), "longest").ok);
  assertEquals(decodeBoth(bytes, "over-long"), rejected("size"));
});

Deno.test("decodeDatagram() rejects another magic and an unknown type", () => {
  const bytes = encodeDatagram(HEADER, [{ kind: "connectionKeepalive" }]);
  assertEquals(decodeBoth(bytes.with(0, 0x74), "magic"), rejected("magic"));
  assertEquals(decodeBoth(bytes.with(1, 0x64), "magic"), rejected("magic"));
  for (const type of [0, 11, 253]) {
    assertEquals(decodeBoth(bytes.with(3, type), "type"), rejected("type"));
  }
});

Deno.test("decodeDatagram() rejects a Version of this version", () => {
  const bytes = encodeVersionAnswer(HEADER);
  assertEquals(decodeBoth(bytes, "version"), rejected("type"));
  assertFalse(isSame(decodeBoth(bytes.with(2, 2), "version 2"), rejected("type")));
});

Deno.test("decodeDatagram() reports another version, whatever follows the header", () => {
  for (const version of [0, 2, 255]) {
    const bytes = fromHex("7563 01 09 00000007 0000000000000001 24ffff").with(2, version);
    const header = { type: 9, session: 7, packet: 1 };
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
    if (["padding", "message", "carry", "carried"].includes(kind)) continue;
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
  const bytes = encodeDatagram(HEADER, [{
    kind: "registered",
    token,
    id: 1,
    lease: 45000,
    seenAt,
  }]);
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
  const bytes = encodeDatagram(HEADER, [frame]);
  assertEquals(decodeBoth(bytes, "byte order mark"), clear(bytes, HEADER, [frame]));
});

/** What nobody can be called. */
const BAD_NAMES = [
  "ana), known key · accept 2 or reject 2",
  "ana\u2800",
  "ana\u{1d159}",
  "ana\u{13441}",
  "ana\u{16fe4}",
  `a${"\u0301".repeat(60)}`,
  "\u0301ana",
  "a b",
  "7",
  "аna",
];

/** The frames that tell who a client is. */
function tellingFrames(name: string): Frame[] {
  const [id, publicKey, address] = [7, new Uint8Array(32), { hostname: "192.0.2.1", port: 1 }];
  return [
    { kind: "found", id, name, address, publicKey },
    { kind: "meeting", number: 1n, flags: 0, id, name, publicKey, addresses: [address] },
    { kind: "listing", more: 0, clients: [{ id: 1, name: "bob" }, { id, name }] },
    { kind: "connectionRequest", request: 1, requester: id, responder: 1, name },
    { kind: "connectionAccept", responder: id, flags: 0, name },
  ];
}

Deno.test("decodeFrames() reads a name that is not good as none, whoever tells it", () => {
  for (const name of BAD_NAMES) {
    for (const [index, frame] of tellingFrames(name).entries()) {
      const bytes = encodeDatagram(HEADER, [frame]).subarray(16);
      const expected = { frames: [tellingFrames("")[index]], unknownFrames: 0 };
      assertEquals<unknown>(decodeFramesBoth(bytes, name), expected, name);
    }
  }
});

Deno.test("decodeFrames() leaves a name that is asked for as it is: its answer says what is wrong", () => {
  for (const name of BAD_NAMES) {
    for (const kind of ["lookUp", "call", "inactive"] as const) {
      const bytes = encodeDatagram(HEADER, [{ kind, id: 0, name }]).subarray(16);
      assertEquals(decodeFramesBoth(bytes, name)?.frames, [{ kind, id: 0, name }]);
    }
  }
});

Deno.test("decodeDatagram() reads a datagram at any offset of a buffer", () => {
  const buffer = new Uint8Array(2000).fill(0xee);
  for (const vector of VECTORS) {
    const { bytes } = vector;
    buffer.set(bytes, 333);
    const view = buffer.subarray(333, 333 + bytes.length);
    assertEquals(decode(vector, view), expected(vector, view), vector.name);
  }
});

Deno.test("encodeDatagram() pads to the size asked for", () => {
  const frames: Frame[] = [{ kind: "connectionKeepalive" }];
  for (const size of [0, 19, 22, 23, 160, 1200]) {
    const bytes = encodeDatagram(HEADER, frames, size);
    assertEquals(bytes.length, Math.max(size, 19));
    const wanted = naiveEncodeFrames(naive(frames), size - 16);
    assertEquals(hex(bytes.subarray(16)), hex(wanted));
  }
  // A frame has three bytes at least.
  assertEquals(encodeDatagram(HEADER, frames, 20).length, 22);
});

Deno.test("encodeDatagram() throws where the frames do not fit", () => {
  const frames: Frame[] = [{ kind: "padding", size: 1182 }];
  assertThrows(() => encodeDatagram(HEADER, frames), RangeError, "padding");
});

Deno.test("encodeVersionAnswer() and encodeUnknownAnswer() echo the header, and nothing else", () => {
  const header = { type: 77 as DatagramType, session: 5, packet: 2 ** 40 };
  const echo = "00 00 00 05 00 00 01 00 00 00 00 00";
  assertEquals(hex(encodeVersionAnswer(header)), `75 63 01 ff ${echo}`);
  assertEquals(hex(encodeUnknownAnswer(header)), `75 63 01 fe ${echo}`);
});

Deno.test("decodeDatagram() takes a packet counter of 2^53 - 1 and rejects a higher one", () => {
  for (const type of [1, 2, 3, 4, 5, 6, 7, 8, 254] as const) {
    const header = { ...HEADER, type, packet: 2 ** 53 - 1 };
    const bytes = encodeDatagram(header, [{ kind: "padding", size: 72 }]);
    assert(decodeDatagram(bytes).ok);
    for (const [offset, value] of [[9, 0x20], [8, 0x80]] as const) {
      const reason = "packet";
      assertEquals(decodeBoth(bytes.with(offset, value), reason), rejected(reason));
    }
  }
});
