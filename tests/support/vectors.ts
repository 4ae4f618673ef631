/**
 * The test vectors of `tests/vectors/`, with bytes and 64-bit numbers in place of their hex digits.
 *
 * @module
 */
import bad from "../vectors/bad.json" with { type: "json" };
import conversation from "../vectors/conversation.json" with { type: "json" };
import directory from "../vectors/directory.json" with { type: "json" };
import frames from "../vectors/frames.json" with { type: "json" };
import handshake from "../vectors/handshake.json" with { type: "json" };
import keys from "../vectors/keys.json" with { type: "json" };
import noise from "../vectors/noise.json" with { type: "json" };
import {
  bytes100,
  bytes16,
  bytes24,
  bytes32,
  bytes52,
  restBytes,
  u64,
} from "../../protocol/wire/field.ts";
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
  /** Who alone meets it. */
  readonly only: "receiver" | "sender" | undefined;
}

/** A datagram with sealed frames. */
export interface SealedVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly header: Header;
  /** The registration key, or the first key of its direction. */
  readonly key: Uint8Array;
  /** The frames before sealing. */
  readonly plain: Uint8Array;
  /** What decoding them gives. */
  readonly frames: readonly Frame[];
}

/** A datagram that comes to nothing. */
export interface BadVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The Version or Unknown that answers it, if anything does. */
  readonly answer: Uint8Array | undefined;
  /** Where it is a Packet that opens: what is sealed. */
  readonly plain: Uint8Array | undefined;
}

/** A datagram of the conversation. */
export interface ConversationDatagram {
  readonly time: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** Where it has sealed frames: what they are sealed under, and what they are. */
  readonly key: Uint8Array | undefined;
  readonly plain: Uint8Array | undefined;
}

interface VectorJson {
  readonly name: string;
  readonly bytes: string;
  readonly header?: Header;
  readonly frames: readonly FrameJson[];
  readonly encoded?: readonly FrameJson[];
  readonly unknownFrames?: number;
  readonly version?: number;
  readonly only?: string;
}

type FrameJson = { readonly kind: string } & Readonly<Record<string, unknown>>;

const BYTES: readonly unknown[] = [bytes16, bytes24, bytes32, bytes52, bytes100, restBytes];

function vector(json: VectorJson): Vector {
  const decoded = json.frames.map(toFrame);
  return {
    name: json.name,
    bytes: fromHex(json.bytes),
    header: json.header,
    frames: decoded,
    encoded: json.encoded?.map(toFrame) ?? decoded,
    unknownFrames: json.unknownFrames ?? 0,
    version: json.version,
    only: json.only as Vector["only"],
  };
}

/** Datagrams without sealed frames. */
export const DATAGRAM_VECTORS: readonly Vector[] = [
  ...directory.clear as readonly VectorJson[],
  ...handshake.clear as readonly VectorJson[],
].map(vector);
/** Frames as they are sealed. */
export const FRAME_VECTORS: readonly Vector[] = (frames as readonly VectorJson[]).map(vector);
/** Both: at least one vector for every kind of frame. */
export const VECTORS: readonly Vector[] = [...DATAGRAM_VECTORS, ...FRAME_VECTORS];

/** Private keys and secrets, from which all sealed bytes follow. */
export const INPUTS = bytesOf(keys.inputs);
/** The public keys of the private keys. */
export const PUBLIC_KEYS = bytesOf(keys.publicKeys);
/** Who the clients are. */
export const CONTENT = {
  names: keys.names,
  sessions: keys.sessions,
  initiatorAddress: keys.initiatorAddress,
} as const;

/** What both ends of a session derive; `forward` is from the initiator to the responder. */
export const DERIVED = bytesOf(handshake.derived);
/** The handshake's message one and message two. */
export const MESSAGES = {
  one: fromHex(handshake.messageOne),
  two: fromHex(handshake.messageTwo),
} as const;
/** The cookie of the initiator's address, and the nonce of its Cookie Reply. */
export const COOKIE = {
  cookie: fromHex(handshake.cookie),
  nonce: fromHex(handshake.cookieNonce),
} as const;
/** What two users compare. */
export const HUMAN_READABLE = handshake.humanReadable;

/** An exchange with a directory. */
export const EXCHANGE = {
  nonce: BigInt(`0x${directory.nonce}`),
  cookie: fromHex(directory.cookie),
} as const;
/** What a client and its directory derive. */
export const REGISTRATION = bytesOf(directory.derived);

interface SealedJson extends VectorJson {
  readonly header: Header;
  readonly key: string;
  readonly plain: string;
}

function sealed(json: readonly SealedJson[], under: Readonly<Record<string, Uint8Array>>) {
  return json.map(({ name, bytes, header, key, plain, frames }): SealedVector => ({
    name,
    bytes: fromHex(bytes),
    header,
    key: under[key]!,
    plain: fromHex(plain),
    frames: frames.map(toFrame),
  }));
}

/** Registers, Requests and Answers, in an order in which they may be sent. */
export const DIRECTORY_SEALED: readonly SealedVector[] = sealed(
  directory.sealed as readonly SealedJson[],
  REGISTRATION,
);
/** Packets, in an order in which they may be sent. */
export const PACKETS: readonly SealedVector[] = sealed(
  handshake.sealed as readonly SealedJson[],
  DERIVED,
);
/** Both. */
export const SEALED: readonly SealedVector[] = [...DIRECTORY_SEALED, ...PACKETS];

interface BadJson {
  readonly name: string;
  readonly bytes: string;
  readonly zeros?: number;
  readonly answer?: string;
  readonly plain?: string;
}

/** What is dropped, or answered by a header. */
export const BAD: readonly BadVector[] = (bad as readonly BadJson[]).map((json) => ({
  name: json.name,
  bytes: fromHex(json.bytes + "00".repeat(json.zeros ?? 0)),
  answer: json.answer === undefined ? undefined : fromHex(json.answer),
  plain: json.plain === undefined ? undefined : fromHex(json.plain),
}));

/** From the first Register to the ack of the Termination. */
export const CONVERSATION: readonly ConversationDatagram[] = conversation.datagrams.map((json) => ({
  ...json,
  bytes: fromHex(json.bytes),
  key: json.key === undefined ? undefined : fromHex(json.key),
  plain: json.plain === undefined ? undefined : fromHex(json.plain),
}));

/** Published vectors for the handshake: with transport messages. */
export const NOISE_VECTORS = noise.map(({ name, hash, messages, ...inputs }) => ({
  name,
  ...bytesOf(inputs),
  hash: hash === undefined ? undefined : fromHex(hash),
  messages: messages.map(bytesOf),
}));

/** The bytes of the vector of this name. */
export function vectorBytes(name: string): Uint8Array {
  const found = [...VECTORS, ...SEALED].find((each) => each.name === name);
  if (found === undefined) throw new Error(`Cannot find vector "${name}"`);
  return found.bytes;
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
