/**
 * What a change of the shared table asks of the store.
 *
 * @module
 */
import type { CommitQuestion, Lease, Put } from "../store/store.ts";
import { type Change, encodeChange } from "./client_record.ts";

/** Collects what a change checks and writes; whatever it removes or overwrites is checked. */
export class CommitDraft {
  readonly #checks = new Map<string, number>();
  readonly #removes: Lease[] = [];
  readonly #over: Lease[] = [];
  readonly #puts: Put[] = [];
  #lease: CommitQuestion["lease"];

  /** The keys must have this version. */
  expect(keys: readonly string[], version: number): void {
    for (const key of keys) this.#checks.set(key, version);
  }

  /** The lease goes. */
  remove(lease: Lease): void {
    this.#removes.push(lease);
  }

  /** The lease must be over. */
  requireOver(lease: Lease): void {
    this.#over.push(lease);
  }

  /** Writes a record that lives by itself, for so many milliseconds. */
  put(key: string, value: string, ttl: number): void {
    this.#puts.push({ key, value, ttl });
  }

  /** Removes a record that lives by itself. */
  delete(key: string): void {
    // Its time is over at once: a store needs no other way.
    this.put(key, "", 1);
  }

  /** Writes the records of a lease: the first one says something. What it does not expect is new. */
  putLease(keys: Lease, value: string, ttl: number): void {
    for (const [index, key] of keys.entries()) {
      if (!this.#checks.has(key)) this.#checks.set(key, 0);
      this.#puts.push({ key, value: index === 0 ? value : "" });
    }
    this.#lease = { keys, ttl };
  }

  /** The question. */
  toQuestion(number: number, change: Change): CommitQuestion {
    return {
      kind: "commit",
      number,
      checks: [...this.#checks],
      over: this.#over,
      removes: this.#removes,
      puts: this.#puts,
      lease: this.#lease,
      change: encodeChange(change),
    };
  }
}
