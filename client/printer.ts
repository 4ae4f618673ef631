/**
 * Where the lines of a run go: above the prompt, to standard output, or to standard error.
 *
 * @module
 */
import type { ClientEvent } from "./event.ts";
import { renderJson } from "./json.ts";
import type { Output } from "./output.ts";
import type { Renderer } from "./render.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds that a slow reader has to take the last lines. */
const LAST_LINES_TIMEOUT = 5000;

/** What a printer needs from outside. */
export interface PrinterSystem {
  date(): Date;
  /** Calls `action` again and again until the returned function is called. */
  every(ms: number, action: () => void): () => void;
  printError(text: string): void;
}

/** Prints what a run has to show. */
export class Printer {
  readonly #isJson: boolean;
  readonly #renderer: Renderer;
  readonly #output: Output;
  readonly #system: PrinterSystem;
  #terminal: Terminal | undefined;

  constructor(isJson: boolean, renderer: Renderer, output: Output, system: PrinterSystem) {
    this.#isJson = isJson;
    this.#renderer = renderer;
    this.#output = output;
    this.#system = system;
  }

  /** From now on the lines go above the prompt. */
  useTerminal(terminal: Terminal): void {
    this.#terminal = terminal;
  }

  /** Prints what happened. */
  event(event: ClientEvent): void {
    const time = this.#system.date();
    const isJson = this.#isJson;
    const text = isJson ? renderJson(event, time) : this.#renderer.event(event, time);
    if (text === undefined) return;
    if (event.kind === "error" && !isJson && this.#terminal === undefined) {
      this.#system.printError(text);
    } else this.#print(text);
  }

  /** Prints a message that this client sends. */
  own(name: string, text: string): void {
    this.#print(this.#renderer.own(name, text, this.#system.date()));
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

  /** Prints help. */
  help(text: string): void {
    if (this.#isJson) this.#system.printError(text);
    else this.#print(text);
  }

  /** Settles when everything is printed, or the reader was too slow. */
  async finish(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#system.every(LAST_LINES_TIMEOUT, resolve);
    await Promise.race([promise, this.#output.finish()]);
    stop();
  }

  #print(text: string): void {
    if (this.#terminal === undefined) this.#output.print(text);
    else this.#terminal.print(text);
  }
}
