/**
 * The answer that goes out most, written from the bytes of a table without a frame in between.
 *
 * @module
 */
import { addressOf, IPV4_SIZE } from "./endpoint_bytes.ts";
import { FRAME_HEADER_SIZE, PUBLIC_KEY_SIZE } from "./frame.ts";
import { LAYOUTS } from "./layout.ts";

/** A table of clients as bytes; `entry` names one of them. */
export interface EntryBytes {
  /** The client id. */
  id(entry: number): number;
  /** Bytes in the name. */
  nameSize(entry: number): number;
  /** Writes the name from `at` on. */
  copyName(entry: number, to: Uint8Array, at: number): void;
  /** Host and port as in `endpoint_bytes.ts`. */
  endpoint(entry: number): Uint8Array;
  /** Writes the public key from `at` on. */
  copyKey(entry: number, to: Uint8Array, at: number): void;
}

/** Writes a Found about an entry from `at` on; returns where it ends. */
export function writeFound(to: Uint8Array, at: number, table: EntryBytes, entry: number): number {
  const address = addressOf(table.endpoint(entry));
  const id = table.id(entry);
  const nameSize = table.nameSize(entry);
  const size = 4 + 1 + nameSize + 1 + address.length + PUBLIC_KEY_SIZE;
  to[at] = LAYOUTS.found[0];
  to[at + 1] = size >>> 8;
  to[at + 2] = size;
  let end = at + FRAME_HEADER_SIZE;
  to[end] = id >>> 24;
  to[end + 1] = id >>> 16;
  to[end + 2] = id >>> 8;
  to[end + 3] = id;
  to[end + 4] = nameSize;
  end += 5;
  if (nameSize > 0) table.copyName(entry, to, end);
  end += nameSize;
  to[end] = address.length === IPV4_SIZE ? 4 : 6;
  end++;
  for (let i = 0; i < address.length; i++) to[end + i] = address[i]!;
  end += address.length;
  table.copyKey(entry, to, end);
  return end + PUBLIC_KEY_SIZE;
}
