/**
 * Actions of a simulated network, in the order of their time.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";

/** A binary heap of actions, ordered by time, then by when they were added. */
export class Scheduler {
  readonly #heap: { time: Instant; order: number; action: () => void }[] = [];
  #order = 0;

  /** The time of the next action; `Infinity` without one. */
  next(): Instant {
    return this.#heap[0]?.time ?? Infinity;
  }

  /** Adds an action. */
  add(time: Instant, action: () => void): void {
    const heap = this.#heap;
    let at = heap.push({ time, order: this.#order++, action }) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && this.#isBefore(at, parent); parent = (at - 1) >> 1) {
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Removes the next action and returns it; there must be one. */
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
