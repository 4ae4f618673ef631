/**
 * A table of named deadlines: a machine has one instant to wake at, and asks which timers expired.
 *
 * @module
 */
import type { Instant } from "./machine.ts";

/** Deadlines by name. Names are few: every operation looks at all of them. */
export class Timers<Name extends string> {
  readonly #deadlines = new Map<Name, Instant>();

  /** Sets or moves a timer; clears it where `deadline` is undefined. */
  set(name: Name, deadline: Instant | undefined): void {
    if (deadline === undefined) this.#deadlines.delete(name);
    else this.#deadlines.set(name, deadline);
  }

  /** Takes a timer away. */
  clear(name: Name): void {
    this.#deadlines.delete(name);
  }

  /** Takes all timers away. */
  clearAll(): void {
    this.#deadlines.clear();
  }

  /** When a timer expires, undefined where it is not set. */
  get(name: Name): Instant | undefined {
    return this.#deadlines.get(name);
  }

  /** The earliest deadline. */
  next(): Instant | undefined {
    let earliest: Instant | undefined;
    for (const deadline of this.#deadlines.values()) earliest = earlier(earliest, deadline);
    return earliest;
  }

  /** Whether the timer's deadline has passed; if so, it is cleared. */
  expire(name: Name, now: Instant): boolean {
    const deadline = this.#deadlines.get(name);
    if (deadline === undefined || deadline > now) return false;
    this.#deadlines.delete(name);
    return true;
  }
}

/** The earlier of two instants, either of which may be missing. */
export function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return Math.min(a, b);
}
