/**
 * The fields that frames are made of: how each is written and read, big-endian.
 *
 * @module
 */
import { type Address, bytesToHost, hostToBytes } from "./address.ts";

/** What a reader or a field throws on bytes that are no such field; decodeDatagram() catches it. */
export class BadField extends Error {}

/** Appends values to a buffer that is known to be large enough, or throws a RangeError. */
export class Writer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset = 0;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }
}

/** Takes values from the front of `bytes`; throws BadField where they run out. */
export class Reader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset: number;
  /** Where reading has to stop: the end of the frame being read. */
  end: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = 0;
    this.end = bytes.length;
  }

  /** Steps over `size` bytes and returns the offset where they start. */
  skip(size: number): number {
    const start = this.offset;
    if (start + size > this.end) throw new BadField("too short");
    this.offset = start + size;
    return start;
  }
}

/** One field of a frame. */
export interface Field<T> {
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

export const u8: Field<number> = {
  write(writer, value) {
    writer.view.setUint8(writer.offset, value);
    writer.offset += 1;
  },
  read: (reader) => reader.view.getUint8(reader.skip(1)),
};

export const u16: Field<number> = {
  write(writer, value) {
    writer.view.setUint16(writer.offset, value);
    writer.offset += 2;
  },
  read: (reader) => reader.view.getUint16(reader.skip(2)),
};

export const u32: Field<number> = {
  write(writer, value) {
    writer.view.setUint32(writer.offset, value);
    writer.offset += 4;
  },
  read: (reader) => reader.view.getUint32(reader.skip(4)),
};

/** A 64-bit number that is only compared and echoed, so that all its bits count. */
export const u64: Field<bigint> = {
  write(writer, value) {
    writer.view.setBigUint64(writer.offset, value);
    writer.offset += 8;
  },
  read: (reader) => reader.view.getBigUint64(reader.skip(8)),
};

/** So many opaque bytes. What is read is a view of the datagram: copy what is kept. */
function opaque(size: number): Field<Uint8Array> {
  return {
    write(writer, value) {
      if (value.length !== size) {
        throw new TypeError(`Cannot write ${value.length} bytes, expected ${size}`);
      }
      writer.bytes.set(value, writer.offset);
      writer.offset += size;
    },
    read(reader) {
      const start = reader.skip(size);
      return reader.bytes.subarray(start, start + size);
    },
  };
}

/** A token, a cookie or a code. */
export const bytes16: Field<Uint8Array> = opaque(16);
/** A key. */
export const bytes32: Field<Uint8Array> = opaque(32);

/** Opaque bytes up to the end of the frame. */
export const restBytes: Field<Uint8Array> = {
  write(writer, value) {
    writer.bytes.set(value, writer.offset);
    writer.offset += value.length;
  },
  read(reader) {
    const start = reader.skip(reader.end - reader.offset);
    return reader.bytes.subarray(start, reader.end);
  },
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function writeText(writer: Writer, text: string): number {
  // Not encodeInto(): the `read` that it returns is wrong for some texts in Deno 2.4.
  const bytes = encoder.encode(text);
  const isFull = writer.offset + bytes.length > writer.bytes.length;
  if (isFull) throw new RangeError("Cannot write the text: the datagram is full");
  writer.bytes.set(bytes, writer.offset);
  writer.offset += bytes.length;
  return bytes.length;
}

function readText(reader: Reader, size: number): string {
  const start = reader.skip(size);
  try {
    return decoder.decode(reader.bytes.subarray(start, start + size));
  } catch {
    throw new BadField("not UTF-8");
  }
}

/** UTF-8 behind its size in one byte. */
export const shortText: Field<string> = {
  write(writer, value) {
    const sizeAt = writer.offset;
    u8.write(writer, 0);
    const size = writeText(writer, value);
    if (size > 255) {
      throw new TypeError(`Cannot write a text of ${size} bytes, expected at most 255`);
    }
    writer.bytes[sizeAt] = size;
  },
  read: (reader) => readText(reader, u8.read(reader)),
};

/** UTF-8 up to the end of the frame. */
export const restText: Field<string> = {
  write: (writer, value) => void writeText(writer, value),
  read: (reader) => readText(reader, reader.end - reader.offset),
};

/** Zeros up to the end of the frame, which are not looked at; the value is how many. */
export const padding: Field<number> = {
  write(writer, size) {
    if (writer.offset + size > writer.bytes.length) throw new RangeError("The datagram is full");
    writer.bytes.fill(0, writer.offset, writer.offset + size);
    writer.offset += size;
  },
  read(reader) {
    const size = reader.end - reader.offset;
    reader.skip(size);
    return size;
  },
};

/** The family (4 or 6), the 4 or 16 bytes of the host, the port. */
export const address: Field<Address> = {
  write(writer, value) {
    const host = hostToBytes(value.hostname);
    if (host === undefined) throw new TypeError(`Cannot write "${value.hostname}": no IP address`);
    u8.write(writer, host.length === 4 ? 4 : 6);
    writer.bytes.set(host, writer.offset);
    writer.offset += host.length;
    u16.write(writer, value.port);
  },
  read(reader) {
    const family = u8.read(reader);
    if (family !== 4 && family !== 6) throw new BadField("no address family");
    const size = family === 4 ? 4 : 16;
    const start = reader.skip(size);
    const hostname = bytesToHost(reader.bytes.subarray(start, start + size));
    const port = u16.read(reader);
    if (port === 0) throw new BadField("port 0");
    return { hostname, port };
  },
};

/** A list behind its length in one byte, each item with the same fields. */
export function listOf<T>(item: Field<T>): Field<readonly T[]> {
  return {
    write(writer, values) {
      u8.write(writer, values.length);
      for (const value of values) item.write(writer, value);
    },
    read: (reader) => Array.from({ length: u8.read(reader) }, () => item.read(reader)),
  };
}

/** A group of fields in the order in which they stand here. */
export function group<T extends object>(fields: { [P in keyof T]-?: Field<T[P]> }): Field<T> {
  const entries = Object.entries(fields) as [keyof T, Field<unknown>][];
  return {
    write(writer, value) {
      for (const [name, field] of entries) field.write(writer, value[name]);
    },
    read(reader) {
      const value: Partial<Record<keyof T, unknown>> = {};
      for (const [name, field] of entries) value[name] = field.read(reader);
      return value as T;
    },
  };
}
