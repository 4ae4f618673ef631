/**
 * The lines that were typed, on the disk, in a file that all clients of the user share.
 *
 * @module
 */
import { dirname, join } from "node:path";
import {
  appendFile,
  fileProblem,
  hasFile,
  readFile,
  replaceFile,
  withLock,
} from "../../cli/files.ts";
import {
  formatHistory,
  HISTORY_LINES_MAX,
  HISTORY_SIZE_MAX,
  isKept,
  parseHistory,
} from "./history.ts";

/** What keeps lines beyond a run. */
export interface History {
  /** The lines of earlier runs, the oldest first. */
  load(): readonly string[];
  add(line: string): void;
}

/** The history, kept beside the identity. */
export class HistoryFile implements History {
  readonly #file: string | undefined;
  readonly #onProblem: (message: string) => void;
  /** Lines that are not in the file yet. */
  #added: string[] = [];
  /** Lines that were added since the file was last known to be short enough. */
  #growth = 0;
  #saving: Promise<void> | undefined;
  #isGivenUp = false;

  /**
   * @param identityFile the file that it stands beside, undefined to keep nothing.
   * @param onProblem is told what is wrong with the file.
   */
  constructor(identityFile: string | undefined, onProblem: (message: string) => void) {
    this.#file = identityFile && join(dirname(identityFile), "history");
    this.#onProblem = onProblem;
  }

  /** See {@linkcode History}. */
  load(): readonly string[] {
    if (this.#file === undefined) return [];
    try {
      if (!hasFile(this.#file)) return [];
      const { text, isPrivate } = readFile(this.#file, HISTORY_SIZE_MAX);
      const lines = parseHistory(text);
      if (!isPrivate || text.split("\n").length > lines.length + 1) this.#growth = Infinity;
      return lines;
    } catch (error) {
      this.#giveUp(`Cannot read ${this.#file}: ${fileProblem(error)}`);
      return [];
    }
  }

  /** See {@linkcode History}. */
  add(line: string): void {
    if (this.#file === undefined || this.#isGivenUp || !isKept(line)) return;
    this.#added.push(line);
    this.#saving ??= this.#save(this.#file);
  }

  /** Settles when all lines are in the file. */
  async settle(): Promise<void> {
    await this.#saving;
  }

  async #save(file: string): Promise<void> {
    while (this.#added.length > 0) {
      try {
        await withLock(`${file}.lock`, () => this.#apply(file));
      } catch (error) {
        this.#giveUp(`Cannot write ${file}: ${fileProblem(error)}`);
      }
    }
    this.#saving = undefined;
  }

  /** Adds the lines to what is in the file by now, which another client may have written. */
  #apply(file: string): void {
    this.#growth += this.#added.length;
    if (this.#growth < HISTORY_LINES_MAX) appendFile(file, formatHistory(this.#added));
    else {
      const before = hasFile(file) ? readFile(file, HISTORY_SIZE_MAX).text : "";
      replaceFile(file, formatHistory(parseHistory(before + formatHistory(this.#added))));
      this.#growth = 0;
    }
    this.#added = [];
  }

  #giveUp(message: string): void {
    this.#isGivenUp = true;
    this.#added = [];
    this.#onProblem(`${message}; what you type is not kept`);
  }
}
