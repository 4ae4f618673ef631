/**
 * The texts that were killed, to be yanked back.
 *
 * @module
 */

/** Texts that are kept; beyond that, the oldest is forgotten. */
const TEXTS_MAX = 20;

/** The killed texts, the latest first. */
export class KillRing {
  #texts: string[] = [];
  /** Which text the next yank returns. */
  #next = 0;

  /** The text that a yank inserts, undefined if nothing was killed. */
  get current(): string | undefined {
    return this.#texts[this.#next];
  }

  /** Adds a killed text. */
  add(text: string): void {
    this.#next = 0;
    if (text !== "") this.#texts = [text, ...this.#texts].slice(0, TEXTS_MAX);
  }

  /** Adds a text to the latest one, before or after it. */
  extend(text: string, side: "before" | "after"): void {
    const [latest = "", ...rest] = this.#texts;
    this.#next = 0;
    this.#texts = [side === "before" ? text + latest : latest + text, ...rest];
  }

  /** Makes the next older text the current one; after the oldest comes the latest. */
  rotate(): void {
    if (this.#texts.length > 0) this.#next = (this.#next + 1) % this.#texts.length;
  }
}
