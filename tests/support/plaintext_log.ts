/**
 * Remembers the plaintext of sealed datagrams, for tests with both ends in one process.
 *
 * The product must have no way to read a datagram without its keys. So this wraps the methods that
 * seal, on their prototypes, and remembers their input by their output, up to a bound. That affects
 * only the test files that share a worker with one that imports this, and changes nothing that is
 * sent.
 *
 * @module
 */
import { Sealer } from "../../protocol/crypto/seal.ts";
import { DirectorySession } from "../../protocol/directory/directory_session.ts";
import { Registrar } from "../../protocol/directory/registrar.ts";
import { Session } from "../../protocol/session/session.ts";
import { decodeDatagram, type DecodeError, decodeFrames } from "../../protocol/wire/datagram.ts";
import { readEndpoint } from "../../protocol/wire/endpoint_bytes.ts";
import {
  type Frame,
  type Header,
  HEADER_SIZE,
  PUBLIC_KEY_SIZE,
  TAG_SIZE,
} from "../../protocol/wire/frame.ts";
import { toHex } from "./hex.ts";

/** At least so many plaintexts are remembered, and at most twice as many. */
const ENTRIES_MIN = 10_000;

/** One end of a session. */
export interface SessionEnd {
  /** The hash of the handshake, as hex digits. */
  readonly hash: string;
  readonly isInitiator: boolean;
}

/** A decrypted datagram. */
export type Plaintext =
  | {
    ok: true;
    header: Header;
    /** The clear frames, then the sealed ones. */
    frames: readonly Frame[];
    /** Whether it has sealed frames that were not sealed here, so that these are missing. */
    isUnknown: boolean;
    /** Names the key and direction that sealed it; undefined for one without sealed frames. */
    key: string | undefined;
    /** What sealed a Packet; undefined for other datagrams. */
    sealedBy: SessionEnd | undefined;
  }
  | { ok: false; error: DecodeError };

/** What was sealed, by its tag. */
interface Entry {
  /** Decoded only when they are asked for: most never are. */
  readonly frames: () => readonly Frame[];
  readonly size: number;
  readonly key: string;
  sealedBy: SessionEnd | undefined;
}

/** The latest, and those before. */
let entries = new Map<number, Entry>();
let earlier = new Map<number, Entry>();

/** A frame without a view of a buffer that is used again: what is carried is in one. */
function copyOf(frame: Frame): Frame {
  return "datagram" in frame ? { ...frame, datagram: frame.datagram.slice() } : frame;
}

const sealers = new WeakMap<Sealer, number>();
let sealerCount = 0;

/** The first 53 bits of the tag, which are unique in practice. */
function tagOf(datagram: Uint8Array): number {
  const view = new DataView(datagram.buffer, datagram.byteOffset + datagram.length - TAG_SIZE);
  return view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11);
}

function remember(datagram: Uint8Array, frames: () => readonly Frame[], key: string): void {
  entries.set(tagOf(datagram), { frames, size: datagram.length, key, sealedBy: undefined });
  if (entries.size < ENTRIES_MIN) return;
  [earlier, entries] = [entries, new Map()];
}

const { seal } = Sealer.prototype;
Sealer.prototype.seal = function (this: Sealer, datagram): void {
  const plain = datagram.slice(HEADER_SIZE, datagram.length - TAG_SIZE);
  seal.call(this, datagram);
  let number = sealers.get(this);
  if (number === undefined) sealers.set(this, number = ++sealerCount);
  remember(datagram, () => decodeFrames(plain)?.frames ?? [], `of sealer ${number}`);
};

const ends = new WeakMap<Session, SessionEnd>();
const { seal: sealPacket } = Session.prototype;
Session.prototype.seal = function (this: Session): Uint8Array {
  const datagram = sealPacket.call(this);
  let end = ends.get(this);
  if (end === undefined) {
    ends.set(this, end = { hash: toHex(this.hash), isInitiator: this.isInitiator });
  }
  const tag = tagOf(datagram);
  (entries.get(tag) ?? earlier.get(tag)!).sealedBy = end;
  return datagram;
};

/** What names their keys: what a key is made of is in the Credentials, and that of the directory. */
const registrationKeys = new WeakMap<DirectorySession, string>();
const { encodeRegister, encodeRequest } = DirectorySession.prototype;
DirectorySession.prototype.encodeRegister = function (this: DirectorySession, frame, sign) {
  const datagram = encodeRegister.call(this, frame, sign);
  const decoded = decodeDatagram(datagram);
  const credentials = decoded.ok && decoded.value.frames.find(({ kind }) => kind === "credentials");
  if (!credentials || credentials.kind !== "credentials") throw new Error("without Credentials");
  const key = `${credentials.nonce} ${toHex(credentials.cookie)} ${toHex(this.directoryKey)}`;
  registrationKeys.set(this, `to the directory under ${key}`);
  remember(datagram, () => [frame], registrationKeys.get(this)!);
  return datagram;
};
DirectorySession.prototype.encodeRequest = function (this: DirectorySession, id, frame, sizeMin) {
  const datagram = encodeRequest.call(this, id, frame, sizeMin);
  const copy = copyOf(frame);
  remember(datagram, () => [copy], registrationKeys.get(this)!);
  return datagram;
};

const { encodeAnswer, encodeNotice, encodeFound } = Registrar.prototype;
Registrar.prototype.encodeAnswer = function (this: Registrar, key, session, packet, frame) {
  const datagram = encodeAnswer.call(this, key, session, packet, frame);
  remember(datagram, () => [frame], `of the directory under ${toHex(key)}`);
  return datagram;
};
Registrar.prototype.encodeNotice = function (this: Registrar, key, session, packet, frame) {
  const datagram = encodeNotice.call(this, key, session, packet, frame);
  const copy = copyOf(frame);
  remember(datagram, () => [copy], `unasked of the directory under ${toHex(key)}`);
  return datagram;
};
Registrar.prototype.encodeFound = function (this: Registrar, key, session, packet, table, entry) {
  const datagram = encodeFound.call(this, key, session, packet, table, entry);
  const name = new Uint8Array(table.nameSize(entry));
  table.copyName(entry, name, 0);
  const publicKey = new Uint8Array(PUBLIC_KEY_SIZE);
  table.copyKey(entry, publicKey, 0);
  const found: Frame = {
    kind: "found",
    id: table.id(entry),
    name: new TextDecoder().decode(name),
    address: readEndpoint(table.endpoint(entry)),
    publicKey,
  };
  remember(datagram, () => [found], `of the directory under ${toHex(key)}`);
  return datagram;
};

/** Decodes and decrypts a datagram; an altered one may give the original frames. */
export function decrypt(bytes: Uint8Array): Plaintext {
  const decoded = decodeDatagram(bytes);
  if (!decoded.ok) return decoded;
  const { header, frames, sealedAt } = decoded.value;
  const clear = { ok: true, header, frames, key: undefined, sealedBy: undefined } as const;
  if (sealedAt === bytes.length) return { ...clear, isUnknown: false };
  const isLongEnough = bytes.length >= sealedAt + TAG_SIZE;
  const tag = isLongEnough ? tagOf(bytes) : NaN;
  const entry = entries.get(tag) ?? earlier.get(tag);
  if (entry?.size !== bytes.length) return { ...clear, isUnknown: true };
  const { key, sealedBy } = entry;
  return {
    ok: true,
    header,
    frames: [...frames, ...entry.frames()],
    isUnknown: false,
    key,
    sealedBy,
  };
}
