/**
 * A transcript of the events, as plain text or as JSON lines.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import type { AnswerEvent, ClientEvent } from "../event.ts";
import { jsonLine, renderJson } from "./json.ts";
import { FOLD_COLUMNS } from "./message_rows.ts";
import type { OwnMessage, Renderer, Surface } from "./render.ts";
import { styles } from "../../cli/style.ts";

/** An open file. */
export interface LogFile {
  /** Its absolute path. */
  readonly path: string;
  /** Appends; throws on failure. */
  append(text: string): void;
  close(): void;
}

/** What a transcript needs of the system. */
export interface TranscriptSystem {
  date(): Date;
  /** Opens a file to append to; throws on failure. */
  openLog(path: string): LogFile;
  /** Why a file cannot be used. */
  fileProblem(error: unknown): string;
}

/** Columns of the date in front of each line: `2026-01-02 `. */
const DATE_COLUMNS = 11;

/** What a transcript is written on: nobody knows where it will be read. */
export const TRANSCRIPT_SURFACE: Surface = {
  isTyped: false,
  hasPrompt: false,
  columns: undefined,
  messageColumns: FOLD_COLUMNS - DATE_COLUMNS,
  style: styles(false),
};

/** Renders lines for people, on {@linkcode TRANSCRIPT_SURFACE}. */
export type TranscriptRenderer = Pick<Renderer, "event" | "own">;

/** The beginning of a line; further rows of a message do not have it. */
const CLOCK = /^\d\d:\d\d(?::\d\d)? /;

/** Keeps a transcript between start() and stop(). */
export class Transcript {
  readonly #system: TranscriptSystem;
  readonly #renderer: TranscriptRenderer;
  readonly #onProblem: (message: string) => void;
  #file: LogFile | undefined;

  /** @param onProblem called when the transcript cannot be written any more. */
  constructor(
    system: TranscriptSystem,
    renderer: TranscriptRenderer,
    onProblem: (message: string) => void,
  ) {
    this.#system = system;
    this.#renderer = renderer;
    this.#onProblem = onProblem;
  }

  /** Whether a transcript is kept. */
  get isKept(): boolean {
    return this.#file !== undefined;
  }

  /** Starts a transcript instead of the current one; the file name decides its format. */
  start(path: string): Result<undefined> {
    try {
      const file = this.#system.openLog(path);
      this.stop();
      this.#file = file;
      return success(undefined);
    } catch (error) {
      return failure(`Cannot open the transcript ${path}: ${this.#system.fileProblem(error)}`);
    }
  }

  /** Ends the transcript. */
  stop(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Runs the command `log`; returns the line, and the event, that answer it. */
  handleCommand(file: string | undefined): Result<{ line: string; event: AnswerEvent }> {
    if (file === "off") this.stop();
    const started = file === undefined || file === "off" ? success(undefined) : this.start(file);
    if (!started.ok) return started;
    const line = this.#describe();
    const path = this.#file?.path;
    return success({
      line,
      event: path === undefined ? { kind: "log" } : { kind: "log", file: path },
    });
  }

  #describe(): string {
    if (this.#file === undefined) return "No transcript is kept; log FILE starts one";
    const kind = isJson(this.#file) ? "as JSON lines" : "as plain text";
    return `Transcript in ${this.#file.path}, ${kind}; log off ends it`;
  }

  /** Adds an event. */
  event(event: ClientEvent): void {
    const file = this.#file;
    // The renderer has to see the other events for what later ones need.
    if (file === undefined && event.kind === "message") return;
    const date = this.#system.date();
    const text = this.#renderer.event(event, date);
    if (file === undefined) return;
    const line = isJson(file) ? cleanJson(renderJson(event, date)) : dated(text, date);
    if (line !== undefined) this.#append(file, line);
  }

  /** Adds a message from this client. */
  own(message: OwnMessage): void {
    const file = this.#file;
    if (file === undefined) return;
    const date = this.#system.date();
    const { peer, name, text } = message;
    const line = isJson(file)
      ? jsonLine("own", date, { peer, name, text })
      : dated(this.#renderer.own(message, date), date);
    if (line !== undefined) this.#append(file, line);
  }

  #append(file: LogFile, line: string): void {
    try {
      file.append(`${line}\n`);
    } catch (error) {
      // First: reporting the problem adds an event.
      this.stop();
      const why = this.#system.fileProblem(error);
      this.#onProblem(`Cannot write the transcript ${file.path}: ${why}; it ends here`);
    }
  }
}

function isJson({ path }: LogFile): boolean {
  return /\.jsonl?$/i.test(path);
}

/** The lines with the date in front of the time. */
function dated(text: string | undefined, date: Date): string | undefined {
  const two = (value: number): string => `${value}`.padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  const indent = " ".repeat(DATE_COLUMNS);
  return text?.split("\n")
    .map((row) => (CLOCK.test(row) ? day : indent) + row).join("\n");
}

/** The line without the control characters of remote text. */
function cleanJson(line: string | undefined): string | undefined {
  if (line === undefined) return undefined;
  const clean = (_: string, value: unknown): unknown =>
    typeof value === "string" ? cleanText(value, { keepLines: true }) : value;
  return JSON.stringify(JSON.parse(line), clean);
}
