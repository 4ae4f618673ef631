/**
 * Decodes with both codecs, which have to agree.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { goodName } from "../../protocol/name/name.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import {
  type Datagram,
  decodeDatagram,
  type DecodedFrames,
  type DecodeError,
  decodeFrames,
} from "../../protocol/wire/datagram.ts";
import type { DatagramType, Frame } from "../../protocol/wire/frame.ts";
import { toHex } from "../support/hex.ts";
import { naiveDecode, naiveDecodeFrames } from "./naive_codec.ts";

/** What decodeDatagram() gives. */
export type Decoded = Result<Datagram, DecodeError>;

/** The frames by which somebody tells who a client is. */
const TELLING = ["found", "listing", "meeting", "connectionRequest", "connectionAccept"];

/** The frames of the naive codec, which reads names as they are, with the good names alone. */
export function withGoodNames<F extends { kind: string }>(frames: readonly F[]): F[] {
  return frames.map((frame) => TELLING.includes(frame.kind) ? withGoodName(frame) : frame);
}

function withGoodName<T>(value: T): T {
  if (Array.isArray(value)) return value.map((item) => withGoodName(item)) as T;
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).map(([key, item]) =>
    key === "name" && typeof item === "string" ? [key, goodName(item)] : [key, withGoodName(item)]
  );
  return Object.fromEntries(entries);
}

/** What decodeDatagram() is to give, as the naive codec has it. `numbers` are the same bytes. */
export function naiveDecoded(bytes: Uint8Array, numbers = Array.from(bytes)): Decoded {
  const naive = naiveDecode(numbers);
  if (naive.row === "dropped") return failure({ reason: naive.why });
  const header = { ...naive.header, type: naive.header.type as DatagramType };
  if (naive.row === "version") {
    return failure({ reason: "version", header, version: naive.version });
  }
  const { unknownFrames, sealedAt } = naive;
  const frames = withGoodNames(naive.frames as unknown as Frame[]);
  return success({ bytes, header, frames, unknownFrames, sealedAt });
}

/** Whether two values are equal in depth; much faster than assertEquals(). */
export function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  if (a === b) return true;
  if (a instanceof Uint8Array !== b instanceof Uint8Array) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) =>
    isSame((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
  );
}

/** Decodes a datagram with both. */
export function decodeBoth(bytes: Uint8Array, what: string, numbers?: number[]): Decoded {
  const real = decodeDatagram(bytes);
  const naive = naiveDecoded(bytes, numbers);
  if (!isSame(real, naive)) assertEquals<unknown>(real, naive, `${what}: ${toHex(bytes)}`);
  return real;
}

/** Decodes frames with both. */
export function decodeFramesBoth(
  bytes: Uint8Array,
  what: string,
  numbers = Array.from(bytes),
): DecodedFrames | undefined {
  const real = decodeFrames(bytes);
  const read = naiveDecodeFrames(numbers);
  const naive = read && { ...read, frames: withGoodNames(read.frames as unknown as Frame[]) };
  if (!isSame(real, naive)) assertEquals<unknown>(real, naive, `${what}: ${toHex(bytes)}`);
  return real;
}
