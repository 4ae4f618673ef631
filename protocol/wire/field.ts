/**
 * The fields that frames are made of: how each is written and read, big-endian.
 *
 * A writer or reader that comes to its end says so once, in `isFull` or `isMalformed`: what it wrote
 * or read since then is worth nothing, and nothing is thrown.
 *
 * @module
 */
import { type Address, bytesToHost, hostToBytes } from "./address.ts";
import { readAscii, writeUtf8 } from "./utf8.ts";

/** No room, or nothing to read: what take() returns then. */
const NOWHERE = -1;

/** Appends values to a buffer. */
export class Writer {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  offset = 0;
  /** Whether a value did not fit. */
  isFull = false;

  constructor(size: number) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Where the next `size` bytes go. */
  take(size: number): number {
    const start = this.offset;
    if (start + size > this.bytes.length) {
      this.isFull = true;
      return NOWHERE;
    }
    this.offset = start + size;
    return start;
  }

  /** Appends bytes. */
  append(bytes: Uint8Array): void {
    const start = this.take(bytes.length);
    if (start !== NOWHERE) this.bytes.set(bytes, start);
  }
}

/** Takes values from the front of `bytes`. */
export class Reader {
  readonly bytes: Uint8Array;
  offset = 0;
  /** Where reading has to stop: the end of the frame being read. */
  end: number;
  /** Whether what was read is no such value, or ended too early. */
  isMalformed = false;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.end = bytes.length;
  }

  /** Where the next `size` bytes are. */
  take(size: number): number {
    const start = this.offset;
    if (start + size > this.end) {
      this.isMalformed = true;
      return NOWHERE;
    }
    this.offset = start + size;
    return start;
  }

  /** The next `size` bytes, as a view; fewer where they end before. */
  takeBytes(size: number): Uint8Array {
    const start = this.take(size);
    return start === NOWHERE ? NO_BYTES : this.bytes.subarray(start, start + size);
  }

  /** Bytes up to the end. */
  get left(): number {
    return this.end - this.offset;
  }
}

const NO_BYTES = new Uint8Array();

/** The number in two bytes. */
export function readU16(bytes: Uint8Array, at: number): number {
  return bytes[at]! << 8 | bytes[at + 1]!;
}

/** The number in four bytes; a view for it would cost more than the reading. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24 | bytes[at + 1]! << 16 | bytes[at + 2]! << 8 | bytes[at + 3]!) >>> 0;
}

/** One field of a frame. */
export interface Field<T> {
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

export const u8: Field<number> = {
  write(writer, value) {
    const at = writer.take(1);
    if (at !== NOWHERE) writer.view.setUint8(at, value);
  },
  read(reader) {
    const at = reader.take(1);
    return at === NOWHERE ? 0 : reader.bytes[at]!;
  },
};

export const u16: Field<number> = {
  write(writer, value) {
    const at = writer.take(2);
    if (at !== NOWHERE) writer.view.setUint16(at, value);
  },
  read(reader) {
    const at = reader.take(2);
    return at === NOWHERE ? 0 : readU16(reader.bytes, at);
  },
};

export const u32: Field<number> = {
  write(writer, value) {
    const at = writer.take(4);
    if (at !== NOWHERE) writer.view.setUint32(at, value);
  },
  read(reader) {
    const at = reader.take(4);
    return at === NOWHERE ? 0 : readU32(reader.bytes, at);
  },
};

/** A 64-bit number that is only compared and echoed, so that all its bits count. */
export const u64: Field<bigint> = {
  write(writer, value) {
    const at = writer.take(8);
    if (at !== NOWHERE) writer.view.setBigUint64(at, value);
  },
  read(reader) {
    const at = reader.take(8);
    if (at === NOWHERE) return 0n;
    return BigInt(readU32(reader.bytes, at)) << 32n | BigInt(readU32(reader.bytes, at + 4));
  },
};

/** So many opaque bytes. What is read is a view of the datagram: copy what is kept. */
function opaque(size: number): Field<Uint8Array> {
  return {
    write(writer, value) {
      if (value.length !== size) {
        throw new TypeError(`Cannot write ${value.length} bytes, expected ${size}`);
      }
      writer.append(value);
    },
    read: (reader) => reader.takeBytes(size),
  };
}

/** A token, a cookie or a code. */
export const bytes16: Field<Uint8Array> = opaque(16);
/** A nonce that is chosen at random. */
export const bytes24: Field<Uint8Array> = opaque(24);
/** A key. */
export const bytes32: Field<Uint8Array> = opaque(32);
/** Message two of the handshake: an ephemeral key, a session id and a tag. */
export const bytes52: Field<Uint8Array> = opaque(52);
/** Message one: an ephemeral key, a sealed static key, a session id and a tag. */
export const bytes100: Field<Uint8Array> = opaque(100);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function readText(reader: Reader, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    reader.isMalformed = true;
    return "";
  }
}

/** UTF-8 after its size in one byte. */
export const shortText: Field<string> = {
  write(writer, value) {
    const bytes = writeUtf8(value);
    if (bytes.length > 255) {
      throw new TypeError(`Cannot write a text of ${bytes.length} bytes, expected at most 255`);
    }
    u8.write(writer, bytes.length);
    writer.append(bytes);
  },
  read(reader) {
    const bytes = reader.takeBytes(u8.read(reader));
    return readAscii(bytes, 0) ?? readText(reader, bytes);
  },
};

/** Bytes up to the end of the frame. */
export const restBytes: Field<Uint8Array> = {
  write: (writer, value) => writer.append(value),
  read: (reader) => reader.takeBytes(reader.left),
};

/** UTF-8 up to the end of the frame. */
export const restText: Field<string> = {
  // Not encodeInto(): the `read` that it returns is wrong for some texts in Deno 2.4.
  write: (writer, value) => writer.append(encoder.encode(value)),
  read: (reader) => readText(reader, reader.takeBytes(reader.left)),
};

/** Zeros up to the end of the frame, which a receiver ignores; the value is how many. */
export const padding: Field<number> = {
  write(writer, size) {
    const start = writer.take(size);
    if (start !== NOWHERE) writer.bytes.fill(0, start, start + size);
  },
  read(reader) {
    const size = reader.left;
    reader.take(size);
    return size;
  },
};

/** The family (4 or 6), the 4 or 16 bytes of the host, the port. */
export const address: Field<Address> = {
  write(writer, value) {
    const host = hostToBytes(value.hostname);
    if (host === undefined) throw new TypeError(`Cannot write "${value.hostname}": no IP address`);
    u8.write(writer, host.length === 4 ? 4 : 6);
    writer.append(host);
    u16.write(writer, value.port);
  },
  read(reader) {
    const family = u8.read(reader);
    const host = reader.takeBytes(family === 4 ? 4 : 16);
    const port = u16.read(reader);
    if ((family !== 4 && family !== 6) || port === 0) reader.isMalformed = true;
    return { hostname: reader.isMalformed ? "" : bytesToHost(host), port };
  },
};

/** A list after its length in one byte, each item with the same fields. */
export function listOf<T>(item: Field<T>): Field<readonly T[]> {
  return {
    write(writer, values) {
      u8.write(writer, values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      const values: T[] = [];
      for (let left = u8.read(reader); left > 0; left--) values.push(item.read(reader));
      return values;
    },
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
