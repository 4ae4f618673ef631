/**
 * Bytes for fuzzing: random ones, random frames, and mutants of good ones, mixed with what the machine
 * under test has said, so that they get past its first checks.
 *
 * @module
 */
import { DatagramWriter, decodeDatagram } from "../../protocol/wire/datagram.ts";
import type { DatagramType, Frame, Header } from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";
import { randomFrame, randomHeader } from "../support/random_frame.ts";
import { SEALED, VECTORS } from "../support/vectors.ts";

/** Values of each field that are remembered, the newest ones: older ones are hardly good any more. */
const MEMORY = 2;
/** Connection ids that are remembered: a client has several. */
const CONNECTION_MEMORY = 4;
/** The largest datagram made: a little more than is accepted. */
const SIZE_MAX = 1210;
const HEADER_SIZE = 16;
/** Numbers at the limits of what a machine or a programmer thinks of. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

const writer = new DatagramWriter();
/** Good datagrams. */
export const DATAGRAMS: readonly Uint8Array[] = [
  ...VECTORS.filter(({ header }) => header !== undefined),
  ...SEALED,
].map(({ bytes }) => bytes);
/** What stands behind the headers of good datagrams, opened where it was sealed. */
export const BODIES: readonly Uint8Array[] = VECTORS
  .map(({ bytes, header }) => bytes.subarray(header === undefined ? 0 : HEADER_SIZE));

const ID_FIELDS = { wantedId: "id", after: "id", responder: "id", sender: "id" };
/** What the machine's fields are remembered as, where not by their names … */
const LEARNED_AS: Readonly<Record<string, string>> = {
  ...ID_FIELDS,
  ...{ next: "theirs", seq: "ours", finalSeq: "ours" },
};
/** … and what they are used for: what it wants next is sent, what it sent is acknowledged. */
const USED_AS: Readonly<Record<string, string>> = {
  ...ID_FIELDS,
  ...{ seq: "theirs", finalSeq: "theirs", next: "ours", first: "ours", last: "ours" },
};

/** What one correspondent has been told by the machine under test. */
export class Pool {
  readonly #values = new Map<string, unknown[]>();
  readonly #fixed: Readonly<Record<string, readonly unknown[]>>;

  /** @param fixed values of fields, `field` or `kind.field`, to be used whatever is learned. */
  constructor(fixed: Readonly<Record<string, readonly unknown[]>> = {}) {
    this.#fixed = fixed;
  }

  /** Remembers a value of a field. */
  add(field: string, value: unknown): void {
    const family = LEARNED_AS[field] ?? field;
    const values = this.#values.get(family) ?? [];
    if (values.includes(value)) values.splice(values.indexOf(value), 1);
    values.push(value);
    if (values.length > (field === "connection" ? CONNECTION_MEMORY : MEMORY)) values.shift();
    this.#values.set(family, values);
  }

  /** Remembers what is in a datagram of the machine's, and tells the kinds of its frames. */
  learn(bytes: Uint8Array): string[] {
    const decoded = decodeDatagram(bytes.slice());
    return decoded.ok && decoded.value.sealed === undefined
      ? this.learnFrames(decoded.value.frames)
      : [];
  }

  /** Remembers what is in the machine's frames, and tells their kinds. */
  learnFrames(frames: readonly Frame[]): string[] {
    for (const frame of frames) {
      for (const [field, value] of Object.entries(frame)) {
        if (field !== "kind" && typeof value !== "object") this.add(field, value);
        else if (value instanceof Uint8Array) this.add(field, value);
      }
    }
    return frames.map(({ kind }) => kind);
  }

  /** Puts remembered values in the place of most of the frame's, where there are any. */
  dress<T extends object>(prng: Prng, frame: T): T {
    const kind = "kind" in frame ? frame.kind : "";
    const values = Object.entries(frame).map(([field, value]) => {
      if (Array.isArray(value)) return [field, value.map((item) => this.dress(prng, item))];
      if (prng.chance(0.1)) return [field, value];
      const other = this.pick(prng, `${kind}.${field}`) ?? this.pick(prng, field) ?? value;
      // Bytes of the same field, but not of the same length, are those of another frame.
      return [field, lengthOf(other) === lengthOf(value) ? other : value];
    });
    return Object.fromEntries(values) as T;
  }

  /** One of the values that a field is to have, or of the remembered ones, the newest most often. */
  pick(prng: Prng, field: string): unknown {
    const fixed = this.#fixed[field];
    if (fixed !== undefined) return prng.pick(fixed);
    const values = this.#values.get(USED_AS[field] ?? field);
    return values && (prng.chance(0.5) ? values.at(-1) : prng.pick(values));
  }
}

function lengthOf(value: unknown): number | undefined {
  return value instanceof Uint8Array ? value.length : undefined;
}

/** A datagram, most often of these types and with frames of these kinds. */
export function fuzzDatagram(
  prng: Prng,
  pool: Pool,
  types: readonly DatagramType[],
  kinds: readonly Frame["kind"][],
): Uint8Array {
  const what = prng.int(100);
  if (what < 3) return prng.bytes(prng.int(prng.chance(0.1) ? SIZE_MAX : 64));
  if (what < 20) return mutate(prng, prng.pick(DATAGRAMS), HEADER_SIZE).slice();
  const header: Header = {
    ...randomHeader(prng),
    ...(prng.chance(0.95) && { type: prng.pick(types) }),
    connection: (pool.pick(prng, "connection") ?? 0) as number,
  };
  if (prng.chance(0.02)) header.connection = prng.u32();
  const bytes = dressed(prng, pool, header, kinds);
  return what < 40 ? mutate(prng, bytes, HEADER_SIZE).slice() : bytes.slice();
}

/** Frames without a header, most often of these kinds; `size` bytes at most. */
export function fuzzFrames(
  prng: Prng,
  pool: Pool,
  kinds: readonly Frame["kind"][],
  size: number,
): Uint8Array {
  const what = prng.int(100);
  if (what < 3) return prng.bytes(prng.int(prng.chance(0.1) ? size : 64));
  if (what < 20) return mutate(prng, prng.pick(BODIES), 0).slice(0, size);
  const bytes = dressed(prng, pool, randomHeader(prng), kinds).subarray(HEADER_SIZE);
  return what < 40 ? mutate(prng, bytes, 0).slice(0, size) : bytes.slice(0, size);
}

function dressed(
  prng: Prng,
  pool: Pool,
  header: Header,
  kinds: readonly Frame["kind"][],
): Uint8Array {
  writer.start(header);
  for (let left = prng.chance(0.8) ? 1 : prng.int(8); left > 0; left--) {
    const frame = prng.chance(0.95) ? randomFrame(prng, prng.pick(kinds)) : randomFrame(prng);
    writer.add(pool.dress(prng, frame));
  }
  if (prng.chance(0.1)) writer.padTo(160);
  return writer.finish();
}

/** The mutant, and how long it is. */
const scratch = new Uint8Array(4 * SIZE_MAX);
const view = new DataView(scratch.buffer);
let size = 0;
/** Where its frames begin, as far as they can be told apart; and the end. */
const starts: number[] = [];

/**
 * The bytes with up to four changes: a view of a buffer that the next call uses again.
 *
 * @param offset where the first frame begins.
 */
export function mutate(prng: Prng, bytes: Uint8Array, offset: number): Uint8Array {
  scratch.set(bytes);
  size = bytes.length;
  for (let left = 1 + prng.int(4); left > 0; left--) mutateOnce(prng, offset);
  return scratch.subarray(0, size);
}

function mutateOnce(prng: Prng, offset: number): void {
  findStarts(offset);
  const at = prng.int(size || 1);
  const index = prng.int(starts.length);
  const start = starts[index]!;
  const end = starts[index + 1] ?? size;
  switch (prng.int(10)) {
    case 0: // A flipped bit.
      scratch[at]! ^= 1 << prng.int(8);
      return;
    case 1: // Another byte.
      scratch[at] = prng.int(256);
      return;
    case 2: // An extreme number in the place of four bytes.
      view.setUint32(at, prng.pick(EXTREMES));
      return;
    case 3: // A frame's size, a little or very much off.
      if (prng.chance(0.5)) scratch[start + 2]! += prng.int(9) - 4;
      else scratch[start + 1] = prng.int(256);
      return;
    case 4: // Cut off.
      size = prng.chance(0.5) ? at : start;
      return;
    case 5: // Something behind it.
      return splice(size, 0, prng.bytes(prng.int(8)));
    case 6: // A frame again.
      return splice(start, 0, scratch.slice(start, end));
    case 7: // A frame less.
      return splice(start, end - start, scratch.subarray(0, 0));
    case 8: // Frames of another datagram.
      return splice(start, 0, prng.pick(BODIES));
    default: // Another type of frame or datagram.
      scratch[offset > 3 && prng.chance(0.3) ? 3 : start] = prng.int(0x30);
  }
}

function findStarts(offset: number): void {
  starts.length = 0;
  let at = Math.min(offset, size);
  for (; at + 3 <= size; at += 3 + view.getUint16(at + 1)) starts.push(at);
  starts.push(Math.min(at, size));
}

function splice(at: number, count: number, inserted: Uint8Array): void {
  scratch.copyWithin(at + inserted.length, at + count, size);
  scratch.set(inserted, at);
  size = Math.min(size + inserted.length - count, SIZE_MAX);
}
