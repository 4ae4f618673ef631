/**
 * The test vectors of `tests/vectors/`, with bytes and 64-bit numbers in place of their hex digits.
 *
 * @module
 */
import handshake from "../vectors/handshake.json" with { type: "json" };
import noise from "../vectors/noise.json" with { type: "json" };
import wire from "../vectors/wire.json" with { type: "json" };
import { bytes16, bytes32, restBytes, u64 } from "../../protocol/wire/field.ts";
import type { Frame, Header } from "../../protocol/wire/frame.ts";
import { LAYOUTS } from "../../protocol/wire/layout.ts";
import { fromHex } from "./hex.ts";

/** A datagram, or the frames that are sealed in one, and the values that the bytes stand for. */
export interface Vector {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Undefined for frames alone. */
  readonly header: Header | undefined;
  /** What decoding gives. */
  readonly frames: readonly Frame[];
  /** What encoding takes: includes the Padding, which decoding leaves out. */
  readonly encoded: readonly Frame[];
  /** Frames of unknown types; no encoder writes them. */
  readonly unknownFrames: number;
  /** The version in the header, where it is not the current one. */
  readonly version: number | undefined;
}

/** A sealed datagram. */
export interface SealedVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly header: Header;
  /** The first key of this direction. */
  readonly key: Uint8Array;
  /** The frames before sealing. */
  readonly plain: Uint8Array;
}

interface VectorJson {
  readonly name: string;
  readonly bytes: string;
  readonly header?: Header;
  readonly frames: readonly FrameJson[];
  readonly encoded?: readonly FrameJson[];
  readonly unknownFrames?: number;
  readonly version?: number;
}

type FrameJson = { readonly kind: string } & Readonly<Record<string, unknown>>;

const BYTES: readonly unknown[] = [bytes16, bytes32, restBytes];

/** Datagrams and frames: at least one vector for every kind of frame. */
export const VECTORS: readonly Vector[] = (wire as readonly VectorJson[]).map((json) => {
  const frames = json.frames.map(toFrame);
  return {
    name: json.name,
    bytes: fromHex(json.bytes),
    header: json.header,
    frames,
    encoded: json.encoded?.map(toFrame) ?? frames,
    unknownFrames: json.unknownFrames ?? 0,
    version: json.version,
  };
});

/** Private keys and secrets, from which {@linkcode DERIVED} and all sealed bytes follow. */
export const INPUTS = bytesOf(handshake.inputs);
/** The public keys of the private keys. */
export const PUBLIC_KEYS = bytesOf(handshake.publicKeys);
/** What both ends derive; `forward` is from the requester to the responder. */
export const DERIVED = bytesOf(handshake.derived);
/** The handshake's message one and message two. */
export const MESSAGES = {
  one: fromHex(handshake.messageOne),
  two: fromHex(handshake.messageTwo),
} as const;
/** The values in both messages, and in the cookie. */
export const CONTENT = {
  ...handshake.content,
  timestamp: BigInt(handshake.content.timestamp),
  acceptTimestamp: BigInt(handshake.content.acceptTimestamp),
  cookieNonce: BigInt(`0x${handshake.content.cookieNonce}`),
} as const;
/** What two users compare. */
export const HUMAN_READABLE = handshake.humanReadable;

/** Sealed datagrams, in an order in which they may be sent. */
export const SEALED: readonly SealedVector[] = handshake.sealed.map((json) => ({
  name: json.name,
  bytes: fromHex(json.bytes),
  header: json.header as Header,
  key: DERIVED[json.key as keyof typeof DERIVED],
  plain: fromHex(json.plain),
}));

/** Published vectors for `Noise_IK_25519_AESGCM_SHA256`: whole handshakes with transport messages. */
export const NOISE_VECTORS = noise.map(({ name, hash, messages, ...inputs }) => ({
  name,
  ...bytesOf(inputs),
  hash: hash === undefined ? undefined : fromHex(hash),
  messages: messages.map(bytesOf),
}));

/** The bytes of the vector of this name. */
export function vectorBytes(name: string): Uint8Array {
  const vector = VECTORS.find((each) => each.name === name);
  if (vector === undefined) throw new Error(`Cannot find vector "${name}"`);
  return vector.bytes;
}

function bytesOf<K extends string>(digits: Record<K, string>): Record<K, Uint8Array> {
  const entries = Object.entries<string>(digits).map(([name, text]) => [name, fromHex(text)]);
  return Object.fromEntries(entries) as Record<K, Uint8Array>;
}

/** The layout of the frame says which of its fields are hex digits. */
function toFrame({ kind, ...json }: FrameJson): Frame {
  const fields: Readonly<Record<string, unknown>> = LAYOUTS[kind as Frame["kind"]][1];
  const entries = Object.entries(json).map(([name, value]) => {
    if (fields[name] === u64) return [name, BigInt(`0x${value}`)];
    return [name, BYTES.includes(fields[name]) ? fromHex(`${value}`) : value];
  });
  return { kind, ...Object.fromEntries(entries) } as Frame;
}
