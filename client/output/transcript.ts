/**
 * A transcript of what happens, as a text or as JSON lines.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";
import type { ClientEvent } from "../event.ts";
import { jsonLine, renderJson } from "./json.ts";
import type { Renderer } from "./render.ts";

/** An open file. */
export interface LogFile {
  /** Where it is, from the root. */
  readonly path: string;
  /** Adds to its end; throws where that fails. */
  append(text: string): void;
  close(): void;
}

/** What a transcript needs from outside. */
export interface TranscriptSystem {
  date(): Date;
  /** Opens a file to add to; throws where that fails. */
  openLog(path: string): LogFile;
  /** Why a file cannot be used. */
  fileProblem(error: unknown): string;
}

/** A message that this client sends. */
export interface OwnMessage {
  readonly peer: number;
  /** That of this client. */
  readonly name: string;
  /** That with whom it is for, where this is not plain; for people. */
  readonly shown?: string;
  readonly text: string;
}

/** What makes lines for people: a renderer for a surface without columns. */
export type TranscriptRenderer = Pick<Renderer, "event" | "own">;

/** What the renderer begins a line with that is no further row of the one above. */
const CLOCK = /^\d\d:\d\d /;

/** Keeps a transcript, while one is wanted. */
export class Transcript {
  readonly #system: TranscriptSystem;
  readonly #renderer: TranscriptRenderer;
  readonly #onProblem: (message: string) => void;
  #file: LogFile | undefined;

  /** @param onProblem is told when a transcript ends because it cannot be written. */
  constructor(
    system: TranscriptSystem,
    renderer: TranscriptRenderer,
    onProblem: (message: string) => void,
  ) {
    this.#system = system;
    this.#renderer = renderer;
    this.#onProblem = onProblem;
  }

  /** Starts one, in the place of the one before; JSON lines where the name ends so. */
  start(path: string): void {
    try {
      const file = this.#system.openLog(path);
      this.stop();
      this.#file = file;
    } catch (error) {
      this.#onProblem(`Cannot open the transcript ${path}: ${this.#system.fileProblem(error)}`);
    }
  }

  /** Ends it. */
  stop(): void {
    this.#file?.close();
    this.#file = undefined;
  }

  /** Does what the command `log` asks for; returns whether and where one is kept. */
  perform(file: string | undefined): string {
    if (file === "off") this.stop();
    else if (file !== undefined) this.start(file);
    if (this.#file === undefined) return "No transcript is kept; log FILE starts one";
    const kind = isJson(this.#file) ? "as JSON lines" : "as plain text";
    return `Transcript in ${this.#file.path}, ${kind}; log off ends it`;
  }

  /** Takes an event. */
  event(event: ClientEvent): void {
    const file = this.#file;
    // The renderer remembers what later events need; messages are none of that.
    if (file === undefined && event.kind === "message") return;
    const date = this.#system.date();
    const text = this.#renderer.event(event, date);
    if (file === undefined) return;
    const line = isJson(file) ? cleanJson(renderJson(event, date)) : dated(text, date);
    if (line !== undefined) this.#append(file, line);
  }

  /** Takes a message that this client sends. */
  own({ peer, name, shown = name, text }: OwnMessage): void {
    const file = this.#file;
    if (file === undefined) return;
    const date = this.#system.date();
    const line = isJson(file)
      ? jsonLine("own", date, { peer, name, text })
      : dated(this.#renderer.own(shown, text, date), date);
    if (line !== undefined) this.#append(file, line);
  }

  #append(file: LogFile, line: string): void {
    try {
      file.append(`${line}\n`);
    } catch (error) {
      // First, so that telling it does not come here again.
      this.stop();
      const why = this.#system.fileProblem(error);
      this.#onProblem(`Cannot write the transcript ${file.path}: ${why}; it ends here`);
    }
  }
}

function isJson({ path }: LogFile): boolean {
  return /\.jsonl?$/i.test(path);
}

/** The lines with the day in front of the time. */
function dated(text: string | undefined, date: Date): string | undefined {
  const two = (value: number): string => `${value}`.padStart(2, "0");
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} `;
  const indent = " ".repeat(day.length);
  return text?.split("\n")
    .map((row) => (CLOCK.test(row) ? day : indent) + row).join("\n");
}

/** The line without the control characters of others. */
function cleanJson(line: string | undefined): string | undefined {
  if (line === undefined) return undefined;
  const clean = (_: string, value: unknown): unknown =>
    typeof value === "string" ? cleanText(value, { keepLines: true }) : value;
  return JSON.stringify(JSON.parse(line), clean);
}
