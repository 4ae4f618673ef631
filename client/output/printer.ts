/**
 * Prints lines above the prompt, on standard output, or on standard error.
 *
 * @module
 */
import { DayLine, untilMidnight } from "./day_line.ts";
import { Deliveries, type DeliveryChange } from "./deliveries.ts";
import type { AnswerEvent, ClientEvent, IdentityEvent } from "../event.ts";
import { renderJson } from "./json.ts";
import type { LineWriter } from "../../cli/line_writer.ts";
import type { OwnMessage, Renderer } from "./render.ts";
import type { Transcript } from "./transcript.ts";

/** Milliseconds that a slow reader has to read the last lines. */
const LAST_LINES_TIMEOUT = 5000;

/** What a printer needs of the system. */
export interface PrinterSystem {
  date(): Date;
  /** Calls `action` periodically until the returned function is called. */
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
  /** Prints lines; those that have to be shown are never left out. */
  print(text: string, mustShow?: boolean): PrintedLine;
  /** Settles when all printed lines are on the screen; resolves to whether they are. */
  shown(): Promise<boolean>;
  /** Writes over a column of a line's first row; false where the row has left the screen. */
  overwrite(line: PrintedLine, column: number, text: string): boolean;
  /** Erases the line that was just entered. */
  eraseTyped(): void;
}

/** What is known of an event, beside what it says itself. */
export interface EventDetails {
  /** The identity of the peer whose key it has. */
  readonly identity?: IdentityEvent | undefined;
  /** The reference of the command that caused it. */
  readonly ref?: string | undefined;
}

/** Prints events and answers, and tracks the lines of sent messages. */
export class Printer {
  readonly #isJson: boolean;
  readonly #renderer: Renderer;
  readonly #output: LineWriter;
  readonly #system: PrinterSystem;
  readonly #transcript: Transcript;
  #deliveries: Deliveries<PrintedLine>;
  readonly #day: DayLine;
  #screen: PromptScreen | undefined;
  #stopWaiting: (() => void) | undefined;

  /** @param reportsAll whether a line reports each delivery, where no screen shows it. */
  constructor(
    isJson: boolean,
    reportsAll: boolean,
    renderer: Renderer,
    output: LineWriter,
    system: PrinterSystem,
    transcript: Transcript,
  ) {
    this.#isJson = isJson;
    this.#deliveries = new Deliveries(reportsAll);
    this.#renderer = renderer;
    this.#output = output;
    this.#system = system;
    this.#transcript = transcript;
    this.#day = new DayLine(system.date());
  }

  /** From now on, prints lines above the prompt. */
  useScreen(screen: PromptScreen): void {
    this.#screen = screen;
    this.#deliveries = new Deliveries(true);
  }

  /** From now on, prints the date at midnight, also where nothing else is printed then. */
  watchMidnight(): void {
    this.#stopWaiting = this.#system.every(untilMidnight(this.#system.date()), () => {
      this.#stopWaiting?.();
      this.#printDate(this.#day.atMidnight(this.#system.date()));
      this.watchMidnight();
    });
  }

  /** The number of messages that are unconfirmed after 5 s. */
  get overdue(): number {
    return this.#deliveries.overdue;
  }

  /**
   * Prints an event, and the identity of the peer where the event has its key.
   *
   * @param ref the reference of the command that caused it, if it has one.
   * @returns the line of the event on the screen, if it has one.
   */
  event(event: ClientEvent, { identity, ref }: EventDetails = {}): PrintedLine | undefined {
    this.#transcript.event(event);
    if (identity !== undefined) this.#transcript.event(identity);
    const line = this.#event(event, { identity, ref });
    // The line of a request shows the identity already, but not what to do about a changed key.
    const isShown = !this.#isJson && event.kind === "request" && identity?.known !== "changed";
    if (identity !== undefined && !isShown) this.#event(identity, { ref });
    return line;
  }

  /** Prints for a program what it is told for another command as well, which has this reference. */
  eventFor(event: ClientEvent, ref: string): void {
    if (this.#isJson) this.#event(event, { ref });
  }

  #event(event: ClientEvent, { identity, ref }: EventDetails): PrintedLine | undefined {
    const time = this.#system.date();
    const isJson = this.#isJson;
    const changes = isJson ? [] : this.#deliveries.handle(event);
    for (const change of changes) this.#show(change, time);
    const text = isJson
      ? renderJson(event, time, ref)
      : this.#renderer.event(event, time, identity);
    if (text === undefined) return undefined;
    const isProblem = event.kind === "error" && !isJson && this.#screen === undefined;
    if (!isProblem) return this.#print(text, event.kind === "message");
    this.#system.printError(text);
    return undefined;
  }

  /** Prints a message from this client. */
  own(message: OwnMessage): void {
    this.#screen?.eraseTyped();
    const line = this.#print(this.#renderer.own(message, this.#system.date()));
    if (line !== undefined) this.#deliveries.add(message.peer, line);
  }

  /** Prints a text that was pasted into the draft. */
  paste(text: string, isConnected: boolean): void {
    this.#print(this.#renderer.paste(text, isConnected, this.#system.date()));
  }

  /** Prints that the user rejected a request. */
  rejection(from: { id: number; name: string }, ref?: string): void {
    const { id: peer, name } = from;
    if (this.#isJson) this.#answer({ kind: "reject", peer, name }, ref);
    else this.#print(this.#renderer.rejection(from, this.#system.date()));
  }

  /** Prints the answer to a command: lines for people, or the event for programs. */
  answer(lines: readonly string[], event: AnswerEvent, ref?: string): void {
    if (this.#isJson) this.#answer(event, ref);
    else this.note(lines);
  }

  #answer(event: AnswerEvent, ref: string | undefined): void {
    this.#print(renderJson(event, this.#system.date(), ref)!);
  }

  /** Prints lines about what goes wrong: on standard error, unless there is a screen. */
  noteTrouble(lines: readonly string[]): void {
    if (this.#screen === undefined) this.#system.printError(lines.join("\n"));
    else this.note(lines);
  }

  /** Ends the row on which a terminal without a prompt shows the Ctrl-C that was typed. */
  endEchoedRow(): void {
    if (!this.#isJson) this.#put("");
  }

  /** Prints lines that the user should know. */
  note(lines: readonly string[]): void {
    if (this.#isJson) this.#system.printError(lines.join("\n"));
    else this.#print(this.#renderer.note(lines, this.#system.date()));
  }

  /** Prints the last message that was cut, in full. */
  showFullMessage(ref?: string): void {
    const text = this.#renderer.fullMessage();
    const none = "Every message was shown whole";
    if (text === undefined) this.answer([none], { kind: "show", text: none }, ref);
    else this.#print(text);
  }

  /** Prints help. */
  help(text: string, ref?: string): void {
    if (this.#isJson) this.#answer({ kind: "help", text }, ref);
    else this.#print(this.#renderer.help(text));
  }

  /** Resolves when everything is printed and the screen is closed, or the reader is too slow. */
  async finish(closed: Promise<void> = Promise.resolve()): Promise<void> {
    this.#stopWaiting?.();
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.#system.every(LAST_LINES_TIMEOUT, resolve);
    await Promise.race([promise, Promise.all([closed, this.#output.flush()])]);
    stop();
  }

  /** Shows the new state of a message: at its line if possible, else in a line of its own. */
  #show(change: DeliveryChange<PrintedLine>, time: Date): void {
    const { line, state } = change;
    const isShown = line !== undefined &&
      this.#screen?.overwrite(line, this.#renderer.markColumn, this.#renderer.mark(state)) === true;
    const notice = this.#deliveries.report(change, isShown);
    if (notice !== undefined) this.#print(this.#renderer.delivery(notice, time));
  }

  /** Settles when the user, or the reader, has what was printed; resolves to whether that is so. */
  shown(): Promise<boolean> {
    return this.#screen?.shown() ?? this.#output.written();
  }

  #print(text: string, mustShow = false): PrintedLine | undefined {
    if (!this.#isJson) this.#printDate(this.#day.beforeLine(this.#system.date()));
    return this.#put(text, mustShow);
  }

  #printDate(date: string | undefined): void {
    if (date !== undefined) this.#put(this.#renderer.note([date], this.#system.date()));
  }

  #put(text: string, mustShow = false): PrintedLine | undefined {
    if (this.#screen !== undefined) return this.#screen.print(text, mustShow);
    this.#output.print(text);
    return undefined;
  }
}
