/**
 * A sorted set of client ids.
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
 * A set that finds the next id and the first gap quickly.
 *
 * The sorted ids are in chunks, so that a change moves the ids of one chunk only. Neighbours that
 * are together at most half full are merged, so that there are not many more chunks than needed.
 */
export class IdSet {
  readonly #chunks: Chunk[] = [];
  /** The number of chunks at the start that hold all ids from 1 on, without a gap. */
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

  /** Adds an id, which must not be in the set. */
  add(id: number): void {
    const index = Math.max(0, this.#chunkAfter(id) - 1);
    let chunk = this.#chunks[index];
    if (chunk === undefined) this.#chunks.push(chunk = newChunk([]));
    this.#gapless = Math.min(this.#gapless, index);
    if (chunk.length === CHUNK_SIZE) this.#split(index, id);
    else insert(chunk, id);
  }

  /** Removes an id, which must be in the set. */
  remove(id: number): void {
    const index = this.#chunkAfter(id) - 1;
    const chunk = this.#chunks[index]!;
    chunk.ids.copyWithin(indexAbove(chunk, id - 1), indexAbove(chunk, id), chunk.length--);
    this.#gapless = Math.min(this.#gapless, index);
    if (chunk.length === 0) this.#chunks.splice(index, 1);
    else if (!this.#merge(index)) this.#merge(index - 1);
  }

  /** The ids from the `index`th on, counted from 0, in rising order; the set may change meanwhile. */
  *from(index: number): Generator<number, void> {
    let left = index;
    for (const { ids, length } of this.#chunks) {
      if (left < length) return yield* this.above(ids[left]! - 1);
      left -= length;
    }
  }

  /** The ids above `id` in rising order; the set may change meanwhile. */
  *above(id: number): Generator<number, void> {
    for (let next = this.#next(id); next !== undefined; next = this.#next(next)) yield next;
  }

  #next(id: number): number | undefined {
    const after = this.#chunkAfter(id);
    const chunk = this.#chunks[after - 1];
    const index = chunk === undefined ? 0 : indexAbove(chunk, id);
    return index < (chunk?.length ?? 0) ? chunk?.ids[index] : this.#chunks[after]?.ids[0];
  }

  #split(index: number, id: number): void {
    const chunk = this.#chunks[index]!;
    // Ids that are added in rising order fill each chunk.
    const keep = id > chunk.ids[CHUNK_SIZE - 1]! ? CHUNK_SIZE : CHUNK_SIZE / 2;
    const next = newChunk(chunk.ids.subarray(keep));
    chunk.length = keep;
    this.#chunks.splice(index + 1, 0, next);
    insert(next.length === 0 || id > next.ids[0]! ? next : chunk, id);
  }

  /** Merges a chunk with the next one, if they are small. */
  #merge(index: number): boolean {
    const [chunk, next] = [this.#chunks[index], this.#chunks[index + 1]];
    if (chunk === undefined || next === undefined) return false;
    if (chunk.length + next.length > CHUNK_SIZE / 2) return false;
    chunk.ids.set(next.ids.subarray(0, next.length), chunk.length);
    chunk.length += next.length;
    this.#chunks.splice(index + 1, 1);
    this.#gapless = Math.min(this.#gapless, index);
    return true;
  }

  /** The index of the first chunk whose ids are all above `id`. */
  #chunkAfter(id: number): number {
    return firstIndex(this.#chunks.length, (index) => this.#chunks[index]!.ids[0]! > id);
  }

  /** The last id before a chunk, or 0. */
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

/** The first index below `length` for which `isTrue`, as for all after it; else `length`. */
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
