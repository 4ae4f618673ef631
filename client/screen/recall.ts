/**
 * The lines that were typed before, to be walked through and searched. What was typed in place of
 * one stays until a line is entered.
 *
 * @module
 */
import type { DraftState } from "./draft.ts";

/** Lines that are kept. */
const LINES_MAX = 1000;

/** The typed lines. */
export class Recall {
  /** The latest first. */
  #lines: string[];
  /** The line that is shown, -1 for the draft. */
  #at = -1;
  /** What was typed in place of the lines, and the draft at -1. */
  readonly #typed = new Map<number, DraftState>();

  /** @param lines lines of earlier runs, the latest first. */
  constructor(lines: readonly string[]) {
    this.#lines = lines.slice(0, LINES_MAX);
  }

  /** Whether a line is shown, not the draft. */
  get isShown(): boolean {
    return this.#at >= 0;
  }

  /** The line before the one that is shown, as it was left; undefined if there is none. */
  older(shown: DraftState): DraftState | undefined {
    return this.#go(this.#at + 1, shown);
  }

  /** The line after the one that is shown; in the end, the draft. */
  newer(shown: DraftState): DraftState | undefined {
    return this.#go(this.#at - 1, shown);
  }

  /** Goes to the line of this number, 0 being the latest, which is shown already. */
  goTo(index: number, left: DraftState): void {
    this.#go(index, left);
  }

  /**
   * The latest line that has the text, upper and lower case being the same.
   *
   * @param from the number of the line to begin with, 0 being the latest.
   */
  search(text: string, from: number): { index: number; line: string; at: number } | undefined {
    const wanted = text.toLowerCase();
    for (let index = from; index < this.#lines.length; index++) {
      const line = this.#lines[index]!;
      const at = line.toLowerCase().indexOf(wanted);
      if (at >= 0) return { index, line, at };
    }
    return undefined;
  }

  /** Takes a line that was entered. The draft that was left for an older line is kept as a line. */
  enter(line: string): void {
    const left = this.#at >= 0 ? this.#typed.get(-1)?.text ?? "" : "";
    this.#at = -1;
    this.#typed.clear();
    for (const each of [line, left]) this.#add(each);
  }

  #add(line: string): void {
    if (line.trim() === "") return;
    const others = this.#lines.filter((each) => each !== line);
    this.#lines = [line, ...others].slice(0, LINES_MAX);
  }

  #go(to: number, shown: DraftState): DraftState | undefined {
    if (to < -1 || to >= this.#lines.length) return undefined;
    const original = this.#lines[this.#at];
    if (shown.text === original) this.#typed.delete(this.#at);
    else this.#typed.set(this.#at, shown);
    this.#at = to;
    const line = this.#lines[to] ?? "";
    return this.#typed.get(to) ?? { text: line, cursor: line.length };
  }
}
