/**
 * A second codec, written from `protocol/README.md` alone: slow, simple, on arrays of numbers.
 *
 * It imports nothing. Frames have the names and the fields of the tables there, in camel case.
 *
 * @module
 */

/** What a field holds. */
export type NaiveValue =
  | number
  | bigint
  | string
  | Uint8Array
  | NaiveAddress
  | readonly NaiveAddress[]
  | readonly { readonly [field: string]: NaiveValue }[];

export interface NaiveAddress {
  readonly hostname: string;
  readonly port: number;
}

export interface NaiveFrame {
  readonly kind: string;
  readonly [field: string]: NaiveValue;
}

export interface NaiveHeader {
  readonly type: number;
  readonly session: number;
  readonly packet: number;
}

/** A row of "What happens to bad datagrams", or what a good datagram holds. */
export type NaiveDecoded =
  | { row: "dropped"; why: "size" | "magic" | "type" | "packet" | "frame" }
  | { row: "version"; isAnswered: boolean; version: number; header: NaiveHeader }
  | {
    row: "good";
    header: NaiveHeader;
    /** The clear ones. */
    frames: NaiveFrame[];
    unknownFrames: number;
    /** Where the sealed frames begin: at the end if there are none. */
    sealedAt: number;
  };

/** "Datagrams": the clear and the sealed frames that belong into each type. */
const DATAGRAMS: Readonly<Record<number, readonly [clear: string[], sealed: string[]]>> = {
  1: [["credentials"], ["register"]],
  2: [["challenge"], []],
  3: [[], ["leaseKeepalive", "lookUp", "list", "leave", "call", "carry", "alsoAt"]],
  4: [[], [
    ...["registered", "refused", "leaseKeepaliveAck", "found", "inactive", "listing"],
    ...["leaveAck", "meeting", "alsoAtAck"],
  ]],
  5: [["initiation", "macs"], []],
  6: [["response"], []],
  7: [["cookieReply"], []],
  8: [[], [
    ...["connectionRequest", "ringing", "connectionAccept", "connectionReject", "message", "ack"],
    ...["connectionTermination", "connectionTerminationAck", "connectionKeepalive"],
    ...["pathChallenge", "pathResponse", "candidates"],
  ]],
  9: [[], ["meeting", "carried"]],
  10: [["punch"], []],
  254: [[], []],
  255: [[], []],
};

type Fields = Readonly<Record<string, string>>;

/** "Frames": the fields of each, in order. */
export const NAIVE_FRAMES: Readonly<Record<number, readonly [kind: string, fields: Fields]>> = {
  0x00: ["padding", { size: "zeros" }],
  0x01: ["credentials", { nonce: "u64", cookie: "bytes16", publicKey: "bytes32", mac: "bytes16" }],
  0x02: ["challenge", { nonce: "u64", cookie: "bytes16", publicKey: "bytes32", mac: "bytes16" }],
  0x03: ["register", {
    ...{ session: "u32", token: "bytes16", wantedId: "u32", port: "u16", name: "short text" },
  }],
  0x04: ["registered", { token: "bytes16", id: "u32", lease: "u32", seenAt: "address" }],
  0x05: ["refused", { reason: "u8" }],
  0x06: ["leaseKeepalive", {}],
  0x07: ["leaseKeepaliveAck", { lease: "u32" }],
  0x08: ["lookUp", { id: "u32", name: "short text" }],
  0x09: ["found", { id: "u32", name: "short text", address: "address", publicKey: "bytes32" }],
  0x0a: ["inactive", { id: "u32", name: "short text" }],
  0x0b: ["list", { after: "u32" }],
  0x0c: ["listing", { more: "u8", clients: "list id u32 name short_text" }],
  0x0d: ["leave", {}],
  0x0e: ["leaveAck", {}],
  0x0f: ["call", { id: "u32", name: "short text" }],
  0x10: ["meeting", {
    ...{ number: "u64", flags: "u8", id: "u32", name: "short text", publicKey: "bytes32" },
    addresses: "list address",
  }],
  0x11: ["carry", { number: "u64", to: "u32", datagram: "rest" }],
  0x12: ["carried", { from: "u32", datagram: "rest" }],
  0x13: ["alsoAt", { nonce: "u64", cookie: "bytes16" }],
  0x14: ["alsoAtAck", { seenAt: "address" }],
  0x20: ["initiation", { messageOne: "bytes100" }],
  0x21: ["macs", { mac1: "bytes16", mac2: "bytes16" }],
  0x22: ["response", { messageTwo: "bytes52" }],
  0x23: ["cookieReply", { nonce: "bytes24", cookie: "bytes32" }],
  0x24: ["punch", { number: "u64" }],
  0x30: ["connectionRequest", {
    ...{ request: "u32", requester: "u32", responder: "u32", name: "short text" },
  }],
  0x31: ["ringing", { responder: "u32" }],
  0x32: ["connectionAccept", { responder: "u32", flags: "u8", name: "short text" }],
  0x33: ["connectionReject", { responder: "u32", reason: "u8" }],
  0x34: ["message", { seq: "u32", sender: "u32", flags: "u8", text: "text" }],
  0x35: ["ack", {
    ...{ cumulativeSeq: "u32", largestPacket: "u32", delay: "u16", packetBitmap: "u32" },
    ranges: "list first u32 last u32",
  }],
  0x36: ["connectionTermination", { sender: "u32", finalSeq: "u32" }],
  0x37: ["connectionTerminationAck", { sender: "u32", finalSeq: "u32" }],
  0x38: ["connectionKeepalive", {}],
  0x39: ["pathChallenge", { nonce: "u64" }],
  0x3a: ["pathResponse", { nonce: "u64" }],
  0x3b: ["candidates", { addresses: "list address" }],
};

/** Every kind of frame. */
export const NAIVE_KINDS: readonly string[] = Object.values(NAIVE_FRAMES).map(([kind]) => kind);

/** The header of a datagram. */
export function naiveHeader({ type, session, packet }: NaiveHeader): number[] {
  return [0x75, 0x63, 1, type, ...number(session, 4), ...number(packet, 8)];
}

/** A datagram without sealed frames. */
export function naiveEncode(header: NaiveHeader, frames: readonly NaiveFrame[]): number[] {
  return [...naiveHeader(header), ...naiveEncodeFrames(frames)];
}

/** Frames, with Padding after them up to a size. */
export function naiveEncodeFrames(frames: readonly NaiveFrame[], sizeMin = 0): number[] {
  const bytes = frames.flatMap(encodeFrame);
  const missing = sizeMin - bytes.length;
  if (missing > 0) bytes.push(...encodeFrame({ kind: "padding", size: Math.max(missing - 3, 0) }));
  return bytes;
}

function encodeFrame(frame: NaiveFrame): number[] {
  const found = Object.entries(NAIVE_FRAMES).find(([, [kind]]) => kind === frame.kind);
  if (found === undefined) throw new Error(`Cannot encode ${frame.kind}: it is no frame`);
  const [type, [, fields]] = found;
  const body = Object.entries(fields).flatMap(([name, field]) => encodeField(field, frame[name]!));
  return [Number(type), ...number(body.length, 2), ...body];
}

function encodeField(field: string, value: NaiveValue): number[] {
  if (field === "zeros") return Array<number>(value as number).fill(0);
  if (/^u\d/.test(field)) return number(value as number | bigint, Number(field.slice(1)) / 8);
  if (/^bytes|^rest$/.test(field)) return [...value as Uint8Array];
  if (field === "text") return utf8(value as string);
  if (/^short.text$/.test(field)) return [utf8(value as string).length, ...utf8(value as string)];
  if (field === "address") return address(value as NaiveAddress);
  if (field === "list address") {
    const addresses = value as readonly NaiveAddress[];
    return [addresses.length, ...addresses.flatMap(address)];
  }
  const items = value as readonly { readonly [field: string]: NaiveValue }[];
  const bytes = items.flatMap((item) =>
    pairs(field).flatMap(([name, type]) => encodeField(type, item[name]!))
  );
  return [items.length, ...bytes];
}

/** The fields of a list's items. */
function pairs(list: string): (readonly [name: string, field: string])[] {
  const [, name1, type1, name2, type2] = list.split(" ") as [
    string,
    string,
    string,
    string,
    string,
  ];
  return [[name1, type1], [name2, type2]];
}

function number(value: number | bigint, size: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); bytes.length < size; rest /= 256n) {
    bytes.unshift(Number(rest % 256n));
  }
  return bytes;
}

function utf8(text: string): number[] {
  return [...text].flatMap((character) => {
    const point = character.codePointAt(0)!;
    const tail = (shift: number): number => 0x80 | (point >> shift) & 0x3f;
    if (point < 0x80) return [point];
    if (point < 0x800) return [0xc0 | point >> 6, tail(0)];
    if (point < 0x10000) return [0xe0 | point >> 12, tail(6), tail(0)];
    return [0xf0 | point >> 18, tail(12), tail(6), tail(0)];
  });
}

function address({ hostname, port }: NaiveAddress): number[] {
  if (!hostname.includes(":")) return [4, ...hostname.split(".").map(Number), ...number(port, 2)];
  const dotted = /[^:]+\.[^:]+$/.exec(hostname)?.[0];
  const [a, b, c, d] = (dotted ?? "0.0.0.0").split(".").map((part) => Number(part).toString(16));
  const tail = `${a}${b!.padStart(2, "0")}:${c}${d!.padStart(2, "0")}`;
  const text = dotted === undefined ? hostname : hostname.replace(dotted, tail);
  const [left = [], right = []] = text.split("::").map((side) => side.split(":").filter(Boolean));
  const zeros = Array<string>(8 - left.length - right.length).fill("0");
  const groups = [...left, ...zeros, ...right].map((group) => parseInt(group, 16));
  return [6, ...groups.flatMap((group) => number(group, 2)), ...number(port, 2)];
}

/** Why the frames cannot be read. */
class Bad extends Error {}

/** What a datagram holds, or the row of the table that it falls into. */
export function naiveDecode(bytes: readonly number[]): NaiveDecoded {
  const sizeMax = bytes[3] === 8 ? 65_488 : 1200;
  if (bytes.length < 16 || bytes.length > sizeMax) return { row: "dropped", why: "size" };
  const [m0, m1, version, type] = bytes as [number, number, number, number];
  if (m0 !== 0x75 || m1 !== 0x63) return { row: "dropped", why: "magic" };
  const packet = value(bytes.slice(8, 16));
  const header = { type, session: Number(value(bytes.slice(4, 8))), packet: Number(packet) };
  if (version !== 1) return { row: "version", isAnswered: type !== 255, version, header };
  const isKnown = type in DATAGRAMS && type !== 255;
  if (!isKnown) return { row: "dropped", why: "type" };
  if (packet > 2n ** 53n - 1n) return { row: "dropped", why: "packet" };
  const [, sealed] = DATAGRAMS[type]!;
  const clearSize = type === 1 ? 91 : sealed.length === 0 ? bytes.length : 16;
  if (bytes.length < clearSize) return { row: "dropped", why: "frame" };
  const decoded = naiveDecodeFrames(bytes.slice(16, clearSize));
  if (decoded === undefined) return { row: "dropped", why: "frame" };
  return { row: "good", header, ...decoded, sealedAt: clearSize };
}

/** The frames that belong into a datagram of this type, in their order. */
export function naiveBelonging(type: number, frames: readonly NaiveFrame[]): NaiveFrame[] {
  return frames.filter(({ kind }) => DATAGRAMS[type]!.flat().includes(kind));
}

/** Whether all the clear frames are there that a datagram of this type has. */
export function naiveIsWhole(type: number, frames: readonly NaiveFrame[]): boolean {
  return DATAGRAMS[type]![0].every((kind) => frames.some((frame) => frame.kind === kind));
}

/** The frames in some bytes, all of them or none. */
export function naiveDecodeFrames(
  bytes: readonly number[],
): { frames: NaiveFrame[]; unknownFrames: number } | undefined {
  try {
    return decodeFrames(bytes);
  } catch (error) {
    if (error instanceof Bad) return undefined;
    throw error;
  }
}

function decodeFrames(bytes: readonly number[]): { frames: NaiveFrame[]; unknownFrames: number } {
  const rest = new Bytes(bytes);
  const frames: NaiveFrame[] = [];
  let unknownFrames = 0;
  while (rest.left > 0) {
    const type = Number(value(rest.take(1)));
    const body = new Bytes(rest.take(Number(value(rest.take(2)))));
    const layout = NAIVE_FRAMES[type];
    if (layout === undefined) {
      unknownFrames++;
      continue;
    }
    const [kind, fields] = layout;
    // Fields are read in their order.
    const values = Object.entries(fields).map(([name, field]) => [name, decodeField(field, body)]);
    if (body.left > 0) throw new Bad();
    if (kind !== "padding") frames.push({ kind, ...Object.fromEntries(values) });
  }
  return { frames, unknownFrames };
}

function decodeField(field: string, body: Bytes): NaiveValue {
  if (field === "zeros") return body.take(body.left).length;
  if (field === "u64") return value(body.take(8));
  if (/^u\d/.test(field)) return Number(value(body.take(Number(field.slice(1)) / 8)));
  if (/^bytes/.test(field)) return Uint8Array.from(body.take(Number(field.slice(5))));
  if (field === "rest") return Uint8Array.from(body.take(body.left));
  if (field === "text") return text(body.take(body.left));
  if (/^short.text$/.test(field)) return text(body.take(body.take(1)[0]!));
  if (field === "address") return decodeAddress(body);
  if (field === "list address") {
    return Array.from({ length: body.take(1)[0]! }, () => decodeAddress(body));
  }
  const items: { readonly [field: string]: NaiveValue }[] = [];
  for (let left = body.take(1)[0]!; left > 0; left--) {
    const values = pairs(field).map(([name, type]) => [name, decodeField(type, body)]);
    items.push(Object.fromEntries(values));
  }
  return items;
}

function decodeAddress(body: Bytes): NaiveAddress {
  const family = body.take(1)[0];
  if (family !== 4 && family !== 6) throw new Bad();
  const hostname = family === 4 ? body.take(4).join(".") : ipv6(body.take(16));
  const port = Number(value(body.take(2)));
  if (port === 0) throw new Bad();
  return { hostname, port };
}

class Bytes {
  #rest: readonly number[];

  constructor(bytes: readonly number[]) {
    this.#rest = bytes;
  }

  get left(): number {
    return this.#rest.length;
  }

  take(size: number): readonly number[] {
    if (size > this.#rest.length) throw new Bad();
    const taken = this.#rest.slice(0, size);
    this.#rest = this.#rest.slice(size);
    return taken;
  }
}

function value(bytes: readonly number[]): bigint {
  return bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** Section 3.9 of the Unicode standard: the shortest form, no surrogates, up to U+10FFFF. */
function text(bytes: readonly number[]): string {
  let characters = "";
  for (let i = 0; i < bytes.length;) {
    const first = bytes[i++]!;
    const size = first < 0x80 ? 0 : first < 0xc0 ? -1 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
    if (size < 0 || first > 0xf7) throw new Bad();
    let point = size === 0 ? first : first & (0x3f >> size);
    for (const end = i + size; i < end; i++) {
      const next = bytes[i] ?? 0;
      if (next < 0x80 || next > 0xbf) throw new Bad();
      point = point * 64 + next - 0x80;
    }
    if (point < [0, 0x80, 0x800, 0x10000][size]! || point > 0x10ffff) throw new Bad();
    if (point >= 0xd800 && point < 0xe000) throw new Bad();
    characters += String.fromCodePoint(point);
  }
  return characters;
}

/** Section 4 of RFC 5952, and section 5 for IPv4-mapped addresses. */
function ipv6(bytes: readonly number[]): string {
  const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
  if (mapped.every((byte, i) => byte === bytes[i])) return `::ffff:${bytes.slice(12).join(".")}`;
  const groups = [0, 2, 4, 6, 8, 10, 12, 14].map((i) => bytes[i]! * 256 + bytes[i + 1]!);
  const whole = `:${groups.map((group) => group.toString(16)).join(":")}:`;
  for (let zeros = 8; zeros >= 2; zeros--) {
    const [before, ...after] = whole.split(`:${"0:".repeat(zeros)}`);
    if (after.length === 0) continue;
    const end = whole.slice(before!.length + 1 + 2 * zeros);
    return `${before!.slice(1)}::${end.slice(0, -1)}`;
  }
  return whole.slice(1, -1);
}
