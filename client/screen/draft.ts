/**
 * The line being typed, as a text with a cursor in it; each edit can be undone.
 *
 * @module
 */
import {
  graphemeAfter,
  graphemeBefore,
  lineEnd,
  lineStart,
  outsideToken,
  unspacedBefore,
  wordAfter,
  wordBefore,
} from "./boundaries.ts";
import { PASTE_TOKEN_BEGUN } from "./paste.ts";
import type { KillRing } from "./kill_ring.ts";

/** States that undo() can return to; beyond that, the oldest is forgotten. */
const UNDO_MAX = 500;

/** A text with a cursor in it. */
export interface DraftState {
  readonly text: string;
  /** Where the cursor is, from 0 to the length of the text. */
  readonly cursor: number;
}

/** The draft without a text. */
export const EMPTY_DRAFT: DraftState = { text: "", cursor: 0 };

/** Where a cursor can go from where it is. */
export type Place =
  | "left"
  | "right"
  | "wordLeft"
  | "wordRight"
  | "unspacedLeft"
  | "lineStart"
  | "lineEnd";

/** What the last edit was, for edits that are undone or yanked together. */
type Edit = "insert" | "kill" | "yank" | "other";

const PLACES: Readonly<Record<Place, (text: string, at: number) => number>> = {
  left: graphemeBefore,
  right: graphemeAfter,
  wordLeft: wordBefore,
  wordRight: wordAfter,
  unspacedLeft: unspacedBefore,
  lineStart,
  lineEnd,
};

/** A text that is edited. */
export class Draft {
  readonly #killed: KillRing;
  #state: DraftState = EMPTY_DRAFT;
  #undo: DraftState[] = [];
  #redo: DraftState[] = [];
  #last: Edit | undefined;
  /** How much the last yank inserted before the cursor. */
  #yanked = 0;

  constructor(killed: KillRing) {
    this.#killed = killed;
  }

  /** The text and the cursor. */
  get state(): DraftState {
    return this.#state;
  }

  /** Replaces all of it, which can be undone. */
  replace(state: DraftState): void {
    this.#edit(state, "other");
  }

  /** Begins anew with a text, without anything to undo. */
  reset(state: DraftState = EMPTY_DRAFT): void {
    this.#state = state;
    this.#undo = [];
    this.#redo = [];
    this.#last = undefined;
  }

  /** Moves the cursor. */
  move(to: Place | number): void {
    this.#last = undefined;
    this.#state = { ...this.#state, cursor: this.#indexOf(to) };
  }

  /** Inserts a text at the cursor. */
  insert(inserted: string): void {
    const { text, cursor } = this.#state;
    const before = text.slice(0, cursor);
    // A word, or the token of a paste, is undone at once, not letter by letter.
    const isNewWord = /\s$/.test(before) && /^\S/.test(inserted);
    const isSameWord = this.#last === "insert" && (!isNewWord || PASTE_TOKEN_BEGUN.test(before));
    const after = before + inserted + text.slice(cursor);
    this.#edit({ text: after, cursor: cursor + inserted.length }, "insert", isSameWord);
  }

  /** Deletes what is between the cursor and a place. */
  delete(to: Place): void {
    this.#cut(this.#indexOf(to), "other");
  }

  /** Deletes what is between the cursor and a place, for yank(); at the end of a line, the break. */
  kill(to: Place): void {
    const { cursor } = this.#state;
    const place = this.#indexOf(to);
    this.#kill(place === cursor && to === "lineEnd" ? this.#indexOf("right") : place);
  }

  /** Deletes all, for yank(). */
  killAll(): void {
    this.#killed.add(this.#state.text);
    this.#edit(EMPTY_DRAFT, "other");
  }

  /** Inserts what was killed. */
  yank(): void {
    const text = this.#killed.current;
    if (text === undefined) return;
    this.insert(text);
    this.#yanked = text.length;
    this.#last = "yank";
  }

  /** Replaces what was just yanked by what was killed before that. */
  yankOlder(): void {
    if (this.#last !== "yank") return;
    const { text, cursor } = this.#state;
    this.#killed.rotate();
    const older = this.#killed.current ?? "";
    const start = cursor - this.#yanked;
    this.#edit(
      { text: text.slice(0, start) + older + text.slice(cursor), cursor: start + older.length },
      "yank",
      true,
    );
    this.#yanked = older.length;
  }

  /** Exchanges the two graphemes around the cursor; at the end, the two before it. */
  transpose(): void {
    const { text, cursor } = this.#state;
    const middle = cursor === text.length ? graphemeBefore(text, cursor) : cursor;
    const start = graphemeBefore(text, middle);
    const end = graphemeAfter(text, middle);
    if (start === middle || middle === end) return;
    const exchanged = text.slice(middle, end) + text.slice(start, middle);
    this.#edit({ text: text.slice(0, start) + exchanged + text.slice(end), cursor: end }, "other");
  }

  /** Returns to the state before the last edit. */
  undo(): void {
    const before = this.#undo.pop();
    if (before === undefined) return;
    this.#redo.push(this.#state);
    this.#state = before;
    this.#last = undefined;
  }

  /** Repeats the edit that was undone last. */
  redo(): void {
    const after = this.#redo.pop();
    if (after === undefined) return;
    this.#undo.push(this.#state);
    this.#state = after;
    this.#last = undefined;
  }

  #indexOf(to: Place | number): number {
    const { text, cursor } = this.#state;
    if (typeof to !== "number") return PLACES[to](text, cursor);
    return outsideToken(text, Math.max(0, Math.min(to, text.length)));
  }

  #kill(to: number): void {
    const { text, cursor } = this.#state;
    const isBefore = to < cursor;
    const killed = isBefore ? text.slice(to, cursor) : text.slice(cursor, to);
    if (killed === "") return;
    if (this.#last === "kill") this.#killed.extend(killed, isBefore ? "before" : "after");
    else this.#killed.add(killed);
    this.#cut(to, "kill");
  }

  #cut(to: number, edit: Edit): void {
    const { text, cursor } = this.#state;
    const [start, end] = to < cursor ? [to, cursor] : [cursor, to];
    this.#edit({ text: text.slice(0, start) + text.slice(end), cursor: start }, edit);
  }

  /** @param continues whether it is undone together with the edit before. */
  #edit(after: DraftState, edit: Edit, continues = false): void {
    if (after.text === this.#state.text && after.cursor === this.#state.cursor) return;
    if (!continues) this.#undo = [...this.#undo, this.#state].slice(-UNDO_MAX);
    this.#redo = [];
    this.#state = after;
    this.#last = edit;
  }
}
