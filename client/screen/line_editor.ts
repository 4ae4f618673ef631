/**
 * The line editor: keys go in; the draft and what its owner has to do come out.
 *
 * @module
 */
import { graphemeBefore } from "./boundaries.ts";
import { Draft, type DraftState } from "./draft.ts";
import { columnOf, cursorAt, type DraftRow, rowOf } from "./draft_layout.ts";
import { type Action, actionOf, type Key } from "./keys.ts";
import { KillRing } from "./kill_ring.ts";
import { Recall } from "./recall.ts";

/** What the owner has to do after a key. */
export type Request = "enter" | "complete" | "interrupt" | "end" | "stop" | "clearScreen";

/** A search of the lines that were typed before. */
interface Search {
  readonly text: string;
  /** The number of the line that was found, undefined if there was none yet. */
  readonly index: number | undefined;
  readonly hasFailed: boolean;
  /** The draft before the search. */
  readonly before: DraftState;
}

/** A draft that is edited by keys. */
export class LineEditor {
  readonly #draft = new Draft(new KillRing());
  readonly #recall: Recall;
  readonly #rowsOf: (text: string) => readonly DraftRow[];
  #search: Search | undefined;
  /** Whether the last key recalled a line, so that Up and Down go on to others. */
  #isRecalling = false;
  /** The column that Up and Down keep to. */
  #column: number | undefined;
  #hasReturned = false;

  /**
   * @param history lines of earlier runs, the latest first.
   * @param rowsOf the rows of a text on the screen.
   */
  constructor(history: readonly string[], rowsOf: (text: string) => readonly DraftRow[]) {
    this.#recall = new Recall(history);
    this.#rowsOf = rowsOf;
  }

  /** The draft. */
  get state(): DraftState {
    return this.#draft.state;
  }

  /** What a search looks for, and whether nothing has it; undefined if there is no search. */
  get search(): { text: string; hasFailed: boolean } | undefined {
    return this.#search;
  }

  /** Takes a key; `typed` is the text that it stands for. */
  press(typed: string | undefined, key: Key): Request | undefined {
    const action = actionOf(key);
    // A line end of two characters is one.
    const isSecondHalf = this.#hasReturned && key.name === "enter";
    this.#hasReturned = key.name === "return";
    if (isSecondHalf) return undefined;
    const text = action === undefined ? printable(typed, key) : "";
    if (this.#search !== undefined && this.#continueSearch(this.#search, action, text)) {
      return undefined;
    }
    if (text !== "") this.#do(() => this.#draft.insert(text));
    return action === undefined ? undefined : this.#act(action);
  }

  /** Replaces the end of the text before the cursor. */
  complete(replaced: string, by: string): void {
    const { text, cursor } = this.state;
    const start = cursor - replaced.length;
    const after = text.slice(0, start) + by + text.slice(cursor);
    this.#do(() => this.#draft.replace({ text: after, cursor: start + by.length }));
  }

  /** Cuts the draft; a yank or an undo brings it back. */
  drop(): void {
    this.#do(() => this.#draft.killAll());
  }

  /** The draft was entered: begins an empty one. */
  clear(): void {
    this.#recall.enter(this.state.text);
    this.#draft.reset();
    this.#isRecalling = false;
    this.#column = undefined;
  }

  /** Does what ends the recall of lines. */
  #do(edit: () => void): undefined {
    this.#isRecalling = false;
    this.#column = undefined;
    edit();
  }

  #act(action: Action): Request | undefined {
    switch (action) {
      case "up":
        return this.#goUp();
      case "down":
        return this.#goDown();
      case "older":
      case "newer":
        return this.#show(this.#recall[action](this.state));
      case "enter":
      case "complete":
      case "interrupt":
      case "stop":
      case "clearScreen":
        return action;
      case "deleteRightOrEnd":
        if (this.state.text === "") return "end";
        return this.#do(() => this.#draft.delete("right"));
      case "search":
        return this.#startSearch();
      default:
        return this.#do(() => this.#edit(action));
    }
  }

  #edit(
    action: Exclude<
      Action,
      Request | "up" | "down" | "older" | "newer" | "deleteRightOrEnd" | "search"
    >,
  ): void {
    const draft = this.#draft;
    switch (action) {
      case "left":
      case "right":
      case "wordLeft":
      case "wordRight":
      case "lineStart":
      case "lineEnd":
        return draft.move(action);
      case "deleteLeft":
        return draft.delete("left");
      case "deleteRight":
        return draft.delete("right");
      case "killWordLeft":
        return draft.kill("wordLeft");
      case "killUnspacedLeft":
        return draft.kill("unspacedLeft");
      case "killWordRight":
        return draft.kill("wordRight");
      case "killLineStart":
        return draft.kill("lineStart");
      case "killLineEnd":
        return draft.kill("lineEnd");
      case "yank":
      case "yankOlder":
      case "transpose":
      case "undo":
      case "redo":
        return draft[action]();
      case "lineBreak":
        return draft.insert("\n");
      case "giveUp":
        return;
    }
  }

  /** Up: a row of the draft, or an older line. */
  #goUp(): undefined {
    const rows = this.#rowsOf(this.state.text);
    const row = rowOf(rows, this.state.cursor);
    if (this.#isRecalling || row === 0) return this.#show(this.#recall.older(this.state));
    this.#goToRow(rows, row - 1);
  }

  /** Down: a row of the draft, or a newer line. */
  #goDown(): undefined {
    const rows = this.#rowsOf(this.state.text);
    const row = rowOf(rows, this.state.cursor);
    if (this.#isRecalling || row === rows.length - 1) {
      return this.#show(this.#recall.newer(this.state));
    }
    this.#goToRow(rows, row + 1);
  }

  #goToRow(rows: readonly DraftRow[], row: number): void {
    this.#column ??= columnOf(rows, this.state.cursor);
    this.#draft.move(cursorAt(rows[row]!, this.#column));
  }

  /** Shows a line that was recalled, or the draft again. */
  #show(recalled: DraftState | undefined): undefined {
    if (recalled === undefined) return;
    this.#do(() => this.#draft.replace(recalled));
    this.#isRecalling = this.#recall.isShown;
  }

  #startSearch(): undefined {
    this.#do(() =>
      this.#search = {
        text: "",
        index: undefined,
        hasFailed: false,
        before: this.state,
      }
    );
  }

  /** Takes a key of a search; false if it ends the search and is still to be taken. */
  #continueSearch(search: Search, action: Action | undefined, typed: string): boolean {
    const { text, index } = search;
    switch (action) {
      case undefined:
        if (typed !== "") this.#find(search, text + typed, index ?? 0);
        return true;
      case "deleteLeft":
        this.#find(search, text.slice(0, graphemeBefore(text, text.length)), 0);
        return true;
      case "search":
        this.#find(search, text, index === undefined ? 0 : index + 1);
        return true;
      case "interrupt":
      case "giveUp":
        this.#search = undefined;
        this.#draft.replace(search.before);
        return true;
      default:
        this.#search = undefined;
        // Down comes back to what was typed before the search.
        if (index !== undefined) this.#recall.goTo(index, search.before);
        return false;
    }
  }

  #find(search: Search, text: string, from: number): void {
    const found = text === "" ? undefined : this.#recall.search(text, from);
    const index = found?.index ?? search.index;
    this.#search = { ...search, text, index, hasFailed: found === undefined && text !== "" };
    if (found !== undefined) this.#draft.replace({ text: found.line, cursor: found.at });
  }
}

/** The text of a key that has no action, without controls. */
function printable(typed: string | undefined, { ctrl, meta }: Key): string {
  return ctrl || meta ? "" : (typed ?? "").replace(/\p{Cc}/gu, "");
}
