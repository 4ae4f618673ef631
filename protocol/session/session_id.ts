/**
 * Ids of sessions: each end chooses its own at random, and tells it in the handshake.
 *
 * @module
 */
import { Reader, u32, Writer } from "../wire/field.ts";

const SIZE = 4;

/** The payload of a handshake's message. */
export function encodeSessionId(id: number): Uint8Array {
  const writer = new Writer(SIZE);
  u32.write(writer, id);
  return writer.bytes;
}

/** The id in the payload of a handshake's message; undefined where it is none: 0 stands for none. */
export function decodeSessionId(payload: Uint8Array): number | undefined {
  if (payload.length !== SIZE) return undefined;
  return u32.read(new Reader(payload)) || undefined;
}
