/**
 * Remembers the plaintext of sealed datagrams, for tests with both ends in one process.
 *
 * The product must have no way to read a datagram without its keys. So this wraps the methods that
 * seal, on their prototypes, and remembers their input by their output, up to a bound. That affects
 * only the test file that imports this, because each runs in an isolate of its own, and changes
 * nothing that is sent.
 *
 * @module
 */
import { decodeDatagram, type DecodeError, decodeFrames } from "../../protocol/wire/datagram.ts";
import type {
  ConnectionAccept,
  ConnectionRequest,
  Frame,
  Header,
} from "../../protocol/wire/frame.ts";
import {
  type AcceptContent,
  decodeAcceptContent,
  decodeRequestContent,
  type RequestContent,
} from "../../protocol/session/handshake.ts";
import { Initiator, Responder } from "../../protocol/crypto/noise.ts";
import { Sealer } from "../../protocol/crypto/seal.ts";

/** Most plaintexts of each kind. */
const ENTRIES_MAX = 20_000;
const TAG_SIZE = 16;

/** A Connection Request and the content of message one; undefined if no client here wrote it. */
export type PlainRequest = ConnectionRequest & { content: RequestContent | undefined };
/** An Accept and the content of message two. */
export type PlainAccept = ConnectionAccept & { content: AcceptContent | undefined };
/** A decrypted frame. */
export type PlainFrame =
  | Exclude<Frame, ConnectionRequest | ConnectionAccept>
  | PlainRequest
  | PlainAccept;

/** A decrypted datagram. */
export type Plaintext =
  | {
    ok: true;
    header: Header;
    frames: readonly PlainFrame[];
    /** Whether it was not sealed here, so that the frames are unknown. */
    isUnknown: boolean;
    /** Number of the {@linkcode Sealer} that sealed it; undefined for all others. */
    key: number | undefined;
  }
  | { ok: false; error: DecodeError };

/** A bounded map from random bytes. */
class RecentMap<T> {
  readonly #entries = new Map<number, T>();

  add(bytes: Uint8Array, entry: T): void {
    this.#entries.set(keyOf(bytes), entry);
    if (this.#entries.size <= ENTRIES_MAX) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      return;
    }
  }

  get(bytes: Uint8Array): T | undefined {
    return this.#entries.get(keyOf(bytes));
  }
}

/** The first 53 bits of random bytes, which are unique in practice. */
function keyOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11);
}

const sealed = new RecentMap<{ frames: Uint8Array; size: number; key: number }>();
const messagesOne = new RecentMap<RequestContent>();
const messagesTwo = new RecentMap<AcceptContent>();
const keys = new WeakMap<Sealer, number>();
let keyCount = 0;

const { seal } = Sealer.prototype;
Sealer.prototype.seal = function (this: Sealer, header, plain, into): Uint8Array {
  // Sealing may overwrite them.
  const frames = plain.slice();
  const result = seal.call(this, header, plain, into);
  let key = keys.get(this);
  if (key === undefined) keys.set(this, key = ++keyCount);
  const { length } = result;
  sealed.add(result.subarray(length - TAG_SIZE), { frames, size: length, key });
  return result;
};

const { writeMessageOne } = Initiator.prototype;
Initiator.prototype.writeMessageOne = function (this: Initiator, payload): Uint8Array | undefined {
  const message = writeMessageOne.call(this, payload);
  const content = decodeRequestContent(payload);
  if (message !== undefined && content !== undefined) messagesOne.add(message, content);
  return message;
};

const { writeMessageTwo } = Responder.prototype;
Responder.prototype.writeMessageTwo = function (this: Responder, ephemeral, payload) {
  const result = writeMessageTwo.call(this, ephemeral, payload);
  const content = decodeAcceptContent(payload);
  if (result !== undefined && content !== undefined) messagesTwo.add(result.message, content);
  return result;
};

/** Decodes and decrypts a datagram; an altered one may give the original frames. */
export function decrypt(bytes: Uint8Array): Plaintext {
  const decoded = decodeDatagram(bytes);
  if (!decoded.ok) return decoded;
  const { header } = decoded.value;
  if (decoded.value.sealed === undefined) {
    const frames = decoded.value.frames.map(withContent);
    return { ok: true, header, frames, isUnknown: false, key: undefined };
  }
  const { length } = decoded.value.sealed;
  const entry = length < TAG_SIZE
    ? undefined
    : sealed.get(decoded.value.sealed.subarray(length - TAG_SIZE));
  const plain = entry?.size === length ? decodeFrames(entry.frames) : undefined;
  if (plain === undefined) return { ok: true, header, frames: [], isUnknown: true, key: undefined };
  const frames = plain.frames.map(withContent);
  return { ok: true, header, frames, isUnknown: false, key: entry?.key };
}

function withContent(frame: Frame): PlainFrame {
  if (frame.kind === "connectionRequest") {
    const isNone = frame.messageOne.length < 8;
    return { ...frame, content: isNone ? undefined : messagesOne.get(frame.messageOne) };
  }
  if (frame.kind === "connectionAccept") {
    return { ...frame, content: messagesTwo.get(frame.messageTwo) };
  }
  return frame;
}
