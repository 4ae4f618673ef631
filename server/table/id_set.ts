/**
 * The ids that are taken, in order.
 *
 * @module
 */

/** Ids in a full chunk. */
const CHUNK_SIZE = 1024;

interface Chunk {
  readonly ids: Uint32Array;
  length: number;
}

/**
 * A set of ids that tells the next one and the first gap.
 *
 * Rising ids in chunks: a change moves the ids of one chunk, not all of them. Neighbours that are
 * together half full become one, so that there are never many more chunks than needed.
 */
export class IdSet {
  readonly #chunks: Chunk[] = [];
  /** So many chunks in front hold all ids from 1 on without a gap. */
  #gapless = 0;

  /** The smallest id from 1 on that is not in the set. */
  smallestFree(): number {
    const chunks = this.#chunks;
    for (; this.#gapless < chunks.length; this.#gapless++) {
      const { ids, length } = chunks[this.#gapless]!;
      const start = this.#lastBefore(this.#gapless);
      if (ids[length - 1] === start + length) continue;
      return start + 1 + firstIndex(length, (index) => ids[index]! > start + index + 1);
    }
    return this.#lastBefore(this.#gapless) + 1;
  }

  /** Adds an id that is not in the set. */
  add(id: number): void {
    const index = Math.max(0, this.#chunkBehind(id) - 1);
    let chunk = this.#chunks[index];
    if (chunk === undefined) this.#chunks.push(chunk = newChunk([]));
    this.#gapless = Math.min(this.#gapless, index);
    if (chunk.length === CHUNK_SIZE) this.#split(index, id);
    else insert(chunk, id);
  }

  /** Takes an id out that is in the set. */
  remove(id: number): void {
    const index = this.#chunkBehind(id) - 1;
    const chunk = this.#chunks[index]!;
    chunk.ids.copyWithin(indexAbove(chunk, id - 1), indexAbove(chunk, id), chunk.length--);
    this.#gapless = Math.min(this.#gapless, index);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
    else if (!this.#merge(index)) this.#merge(index - 1);
  }

  /** The ids above `after`, rising; they may change meanwhile. */
  *above(after: number): Generator<number, void> {
    for (let id = this.#next(after); id !== undefined; id = this.#next(id)) yield id;
  }

  #next(after: number): number | undefined {
    const behind = this.#chunkBehind(after);
    const chunk = this.#chunks[behind - 1];
    const index = chunk === undefined ? 0 : indexAbove(chunk, after);
    return index < (chunk?.length ?? 0) ? chunk?.ids[index] : this.#chunks[behind]?.ids[0];
  }

  #split(index: number, id: number): void {
    const chunk = this.#chunks[index]!;
    // Rising ids leave full chunks behind.
    const keep = id > chunk.ids[CHUNK_SIZE - 1]! ? CHUNK_SIZE : CHUNK_SIZE / 2;
    const behind = newChunk(chunk.ids.subarray(keep));
    chunk.length = keep;
    this.#chunks.splice(index + 1, 0, behind);
    insert(behind.length === 0 || id > behind.ids[0]! ? behind : chunk, id);
  }

  /** Makes a chunk and the one behind it one, where they are small. */
  #merge(index: number): boolean {
    const [chunk, behind] = [this.#chunks[index], this.#chunks[index + 1]];
    if (chunk === undefined || behind === undefined) return false;
    if (chunk.length + behind.length > CHUNK_SIZE / 2) return false;
    chunk.ids.set(behind.ids.subarray(0, behind.length), chunk.length);
    chunk.length += behind.length;
    this.#chunks.splice(index + 1, 1);
    this.#gapless = Math.min(this.#gapless, index);
    return true;
  }

  /** The index of the first chunk whose ids are all above `id`. */
  #chunkBehind(id: number): number {
    return firstIndex(this.#chunks.length, (index) => this.#chunks[index]!.ids[0]! > id);
  }

  /** The last id in front of a chunk, where there is no gap. */
  #lastBefore(index: number): number {
    const chunk = this.#chunks[index - 1];
    return chunk === undefined ? 0 : chunk.ids[chunk.length - 1]!;
  }
}

function newChunk(from: Iterable<number> & ArrayLike<number>): Chunk {
  const ids = new Uint32Array(CHUNK_SIZE);
  ids.set(from);
  return { ids, length: from.length };
}

function insert(chunk: Chunk, id: number): void {
  const index = indexAbove(chunk, id);
  chunk.ids.copyWithin(index + 1, index, chunk.length++);
  chunk.ids[index] = id;
}

function indexAbove({ ids, length }: Chunk, id: number): number {
  return firstIndex(length, (index) => ids[index]! > id);
}

/** The first index below `length` where `isTrue`, which stays true from there on; else `length`. */
function firstIndex(length: number, isTrue: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
