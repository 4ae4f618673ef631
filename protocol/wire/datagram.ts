/**
 * Datagrams to bytes and back: a header and the frames behind it.
 *
 * @module
 */
import { BadField, type Field, Reader, Writer } from "./field.ts";
import {
  CONNECTION_DATAGRAM_SIZE_MAX,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  type Header,
  HEADER_SIZE,
  MAGIC,
  type Message,
  MESSAGE_HEADER_SIZE,
  VERSION,
} from "./frame.ts";
import { LAYOUTS } from "./layout.ts";
import { TextBatch } from "./text_batch.ts";

/** What decodeDatagram() makes of some bytes. */
export type Decoded =
  | {
    ok: true;
    header: Header;
    /** The frames are sealed: open them, then decodeFrames(). */
    sealed: Uint8Array;
  }
  | {
    ok: true;
    header: Header;
    sealed?: undefined;
    frames: Frame[];
    /** Frames of types that this version does not know; they were skipped. */
    unknownFrames: number;
  }
  | {
    ok: false;
    reason: "size" | "magic" | "type" | "packet" | "frame";
  }
  | {
    ok: false;
    /** Well formed as far as can be told, but of another version. */
    reason: "version";
    /** The version that the sender speaks. */
    version: number;
    header: Header;
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

const [MESSAGE_TYPE] = LAYOUTS.message;
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
    try {
      writer.view.setUint8(start, type);
      writer.offset = start + FRAME_HEADER_SIZE;
      const values = frame as unknown as Record<string, unknown>;
      for (const [name, field] of fields) field.write(writer, values[name]);
      writer.view.setUint16(start + 1, writer.offset - start - FRAME_HEADER_SIZE);
      if (this.room >= 0) return true;
      writer.offset = start;
      return false;
    } catch (error) {
      writer.offset = start;
      if (error instanceof RangeError) return false;
      throw error;
    }
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#limit - this.#reserve - this.#writer.offset;
  }

  /** Appends a part of `bytes`, frames that are encoded already, or returns false like add(). */
  append(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start > this.room) return false;
    this.#writer.bytes.set(bytes.subarray(start, end), this.#writer.offset);
    this.#writer.offset += end - start;
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
export function decodeDatagram(bytes: Uint8Array): Decoded {
  const { length } = bytes;
  const isConnection = length > HEADER_SIZE && bytes[3] === DatagramType.Connection;
  const sizeMax = isConnection ? CONNECTION_DATAGRAM_SIZE_MAX : DATAGRAM_SIZE_MAX;
  if (length < HEADER_SIZE || length > sizeMax) return { ok: false, reason: "size" };
  const reader = new Reader(bytes);
  const { view } = reader;
  if (view.getUint16(0) !== MAGIC) return { ok: false, reason: "magic" };
  const version = view.getUint8(2);
  const header: Header = {
    type: view.getUint8(3) as DatagramType,
    connection: view.getUint32(4),
    packet: view.getUint32(8) * 2 ** 32 + view.getUint32(12),
  };
  // The layout of Version datagrams is the same in all versions, so that all can read them.
  if (version !== VERSION) return { ok: false, reason: "version", version, header };
  if (!datagramTypes.has(header.type)) return { ok: false, reason: "type" };
  if (!Number.isSafeInteger(header.packet)) return { ok: false, reason: "packet" };
  const rest = bytes.subarray(HEADER_SIZE);
  if (sealedTypes.has(header.type)) return { ok: true, header, sealed: rest };
  const decoded = decodeFrames(rest);
  return decoded.ok ? { ...decoded, header } : decoded;
}

/** What decodeFrames() makes of some bytes. */
export type DecodedFrames =
  | { ok: true; frames: Frame[]; unknownFrames: number }
  | { ok: false; reason: "frame" };

/** Parses what stands behind a header, whole or not at all; never throws. */
export function decodeFrames(bytes: Uint8Array): DecodedFrames {
  const reader = new Reader(bytes);
  const frames: Frame[] = [];
  let unknownFrames = 0;
  texts.clear();
  try {
    while (reader.offset < bytes.length) {
      const message = readMessage(reader, bytes);
      if (message !== undefined) {
        frames.push(message);
        continue;
      }
      const frame = readFrame(reader, bytes.length);
      if (frame === undefined) unknownFrames++;
      else if (frame.kind !== "padding") frames.push(frame);
    }
    texts.finish();
    return { ok: true, frames, unknownFrames };
  } catch (error) {
    if (error instanceof BadField) return { ok: false, reason: "frame" };
    throw error;
  }
}

/** Reads the next frame if it is a Message of ASCII text, as most are; its text follows later. */
function readMessage(reader: Reader, bytes: Uint8Array): Message | undefined {
  const { view, offset } = reader;
  if (offset + MESSAGE_HEADER_SIZE > bytes.length || bytes[offset] !== MESSAGE_TYPE) {
    return undefined;
  }
  const end = offset + FRAME_HEADER_SIZE + view.getUint16(offset + 1);
  const start = offset + MESSAGE_HEADER_SIZE;
  if (end < start || end > bytes.length) return undefined;
  const message: Message = {
    kind: "message",
    seq: view.getUint32(offset + FRAME_HEADER_SIZE),
    sender: view.getUint32(offset + FRAME_HEADER_SIZE + 4),
    flags: bytes[offset + FRAME_HEADER_SIZE + 8]!,
    text: "",
  };
  if (!texts.add(message, bytes, start, end)) return undefined;
  reader.offset = end;
  return message;
}

function readFrame(reader: Reader, end: number): Frame | undefined {
  reader.end = end;
  const start = reader.skip(FRAME_HEADER_SIZE);
  const bodySize = reader.view.getUint16(start + 1);
  const bodyEnd = reader.offset + bodySize;
  if (bodyEnd > end) throw new BadField("too short");
  const layout = layoutOfType[reader.view.getUint8(start)];
  if (layout === undefined) {
    reader.offset = bodyEnd;
    return undefined;
  }
  reader.end = bodyEnd;
  const [kind, fields] = layout;
  const frame: Record<string, unknown> = { kind };
  for (const [name, field] of fields) frame[name] = field.read(reader);
  if (reader.offset !== bodyEnd) throw new BadField("too long");
  return frame as unknown as Frame;
}

/** The answer to a datagram of another version: no larger than it, and never answered itself. */
export function encodeVersionAnswer(header: Header): Uint8Array {
  return encodeDatagram({ ...header, type: DatagramType.Version }, []);
}
