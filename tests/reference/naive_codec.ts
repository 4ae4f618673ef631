/**
 * A second codec, written from `protocol/README.md` alone: slow, simple, on arrays of numbers.
 *
 * It shares nothing with the real one but the names of the values.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import type { DatagramType, Frame, Header } from "../../protocol/wire/frame.ts";
import type { DecodedDatagram, DecodeError } from "../../protocol/wire/datagram.ts";
import { failure, type Result, success } from "../../protocol/result.ts";

/** What naiveDecode() makes of some bytes: the same as decodeDatagram() is to make of them. */
export type NaiveDecoded = Result<DecodedDatagram, DecodeError>;

/** The bytes of a datagram, however many they are. */
export function naiveEncode(header: Header, frames: readonly Frame[], sizeMin = 0): number[] {
  const bytes = [
    ...[0x75, 0x63, 1, header.type],
    ...number(header.connection, 4),
    ...number(header.packet, 8),
  ];
  bytes.push(...naiveEncodeFrames(frames));
  const missing = sizeMin - bytes.length;
  if (missing > 0) bytes.push(...encodeFrame({ kind: "padding", size: Math.max(missing - 3, 0) }));
  return bytes;
}

/** The bytes of frames alone: what is sealed. */
export function naiveEncodeFrames(frames: readonly Frame[]): number[] {
  return frames.flatMap(encodeFrame);
}

function encodeFrame(frame: Frame): number[] {
  const [type, ...body] = typeAndBody(frame);
  return [type!, ...number(body.length, 2), ...body];
}

function typeAndBody(f: Frame): number[] {
  switch (f.kind) {
    case "padding":
      return [0x00, ...Array<number>(f.size).fill(0)];
    case "register": {
      const ids = [...number(f.wantedId, 4), ...number(f.port, 2)];
      const who = [...f.publicKey, ...shortText(f.name)];
      return [0x01, ...number(f.nonce, 8), ...f.token, ...f.cookie, ...ids, ...who];
    }
    case "challenge":
      return [0x02, ...number(f.nonce, 8), ...f.cookie];
    case "registered": {
      const ids = [...number(f.id, 4), ...number(f.lease, 4)];
      return [0x03, ...number(f.nonce, 8), ...f.token, ...ids, ...address(f.seenAt)];
    }
    case "refused":
      return [0x04, ...number(f.nonce, 8), f.reason];
    case "leaseKeepalive":
      return [0x05, ...number(f.nonce, 8), ...f.token];
    case "leaseKeepaliveAck":
      return [0x06, ...number(f.nonce, 8), ...number(f.lease, 4)];
    case "lookUp":
      return [0x07, ...number(f.nonce, 8), ...f.token, ...number(f.id, 4), ...shortText(f.name)];
    case "found": {
      const who = [...number(f.id, 4), ...shortText(f.name)];
      return [0x08, ...number(f.nonce, 8), ...who, ...address(f.address), ...f.publicKey];
    }
    case "inactive":
      return [0x09, ...number(f.nonce, 8), ...number(f.id, 4), ...shortText(f.name)];
    case "list":
      return [0x0a, ...number(f.nonce, 8), ...f.token, ...number(f.after, 4)];
    case "listing": {
      const items = f.clients.flatMap((c) => [...number(c.id, 4), ...shortText(c.name)]);
      return [0x0b, ...number(f.nonce, 8), f.more, f.clients.length, ...items];
    }
    case "leave":
      return [0x0c, ...number(f.nonce, 8), ...f.token];
    case "leaveAck":
      return [0x0d, ...number(f.nonce, 8)];
    case "proof":
      return [0x0e, ...f.code];
    case "connectionRequest":
      return [0x20, ...number(f.connection, 4), ...f.messageOne];
    case "requestCodes":
      return [0x29, ...f.mac1, ...f.mac2];
    case "cookieReply":
      return [0x2a, ...number(f.nonce, 8), ...f.cookie];
    case "ringing":
      return [0x21, ...number(f.responder, 4)];
    case "connectionAccept":
      return [0x22, ...f.messageTwo];
    case "connectionReject":
      return [0x23, ...number(f.responder, 4), f.reason];
    case "message":
      return [0x24, ...number(f.seq, 4), ...number(f.sender, 4), f.flags, ...utf8(f.text)];
    case "ack": {
      const items = f.ranges.flatMap((r) => [...number(r.first, 4), ...number(r.last, 4)]);
      const head = [
        ...number(f.cumulativeSeq, 4),
        ...number(f.largestPacket, 4),
        ...number(f.delay, 2),
        ...number(f.packetBitmap, 4),
      ];
      return [0x25, ...head, f.ranges.length, ...items];
    }
    case "connectionTermination": {
      const ids = [...number(f.sender, 4), ...number(f.connection, 4)];
      return [0x26, ...ids, ...number(f.finalSeq, 4)];
    }
    case "connectionTerminationAck":
      return [0x27, ...number(f.sender, 4), ...number(f.finalSeq, 4)];
    case "connectionKeepalive":
      return [0x28];
    case "pathChallenge":
      return [0x2b, ...number(f.nonce, 8)];
    case "pathResponse":
      return [0x2c, ...number(f.nonce, 8)];
  }
}

function number(value: number | bigint, size: number): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); bytes.length < size; rest /= 256n) {
    bytes.unshift(Number(rest % 256n));
  }
  return bytes;
}

function shortText(text: string): number[] {
  const bytes = utf8(text);
  return [bytes.length, ...bytes];
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

function address({ hostname, port }: Address): number[] {
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

/** What a datagram holds, or the row of the README's table that it falls into. */
export function naiveDecode(bytes: readonly number[]): NaiveDecoded {
  const sizeMax = bytes[3] === 5 ? 65_488 : 1200;
  if (bytes.length < 16 || bytes.length > sizeMax) return failure({ reason: "size" });
  const [m0, m1, version, type] = bytes as [number, number, number, number];
  if (m0 !== 0x75 || m1 !== 0x63) return failure({ reason: "magic" });
  const header: Header = {
    type: type as DatagramType,
    connection: Number(value(bytes.slice(4, 8))),
    packet: Number(value(bytes.slice(8, 16))),
  };
  if (version !== 1) return failure({ reason: "version", version, header });
  if (![1, 2, 3, 4, 5, 6, 255].includes(type)) return failure({ reason: "type" });
  if (header.packet > 2 ** 53 - 1) return failure({ reason: "packet" });
  const rest = bytes.slice(16);
  if (type === 4 || type === 5) return success({ header, sealed: Uint8Array.from(rest) });
  const decoded = naiveDecodeFrames(rest);
  return decoded === undefined ? failure({ reason: "frame" }) : success({ ...decoded, header });
}

/** The frames after a header, all of them or none. */
export function naiveDecodeFrames(
  bytes: readonly number[],
): { frames: Frame[]; unknownFrames: number } | undefined {
  try {
    return decodeFrames(bytes);
  } catch (error) {
    if (error instanceof Bad) return undefined;
    throw error;
  }
}

function decodeFrames(bytes: readonly number[]): { frames: Frame[]; unknownFrames: number } {
  const rest = new Bytes(bytes);
  const frames: Frame[] = [];
  let unknownFrames = 0;
  while (rest.left > 0) {
    const type = rest.number(1);
    const body = new Bytes(rest.take(rest.number(2)));
    const frame = decodeBody(type, body);
    if (frame === undefined) {
      unknownFrames++;
      continue;
    }
    if (body.left > 0) throw new Bad();
    if (frame.kind !== "padding") frames.push(frame);
  }
  return { frames, unknownFrames };
}

// Fields are read in the order in which they are written here.
function decodeBody(type: number, b: Bytes): Frame | undefined {
  switch (type) {
    case 0x00:
      return { kind: "padding", size: b.take(b.left).length };
    case 0x01: {
      const [nonce, token, cookie] = [b.u64(), b.bytes(16), b.bytes(16)];
      const [wantedId, port, publicKey] = [b.number(4), b.number(2), b.bytes(32)];
      const name = b.shortText();
      return { kind: "register", nonce, token, cookie, wantedId, port, publicKey, name };
    }
    case 0x02:
      return { kind: "challenge", nonce: b.u64(), cookie: b.bytes(16) };
    case 0x03: {
      const [nonce, token, id, lease] = [b.u64(), b.bytes(16), b.number(4), b.number(4)];
      return { kind: "registered", nonce, token, id, lease, seenAt: b.address() };
    }
    case 0x04:
      return { kind: "refused", nonce: b.u64(), reason: b.number(1) };
    case 0x05:
      return { kind: "leaseKeepalive", nonce: b.u64(), token: b.bytes(16) };
    case 0x06:
      return { kind: "leaseKeepaliveAck", nonce: b.u64(), lease: b.number(4) };
    case 0x07: {
      const [nonce, token, id, name] = [b.u64(), b.bytes(16), b.number(4), b.shortText()];
      return { kind: "lookUp", nonce, token, id, name };
    }
    case 0x08: {
      const [nonce, id, name] = [b.u64(), b.number(4), b.shortText()];
      const [address, publicKey] = [b.address(), b.bytes(32)];
      return { kind: "found", nonce, id, name, address, publicKey };
    }
    case 0x09:
      return { kind: "inactive", nonce: b.u64(), id: b.number(4), name: b.shortText() };
    case 0x0a:
      return { kind: "list", nonce: b.u64(), token: b.bytes(16), after: b.number(4) };
    case 0x0b: {
      const [nonce, more] = [b.u64(), b.number(1)];
      const clients = b.list(() => ({ id: b.number(4), name: b.shortText() }));
      return { kind: "listing", nonce, more, clients };
    }
    case 0x0c:
      return { kind: "leave", nonce: b.u64(), token: b.bytes(16) };
    case 0x0d:
      return { kind: "leaveAck", nonce: b.u64() };
    case 0x0e:
      return { kind: "proof", code: b.bytes(16) };
    case 0x20:
      return { kind: "connectionRequest", connection: b.number(4), messageOne: b.bytes(b.left) };
    case 0x29:
      return { kind: "requestCodes", mac1: b.bytes(16), mac2: b.bytes(16) };
    case 0x2a:
      return { kind: "cookieReply", nonce: b.u64(), cookie: b.bytes(32) };
    case 0x21:
      return { kind: "ringing", responder: b.number(4) };
    case 0x22:
      return { kind: "connectionAccept", messageTwo: b.bytes(b.left) };
    case 0x23:
      return { kind: "connectionReject", responder: b.number(4), reason: b.number(1) };
    case 0x24: {
      const [seq, sender, flags] = [b.number(4), b.number(4), b.number(1)];
      return { kind: "message", seq, sender, flags, text: text(b.take(b.left)) };
    }
    case 0x25: {
      const [next, heard] = [b.number(4), b.number(4)];
      const [delay, arrived] = [b.number(2), b.number(4)];
      const ranges = b.list(() => ({ first: b.number(4), last: b.number(4) }));
      return {
        kind: "ack",
        cumulativeSeq: next,
        largestPacket: heard,
        delay,
        packetBitmap: arrived,
        ranges,
      };
    }
    case 0x26: {
      const [sender, connection, finalSeq] = [b.number(4), b.number(4), b.number(4)];
      return { kind: "connectionTermination", sender, connection, finalSeq };
    }
    case 0x27:
      return { kind: "connectionTerminationAck", sender: b.number(4), finalSeq: b.number(4) };
    case 0x28:
      return { kind: "connectionKeepalive" };
    case 0x2b:
      return { kind: "pathChallenge", nonce: b.u64() };
    case 0x2c:
      return { kind: "pathResponse", nonce: b.u64() };
  }
  return undefined;
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

  number(size: number): number {
    return this.take(size).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  u64(): bigint {
    return value(this.take(8));
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from(this.take(size));
  }

  shortText(): string {
    return text(this.take(this.number(1)));
  }

  list<T>(item: () => T): T[] {
    const items: T[] = [];
    for (let left = this.number(1); left > 0; left--) items.push(item());
    return items;
  }

  address(): Address {
    const family = this.number(1);
    if (family !== 4 && family !== 6) throw new Bad();
    const hostname = family === 4 ? this.take(4).join(".") : ipv6(this.take(16));
    const port = this.number(2);
    if (port === 0) throw new Bad();
    return { hostname, port };
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
    const behind = whole.slice(before!.length + 1 + 2 * zeros);
    return `${before!.slice(1)}::${behind.slice(0, -1)}`;
  }
  return whole.slice(1, -1);
}
