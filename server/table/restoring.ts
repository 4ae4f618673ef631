/**
 * The clients that a directory writes again because its store has lost them, some at a time.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";

/** How many are being written at once. */
export const RESTORING_MAX = 500;
/** Milliseconds after which one that has no answer is written again. */
export const RESTORING_TIMEOUT = 3_000;

/** Asks the store to write the client with this id; returns the number of the question, if it is here. */
export type Restore = (id: number) => number | undefined;

/** Those that wait, and those that are being written. */
export class Restoring {
  readonly #restore: Restore;
  readonly #waiting = new Set<number>();
  /** By the number of the question. */
  readonly #asked = new Map<number, number>();
  #deadline: Instant | undefined;

  constructor(restore: Restore) {
    this.#restore = restore;
  }

  /** This client is to be written. */
  add(now: Instant, id: number): void {
    this.#waiting.add(id);
    this.#ask(now);
  }

  /** The question has an answer; returns the id of its client, if it is one of these. */
  finish(now: Instant, number: number): number | undefined {
    const id = this.#asked.get(number);
    if (id === undefined) return undefined;
    this.#asked.delete(number);
    this.#ask(now);
    return id;
  }

  /** Nothing is to be written any more. */
  clear(): void {
    this.#waiting.clear();
    this.#asked.clear();
    this.#deadline = undefined;
  }

  /** Asks again what has no answer. */
  handleTimeout(now: Instant): void {
    if (this.#deadline === undefined || now < this.#deadline) return;
    for (const id of this.#asked.values()) this.#waiting.add(id);
    this.#asked.clear();
    this.#ask(now);
  }

  /** When to call handleTimeout() next. */
  nextTimeout(): Instant | undefined {
    return this.#deadline;
  }

  #ask(now: Instant): void {
    for (const id of this.#waiting) {
      if (this.#asked.size >= RESTORING_MAX) break;
      this.#waiting.delete(id);
      const number = this.#restore(id);
      if (number !== undefined) this.#asked.set(number, id);
    }
    this.#deadline = this.#asked.size === 0 ? undefined : now + RESTORING_TIMEOUT;
  }
}
