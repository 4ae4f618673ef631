/**
 * Where the lines of a run go: above the prompt, to standard output, or to standard error.
 *
 * @module
 */
import { type Change, Deliveries } from "./deliveries.ts";
import type { ClientEvent, IdentityEvent } from "../event.ts";
import { renderJson } from "./json.ts";
import type { Output } from "../../cli/line_writer.ts";
import { MARK_COLUMN, type Renderer } from "./render.ts";
import type { Transcript } from "./transcript.ts";

/** Milliseconds that a slow reader has to take the last lines. */
const LAST_LINES_TIMEOUT = 5000;

/** What a printer needs from outside. */
export interface PrinterSystem {
  date(): Date;
  /** Calls `action` again and again until the returned function is called. */
  every(ms: number, action: () => void): () => void;
  printError(text: string): void;
}

/** A printed line that may be changed later. */
export interface PrintedLine {
  /** The number of its first row, once it is on the screen. */
  row: number | undefined;
}

/** A screen with a prompt, above which lines are printed. */
export interface PromptScreen {
  print(text: string): PrintedLine;
  /** Writes over a column of a line's first row; false where the row has left the screen. */
  overwrite(line: PrintedLine, column: number, text: string): boolean;
  /** Erases the line that was just entered. */
  eraseTyped(): void;
}

/** Prints what a run has to show. */
export class Printer {
  readonly #isJson: boolean;
  readonly #renderer: Renderer;
  readonly #output: Output;
  readonly #system: PrinterSystem;
  readonly #transcript: Transcript;
  #deliveries = new Deliveries<PrintedLine>(false);
  #screen: PromptScreen | undefined;

  constructor(
    isJson: boolean,
    renderer: Renderer,
    output: Output,
    system: PrinterSystem,
    transcript: Transcript,
  ) {
    this.#isJson = isJson;
    this.#renderer = renderer;
    this.#output = output;
    this.#system = system;
    this.#transcript = transcript;
  }

  /** From now on the lines go above the prompt. */
  useScreen(screen: PromptScreen): void {
    this.#screen = screen;
    this.#deliveries = new Deliveries(true);
  }

  /** Messages that are unconfirmed since 5 s or more. */
  get overdue(): number {
    return this.#deliveries.overdue;
  }

  /** Prints what happened, and whose key it is about. */
  event(event: ClientEvent, identity?: IdentityEvent): void {
    this.#transcript.event(event);
    if (identity !== undefined) this.#transcript.event(identity);
    this.#event(event, identity);
    // The line of a request says it already, but not what to do about a changed key.
    const isTold = !this.#isJson && event.kind === "request" && identity?.known !== "changed";
    if (identity !== undefined && !isTold) this.#event(identity);
  }

  #event(event: ClientEvent, identity?: IdentityEvent): void {
    const time = this.#system.date();
    const isJson = this.#isJson;
    const changes = isJson ? [] : this.#deliveries.handle(event);
    for (const change of changes) this.#show(change, time);
    const text = isJson ? renderJson(event, time) : this.#renderer.event(event, time, identity);
    if (text === undefined) return;
    if (event.kind === "error" && !isJson && this.#screen === undefined) {
      this.#system.printError(text);
    } else this.#print(text);
  }

  /** Prints a message that this client, of that name, sends to a peer. */
  own(peer: number, name: string, text: string): void {
    this.#screen?.eraseTyped();
    const line = this.#print(this.#renderer.own(name, text, this.#system.date()));
    if (line !== undefined) this.#deliveries.add(peer, line);
  }

  /** Prints what was pasted into the line being typed. */
  paste(text: string, isConnected: boolean): void {
    this.#print(this.#renderer.paste(text, isConnected, this.#system.date()));
  }

  /** Prints that the user rejected a request. */
  rejection(from: { id: number; name: string }): void {
    if (!this.#isJson) this.#print(this.#renderer.rejection(from, this.#system.date()));
  }

  /** Prints lines that answer a command. */
  note(lines: readonly string[]): void {
    if (this.#isJson) this.#system.printError(lines.join("\n"));
    else this.#print(this.#renderer.note(lines, this.#system.date()));
  }

  /** Prints the whole of the last message that was too long to be shown at once. */
  whole(): void {
    const text = this.#renderer.whole();
    if (text === undefined) this.note(["Every message was shown whole"]);
    else this.#print(text);
  }

  /** Prints help. */
  help(text: string): void {
    if (this.#isJson) this.#system.printError(text);
    else this.#print(this.#renderer.help(text));
  }

  /** Settles when everything is printed, or the reader was too slow. */
  async finish(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#system.every(LAST_LINES_TIMEOUT, resolve);
    await Promise.race([promise, this.#output.finish()]);
    stop();
  }

  /** Shows what became of a message: where it stands, else in a line of its own. */
  #show(change: Change<PrintedLine>, time: Date): void {
    const { line, state } = change;
    const isShown = line !== undefined &&
      this.#screen?.overwrite(line, MARK_COLUMN, this.#renderer.mark(state)) === true;
    const notice = this.#deliveries.tell(change, isShown);
    if (notice !== undefined) this.#print(this.#renderer.delivery(notice, time));
  }

  #print(text: string): PrintedLine | undefined {
    if (this.#screen !== undefined) return this.#screen.print(text);
    this.#output.print(text);
    return undefined;
  }
}
