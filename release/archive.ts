/**
 * Archives of files: the same bytes for the same files, on every system.
 *
 * @module
 */
import { crc32 } from "node:zlib";
import type { Target } from "./targets.ts";

/** A file of an archive. */
export interface Entry {
  /** With forward slashes. */
  readonly path: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly isExecutable: boolean;
}

/** The mode of a regular file in Unix, without its permissions. */
const REGULAR_FILE = 0o100000;
const TAR_BLOCK = 512;
/** The longest path in the first field of a header of tar. */
const TAR_PATH_MAX = 100;
/** The version of the zip format that has deflate, and the one made on Unix. */
const ZIP_VERSION = 20;
const ZIP_MADE_ON_UNIX = 3 << 8;
const ZIP_DEFLATE = 8;
/** Bytes of each kind of header without what varies. */
const ZIP_LOCAL_SIZE = 30;
const ZIP_CENTRAL_SIZE = 46;
const ZIP_END_SIZE = 22;

const encoder = new TextEncoder();

/** An archive of the files, all of them changed at this time. */
export async function archive(
  format: Target["format"],
  entries: readonly Entry[],
  changed: Date,
): Promise<Uint8Array<ArrayBuffer>> {
  return await (format === "zip" ? zip(entries, changed) : compress(tar(entries, changed), "gzip"));
}

function permissions({ isExecutable }: Entry): number {
  return isExecutable ? 0o755 : 0o644;
}

async function compress(
  bytes: Uint8Array<ArrayBuffer>,
  format: CompressionFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** An archive in the form of POSIX (ustar). */
function tar(entries: readonly Entry[], changed: Date): Uint8Array<ArrayBuffer> {
  const parts = entries.flatMap((entry) => [
    tarHeader(entry, changed),
    entry.bytes,
    new Uint8Array(-entry.bytes.length & (TAR_BLOCK - 1)),
  ]);
  return join([...parts, new Uint8Array(2 * TAR_BLOCK)]);
}

function tarHeader(entry: Entry, changed: Date): Uint8Array<ArrayBuffer> {
  const { path, bytes } = entry;
  if (path.length > TAR_PATH_MAX) throw new Error(`Cannot pack ${path}: its path is too long`);
  const header = new Uint8Array(TAR_BLOCK);
  const put = (offset: number, text: string): void => header.set(encoder.encode(text), offset);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(0, path);
  put(100, octal(permissions(entry), 7));
  // Nobody's user and group: those of who unpacks it.
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(bytes.length, 11));
  put(136, octal(Math.floor(changed.getTime() / 1000), 11));
  put(156, "0");
  put(257, "ustar\0" + "00");
  // The sum counts its own field as spaces.
  put(148, " ".repeat(8));
  put(148, octal(header.reduce((sum, byte) => sum + byte, 0), 6) + "\0 ");
  return header;
}

async function zip(entries: readonly Entry[], changed: Date): Promise<Uint8Array<ArrayBuffer>> {
  const files: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const entry of entries) {
    const packed = await compress(entry.bytes, "deflate-raw");
    const path = encoder.encode(entry.path);
    const common = zipFields(entry, packed.length, path.length, changed);
    const local = zipHeader(ZIP_LOCAL_SIZE, 0x04034b50);
    local.set(common, 4);
    const central = zipHeader(ZIP_CENTRAL_SIZE, 0x02014b50);
    const view = new DataView(central.buffer);
    view.setUint16(4, ZIP_MADE_ON_UNIX | ZIP_VERSION, true);
    central.set(common, 6);
    view.setUint32(38, (REGULAR_FILE | permissions(entry)) * 0x10000, true);
    view.setUint32(42, offset, true);
    files.push(local, path, packed);
    directory.push(central, path);
    offset += local.length + path.length + packed.length;
  }
  const end = zipHeader(ZIP_END_SIZE, 0x06054b50);
  const view = new DataView(end.buffer);
  view.setUint16(8, entries.length, true);
  view.setUint16(10, entries.length, true);
  view.setUint32(12, directory.reduce((sum, { length }) => sum + length, 0), true);
  view.setUint32(16, offset, true);
  return join([...files, ...directory, end]);
}

function zipHeader(size: number, signature: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(size);
  new DataView(header.buffer).setUint32(0, signature, true);
  return header;
}

/** The fields that both headers of a file have. */
function zipFields(
  { bytes }: Entry,
  packedSize: number,
  pathSize: number,
  changed: Date,
): Uint8Array<ArrayBuffer> {
  const fields = new Uint8Array(26);
  const view = new DataView(fields.buffer);
  view.setUint16(0, ZIP_VERSION, true);
  view.setUint16(4, ZIP_DEFLATE, true);
  const [hours, minutes, seconds] = [
    changed.getUTCHours(),
    changed.getUTCMinutes(),
    changed.getUTCSeconds(),
  ];
  view.setUint16(6, hours << 11 | minutes << 5 | seconds >> 1, true);
  const [year, month, day] = [
    changed.getUTCFullYear(),
    changed.getUTCMonth() + 1,
    changed.getUTCDate(),
  ];
  view.setUint16(8, (year - 1980) << 9 | month << 5 | day, true);
  view.setUint32(10, crc32(bytes), true);
  view.setUint32(14, packedSize, true);
  view.setUint32(18, bytes.length, true);
  view.setUint16(22, pathSize, true);
  return fields;
}

function join(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
