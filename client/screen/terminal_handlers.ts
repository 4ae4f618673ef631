/**
 * What a terminal asks and tells whoever uses it.
 *
 * @module
 */

/** What a terminal needs to know and tells. */
export interface TerminalHandlers {
  prompt(): string;
  complete(line: string): [words: string[], replaced: string];
  /** The line being typed was empty, and a key was pressed. */
  onBegin(): void;
  /**
   * A line was entered; the typed one stays on the screen unless eraseTyped() is called now.
   *
   * @returns false to have it typed again, as if it had not been entered.
   */
  onLine(line: string): boolean;
  /** A line was entered that is worth keeping: it stands for itself. */
  onRecallable(line: string): void;
  /** A long text was pasted into the line being typed. */
  onPaste(text: string): void;
  /** The line being typed was dropped, with the paste in it. */
  onDrop(): void;
  /** Ctrl-C. */
  onInterrupt(): void;
  /** Ctrl-D on an empty line. */
  onEnd(): void;
  /** Ctrl-Z did not stop the process. */
  onNotStopped(why: string): void;
}
