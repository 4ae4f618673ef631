/**
 * Datagrams for fuzzing: random bytes, random frames, and mutants of good datagrams, mixed with
 * what the machine under test has said, so that they get past its first checks.
 *
 * @module
 */
import { DatagramWriter, decodeDatagram } from "../protocol/datagram.ts";
import { type DatagramType, type Frame, type Header, REQUEST_SIZE_MIN } from "../protocol/frame.ts";
import type { Prng } from "./random.ts";
import { randomFrame, randomHeader } from "./random_frame.ts";
import { hexToBytes, VECTORS } from "./vectors.ts";

/** Values of each field that are remembered, the newest ones: older ones are hardly good any more. */
const MEMORY = 2;
/** Connection ids that are remembered: a client has several. */
const CONNECTION_MEMORY = 4;
/** The largest datagram made: a little more than is accepted. */
const SIZE_MAX = 1210;
/** Numbers at the limits of what a machine or a programmer thinks of. */
const EXTREMES = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];

const writer = new DatagramWriter();
const SEEDS = VECTORS.map(({ hex }) => [...hexToBytes(hex)]);

const ID_FIELDS = { wantedId: "id", after: "id", requester: "id", responder: "id", sender: "id" };
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
    if (!decoded.ok) return [];
    for (const frame of decoded.frames) {
      for (const [field, value] of Object.entries(frame)) {
        if (field !== "kind" && typeof value !== "object") this.add(field, value);
        else if (value instanceof Uint8Array) this.add(field, value);
      }
    }
    return decoded.frames.map(({ kind }) => kind);
  }

  /** Puts remembered values in the place of most of the frame's, where there are any. */
  dress<T extends object>(prng: Prng, frame: T): T {
    const kind = "kind" in frame ? frame.kind : "";
    const values = Object.entries(frame).map(([field, value]) => {
      if (Array.isArray(value)) return [field, value.map((item) => this.dress(prng, item))];
      if (prng.chance(0.1)) return [field, value];
      return [field, this.pick(prng, `${kind}.${field}`) ?? this.pick(prng, field) ?? value];
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

/** A datagram, most often of these types and with frames of these kinds. */
export function fuzzDatagram(
  prng: Prng,
  pool: Pool,
  types: readonly DatagramType[],
  kinds: readonly Frame["kind"][],
): Uint8Array {
  const what = prng.int(100);
  if (what < 3) return prng.bytes(prng.int(prng.chance(0.1) ? SIZE_MAX : 64));
  if (what < 20) return Uint8Array.from(mutate(prng, prng.pick(SEEDS)));
  const header: Header = {
    ...randomHeader(prng),
    ...(prng.chance(0.95) && { type: prng.pick(types) }),
    connection: (pool.pick(prng, "connection") ?? 0) as number,
  };
  if (prng.chance(0.02)) header.connection = prng.u32();
  writer.start(header);
  let padChance = 0.1;
  for (let left = prng.chance(0.8) ? 1 : prng.int(8); left > 0; left--) {
    const frame = prng.chance(0.95) ? randomFrame(prng, prng.pick(kinds)) : randomFrame(prng);
    writer.add(pool.dress(prng, frame));
    if (frame.kind === "connectionRequest") padChance = 0.9;
  }
  if (prng.chance(padChance)) writer.padTo(REQUEST_SIZE_MIN);
  const bytes = writer.finish();
  return what < 40 ? Uint8Array.from(mutate(prng, Array.from(bytes))) : bytes.slice();
}

/** The bytes with up to four changes. */
export function mutate(prng: Prng, bytes: readonly number[]): number[] {
  let mutant = bytes.slice();
  for (let left = 1 + prng.int(4); left > 0; left--) mutant = mutateOnce(prng, mutant);
  return mutant.slice(0, SIZE_MAX);
}

function mutateOnce(prng: Prng, bytes: number[]): number[] {
  const at = prng.int(bytes.length || 1);
  const starts = frameStarts(bytes);
  const start = prng.pick(starts);
  const end = starts.find((each) => each > start) ?? bytes.length;
  switch (prng.int(10)) {
    case 0: // A flipped bit.
      bytes[at] = (bytes[at] ?? 0) ^ (1 << prng.int(8));
      return bytes;
    case 1: // Another byte.
      bytes[at] = prng.int(256);
      return bytes;
    case 2: // An extreme number.
      return spliced(bytes, at, 4, numberBytes(prng.pick(EXTREMES)));
    case 3: // A frame's size, a little or very much off.
      if (start + 2 >= bytes.length) return bytes;
      if (prng.chance(0.5)) bytes[start + 2] = (bytes[start + 2]! + prng.int(9) - 4) & 0xff;
      else bytes[start + 1] = prng.int(256);
      return bytes;
    case 4: // Cut off.
      return bytes.slice(0, prng.chance(0.5) ? at : start);
    case 5: // Something behind it.
      return [...bytes, ...prng.bytes(prng.int(8))];
    case 6: // A frame again.
      return spliced(bytes, start, 0, bytes.slice(start, end));
    case 7: // A frame less.
      return spliced(bytes, start, end - start, []);
    case 8: { // Frames of another datagram.
      const other = prng.pick(SEEDS);
      return spliced(bytes, start, 0, other.slice(prng.pick(frameStarts(other))));
    }
    default: // Another type of frame or datagram.
      bytes[prng.chance(0.3) ? 3 : start] = prng.int(0x30);
      return bytes;
  }
}

/** Where the frames of these bytes begin, as far as they can be told apart; and the end. */
function frameStarts(bytes: readonly number[]): number[] {
  const starts: number[] = [];
  let at = 16;
  for (; at + 3 <= bytes.length; at += 3 + 256 * bytes[at + 1]! + bytes[at + 2]!) starts.push(at);
  return [...starts, Math.min(at, bytes.length)];
}

function spliced(bytes: number[], at: number, count: number, inserted: number[]): number[] {
  return [...bytes.slice(0, at), ...inserted, ...bytes.slice(at + count)];
}

function numberBytes(value: number): number[] {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff);
}
