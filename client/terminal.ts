/**
 * The client's standard input and output, and the line editor on a terminal.
 *
 * @module
 */
import * as readline from "node:readline";
import { PassThrough } from "node:stream";
import process from "node:process";
import { type Line, LineSplitter } from "./lines.ts";
import { Output } from "./output.ts";
import { MARK_PASTES, MARK_PASTES_OFF, PasteFilter } from "./paste.ts";

// Deno's node:dns warns, in the middle of the screen, of its own use of a deprecated module.
Object.assign(process, { noDeprecation: true });

/** Lines that the history holds. */
const HISTORY_LENGTH = 1000;
/** Bytes read at once. */
const READ_SIZE = 64 * 1024;
/** Columns where the terminal does not tell. */
const COLUMNS_DEFAULT = 80;
/** Whether the system tells of a resize by a signal. */
const HAS_SIGWINCH = Deno.build.os !== "windows";

const BELL = "\x07";

/** What stands at both ends. */
export interface Ends {
  /** Whether somebody types. */
  readonly isTyped: boolean;
  /** Whether somebody reads. */
  readonly isScreen: boolean;
  /** Whether both are a terminal that can redraw a line. */
  readonly isInteractive: boolean;
}

/** Looks what standard input and output are. */
export function inspectEnds(): Ends {
  const isTyped = Deno.stdin.isTerminal();
  const isScreen = Deno.stdout.isTerminal();
  const isDumb = isScreen && Deno.env.get("TERM") === "dumb";
  return { isTyped, isScreen, isInteractive: isTyped && isScreen && !isDumb };
}

/** Columns of the terminal. */
export function screenColumns(): number {
  return process.stdout.columns || COLUMNS_DEFAULT;
}

/** The lines of standard input; reads on only when they are asked for. */
export async function* readLines(): AsyncGenerator<Line> {
  const splitter = new LineSplitter();
  const buffer = new Uint8Array(READ_SIZE);
  for (;;) {
    const size = await Deno.stdin.read(buffer);
    if (size === null) break;
    yield* splitter.push(buffer.subarray(0, size));
  }
  yield* splitter.end();
}

/** Standard output where it is no terminal with a prompt. */
export function openOutput(onBroken: () => void): Output {
  return new Output((bytes) => Deno.stdout.write(bytes), onBroken);
}

/** Prints a text on standard output; settles when it is written. */
export async function printText(text: string): Promise<void> {
  const output = openOutput(() => {});
  output.print(text);
  await output.finish();
}

/** A key as `node:readline` tells it. */
interface Key {
  name?: string;
  ctrl?: boolean;
}

/** What a terminal needs to know and tells. */
export interface TerminalHandlers {
  prompt(): string;
  complete(line: string): [words: string[], replaced: string];
  /** A line was entered; the typed one stays on the screen unless eraseTyped() is called now. */
  onLine(line: string): void;
  /** Ctrl-C. */
  onInterrupt(): void;
  /** Ctrl-D on an empty line. */
  onEnd(): void;
}

/** A terminal with a line being typed, above which lines are printed. */
export class Terminal {
  readonly #handlers: TerminalHandlers;
  readonly #keys: PassThrough;
  readonly #editor: readline.Interface;
  readonly #pastes = new PasteFilter();
  #printed = "";
  #isScheduled = false;
  /** Whether the prompt and the line stand on the screen. */
  #isShown = false;
  /** Rows of the line that was entered last, with its prompt. */
  #typedRows = 0;
  #shownPrompt = "";
  /** The row of the cursor, from the prompt's, when the editor looked last. */
  #cursorRow = 0;
  #isClosed = false;
  readonly #restore = (): void => this.close();
  /** Columns of the terminal as the line was drawn for. */
  #columns = screenColumns();
  readonly #onResize = (): void => this.#handleResize();
  readonly #onWindowChange = (): void => this.#noticeResize();
  readonly #onData = (chunk: string): void => this.#handleData(chunk);

  /** Takes the terminal over and shows the prompt. */
  constructor(handlers: TerminalHandlers) {
    this.#handlers = handlers;
    this.#keys = keysInput();
    this.#editor = readline.createInterface({
      input: this.#keys,
      output: process.stdout,
      terminal: true,
      historySize: HISTORY_LENGTH,
      removeHistoryDuplicates: true,
      completer: (line: string) => handlers.complete(line),
    });
    this.#keys.prependListener("keypress", (_: unknown, key?: Key) => this.#beforeKey(key));
    this.#keys.on("keypress", () => this.#countRows());
    process.stdout.prependListener("resize", this.#onResize);
    if (HAS_SIGWINCH) Deno.addSignalListener("SIGWINCH", this.#onWindowChange);
    this.#editor.on("line", (line: string) => this.#handleLine(line));
    this.#editor.on("SIGINT", () => handlers.onInterrupt());
    // Ctrl-Z: a stop of this process alone would leave a parent, as `deno task`, with the terminal.
    this.#editor.on("SIGTSTP", () => {});
    process.stdin.setEncoding("utf8");
    process.stdin.on("data", this.#onData);
    process.stdin.on("end", () => handlers.onEnd());
    process.stdout.on("error", () => handlers.onEnd());
    globalThis.addEventListener("unload", this.#restore);
    globalThis.addEventListener("error", this.#restore);
    globalThis.addEventListener("unhandledrejection", this.#restore);
    process.stdout.write(MARK_PASTES);
    this.refresh();
  }

  /** Prints a line above the one being typed. */
  print(line: string): void {
    this.#printed += line + "\n";
    this.#schedule();
  }

  /** Rings the bell. */
  bell(): void {
    process.stdout.write(BELL);
  }

  /** Takes the line that was just entered off the screen. */
  eraseTyped(): void {
    if (this.#isShown) return;
    process.stdout.write(`\x1b[${this.#typedRows}A\r\x1b[J`);
    this.#typedRows = 0;
  }

  /** Shows the prompt as it is now. */
  refresh(): void {
    if (this.#isShown && this.#handlers.prompt() === this.#shownPrompt) return;
    this.#schedule();
  }

  /** Takes the terminal over again, after the process was stopped and goes on. */
  resume(): void {
    if (this.#isClosed) return;
    setRawMode(true);
    process.stdout.write(MARK_PASTES);
    this.#isShown = false;
    this.#schedule();
  }

  /** Gives the terminal back as it was. */
  close(): void {
    if (this.#isClosed) return;
    this.#flush(true);
    this.#isClosed = true;
    globalThis.removeEventListener("unload", this.#restore);
    globalThis.removeEventListener("error", this.#restore);
    globalThis.removeEventListener("unhandledrejection", this.#restore);
    process.stdin.off("data", this.#onData);
    process.stdout.off("resize", this.#onResize);
    if (HAS_SIGWINCH) Deno.removeSignalListener("SIGWINCH", this.#onWindowChange);
    this.#editor.close();
    process.stdin.pause();
    process.stdout.write(MARK_PASTES_OFF);
  }

  #handleData(chunk: string): void {
    const typed = this.#pastes.filter(chunk);
    if (typed !== "") this.#keys.write(typed);
  }

  #beforeKey(key?: Key): void {
    this.#noticeResize();
    if (key?.name === "return" || key?.name === "enter") return this.#measureTyped();
    if (!key?.ctrl || key.name !== "d" || this.#editor.line !== "") return;
    // The editor would close itself; but the prompt still has to show how the leave goes.
    key.name = "";
    this.#handlers.onEnd();
  }

  /** The line is about to be entered: puts the cursor at its end, and counts its rows. */
  #measureTyped(): void {
    this.#editor.write(null, { ctrl: true, name: "e" });
    this.#typedRows = this.#editor.getCursorPos().rows + 1;
  }

  #countRows(): void {
    this.#cursorRow = this.#editor.getCursorPos().rows;
  }

  /** Deno 2.4 does not tell of a resize, and every Deno may do so late. */
  #noticeResize(): void {
    if (!this.#isClosed && screenColumns() !== this.#columns) process.stdout.emit("resize");
  }

  /** The terminal has wrapped the line anew; the editor will go up from the row where it was. */
  #handleResize(): void {
    this.#columns = screenColumns();
    if (!this.#isShown) return;
    const before = this.#cursorRow;
    this.#countRows();
    const moved = this.#cursorRow - before;
    // At the bottom of the screen only a line feed gets further down.
    if (moved !== 0) process.stdout.write(moved > 0 ? `\x1b[${moved}A` : "\n".repeat(-moved));
  }

  #handleLine(line: string): void {
    this.#isShown = false;
    this.#handlers.onLine(this.#pastes.expand(line));
    this.#schedule();
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
    const printed = this.#printed;
    this.#printed = "";
    if (printed !== "" || isLast) {
      const rows = this.#isShown ? this.#editor.getCursorPos().rows : 0;
      const up = rows > 0 ? `\x1b[${rows}A` : "";
      // The editor believes that it stands where it was, and goes up by as many rows.
      const down = isLast ? "" : "\n".repeat(rows);
      process.stdout.write(`${up}\r\x1b[J${printed}${down}`);
    }
    if (isLast) return;
    this.#shownPrompt = this.#handlers.prompt();
    this.#editor.setPrompt(this.#shownPrompt);
    this.#editor.prompt(true);
    this.#countRows();
    this.#isShown = true;
  }
}

/** The stream that the line editor reads; its raw mode is that of standard input. */
function keysInput(): PassThrough {
  return Object.assign(new PassThrough(), { isTTY: true, setRawMode });
}

function setRawMode(isRaw: boolean): void {
  try {
    process.stdin.setRawMode(isRaw);
  } catch {
    // The terminal has gone.
  }
}
