/**
 * A terminal with a line editor: lines are printed above the draft, which is the line being typed.
 *
 * @module
 */
import { emitKeypressEvents } from "node:readline";
import { PassThrough } from "node:stream";
import process from "node:process";
import type { PrintedLine, PromptScreen } from "../output/printer.ts";
import { cutToWidth } from "../../cli/wrap.ts";
import { commonBeginning, listing } from "./completion.ts";
import { type DraftPicture, draftRows, pictureOf } from "./draft_layout.ts";
import type { Key } from "./keys.ts";
import { LineEditor, type Request } from "./line_editor.ts";
import { Painter } from "./painter.ts";
import { MARK_PASTES, MARK_PASTES_OFF, PasteFilter } from "./paste.ts";
import { countRows, Rows } from "./rows.ts";
import type { TerminalHandlers } from "./terminal_handlers.ts";
import {
  HAS_JOB_CONTROL,
  isUnderTaskRunner,
  onCrash,
  onWindowChange,
  screenColumns,
  screenRows,
  setRawMode,
  stopProcess,
} from "../../cli/tty.ts";

/**
 * Milliseconds after a resize in which nothing is drawn. A terminal that is being resized wraps its
 * rows again before it tells the new size: tmux tells it up to 250 ms later.
 */
const RESIZE_SETTLE = 300;
/** The part of the screen's rows that a draft, and a list of completions, may take. */
const DRAFT_SHARE = 1 / 2;
const LISTING_SHARE = 1 / 4;

const BELL = "\x07";
const CLEAR_SCREEN = "\x1b[H\x1b[2J";
/**
 * Lets the terminal break rows at its edge, or not (DECAWM): a terminal that draws characters wider
 * than they are counted then breaks no row of a message where no mark would stand before it.
 */
const BREAK_ROWS = "\x1b[?7h";
const BREAK_NO_ROWS = "\x1b[?7l";

/** A terminal with a draft, above which lines are printed. */
export class Terminal implements PromptScreen {
  readonly #handlers: TerminalHandlers;
  readonly #keys = new PassThrough();
  readonly #editor: LineEditor;
  readonly #painter = new Painter();
  readonly #pastes = new PasteFilter();
  readonly #rows = new Rows();
  /** Lines to be printed with the next drawing. */
  #printed: { text: string; line: PrintedLine }[] = [];
  #isScheduled = false;
  /** Rows of the last entered line, with its prompt. */
  #typedRows = 0;
  /** The first row that is shown of a draft that is too tall for the screen. */
  #top = 0;
  /** Whether the key before was a Tab that completed nothing. */
  #hasTabbed = false;
  #isClosed = false;
  /** Whether the terminal is restored after a stop for which resume() is still to be called. */
  #hasResumed = false;
  /** Columns and rows of the terminal when they were last looked at. */
  #columns = screenColumns();
  #height = screenRows();
  /** Ends the wait after a resize; undefined if there is none. */
  #endSettling: (() => void) | undefined;
  readonly #stopListening: readonly (() => void)[];
  readonly #onData = (chunk: string): void => this.#handleData(chunk);

  /**
   * Takes over the terminal and shows the prompt.
   *
   * @param history lines of earlier runs, the latest first.
   */
  constructor(handlers: TerminalHandlers, history: readonly string[]) {
    this.#handlers = handlers;
    this.#editor = new LineEditor(
      history,
      (text) => draftRows(this.#prompt(), text, this.#columns),
    );
    emitKeypressEvents(this.#keys);
    this.#keys.on("keypress", (typed?: string, key?: Key) => this.#press(typed, key ?? {}));
    setRawMode(true);
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", this.#onData);
    process.stdin.on("end", () => handlers.onEndOfInput());
    process.stdout.on("error", () => handlers.onEndOfInput());
    this.#stopListening = [onWindowChange(() => this.#noticeResize()), onCrash(() => this.close())];
    process.stdout.write(MARK_PASTES);
    this.#schedule();
  }

  /** Prints lines above the draft. */
  print(text: string): PrintedLine {
    const line: PrintedLine = { row: undefined };
    this.#printed.push({ text, line });
    this.#schedule();
    return line;
  }

  /**
   * Writes over a column, counted from 1, of the first row of a printed line.
   *
   * @returns false if the row has left the screen, or may have left it because of a resize.
   */
  overwrite({ row }: PrintedLine, column: number, text: string): boolean {
    if (this.#isClosed || row === undefined) return false;
    this.#draw();
    if (this.#endSettling !== undefined) return false;
    const above = this.#rows.above(row, this.#height);
    if (above === undefined) return false;
    const up = above + this.#painter.cursorRow(this.#columns);
    process.stdout.write(`\x1b7\x1b[${up}A\x1b[${column}G${text}\x1b8`);
    return true;
  }

  /** Rings the bell. */
  bell(): void {
    process.stdout.write(BELL);
  }

  /** Erases the line that was just entered. */
  eraseTyped(): void {
    if (this.#painter.isShown || this.#typedRows === 0) return;
    process.stdout.write(`\x1b[${this.#typedRows}A\r\x1b[J`);
    this.#rows.print(-this.#typedRows);
    this.#typedRows = 0;
  }

  /** Draws the prompt again if it has changed. */
  refresh(): void {
    this.#schedule();
  }

  /** The process was stopped, and continues; called also after a stop by this terminal itself. */
  resume(): void {
    if (!this.#isClosed && !this.#hasResumed) this.#restore();
    this.#hasResumed = false;
  }

  /** Takes over the terminal again after a stop. */
  #restore(): void {
    setRawMode(true);
    process.stdout.write(`\r\x1b[J${MARK_PASTES}`);
    this.#painter.forget();
    this.#rows.forget();
    this.#schedule();
  }

  /** Releases the terminal, in the state in which it was. */
  close(): void {
    if (this.#isClosed) return;
    this.#erase();
    this.#isClosed = true;
    this.#endSettling?.();
    for (const stop of this.#stopListening) stop();
    process.stdin.off("data", this.#onData);
    setRawMode(false);
    process.stdin.pause();
    process.stdout.write(MARK_PASTES_OFF);
  }

  #handleData(chunk: string): void {
    try {
      const typed = this.#pastes.filter(chunk);
      for (const text of this.#pastes.takeNew()) this.#handlers.onPaste(text);
      if (typed !== "") this.#keys.write(typed);
    } catch (error) {
      // Deno 2.4 continues without reading when a listener of standard input throws.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #press(typed: string | undefined, key: Key): void {
    if (this.#isClosed) return;
    this.#noticeResize();
    if (this.#editor.state.text === "") this.#handlers.onDraftStart();
    const request = this.#editor.press(typed, key);
    const hasTabbed = this.#hasTabbed;
    this.#hasTabbed = false;
    if (request !== undefined) this.#serve(request, hasTabbed);
    this.#schedule();
  }

  #serve(request: Request, hasTabbed: boolean): void {
    switch (request) {
      case "enter":
        return this.#enter();
      case "complete":
        return this.#complete(hasTabbed);
      case "interrupt":
        return this.#handlers.onInterrupt(this.#editor.state.text !== "");
      case "end":
        return this.#handlers.onEnd();
      case "stop":
        return this.#stop();
      case "clearScreen":
        process.stdout.write(CLEAR_SCREEN);
        this.#painter.forget();
        return this.#rows.forget();
    }
  }

  /** Cuts the draft; Ctrl-Y brings it back. */
  dropDraft(): void {
    this.#editor.drop();
    this.#schedule();
  }

  /** Completes what is before the cursor; the second time, lists the words that are possible. */
  #complete(isAgain: boolean): void {
    const { text, cursor } = this.#editor.state;
    const [words, replaced] = this.#handlers.complete(text.slice(0, cursor));
    const beginning = commonBeginning(words);
    if (words.length === 1 || beginning.length > replaced.length) {
      this.#editor.complete(replaced, beginning);
    } else if (words.length > 1) {
      this.#hasTabbed = true;
      const rowsMax = Math.max(2, Math.floor(this.#height * LISTING_SHARE));
      if (isAgain) this.print(listing(words, this.#columns, rowsMax));
    }
  }

  /** Releases the terminal, stops the process, and takes over the terminal again. */
  #stop(): void {
    if (!HAS_JOB_CONTROL) return;
    if (isUnderTaskRunner()) return this.#handlers.onStopFailed("deno task or npx is in between");
    this.#erase();
    process.stdout.write(MARK_PASTES_OFF);
    setRawMode(false);
    const isStopped = stopProcess();
    this.#restore();
    this.#hasResumed = isStopped;
    if (!isStopped) this.#handlers.onStopFailed("Deno was not given the right to");
  }

  /** Hands the draft over; it stays the draft if it is not taken. */
  #enter(): void {
    this.#paint(this.#picture());
    const { text } = this.#editor.state;
    this.#typedRows = this.#painter.rows;
    process.stdout.write(this.#painter.leave());
    this.#rows.print(this.#typedRows);
    const hasPaste = this.#pastes.hasPaste(text);
    if (!this.#handlers.onLine(this.#pastes.expand(text))) return this.eraseTyped();
    if (!hasPaste) this.#handlers.onHistoryLine(text);
    this.#editor.clear();
  }

  /** Looks for a resize; until the size has settled, nothing is drawn. */
  #noticeResize(): void {
    if (this.#isClosed) return;
    const [columns, height] = [screenColumns(), screenRows()];
    if (columns === this.#columns && height === this.#height) return;
    this.#columns = columns;
    this.#height = height;
    this.#rows.forget();
    this.#endSettling?.();
    this.#endSettling = this.#handlers.after(RESIZE_SETTLE, () => {
      this.#endSettling = undefined;
      this.#draw();
    });
  }

  /** Draws all lines that are printed in one turn at once. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#draw();
    });
  }

  /** Prints the waiting lines, and draws the prompt and the draft below them. */
  #draw(): void {
    this.#noticeResize();
    if (!this.#isClosed && this.#endSettling === undefined) this.#paint(this.#picture());
  }

  #paint(picture: DraftPicture): void {
    const codes = this.#painter.paint(this.#takePrinted(), picture, this.#columns);
    if (codes !== "") process.stdout.write(codes);
    this.#rows.reach(picture.rows.length);
  }

  /** Prints the waiting lines in place of the draft. */
  #erase(): void {
    process.stdout.write(this.#painter.erase(this.#takePrinted(), this.#columns));
  }

  #picture(): DraftPicture {
    const rowsMax = Math.max(1, Math.floor(this.#height * DRAFT_SHARE));
    const size = { columns: this.#columns, rowsMax };
    const picture = pictureOf(this.#prompt(), this.#editor.state, size, this.#top);
    this.#top = picture.top;
    return picture;
  }

  #prompt(): string {
    const { search } = this.#editor;
    if (search === undefined) return this.#handlers.prompt();
    const { text, hasFailed } = search;
    const what = cutToWidth(text, Math.floor(this.#columns / 2));
    return `${hasFailed ? "no line has" : "search"} "${what}" > `;
  }

  /** The text of the waiting lines, each of which gets its row. */
  #takePrinted(): string {
    let printed = "";
    for (const { text, line } of this.#printed) {
      line.row = this.#rows.next;
      this.#rows.print(countRows(text, this.#columns));
      printed += `${text}\n`;
    }
    this.#printed = [];
    return printed === "" ? "" : BREAK_NO_ROWS + printed + BREAK_ROWS;
  }
}
