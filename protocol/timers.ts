/**
 * A table of named deadlines: a machine has one instant to wake at, and asks which timers expired.
 *
 * @module
 */
import type { Instant } from "./machine.ts";

/** Deadlines by name. Names are few: every operation looks at all of them. */
export class Timers<Name extends string> {
  readonly #names: Name[] = [];
  /** By the places of their names, `Infinity` where one is not set. */
  readonly #deadlines: Instant[] = [];

  /** Sets or moves a timer; clears it where `deadline` is undefined. */
  set(name: Name, deadline: Instant = Infinity): void {
    let place = this.#names.indexOf(name);
    if (place < 0) place = this.#names.push(name) - 1;
    this.#deadlines[place] = deadline;
  }

  /** Takes a timer away. */
  clear(name: Name): void {
    this.set(name);
  }

  /** Takes all timers away. */
  clearAll(): void {
    this.#deadlines.fill(Infinity);
  }

  /** When a timer expires, undefined where it is not set. */
  get(name: Name): Instant | undefined {
    const deadline = this.#deadlines[this.#names.indexOf(name)] ?? Infinity;
    return deadline === Infinity ? undefined : deadline;
  }

  /** The earliest deadline. */
  next(): Instant | undefined {
    let earliest = Infinity;
    for (let place = 0; place < this.#deadlines.length; place++) {
      if (this.#deadlines[place]! < earliest) earliest = this.#deadlines[place]!;
    }
    return earliest === Infinity ? undefined : earliest;
  }

  /** Whether the timer's deadline has passed; if so, it is cleared. */
  expire(name: Name, now: Instant): boolean {
    const place = this.#names.indexOf(name);
    if (place < 0 || this.#deadlines[place]! > now) return false;
    this.#deadlines[place] = Infinity;
    return true;
  }
}

/** The earlier of two instants, either of which may be missing. */
export function earlier(a: Instant | undefined, b: Instant | undefined): Instant | undefined {
  if (a === undefined) return b;
  if (b === undefined) return a;
  return Math.min(a, b);
}
