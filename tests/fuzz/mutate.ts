/**
 * Input for fuzz tests: random bytes, random frames and mutants of valid ones, with values that the
 * machine under test sent, so that they pass its first checks.
 *
 * @module
 */
import { DatagramWriter, decodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  type DatagramType,
  type Frame,
  type Header,
  HEADER_SIZE,
  PACKET_SIZE_MAX,
} from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";
import { randomFrame, randomHeader } from "../support/random_frame.ts";
import { BODIES, DATAGRAMS } from "./corpus.ts";

/** Newest values of each field that are remembered; older ones are hardly valid any more. */
const MEMORY = 2;
/** Session ids that are remembered: a client has several. */
const SESSION_MEMORY = 4;
/** Size of the largest datagram made: a little more than is accepted of most types. */
const SIZE_MAX = 1210;
/** Numbers at the limits of types. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

const writer = new DatagramWriter();
/** A kind of frame. */
type Kind = Frame["kind"];

const ID_FIELDS = {
  ...{ wantedId: "id", after: "id", responder: "id", requester: "id", sender: "id", to: "id" },
};
/** The names under which fields of the machine are remembered, if not their own … */
const LEARNED_AS: Readonly<Record<string, string>> = {
  ...ID_FIELDS,
  ...{ cumulativeSeq: "expected", seq: "sent", finalSeq: "sent" },
};
/** … and the fields that take the values: seqs that it expects are sent, those it sent are acked. */
const USED_AS: Readonly<Record<string, string>> = {
  ...ID_FIELDS,
  ...{ seq: "expected", finalSeq: "expected" },
  ...{ cumulativeSeq: "sent", first: "sent", last: "sent" },
};

/** Values that the machine under test sent to one peer. */
export class ValuePool {
  readonly #values = new Map<string, unknown[]>();
  readonly #fixed: Readonly<Record<string, readonly unknown[]>>;

  /** @param fixed values of `field` or `kind.field` that replace the remembered ones. */
  constructor(fixed: Readonly<Record<string, readonly unknown[]>> = {}) {
    this.#fixed = fixed;
  }

  /** Remembers a value of a field. */
  add(field: string, value: unknown): void {
    const family = LEARNED_AS[field] ?? field;
    const values = this.#values.get(family) ?? [];
    if (values.includes(value)) values.splice(values.indexOf(value), 1);
    values.push(value);
    if (values.length > (field === "session" ? SESSION_MEMORY : MEMORY)) values.shift();
    this.#values.set(family, values);
  }

  /** Remembers the values in the clear frames of a datagram of the machine; returns their kinds. */
  learn(bytes: Uint8Array): string[] {
    const decoded = decodeDatagram(bytes.slice());
    return decoded.ok ? this.learnFrames(decoded.value.frames) : [];
  }

  /** Remembers the values in frames of the machine; returns their kinds. */
  learnFrames(frames: readonly Frame[]): string[] {
    for (const frame of frames) {
      for (const [field, value] of Object.entries(frame)) {
        if (field !== "kind" && typeof value !== "object") this.add(field, value);
        else if (value instanceof Uint8Array) this.add(field, value);
      }
    }
    return frames.map(({ kind }) => kind);
  }

  /** Replaces most values of a frame by remembered ones. */
  fill<T extends object>(prng: Prng, frame: T): T {
    const kind = "kind" in frame ? frame.kind : "";
    const values = Object.entries(frame).map(([field, value]) => {
      if (Array.isArray(value)) return [field, value.map((item) => this.fill(prng, item))];
      if (prng.chance(0.1)) return [field, value];
      const other = this.pick(prng, `${kind}.${field}`) ?? this.pick(prng, field) ?? value;
      // Bytes of another length belong to another frame.
      return [field, lengthOf(other) === lengthOf(value) ? other : value];
    });
    return Object.fromEntries(values) as T;
  }

  /** One of the fixed values of a field, or of the remembered ones, mostly the newest. */
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

/** Each kind as often as its weight. */
export function weighted(weights: Partial<Record<Kind, number>>): Kind[] {
  return Object.entries(weights).flatMap(([kind, weight]) =>
    Array<Kind>(weight).fill(kind as Kind)
  );
}

/** A datagram, mostly of these types and with frames of these kinds. */
export function fuzzDatagram(
  prng: Prng,
  pool: ValuePool,
  types: readonly DatagramType[],
  kinds: readonly Kind[],
): Uint8Array {
  const what = prng.int(100);
  if (what < 3) return prng.bytes(prng.int(prng.chance(0.1) ? SIZE_MAX : 64));
  if (what < 20) return mutate(prng, prng.pick(DATAGRAMS), HEADER_SIZE).slice();
  const header: Header = {
    ...randomHeader(prng),
    ...(prng.chance(0.95) && { type: prng.pick(types) }),
    session: (pool.pick(prng, "session") ?? 0) as number,
  };
  if (prng.chance(0.02)) header.session = prng.u32();
  const bytes = randomDatagram(prng, pool, header, kinds);
  return what < 40 ? mutate(prng, bytes, HEADER_SIZE).slice() : bytes.slice();
}

/** Frames without a header, mostly of these kinds; at most `size` bytes. */
export function fuzzFrames(
  prng: Prng,
  pool: ValuePool,
  kinds: readonly Kind[],
  size: number,
): Uint8Array {
  const what = prng.int(100);
  if (what < 3) return prng.bytes(prng.int(prng.chance(0.1) ? size : 64));
  if (what < 20) return mutate(prng, prng.pick(BODIES), 0).slice(0, size);
  const bytes = randomDatagram(prng, pool, randomHeader(prng), kinds).subarray(HEADER_SIZE);
  return what < 40 ? mutate(prng, bytes, 0).slice(0, size) : bytes.slice(0, size);
}

function randomDatagram(
  prng: Prng,
  pool: ValuePool,
  header: Header,
  kinds: readonly Kind[],
): Uint8Array {
  writer.start(header);
  for (let left = prng.chance(0.8) ? 1 : prng.int(8); left > 0; left--) {
    const frame = prng.chance(0.95) ? randomFrame(prng, prng.pick(kinds)) : randomFrame(prng);
    writer.add(pool.fill(prng, frame));
  }
  if (prng.chance(0.1)) writer.padTo(160);
  return writer.finish();
}

/** The mutant and its size. */
const scratch = new Uint8Array(PACKET_SIZE_MAX + 4 * SIZE_MAX);
const view = new DataView(scratch.buffer);
let size = 0;
/** Where its frames begin, as far as they can be parsed, and the end. */
const starts: number[] = [];

/**
 * The bytes with one to four changes: a view of a buffer that the next call reuses.
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
    case 2: // An extreme number in place of four bytes.
      view.setUint32(at, prng.pick(EXTREMES));
      return;
    case 3: // A wrong size of a frame.
      if (prng.chance(0.5)) scratch[start + 2]! += prng.int(9) - 4;
      else scratch[start + 1] = prng.int(256);
      return;
    case 4: // Truncation.
      size = prng.chance(0.5) ? at : start;
      return;
    case 5: // Trailing bytes.
      return splice(size, 0, prng.bytes(prng.int(8)));
    case 6: // A duplicate frame.
      return splice(start, 0, scratch.slice(start, end));
    case 7: // A missing frame.
      return splice(start, end - start, scratch.subarray(0, 0));
    case 8: // Frames of another datagram.
      return splice(start, 0, prng.pick(BODIES));
    default: // Another type of frame or datagram.
      scratch[offset > 3 && prng.chance(0.3) ? 3 : start] = prng.int(0x40);
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
