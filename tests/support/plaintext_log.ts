/**
 * What is inside sealed datagrams, for tests that have both ends in one process.
 *
 * The product has no seam for this, and must not have one: who has not the keys learns nothing. So
 * the methods that seal are wrapped here, on their prototypes, and what they were given is noted
 * beside what they returned. That affects only the test file that imports this (each runs in an
 * isolate of its own), and changes nothing of what is sent. The notes are bounded: the oldest are
 * forgotten.
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

/** Notes that are kept of each sort. */
const NOTES_MAX = 20_000;
const TAG_SIZE = 16;

/** A Connection Request, with what message one carries; nothing where no client here wrote it. */
export type SeenRequest = ConnectionRequest & { content: RequestContent | undefined };
/** An Accept, with what message two carries. */
export type SeenAccept = ConnectionAccept & { content: AcceptContent | undefined };
/** A frame, seen from inside. */
export type SeenFrame =
  | Exclude<Frame, ConnectionRequest | ConnectionAccept>
  | SeenRequest
  | SeenAccept;

/** A datagram, seen from inside. */
export type Seen =
  | {
    ok: true;
    header: Header;
    frames: readonly SeenFrame[];
    /** Whether nobody here sealed it, so that the frames are not known. */
    isUnknown: boolean;
    /** Which key it was sealed with: counts the {@linkcode Sealer}s; undefined where it is not. */
    key: number | undefined;
  }
  | { ok: false; error: DecodeError };

/** The last notes, by some of the bytes that they are about. */
class Notes<T> {
  readonly #notes = new Map<number, T>();

  add(bytes: Uint8Array, note: T): void {
    this.#notes.set(keyOf(bytes), note);
    if (this.#notes.size <= NOTES_MAX) return;
    for (const oldest of this.#notes.keys()) {
      this.#notes.delete(oldest);
      return;
    }
  }

  get(bytes: Uint8Array): T | undefined {
    return this.#notes.get(keyOf(bytes));
  }
}

/** Of random bytes, 53 bits: two that are the same mean the same. */
function keyOf(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(0) * 2 ** 21 + (view.getUint32(4) >>> 11);
}

const sealed = new Notes<{ frames: Uint8Array; size: number; key: number }>();
const messagesOne = new Notes<RequestContent>();
const messagesTwo = new Notes<AcceptContent>();
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

/** Looks into a datagram; where it was altered, what it was before may be seen. */
export function look(bytes: Uint8Array): Seen {
  const decoded = decodeDatagram(bytes);
  if (!decoded.ok) return decoded;
  const { header } = decoded.value;
  if (decoded.value.sealed === undefined) {
    const frames = decoded.value.frames.map(withContent);
    return { ok: true, header, frames, isUnknown: false, key: undefined };
  }
  const { length } = decoded.value.sealed;
  const note = length < TAG_SIZE
    ? undefined
    : sealed.get(decoded.value.sealed.subarray(length - TAG_SIZE));
  const plain = note?.size === length ? decodeFrames(note.frames) : undefined;
  if (plain === undefined) return { ok: true, header, frames: [], isUnknown: true, key: undefined };
  const frames = plain.frames.map(withContent);
  return { ok: true, header, frames, isUnknown: false, key: note?.key };
}

function withContent(frame: Frame): SeenFrame {
  if (frame.kind === "connectionRequest") {
    const isNone = frame.messageOne.length < 8;
    return { ...frame, content: isNone ? undefined : messagesOne.get(frame.messageOne) };
  }
  if (frame.kind === "connectionAccept") {
    return { ...frame, content: messagesTwo.get(frame.messageTwo) };
  }
  return frame;
}
