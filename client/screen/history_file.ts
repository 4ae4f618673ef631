/**
 * The lines that the user typed, on the disk, in a file that all clients of the user share.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { appendFile, hasFile, readFile, replaceFile } from "../../cli/files.ts";
import { SharedFile } from "../../cli/shared_file.ts";
import {
  formatHistory,
  HISTORY_LINES_MAX,
  HISTORY_SIZE_MAX,
  isKept,
  parseHistory,
} from "./history.ts";

/** The typed lines that outlast a run. */
export interface History {
  /** The lines of earlier runs, the oldest first. */
  load(): readonly string[];
  add(line: string): void;
}

/** The history, kept beside the identity. */
export class HistoryFile implements History {
  readonly #file: SharedFile<string> | undefined;
  /** Lines that were added since the file was last known to be short enough. */
  #growth = 0;

  /**
   * @param identityFile the identity; nothing is kept if it is undefined.
   * @param onProblem called with what is wrong with the file.
   */
  constructor(identityFile: string | undefined, onProblem: (message: string) => void) {
    this.#file = identityFile === undefined
      ? undefined
      : new SharedFile(join(dirname(identityFile), "history"), {
        apply: (path, lines) => this.#apply(path, lines),
        onGivenUp: (why) => onProblem(`${why}; what you type is not kept`),
      });
  }

  /** See {@linkcode History}. */
  load(): readonly string[] {
    return this.#file?.read((path) => this.#read(path)) ?? [];
  }

  /** See {@linkcode History}. */
  add(line: string): void {
    if (isKept(line)) this.#file?.change(line);
  }

  /** Settles when all lines are in the file. */
  async settle(): Promise<void> {
    await this.#file?.settle();
  }

  /** See {@linkcode SharedFile.saveNow}. */
  saveNow(): void {
    this.#file?.saveNow();
  }

  #read(path: string): readonly string[] {
    if (!hasFile(path)) return [];
    const { text, isPrivate } = readFile(path, HISTORY_SIZE_MAX);
    const lines = parseHistory(text);
    if (!isPrivate || text.split("\n").length > lines.length + 1) this.#growth = Infinity;
    return lines;
  }

  /** Appends lines; writes the file anew when it may have become too long. */
  #apply(path: string, lines: readonly string[]): void {
    this.#growth += lines.length;
    if (this.#growth < HISTORY_LINES_MAX) return appendFile(path, formatHistory(lines));
    const before = hasFile(path) ? readFile(path, HISTORY_SIZE_MAX).text : "";
    replaceFile(path, formatHistory(parseHistory(before + formatHistory(lines))));
    this.#growth = 0;
  }
}
