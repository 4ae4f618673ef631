/**
 * Lines to a reader that may be slow, or gone.
 *
 * @module
 */

/** What a {@linkcode LineWriter} writes to, and what it reports. */
export interface LineWriterOptions {
  /** Characters that may wait to be written. A longer line is taken if no other waits. */
  readonly pendingMax: number;
  /** Writes some of the bytes; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Called once, when the reader is gone; further lines are dropped. */
  onBroken(): void;
  /**
   * Called when everything is written, if lines were dropped meanwhile because too many waited.
   * Without it a reader that lets too many wait counts as gone.
   */
  onRecovered?(dropped: number): void;
}

/**
 * Writes lines in order, without making the caller wait.
 *
 * Writing synchronously would stop the program for as long as the reader of a pipe does not read.
 */
export class LineWriter {
  readonly #options: LineWriterOptions;
  readonly #encoder = new TextEncoder();
  /** The lines that wait. */
  #pending = "";
  /** Characters that are being written. */
  #writingLength = 0;
  #dropped = 0;
  #isBroken = false;
  #writing: Promise<void> | undefined;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  /** Writes a line, which may contain line breaks. */
  print(line: string): void {
    if (this.#isBroken) return;
    const waiting = this.#writingLength + this.#pending.length;
    if (waiting > 0 && waiting + line.length + 1 > this.#options.pendingMax) {
      if (this.#options.onRecovered === undefined) this.#break();
      else this.#dropped++;
      return;
    }
    this.#pending += `${line}\n`;
    this.#writing ??= this.#writeAll();
  }

  /** Settles when everything is written, or the reader is gone. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Lines that are printed in one turn of the event loop are written together.
    await Promise.resolve();
    while (this.#pending !== "") {
      const bytes = this.#encoder.encode(this.#pending);
      this.#writingLength = this.#pending.length;
      this.#pending = "";
      await this.#write(bytes);
      this.#writingLength = 0;
    }
    this.#writing = undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#options.onRecovered?.(dropped);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let start = 0; start < bytes.length && !this.#isBroken;) {
        start += await this.#options.write(bytes.subarray(start));
      }
    } catch {
      this.#break();
    }
  }

  #break(): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#pending = "";
    this.#dropped = 0;
    this.#options.onBroken();
  }
}
