/**
 * Names that the directory keeps for their keys after the clients are gone.
 *
 * A client shows its key when it registers, so that a name can belong to that. Nobody else gets it for
 * a while, as the peers of its owner may still call it.
 *
 * @module
 */
import { nameKey } from "../../protocol/name/name.ts";
import type { Instant } from "../../protocol/machine.ts";

/** Names that are kept; of more, the one whose owner went first is forgotten. */
export const HELD_NAMES_MAX = 100_000;
/** Names that are kept for clients of one source; of more, its oldest one is forgotten. */
export const HELD_NAMES_PER_SOURCE = 200;

/** A name that is kept. */
interface HeldName {
  /** One character for each byte of the key: an array of bytes takes four times as much. */
  readonly owner: string;
  readonly source: string;
  readonly until: Instant;
}

/** The names, by `nameKey()`; the one that was left first comes first, and its time ends first. */
export class HeldNames {
  readonly #hold: number;
  readonly #names = new Map<string, HeldName>();
  /** The names of each source, in the same order. */
  readonly #bySource = new Map<string, Set<string>>();

  /** @param hold milliseconds that a name is kept, 0 for not at all. */
  constructor(hold: number) {
    this.#hold = hold;
  }

  /** How many are kept. */
  get size(): number {
    return this.#names.size;
  }

  /** Keeps the name of a client that is gone; `source` is what its address counts as. */
  add(now: Instant, name: string, publicKey: Uint8Array, source: string): void {
    if (this.#hold === 0) return;
    this.#expire(now);
    const key = nameKey(name);
    this.#remove(key);
    const ofSource = this.#bySource.get(source) ?? new Set();
    const [oldestOfSource] = ofSource;
    const [oldest] = this.#names.keys();
    if (ofSource.size >= HELD_NAMES_PER_SOURCE) this.#remove(oldestOfSource);
    else if (this.#names.size >= HELD_NAMES_MAX) this.#remove(oldest);
    this.#names.set(key, { owner: ownerOf(publicKey), source, until: now + this.#hold });
    this.#bySource.set(source, ofSource.add(key));
  }

  /** Whether the name is kept for another key. */
  isForOther(now: Instant, name: string, publicKey: Uint8Array): boolean {
    if (this.#names.size === 0 || name === "") return false;
    const held = this.#names.get(nameKey(name));
    return held !== undefined && held.until > now && held.owner !== ownerOf(publicKey);
  }

  /** Its owner is back: it holds the name itself. */
  release(name: string): void {
    if (this.#names.size > 0) this.#remove(nameKey(name));
  }

  #expire(now: Instant): void {
    for (const [key, { until }] of this.#names) {
      if (until > now) return;
      this.#remove(key);
    }
  }

  #remove(key: string | undefined): void {
    const held = key === undefined ? undefined : this.#names.get(key);
    if (key === undefined || held === undefined) return;
    this.#names.delete(key);
    const ofSource = this.#bySource.get(held.source);
    ofSource?.delete(key);
    if (ofSource?.size === 0) this.#bySource.delete(held.source);
  }
}

function ownerOf(publicKey: Uint8Array): string {
  return String.fromCharCode(...publicKey);
}
