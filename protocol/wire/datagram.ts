/**
 * Datagrams to bytes and back: a header and the frames after it.
 *
 * @module
 */
import { failure, type Result, success } from "../result.ts";
import { type Field, Reader, readU16, readU32, u16, u8, Writer } from "./field.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  type Header,
  HEADER_SIZE,
  MAGIC,
  PACKET_SIZE_MAX,
  PUBLIC_KEY_SIZE,
  TAG_SIZE,
  VERSION,
} from "./frame.ts";
import { LAYOUTS } from "./layout.ts";
import { readAck, writeAck } from "./ack.ts";
import { readAsciiMessage, TextBatch } from "./message.ts";

/** A datagram as decodeDatagram() reads it. */
export interface Datagram {
  /** All of it. */
  readonly bytes: Uint8Array;
  /** What it begins with. */
  readonly header: Header;
  /** The frames that are not sealed, in their order. */
  readonly frames: readonly Frame[];
  /** Frames of types that this version does not know; they were skipped. */
  readonly unknownFrames: number;
  /** Where the sealed frames begin, which decodeFrames() reads once they are opened. */
  readonly sealedAt: number;
}

/** The frames in some bytes. */
export interface DecodedFrames {
  /** In their order. */
  readonly frames: Frame[];
  /** Frames of types that this version does not know; they were skipped. */
  readonly unknownFrames: number;
}

/** Why some bytes are no datagram for this version. */
export type DecodeError =
  | {
    /** What is wrong. */
    readonly reason: "size" | "magic" | "type" | "packet" | "frame";
  }
  | {
    /** Well formed as far as can be told, but of another version. */
    readonly reason: "version";
    /** Its header, whose layout is the same in all versions. */
    readonly header: Header;
    /** The version that the sender speaks. */
    readonly version: number;
  };

/** Bytes of Credentials, the clear part of a Register: nonce, cookie, key and mac. */
const CREDENTIALS_SIZE = FRAME_HEADER_SIZE + 8 + 16 + PUBLIC_KEY_SIZE + 16;
const NO_FRAMES: readonly Frame[] = [];

type AnyLayout = readonly [
  kind: Frame["kind"],
  fields: readonly (readonly [string, Field<unknown>])[],
];

/** The layouts by type, their fields as a list. */
const layoutOfType: readonly (AnyLayout | undefined)[] = (() => {
  const table: (AnyLayout | undefined)[] = Array(256).fill(undefined);
  for (const [kind, [type, fields]] of Object.entries(LAYOUTS)) {
    table[type] = [kind as Frame["kind"], Object.entries(fields)];
  }
  return table;
})();

const texts = new TextBatch();

/** All types but Version: one of this version answers nothing. */
const datagramTypes: ReadonlySet<number> = new Set(
  Object.values(DatagramType).filter((type) => type !== DatagramType.Version),
);

/**
 * Builds one datagram at a time in a buffer that it uses again.
 *
 * The bytes that {@linkcode DatagramWriter.finish} returns are valid until the next start().
 */
export class DatagramWriter {
  #writer: Writer;
  readonly #reserve: number;
  #limit: number;

  /**
   * Makes the buffer.
   *
   * @param size the bytes of the largest datagram.
   * @param isSealed whether finish() leaves room for the tag at the end.
   */
  constructor(size = DATAGRAM_SIZE_MAX, isSealed = false) {
    this.#writer = new Writer(size);
    this.#reserve = isSealed ? TAG_SIZE : 0;
    this.#limit = size;
  }

  /** Bytes in the largest datagram from the next start() on. */
  set limit(size: number) {
    this.#limit = size;
    if (size > this.#writer.bytes.length) this.#writer = new Writer(size);
  }

  /** Begins a datagram. */
  start(header: Header): void {
    writeHeader(this.#writer.view, 0, header);
    this.#writer.offset = HEADER_SIZE;
  }

  /** Bytes so far. */
  get size(): number {
    return this.#writer.offset;
  }

  /** Appends a frame, or returns false and leaves the datagram as it was where it does not fit. */
  add(frame: Frame): boolean {
    const writer = this.#writer;
    const start = writer.offset;
    let isAdded = false;
    try {
      if (frame.kind === "ack") writeAck(writer, frame);
      else writeFrame(writer, frame);
      isAdded = !writer.isFull && this.room >= 0;
    } finally {
      if (!isAdded) writer.offset = start;
      writer.isFull = false;
    }
    return isAdded;
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#limit - this.#reserve - this.#writer.offset;
  }

  /** Appends a part of `bytes`, frames that are encoded already, or returns false like add(). */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > this.room) return false;
    this.#writer.append(bytes.subarray(start, end));
    return true;
  }

  /** Fills the datagram up with Padding to at least `size` bytes, the tag included. */
  padTo(size: number): void {
    const missing = size - this.#reserve - this.#writer.offset;
    if (missing > 0) this.add({ kind: "padding", size: Math.max(0, missing - FRAME_HEADER_SIZE) });
  }

  /** The datagram: a view of the buffer. */
  finish(): Uint8Array {
    return this.#writer.bytes.subarray(0, this.#writer.offset + this.#reserve);
  }
}

function writeFrame(writer: Writer, frame: Frame): void {
  const start = writer.offset;
  const [type] = LAYOUTS[frame.kind];
  const [, fields] = layoutOfType[type]!;
  const values = frame as unknown as Record<string, unknown>;
  u8.write(writer, type);
  u16.write(writer, 0);
  for (const [name, field] of fields) field.write(writer, values[name]);
  if (!writer.isFull) writer.view.setUint16(start + 1, writer.offset - start - FRAME_HEADER_SIZE);
}

/** Writes a header. */
export function writeHeader(view: DataView, at: number, { type, session, packet }: Header): void {
  view.setUint16(at, MAGIC);
  view.setUint8(at + 2, VERSION);
  view.setUint8(at + 3, type);
  view.setUint32(at + 4, session);
  view.setUint32(at + 8, Math.floor(packet / 2 ** 32));
  view.setUint32(at + 12, packet >>> 0);
}

/**
 * The bytes of a datagram of its own.
 *
 * @throws {RangeError} where the frames do not fit into {@linkcode DATAGRAM_SIZE_MAX} bytes.
 */
export function encodeDatagram(
  header: Header,
  frames: readonly Frame[],
  sizeMin = 0,
): Uint8Array {
  const writer = new DatagramWriter(Math.max(DATAGRAM_SIZE_MAX, sizeMin));
  writer.start(header);
  for (const frame of frames) {
    if (!writer.add(frame)) {
      throw new RangeError(`Cannot encode the ${frame.kind} frame: the datagram is full`);
    }
  }
  writer.padTo(sizeMin);
  return writer.finish();
}

/**
 * Parses a datagram whole or not at all; never throws.
 *
 * Byte fields of the frames are views of `bytes`.
 */
export function decodeDatagram(bytes: Uint8Array): Result<Datagram, DecodeError> {
  const { length } = bytes;
  const isPacket = length > HEADER_SIZE && bytes[3] === DatagramType.Packet;
  const sizeMax = isPacket ? PACKET_SIZE_MAX : DATAGRAM_SIZE_MAX;
  if (length < HEADER_SIZE || length > sizeMax) return failure({ reason: "size" });
  if (readU16(bytes, 0) !== MAGIC) return failure({ reason: "magic" });
  const header: Header = {
    type: bytes[3] as DatagramType,
    session: readU32(bytes, 4),
    packet: readU32(bytes, 8) * 2 ** 32 + readU32(bytes, 12),
  };
  const version = bytes[2]!;
  // The layout of Version datagrams is the same in all versions, so that all can read them.
  if (version !== VERSION) return failure({ reason: "version", header, version });
  if (!datagramTypes.has(header.type)) return failure({ reason: "type" });
  if (!Number.isSafeInteger(header.packet)) return failure({ reason: "packet" });
  const sealedAt = sealedFrom(header.type, length);
  if (sealedAt === HEADER_SIZE) {
    return success({ bytes, header, frames: NO_FRAMES, unknownFrames: 0, sealedAt });
  }
  const decoded = sealedAt > length
    ? undefined
    : decodeFrames(bytes.subarray(HEADER_SIZE, sealedAt));
  if (decoded === undefined) return failure({ reason: "frame" });
  const { frames, unknownFrames } = decoded;
  return success({ bytes, header, frames, unknownFrames, sealedAt });
}

/** Where the sealed frames of a datagram of that type and length begin, if it has any. */
function sealedFrom(type: DatagramType, length: number): number {
  switch (type) {
    case DatagramType.Request:
    case DatagramType.Answer:
    case DatagramType.Packet:
    case DatagramType.Notice:
      return HEADER_SIZE;
    case DatagramType.Register:
      return HEADER_SIZE + CREDENTIALS_SIZE;
    default:
      return length;
  }
}

/**
 * Parses frames, whole or not at all; never throws.
 *
 * @returns undefined where a frame is malformed.
 */
export function decodeFrames(bytes: Uint8Array): DecodedFrames | undefined {
  const reader = new Reader(bytes);
  const frames: Frame[] = [];
  let unknownFrames = 0;
  texts.clear();
  while (reader.offset < bytes.length) {
    const message = readAsciiMessage(reader, texts);
    const common = message ?? readAck(reader);
    if (common !== undefined) {
      frames.push(common);
      continue;
    }
    const frame = readFrame(reader, bytes.length);
    if (reader.isMalformed) return undefined;
    if (frame === undefined) unknownFrames++;
    else if (frame.kind !== "padding") frames.push(frame);
  }
  texts.finish();
  return { frames, unknownFrames };
}

/** Reads the next frame; undefined for one of an unknown type. */
function readFrame(reader: Reader, end: number): Frame | undefined {
  reader.end = end;
  const type = u8.read(reader);
  const bodyEnd = u16.read(reader) + reader.offset;
  const layout = layoutOfType[type];
  if (bodyEnd > end) reader.isMalformed = true;
  if (reader.isMalformed || layout === undefined) {
    reader.offset = bodyEnd;
    return undefined;
  }
  reader.end = bodyEnd;
  const [kind, fields] = layout;
  const frame: Record<string, unknown> = { kind };
  for (const [name, field] of fields) frame[name] = field.read(reader);
  if (reader.offset !== bodyEnd) reader.isMalformed = true;
  return frame as unknown as Frame;
}

/** The answer to a datagram of another version: no larger than it, and never answered itself. */
export function encodeVersionAnswer(header: Header): Uint8Array {
  return encodeDatagram({ ...header, type: DatagramType.Version }, []);
}

/** The answer to a Request of an unknown session: no larger than it. */
export function encodeUnknownAnswer(header: Header): Uint8Array {
  return encodeDatagram({ ...header, type: DatagramType.Unknown }, []);
}
