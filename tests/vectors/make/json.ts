/**
 * The vectors as they stand in the JSON files.
 *
 * @module
 */
import {
  naiveDecode,
  naiveDecodeFrames,
  naiveEncodeFrames,
  type NaiveFrame,
  type NaiveHeader,
} from "../../reference/naive_codec.ts";
import { toHex } from "../../support/hex.ts";
import { BAD } from "./bad.ts";
import { DIRECTORY_CLEAR, DIRECTORY_DERIVED, DIRECTORY_SEALED } from "./directory.ts";
import { FRAMES, type FramesVector } from "./frames.ts";
import {
  COOKIE,
  DERIVED,
  HANDSHAKE_CLEAR,
  HUMAN_READABLE,
  MESSAGES,
  PACKETS,
} from "./handshake.ts";
import {
  ADDRESS,
  COOKIE_NONCE,
  DIRECTORY_COOKIE,
  DIRECTORY_NONCE,
  INPUTS,
  NAMES,
  PUBLIC_KEYS,
  SESSIONS,
} from "./inputs.ts";
import type { ClearVector, SealedVector } from "./vector.ts";

type Json = unknown;

const hexAll = (values: Readonly<Record<string, Uint8Array>>): Json =>
  Object.fromEntries(Object.entries(values).map(([name, bytes]) => [name, toHex(bytes)]));

/** Bytes and 64-bit numbers as hex digits: many JSON parsers round those. */
function frameJson(frame: NaiveFrame): Json {
  const entries = Object.entries(frame).map(([name, value]) => {
    if (value instanceof Uint8Array) return [name, toHex(value)];
    if (typeof value === "bigint") return [name, value.toString(16).padStart(16, "0")];
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function decoded(plain: Uint8Array): { frames: Json[]; unknownFrames?: number } {
  const read = naiveDecodeFrames([...plain]);
  if (read === undefined) throw new Error("A vector cannot be decoded");
  const { frames, unknownFrames } = read;
  return {
    frames: frames.map(frameJson),
    ...unknownFrames > 0 ? { unknownFrames } : {},
  };
}

function headerOf(bytes: Uint8Array): NaiveHeader {
  // No Version of this version is read.
  const read = naiveDecode([...bytes.with(3, Math.min(bytes[3]!, 254))]);
  if (read.row === "dropped") throw new Error("A vector cannot be decoded");
  return { ...read.header, type: bytes[3]! };
}

function clearJson({ name, bytes, only, encoded = [] }: ClearVector): Json {
  const [version] = bytes.slice(2);
  const sealedAt = version === 1 ? bytes.length : 16;
  return {
    name,
    ...only === undefined ? {} : { only },
    bytes: toHex(bytes),
    ...version === 1 ? {} : { version },
    header: headerOf(bytes),
    ...decoded(bytes.slice(16, sealedAt)),
    ...encodedJson(encoded),
  };
}

function sealedJson({ name, bytes, key, plain }: SealedVector): Json {
  return {
    name,
    bytes: toHex(bytes),
    header: headerOf(bytes),
    key,
    plain: toHex(plain),
    ...decoded(plain),
  };
}

/** Frames with their Padding, where they have some. */
function encodedJson(frames: readonly NaiveFrame[]): object {
  const hasPadding = frames.some(({ kind }) => kind === "padding");
  return hasPadding ? { encoded: frames.map(frameJson) } : {};
}

/** Frames alone, as they are sealed. */
export function framesJson(): Json {
  return FRAMES.map((vector) => {
    const { name, encoded, only } = vector;
    const bytes = framesBytes(vector);
    return {
      name,
      ...only === undefined ? {} : { only },
      bytes: toHex(bytes),
      ...decoded(bytes),
      ...encodedJson(encoded),
    };
  });
}

/** The frames of a vector as bytes. */
export function framesBytes({ encoded, after = new Uint8Array() }: FramesVector): Uint8Array {
  return Uint8Array.from([...naiveEncodeFrames(encoded), ...after]);
}

/** The keys that all sealed vectors follow from. */
export function keysJson(): Json {
  return {
    inputs: hexAll(INPUTS),
    publicKeys: hexAll(PUBLIC_KEYS),
    names: NAMES,
    sessions: SESSIONS,
    initiatorAddress: ADDRESS,
  };
}

/** A client and its directory. */
export function directoryJson(): Json {
  return {
    nonce: DIRECTORY_NONCE.toString(16).padStart(16, "0"),
    cookie: toHex(DIRECTORY_COOKIE),
    derived: hexAll(DIRECTORY_DERIVED),
    clear: DIRECTORY_CLEAR.map(clearJson),
    sealed: DIRECTORY_SEALED.map(sealedJson),
  };
}

/** Two clients. */
export function handshakeJson(): Json {
  return {
    ...hexAll(MESSAGES) as object,
    derived: hexAll(DERIVED),
    cookie: toHex(COOKIE),
    cookieNonce: toHex(COOKIE_NONCE),
    humanReadable: HUMAN_READABLE,
    clear: HANDSHAKE_CLEAR.map(clearJson),
    sealed: PACKETS.map(sealedJson),
  };
}

/** What comes to nothing. */
export function badJson(): Json {
  return BAD.map(({ name, bytes, zeros, answer, key, plain }) => ({
    name,
    bytes: toHex(bytes),
    ...zeros === undefined ? {} : { zeros },
    ...answer === undefined ? {} : { answer: toHex(answer) },
    ...key === undefined || plain === undefined ? {} : { key, plain: toHex(plain) },
  }));
}
