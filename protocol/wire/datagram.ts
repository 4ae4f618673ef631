/**
 * Datagrams to bytes and back: a header and the frames behind it.
 *
 * @module
 */
import { failure, type Result, success } from "../result.ts";
import { type Field, Reader, u16, u8, Writer } from "./field.ts";
import {
  CONNECTION_DATAGRAM_SIZE_MAX,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  type Header,
  HEADER_SIZE,
  MAGIC,
  VERSION,
} from "./frame.ts";
import { LAYOUTS } from "./layout.ts";
import { readAsciiMessage, TextBatch } from "./message.ts";

/** A datagram as decodeDatagram() reads it. */
export type DecodedDatagram =
  | {
    readonly header: Header;
    /** The frames are sealed: open them, then decodeFrames(). */
    readonly sealed: Uint8Array;
  }
  | DecodedFrames & { readonly header: Header; readonly sealed?: undefined };

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
    /** The version that the sender speaks. */
    readonly version: number;
    /** Its header, whose layout is the same in all versions. */
    readonly header: Header;
  };

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

const datagramTypes: ReadonlySet<number> = new Set(Object.values(DatagramType));
const sealedTypes: ReadonlySet<number> = new Set([DatagramType.Handshake, DatagramType.Connection]);

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
   * @param reserve bytes of it that finish() adds at the end, for a seal.
   */
  constructor(size = DATAGRAM_SIZE_MAX, reserve = 0) {
    this.#writer = new Writer(size);
    this.#reserve = reserve;
    this.#limit = size;
  }

  /** Bytes in the largest datagram from the next start() on. */
  set limit(size: number) {
    this.#limit = size;
    if (size > this.#writer.bytes.length) this.#writer = new Writer(size);
  }

  /** Begins a datagram. */
  start(header: Header): void {
    const { view } = this.#writer;
    view.setUint16(0, MAGIC);
    view.setUint8(2, VERSION);
    view.setUint8(3, header.type);
    view.setUint32(4, header.connection);
    view.setUint32(8, Math.floor(header.packet / 2 ** 32));
    view.setUint32(12, header.packet >>> 0);
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
    const [type] = LAYOUTS[frame.kind];
    const [, fields] = layoutOfType[type]!;
    const values = frame as unknown as Record<string, unknown>;
    let isAdded = false;
    try {
      u8.write(writer, type);
      u16.write(writer, 0);
      for (const [name, field] of fields) field.write(writer, values[name]);
      isAdded = !writer.isFull && this.room >= 0;
      if (isAdded) writer.view.setUint16(start + 1, writer.offset - start - FRAME_HEADER_SIZE);
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

  /** Fills the datagram up with Padding to at least `size` bytes. */
  padTo(size: number): void {
    const missing = size - this.#writer.offset;
    if (missing > 0) this.add({ kind: "padding", size: Math.max(0, missing - FRAME_HEADER_SIZE) });
  }

  /** The datagram: a view of the buffer. */
  finish(): Uint8Array {
    return this.#writer.bytes.subarray(0, this.#writer.offset + this.#reserve);
  }
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
export function decodeDatagram(bytes: Uint8Array): Result<DecodedDatagram, DecodeError> {
  const { length } = bytes;
  const isConnection = length > HEADER_SIZE && bytes[3] === DatagramType.Connection;
  const sizeMax = isConnection ? CONNECTION_DATAGRAM_SIZE_MAX : DATAGRAM_SIZE_MAX;
  if (length < HEADER_SIZE || length > sizeMax) return failure({ reason: "size" });
  const reader = new Reader(bytes);
  const { view } = reader;
  if (view.getUint16(0) !== MAGIC) return failure({ reason: "magic" });
  const version = view.getUint8(2);
  const header: Header = {
    type: view.getUint8(3) as DatagramType,
    connection: view.getUint32(4),
    packet: view.getUint32(8) * 2 ** 32 + view.getUint32(12),
  };
  // The layout of Version datagrams is the same in all versions, so that all can read them.
  if (version !== VERSION) return failure({ reason: "version", version, header });
  if (!datagramTypes.has(header.type)) return failure({ reason: "type" });
  if (!Number.isSafeInteger(header.packet)) return failure({ reason: "packet" });
  const rest = bytes.subarray(HEADER_SIZE);
  if (sealedTypes.has(header.type)) return success({ header, sealed: rest });
  const decoded = decodeFrames(rest);
  return decoded === undefined ? failure({ reason: "frame" }) : success({ ...decoded, header });
}

/**
 * Parses what follows a header, whole or not at all; never throws.
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
    if (message !== undefined) {
      frames.push(message);
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
