/**
 * The interface between a terminal and its user interface.
 *
 * @module
 */

/** What a terminal asks for and reports. */
export interface TerminalHandlers {
  prompt(): string;
  complete(line: string): [words: string[], replaced: string];
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
  /** The draft was dropped, with the paste in it. */
  onPasteDropped(): void;
  /** Ctrl-C. */
  onInterrupt(): void;
  /** Ctrl-D on an empty draft, or the input ended. */
  onEndOfInput(): void;
  /** Ctrl-Z did not stop the process. */
  onStopFailed(why: string): void;
}
