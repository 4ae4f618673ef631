/**
 * A terminal with a line editor: lines are printed above the draft, which is the line being typed.
 *
 * @module
 */
import { emitKeypressEvents } from "node:readline";
import { PassThrough } from "node:stream";
import process from "node:process";
import type { PrintedLine, PromptScreen } from "../output/printer.ts";
import type { LineWriter } from "../../cli/line_writer.ts";
import { cutToWidth } from "../../cli/wrap.ts";
import { commonBeginning, listing } from "./completion.ts";
import { type DraftPicture, draftRows, pictureOf } from "./draft_layout.ts";
import type { Key } from "./keys.ts";
import { LineEditor, type Request } from "./line_editor.ts";
import { notificationCode, RESTORE_TITLE, SAVE_TITLE, titleCode } from "./osc.ts";
import { Painter } from "./painter.ts";
import { INTERRUPT, MARK_PASTES, MARK_PASTES_OFF, PasteFilter } from "./paste.ts";
import { countRows, Rows } from "./rows.ts";
import type { TerminalHandlers } from "./terminal_handlers.ts";
import { environment } from "../../cli/environment.ts";
import type { Place } from "./unread.ts";
import { BREAK_NO_ROWS, BREAK_ROWS } from "./whole_run.ts";
import {
  HAS_JOB_CONTROL,
  isUnderTaskRunner,
  onCrash,
  onWindowChange,
  openOutput,
  screenColumns,
  screenRows,
  setRawMode,
  stopProcess,
  writeAtOnce,
} from "../../cli/tty.ts";

/**
 * Milliseconds after a resize in which nothing is drawn. A terminal that is being resized wraps its
 * rows again before it tells the new size: tmux tells it up to 250 ms later.
 */
const RESIZE_SETTLE = 300;
/** Milliseconds without input after which a paste has ended, without its mark. */
const PASTE_PAUSE_MAX = 1000;
/** The part of the screen's rows that a draft, and a list of completions, may take. */
const DRAFT_SHARE = 1 / 2;
const LISTING_SHARE = 1 / 4;

/** Characters that wait for a slow terminal beyond which nothing is drawn until it took them. */
export const BEHIND_MIN = 64 * 1024;
/** Characters of lines that wait to be drawn; further lines are left out, unless they have to be shown. */
export const PRINTED_MAX = 1024 * 1024;

const BELL = "\x07";
/** Has the terminal report when it gets, and when it loses, the focus (DEC 1004); these are the reports. */
const REPORT_FOCUS = "\x1b[?1004h";
const REPORT_FOCUS_OFF = "\x1b[?1004l";
const FOCUS_IN = "\x1b[I";
const FOCUS_OUT = "\x1b[O";
/** The modes of a terminal in use, and what gives it back as it was. */
const USE = MARK_PASTES + REPORT_FOCUS;
const GIVE_BACK = MARK_PASTES_OFF + REPORT_FOCUS_OFF + RESTORE_TITLE;
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

/** A terminal with a draft, above which lines are printed. */
export class Terminal implements PromptScreen {
  readonly #handlers: TerminalHandlers;
  #keys: PassThrough;
  readonly #editor: LineEditor;
  readonly #painter = new Painter();
  readonly #pastes = new PasteFilter();
  readonly #rows = new Rows();
  readonly #output: LineWriter;
  /** Lines to be printed with the next drawing, and their characters. */
  #printed: { text: string; line: PrintedLine }[] = [];
  #printedSize = 0;
  /** Resolved when the waiting lines are drawn, and written. */
  #whenDrawn: PromiseWithResolvers<boolean> | undefined;
  /** Lines that are left out because too many waited. */
  #leftOut = 0;
  /** Whether drawing waits for a terminal that is slow, or for the process to continue. */
  #isBehind = false;
  #isStopping = false;
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
  /** The title that the terminal shows; undefined if it is not known. */
  #title: string | undefined;
  /** Columns and rows of the terminal when they were last looked at. */
  #columns = screenColumns();
  #height = screenRows();
  #stopPasteTimer: (() => void) | undefined;
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
    this.#keys = this.#makeKeys();
    setRawMode(true);
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", this.#onData);
    for (const event of ["end", "error"]) process.stdin.on(event, () => handlers.onEndOfInput());
    this.#output = openOutput(() => handlers.onEndOfInput());
    this.#stopListening = [
      onWindowChange(() => this.#noticeResize()),
      onCrash(() => this.#crash()),
    ];
    this.#output.write(USE + SAVE_TITLE);
    this.#schedule();
  }

  /** Prints lines above the draft; those that have to be shown are never left out. */
  print(text: string, mustShow = false): PrintedLine {
    const line: PrintedLine = { row: undefined };
    const size = mustShow ? 0 : text.length;
    if (size > 0 && this.#printedSize + size > PRINTED_MAX) this.#leftOut++;
    else this.#printed.push({ text, line });
    this.#printedSize += size;
    this.#schedule();
    return line;
  }

  /** Settles when all printed lines are on the screen; resolves to whether they are. */
  shown(): Promise<boolean> {
    if (this.#printed.length === 0) return this.#output.written();
    this.#whenDrawn ??= Promise.withResolvers();
    return this.#whenDrawn.promise;
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
    this.#output.write(`\x1b7\x1b[${up}A\x1b[${column}G${text}\x1b8`);
    return true;
  }

  /** Where a printed line is. */
  placeOf({ row }: PrintedLine): Place {
    if (row === undefined) return "waiting";
    return this.#rows.isGone(row, this.#height) ? "gone" : "onScreen";
  }

  /** Rings the bell, and shows a notification, if there is one. */
  alert(notification: string | undefined): void {
    if (this.#isClosed || !this.#isFree) return;
    const terminal = environment("TERM");
    const code = notification === undefined ? "" : notificationCode(notification, terminal);
    this.#output.write(BELL + code);
  }

  /** Erases the line that was just entered. */
  eraseTyped(): void {
    if (this.#painter.isShown || this.#typedRows === 0) return;
    this.#output.write(`\x1b[${this.#typedRows}A\r\x1b[J`);
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
    this.#take(this.#pastes.end());
    this.#output.write(`\r\x1b[J${USE}`);
    this.#title = undefined;
    this.#painter.forget();
    this.#rows.forget();
    this.#schedule();
  }

  /** Releases the terminal, in the state in which it was; settles when everything is written. */
  async close(): Promise<void> {
    if (!this.#isClosed) this.#release((codes) => this.#write(codes));
    await this.#output.flush();
  }

  /** Releases the terminal at once, because the process ends. */
  #crash(): void {
    if (!this.#isClosed) this.#release(writeAtOnce);
  }

  #release(write: (codes: string) => void): void {
    this.#isClosed = true;
    this.#endSettling?.();
    this.#stopPasteTimer?.();
    for (const stop of this.#stopListening) stop();
    process.stdin.off("data", this.#onData);
    setRawMode(false);
    process.stdin.pause();
    write(this.#erased() + GIVE_BACK);
  }

  #handleData(chunk: string): void {
    try {
      this.#stopPasteTimer?.();
      this.#take(this.#pastes.filter(chunk));
      this.#stopPasteTimer = this.#pastes.isOpen
        ? this.#handlers.after(PASTE_PAUSE_MAX, () => this.#take(this.#pastes.end()))
        : undefined;
    } catch (error) {
      // Deno 2.4 continues without reading when a listener of standard input throws.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  /** Takes what the filter of pastes left. */
  #take(typed: string): void {
    for (const text of this.#pastes.takeNew()) this.#handlers.onPaste(text);
    const isInterrupt = typed.endsWith(INTERRUPT);
    const keys = isInterrupt ? typed.slice(0, -1) : typed;
    // Unlike write(), this has them taken before it returns.
    if (keys !== "") this.#keys.emit("data", keys);
    if (!isInterrupt) return;
    // Not by way of the keys, where it could be taken for the end of a key that was cut.
    this.#keys = this.#makeKeys();
    this.#press(undefined, { name: "c", ctrl: true });
  }

  /** What makes keys of characters. */
  #makeKeys(): PassThrough {
    const keys = new PassThrough();
    emitKeypressEvents(keys);
    keys.on("keypress", (typed?: string, key?: Key) => this.#press(typed, key ?? {}));
    return keys;
  }

  #press(typed: string | undefined, key: Key): void {
    if (this.#isClosed) return;
    this.#noticeResize();
    if (key.sequence === FOCUS_IN || key.sequence === FOCUS_OUT) {
      this.#handlers.onFocus(key.sequence === FOCUS_IN);
      return this.#schedule();
    }
    this.#handlers.onKey();
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
        this.#stop();
        return;
      case "clearScreen":
        this.#output.write(CLEAR_SCREEN);
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
  async #stop(): Promise<void> {
    if (!HAS_JOB_CONTROL || this.#isStopping) return;
    if (isUnderTaskRunner()) return this.#handlers.onStopFailed("deno task or npx is in between");
    this.#isStopping = true;
    this.#write(this.#erased() + GIVE_BACK);
    await this.#output.flush();
    this.#isStopping = false;
    if (this.#isClosed) return;
    setRawMode(false);
    const isStopped = stopProcess();
    this.#output.write(SAVE_TITLE);
    this.#restore();
    this.#hasResumed = isStopped;
    if (!isStopped) this.#handlers.onStopFailed("this program may not stop itself");
  }

  /** Hands the draft over; it stays the draft if it is not taken. */
  #enter(): void {
    const { text } = this.#editor.state;
    this.#typedRows = 0;
    if (this.#isFree) this.#leaveDraft();
    const hasPaste = this.#pastes.hasPaste(text);
    if (!this.#handlers.onLine(this.#pastes.expand(text))) return this.eraseTyped();
    if (!hasPaste) this.#handlers.onHistoryLine(text);
    this.#editor.clear();
  }

  /** Goes to the row below the draft, which stays on the screen. */
  #leaveDraft(): void {
    this.#paint(this.#picture());
    this.#typedRows = this.#painter.rows;
    this.#output.write(this.#painter.leave());
    this.#rows.print(this.#typedRows);
  }

  /** Whether the terminal has taken what was drawn, more or less. */
  get #isFree(): boolean {
    return this.#output.waiting <= BEHIND_MIN;
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
    if (this.#isClosed || this.#isStopping || this.#endSettling !== undefined) return;
    if (this.#isFree) this.#paint(this.#picture());
    else if (!this.#isBehind) this.#drawLater();
  }

  /** Draws when the terminal has taken what waits. */
  async #drawLater(): Promise<void> {
    this.#isBehind = true;
    await this.#output.flush();
    this.#isBehind = false;
    this.#draw();
  }

  #paint(picture: DraftPicture): void {
    // The prompt may tell what leaves the screen by that.
    if (this.#printed.length > 0) this.#schedule();
    this.#write(this.#titled() + this.#painter.paint(this.#takePrinted(), picture, this.#columns));
    this.#rows.reach(picture.rows.length);
  }

  /** What shows the title, if it has changed. */
  #titled(): string {
    const title = this.#handlers.title();
    if (title === this.#title) return "";
    this.#title = title;
    return titleCode(title);
  }

  /** Writes what draws all printed lines. */
  #write(codes: string): void {
    this.#output.write(codes);
    this.#whenDrawn?.resolve(this.#output.written());
    this.#whenDrawn = undefined;
  }

  /** What prints the waiting lines in place of the draft. */
  #erased(): string {
    return this.#painter.erase(this.#takePrinted(), this.#columns);
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
    this.#printedSize = 0;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    if (leftOut > 0) this.#handlers.onLeftOut(leftOut);
    return printed === "" ? "" : BREAK_NO_ROWS + printed + BREAK_ROWS;
  }
}
