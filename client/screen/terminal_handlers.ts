/**
 * The interface between a terminal and its user interface.
 *
 * @module
 */

/** What a terminal asks for and reports. */
export interface TerminalHandlers {
  prompt(): string;
  /** The words that can complete the end of a text, and the part of it that they replace. */
  complete(text: string): [words: string[], replaced: string];
  /** A key was pressed. */
  onKey(): void;
  /** A key was pressed while the draft was empty. */
  onDraftStart(): void;
  /**
   * A line was entered. It stays on the screen unless eraseTyped() is called now.
   *
   * @returns false to make it the draft again.
   */
  onLine(line: string): boolean;
  /** A line for the history was entered: one without a paste. */
  onHistoryLine(line: string): void;
  /** A long text was pasted into the draft. */
  onPaste(text: string): void;
  /** Ctrl-C. */
  onInterrupt(hasDraft: boolean): void;
  /** Ctrl-D on an empty draft. */
  onEnd(): void;
  /** The input ended: the terminal has gone. */
  onEndOfInput(): void;
  /** Calls `action` after some milliseconds, unless the returned function is called before. */
  after(ms: number, action: () => void): () => void;
  /** So many lines were left out, because the terminal took no output. */
  onLeftOut(lines: number): void;
  /** Ctrl-Z did not stop the process. */
  onStopFailed(why: string): void;
}
