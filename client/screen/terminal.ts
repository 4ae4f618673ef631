/**
 * A terminal with a line editor: lines are printed above the draft, which is the line being typed.
 *
 * @module
 */
import * as readline from "node:readline";
import { PassThrough } from "node:stream";
import process from "node:process";
import type { PrintedLine, PromptScreen } from "../output/printer.ts";
import { MARK_PASTES, MARK_PASTES_OFF, PasteFilter } from "./paste.ts";
import { countRows, mostRows, Rows } from "./rows.ts";
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

/** Lines in the history of the editor. */
const HISTORY_MAX = 1000;

const BELL = "\x07";

/** A key as `node:readline` reports it. */
interface Key {
  name?: string;
  ctrl?: boolean;
}

/** A terminal with a draft, above which lines are printed. */
export class Terminal implements PromptScreen {
  readonly #handlers: TerminalHandlers;
  readonly #keys: PassThrough;
  readonly #editor: readline.Interface;
  readonly #pastes = new PasteFilter();
  readonly #rows = new Rows();
  /** Lines to be printed with the next drawing. */
  #printed: { text: string; line: PrintedLine }[] = [];
  #isScheduled = false;
  /** Whether the prompt and the draft are on the screen. */
  #isShown = false;
  /** Rows of the last entered line, with its prompt. */
  #typedRows = 0;
  #shownPrompt = "";
  #isClosed = false;
  /** Whether the terminal is restored after a stop for which resume() is still to be called. */
  #hasResumed = false;
  /** Columns and rows of the terminal at the last drawing. */
  #columns = screenColumns();
  #height = screenRows();
  readonly #onResize = (): void => this.#handleResize();
  readonly #stopListening: readonly (() => void)[];
  readonly #onData = (chunk: string): void => this.#handleData(chunk);

  /**
   * Takes over the terminal and shows the prompt.
   *
   * @param history lines of earlier runs, the latest first.
   */
  constructor(handlers: TerminalHandlers, history: readonly string[]) {
    this.#handlers = handlers;
    this.#keys = keysInput();
    this.#editor = readline.createInterface({
      input: this.#keys,
      output: process.stdout,
      terminal: true,
      history: [...history],
      historySize: HISTORY_MAX,
      removeHistoryDuplicates: true,
      completer: (line: string) => this.#complete(line),
    });
    this.#keys.prependListener("keypress", (_: unknown, key?: Key) => this.#beforeKey(key));
    this.#keys.on("keypress", () => this.#countRows());
    process.stdout.prependListener("resize", this.#onResize);
    this.#editor.on("line", (line: string) => this.#handleLine(line));
    this.#editor.on("SIGINT", () => this.#handleInterrupt());
    this.#editor.on("SIGTSTP", () => this.#stop());
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", this.#onData);
    process.stdin.on("end", () => handlers.onEndOfInput());
    process.stdout.on("error", () => handlers.onEndOfInput());
    this.#stopListening = [onWindowChange(() => this.#noticeResize()), onCrash(() => this.close())];
    process.stdout.write(MARK_PASTES);
    this.refresh();
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
    this.#noticeResize();
    if (!this.#isShown || this.#printed.length > 0) this.#flush(false);
    const above = this.#rows.above(row, this.#height);
    if (above === undefined) return false;
    const up = above + this.#editor.getCursorPos().rows;
    process.stdout.write(`\x1b7\x1b[${up}A\x1b[${column}G${text}\x1b8`);
    return true;
  }

  /** Rings the bell. */
  bell(): void {
    process.stdout.write(BELL);
  }

  /** Erases the line that was just entered. */
  eraseTyped(): void {
    if (this.#isShown || this.#typedRows === 0) return;
    process.stdout.write(`\x1b[${this.#typedRows}A\r\x1b[J`);
    this.#rows.print(-this.#typedRows);
    this.#typedRows = 0;
  }

  /** Draws the prompt again if it has changed. */
  refresh(): void {
    if (this.#isShown && this.#handlers.prompt() === this.#shownPrompt) return;
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
    this.#isShown = false;
    this.#rows.forget();
    this.#schedule();
  }

  /** Releases the terminal, in the state in which it was. */
  close(): void {
    if (this.#isClosed) return;
    this.#flush(true);
    this.#isClosed = true;
    for (const stop of this.#stopListening) stop();
    process.stdin.off("data", this.#onData);
    process.stdout.off("resize", this.#onResize);
    this.#editor.close();
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

  #beforeKey(key?: Key): void {
    this.#noticeResize();
    if (this.#editor.line === "") this.#handlers.onDraftStart();
    if (key?.name === "return" || key?.name === "enter") return this.#measureTyped();
    if (!key?.ctrl) return;
    // The editor clears the screen.
    if (key.name === "l") this.#rows.forget();
    if (key.name !== "d" || this.#editor.line !== "") return;
    // The editor would close itself, but the prompt has to show the leave.
    key.name = "";
    this.#handlers.onEndOfInput();
  }

  #complete(line: string): [words: string[], replaced: string] {
    const completed = this.#handlers.complete(line);
    // The editor lists them, in rows that are not counted.
    if (completed[0].length > 1) this.#rows.forget();
    return completed;
  }

  /** Ctrl-C drops a draft with a paste; else the draft stays. */
  #handleInterrupt(): void {
    if (!this.#pastes.hasPaste(this.#editor.line)) return this.#handlers.onInterrupt();
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#editor.write(null, { ctrl: true, name: "u" });
    this.#handlers.onPasteDropped();
  }

  /** Releases the terminal, stops the process, and takes over the terminal again. */
  #stop(): void {
    if (!HAS_JOB_CONTROL) return;
    if (isUnderTaskRunner()) return this.#handlers.onStopFailed("deno task or npx is in between");
    this.#flush(true);
    process.stdout.write(MARK_PASTES_OFF);
    setRawMode(false);
    const isStopped = stopProcess();
    this.#restore();
    this.#hasResumed = isStopped;
    if (!isStopped) this.#handlers.onStopFailed("Deno was not given the right to");
  }

  /** Before the draft is entered: moves the cursor to its end, and counts its rows. */
  #measureTyped(): void {
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#typedRows = this.#editor.getCursorPos().rows + 1;
  }

  #countRows(): void {
    if (this.#isClosed) return;
    this.#setCursorRow(this.#editor.getCursorPos().rows);
    this.#rows.reach(mostRows(this.#shownPrompt + this.#editor.line, this.#columns));
  }

  /**
   * Tells the editor the row of the cursor below the first row of the prompt. The editor goes up by
   * that many rows to draw the line again, but does not update the number itself.
   */
  #setCursorRow(row: number): void {
    Object.assign(this.#editor, { prevRows: row });
  }

  /** Checks for a resize: Deno 2.4 does not report it, and newer versions may report it late. */
  #noticeResize(): void {
    if (this.#isClosed) return;
    if (screenColumns() !== this.#columns) process.stdout.emit("resize");
    else if (screenRows() !== this.#height) this.#handleResize();
  }

  /** The terminal has wrapped the draft again, and the editor will draw it again. */
  #handleResize(): void {
    this.#columns = screenColumns();
    this.#height = screenRows();
    this.#rows.forget();
    if (!this.#isShown) return;
    this.#countRows();
    // A prompt of another width may say more or less.
    this.refresh();
  }

  #handleLine(line: string): void {
    this.#isShown = false;
    this.#rows.print(this.#typedRows);
    const hasPaste = this.#pastes.hasPaste(line);
    if (!this.#handlers.onLine(this.#pastes.expand(line))) return this.#restoreDraft(line);
    if (!hasPaste) this.#handlers.onHistoryLine(line);
    this.#schedule();
  }

  #restoreDraft(line: string): void {
    this.eraseTyped();
    this.#flush(false);
    this.#editor.write(line);
    this.#countRows();
  }

  /** Draws all lines that are printed in one turn at once. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush(false);
    });
  }

  /** Clears the prompt, prints the waiting lines, and draws the prompt and the draft again. */
  #flush(isLast: boolean): void {
    if (this.#isClosed) return;
    this.#noticeResize();
    const printed = this.#takePrinted();
    if (printed !== "" || isLast || !this.#isShown) {
      const { rows } = this.#editor.getCursorPos();
      const up = this.#isShown && rows > 0 ? `\x1b[${rows}A` : "";
      process.stdout.write(`${up}\r\x1b[J${printed}`);
      this.#setCursorRow(0);
    }
    if (isLast) return;
    this.#shownPrompt = this.#handlers.prompt();
    this.#editor.setPrompt(this.#shownPrompt);
    this.#editor.prompt(true);
    this.#countRows();
    this.#isShown = true;
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
    return printed;
  }
}

/** The stream that the line editor reads; setting its raw mode sets that of standard input. */
function keysInput(): PassThrough {
  return Object.assign(new PassThrough(), { isTTY: true, setRawMode });
}
