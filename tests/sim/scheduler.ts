/**
 * What a simulated network is to do, and when.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";

/** Things to do, ordered by time, then by when they were added: a binary heap. */
export class Agenda {
  readonly #heap: { time: Instant; order: number; action: () => void }[] = [];
  #order = 0;

  /** When the next thing is to be done. */
  next(): Instant {
    return this.#heap[0]?.time ?? Infinity;
  }

  /** Adds a thing to do. */
  add(time: Instant, action: () => void): void {
    const heap = this.#heap;
    let at = heap.push({ time, order: this.#order++, action }) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the next thing out; there must be one. */
  take(): () => void {
    const heap = this.#heap;
    this.#swap(0, heap.length - 1);
    const { action } = heap.pop()!;
    for (let at = 0;;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return action;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [x, y] = [this.#heap[a]!, this.#heap[b]!];
    return x.time < y.time || (x.time === y.time && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    [this.#heap[a], this.#heap[b]] = [this.#heap[b]!, this.#heap[a]!];
  }
}
