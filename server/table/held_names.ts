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

/** Names that are kept; of more, the oldest one of the source that has the most is forgotten. */
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
  /** The sources that have so many names. */
  readonly #byCount = Array.from({ length: HELD_NAMES_PER_SOURCE + 1 }, () => new Set<string>());

  /** @param hold milliseconds that a name is kept, 0 for not at all. */
  constructor(hold: number) {
    this.#hold = hold;
  }

  /** How many are kept. */
  get size(): number {
    return this.#names.size;
  }

  /**
   * Keeps the name of a client that is gone; `source` is what its address counts as.
   *
   * @param hold milliseconds.
   */
  add(
    now: Instant,
    name: string,
    publicKey: Uint8Array,
    source: string,
    hold: number = this.#hold,
  ): void {
    if (this.#hold === 0) return;
    this.#expire(now);
    const key = nameKey(name);
    this.#remove(key);
    const forgotten = this.forgottenFor(source);
    if (forgotten !== undefined) this.#remove(forgotten);
    this.#names.set(key, { owner: ownerOf(publicKey), source, until: now + hold });
    this.#changeSource(source, (names) => names.add(key));
  }

  /** The `nameKey()` of the name that is forgotten for another one of this source, if there is one. */
  forgottenFor(source: string): string | undefined {
    const count = this.#bySource.get(source)?.size ?? 0;
    if (count >= HELD_NAMES_PER_SOURCE) return this.#oldest(source);
    return this.#names.size >= HELD_NAMES_MAX ? this.#oldest(this.#fullest()) : undefined;
  }

  /** Whether the name is kept. */
  has(name: string): boolean {
    return this.#names.has(nameKey(name));
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

  /** The source that has the most names: whoever has few keeps them, however many sources come. */
  #fullest(): string | undefined {
    const [first] = this.#byCount.findLast(({ size }) => size > 0) ?? [];
    return first;
  }

  #oldest(source: string | undefined): string | undefined {
    const [oldest] = source === undefined ? [] : this.#bySource.get(source) ?? [];
    return oldest;
  }

  #remove(key: string): void {
    const held = this.#names.get(key);
    if (held === undefined) return;
    this.#names.delete(key);
    this.#changeSource(held.source, (names) => names.delete(key));
  }

  #changeSource(source: string, change: (names: Set<string>) => void): void {
    const names = this.#bySource.get(source) ?? new Set();
    this.#byCount[names.size]?.delete(source);
    change(names);
    if (names.size === 0) this.#bySource.delete(source);
    else {
      this.#bySource.set(source, names);
      this.#byCount[names.size]?.add(source);
    }
  }
}

function ownerOf(publicKey: Uint8Array): string {
  return String.fromCharCode(...publicKey);
}
