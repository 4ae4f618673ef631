/**
 * A terminal with a line editor: lines are printed above the line being typed.
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

/** Lines that can be recalled. */
const RECALLED_MAX = 1000;

const BELL = "\x07";

/** A key as `node:readline` tells it. */
interface Key {
  name?: string;
  ctrl?: boolean;
}

/** A terminal with a line being typed, above which lines are printed. */
export class Terminal implements PromptScreen {
  readonly #handlers: TerminalHandlers;
  readonly #keys: PassThrough;
  readonly #editor: readline.Interface;
  readonly #pastes = new PasteFilter();
  readonly #rows = new Rows();
  /** What waits to be drawn. */
  #printed: { text: string; line: PrintedLine }[] = [];
  #isScheduled = false;
  /** Whether the prompt and the line stand on the screen. */
  #isShown = false;
  /** Rows of the line that was entered last, with its prompt. */
  #typedRows = 0;
  #shownPrompt = "";
  #isClosed = false;
  /** Whether it has taken the terminal back after a stop that resume() is still to be told of. */
  #hasResumed = false;
  /** Columns and rows of the terminal as the line was drawn for. */
  #columns = screenColumns();
  #height = screenRows();
  readonly #onResize = (): void => this.#handleResize();
  readonly #stopListening: readonly (() => void)[];
  readonly #onData = (chunk: string): void => this.#handleData(chunk);

  /**
   * Takes the terminal over and shows the prompt.
   *
   * @param recalled lines of earlier runs, the latest first.
   */
  constructor(handlers: TerminalHandlers, recalled: readonly string[]) {
    this.#handlers = handlers;
    this.#keys = keysInput();
    this.#editor = readline.createInterface({
      input: this.#keys,
      output: process.stdout,
      terminal: true,
      history: [...recalled],
      historySize: RECALLED_MAX,
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
    process.stdin.on("end", () => handlers.onEnd());
    process.stdout.on("error", () => handlers.onEnd());
    this.#stopListening = [onWindowChange(() => this.#noticeResize()), onCrash(() => this.close())];
    process.stdout.write(MARK_PASTES);
    this.refresh();
  }

  /** Prints lines above the one being typed. */
  print(text: string): PrintedLine {
    const line: PrintedLine = { row: undefined };
    this.#printed.push({ text, line });
    this.#schedule();
    return line;
  }

  /**
   * Writes something over a column, counted from 1, of the first row of what was printed.
   *
   * @returns false if it has left the screen, or may have: after a resize nobody knows.
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

  /** Takes the line that was just entered off the screen. */
  eraseTyped(): void {
    if (this.#isShown || this.#typedRows === 0) return;
    process.stdout.write(`\x1b[${this.#typedRows}A\r\x1b[J`);
    this.#rows.print(-this.#typedRows);
    this.#typedRows = 0;
  }

  /** Shows the prompt as it is now. */
  refresh(): void {
    if (this.#isShown && this.#handlers.prompt() === this.#shownPrompt) return;
    this.#schedule();
  }

  /** The process was stopped, and goes on: that is told also where this terminal knows of it. */
  resume(): void {
    if (!this.#isClosed && !this.#hasResumed) this.#takeBack();
    this.#hasResumed = false;
  }

  /** Takes the terminal over again. */
  #takeBack(): void {
    setRawMode(true);
    process.stdout.write(`\r\x1b[J${MARK_PASTES}`);
    this.#isShown = false;
    this.#rows.forget();
    this.#schedule();
  }

  /** Gives the terminal back as it was. */
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
      // Deno 2.4 goes on, deaf, when a reader of standard input throws.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  #beforeKey(key?: Key): void {
    this.#noticeResize();
    if (this.#editor.line === "") this.#handlers.onBegin();
    if (key?.name === "return" || key?.name === "enter") return this.#measureTyped();
    if (!key?.ctrl) return;
    // The editor clears the screen.
    if (key.name === "l") this.#rows.forget();
    if (key.name !== "d" || this.#editor.line !== "") return;
    // The editor would close itself; but the prompt still has to show how the leave goes.
    key.name = "";
    this.#handlers.onEnd();
  }

  #complete(line: string): [words: string[], replaced: string] {
    const completed = this.#handlers.complete(line);
    // The editor lists them, in rows that nobody counts.
    if (completed[0].length > 1) this.#rows.forget();
    return completed;
  }

  /** A paste can be taken back; anything else goes on as if nobody had typed. */
  #handleInterrupt(): void {
    if (!this.#pastes.hasPaste(this.#editor.line)) return this.#handlers.onInterrupt();
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#editor.write(null, { ctrl: true, name: "u" });
    this.#handlers.onDrop();
  }

  /** Gives the terminal back, stops, and takes it over again. */
  #stop(): void {
    if (!HAS_JOB_CONTROL) return;
    if (isUnderTaskRunner()) return this.#handlers.onNotStopped("deno task or npx is in between");
    this.#flush(true);
    process.stdout.write(MARK_PASTES_OFF);
    setRawMode(false);
    const isStopped = stopProcess();
    this.#takeBack();
    this.#hasResumed = isStopped;
    if (!isStopped) this.#handlers.onNotStopped("Deno was not given the right to");
  }

  /** The line is about to be entered: puts the cursor at its end, and counts its rows. */
  #measureTyped(): void {
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#typedRows = this.#editor.getCursorPos().rows + 1;
  }

  #countRows(): void {
    if (this.#isClosed) return;
    this.#standAt(this.#editor.getCursorPos().rows);
    this.#rows.reach(mostRows(this.#shownPrompt + this.#editor.line, this.#columns));
  }

  /**
   * Tells the editor in which row, from the prompt's, the cursor is: it goes up by as many to draw
   * the line again, but does not note each change itself.
   */
  #standAt(row: number): void {
    Object.assign(this.#editor, { prevRows: row });
  }

  /** Deno 2.4 does not tell of a resize, and every Deno may do so late. */
  #noticeResize(): void {
    if (this.#isClosed) return;
    if (screenColumns() !== this.#columns) process.stdout.emit("resize");
    else if (screenRows() !== this.#height) this.#handleResize();
  }

  /** The terminal has wrapped the line anew; the editor will draw it once more. */
  #handleResize(): void {
    this.#columns = screenColumns();
    this.#height = screenRows();
    this.#rows.forget();
    if (!this.#isShown) return;
    this.#countRows();
    // The prompt may say more, or has to say less.
    this.refresh();
  }

  #handleLine(line: string): void {
    this.#isShown = false;
    this.#rows.print(this.#typedRows);
    const hasPaste = this.#pastes.hasPaste(line);
    if (!this.#handlers.onLine(this.#pastes.expand(line))) return this.#retype(line);
    if (!hasPaste) this.#handlers.onRecallable(line);
    this.#schedule();
  }

  #retype(line: string): void {
    this.eraseTyped();
    this.#flush(false);
    this.#editor.write(line);
    this.#countRows();
  }

  /** What is printed in one turn is drawn at once. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#flush(false);
    });
  }

  /** Clears the prompt, prints what there is, and draws the prompt and the typed line again. */
  #flush(isLast: boolean): void {
    if (this.#isClosed) return;
    this.#noticeResize();
    const printed = this.#takePrinted();
    if (printed !== "" || isLast || !this.#isShown) {
      const { rows } = this.#editor.getCursorPos();
      const up = this.#isShown && rows > 0 ? `\x1b[${rows}A` : "";
      process.stdout.write(`${up}\r\x1b[J${printed}`);
      this.#standAt(0);
    }
    if (isLast) return;
    this.#shownPrompt = this.#handlers.prompt();
    this.#editor.setPrompt(this.#shownPrompt);
    this.#editor.prompt(true);
    this.#countRows();
    this.#isShown = true;
  }

  /** The text to print; from now on each line has its row. */
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

/** The stream that the line editor reads; its raw mode is that of standard input. */
function keysInput(): PassThrough {
  return Object.assign(new PassThrough(), { isTTY: true, setRawMode });
}
