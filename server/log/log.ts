/**
 * The log of a directory, for its operator.
 *
 * @module
 */
import { cleanText } from "../../cli/text.ts";
import type { LogFormat, LogLevel } from "../options.ts";

/** What is logged. */
export type LogEvent =
  | "started"
  | "metrics"
  | "stopping"
  | "stopped"
  | "failed"
  | "reloaded"
  | "notReloaded"
  | "identity"
  | "addresses"
  | "output"
  | "full"
  | "limit"
  | "socket"
  | "storeUp"
  | "storeDown"
  | "otherSettings"
  | "client";

/** An entry of the log. */
export interface LogEntry {
  readonly level: LogLevel;
  readonly event: LogEvent;
  /** For people: one line. */
  readonly message: string;
  /** For programs. */
  readonly fields?: Readonly<Record<string, string | number | boolean>>;
}

/** The levels, the gravest first. */
const RANKS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

/** What a {@linkcode Log} needs. */
export interface LogOptions {
  readonly format: LogFormat;
  /** Entries of this level and of graver ones are written. */
  readonly level: LogLevel;
  readonly readDate: () => Date;
  readonly writeLine: (line: string) => void;
}

/** Writes the entries of a level, and graver ones. */
export class Log {
  readonly #options: LogOptions;
  #showNote: ((text: string) => void) | undefined;

  constructor(options: LogOptions) {
    this.#options = options;
  }

  /** Whether entries of a level are written. */
  has(level: LogLevel): boolean {
    return RANKS[level] <= RANKS[this.#options.level];
  }

  /** Shows entries as notes, until it is called again without a function. */
  showOn(showNote?: (text: string) => void): void {
    this.#showNote = showNote;
  }

  /** Writes an entry, unless it is of a level that is left out. */
  add(entry: LogEntry): void {
    if (!this.has(entry.level)) return;
    const showNote = this.#showNote;
    if (showNote !== undefined) {
      // The screen shows each client already.
      return entry.level === "debug" ? undefined : showNote(cleanText(entry.message));
    }
    const { format, readDate, writeLine } = this.#options;
    writeLine(renderLogEntry(entry, format, readDate()));
  }
}

/** One line for an entry. */
export function renderLogEntry(entry: LogEntry, format: LogFormat, date: Date): string {
  const { level, event, message, fields } = entry;
  const time = date.toISOString();
  if (format === "json") return JSON.stringify({ time, level, event, message, ...fields });
  return `${time} ${level} ${cleanText(message)}`;
}
