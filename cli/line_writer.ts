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
  /**
   * Called once, when the reader is gone; further lines are dropped.
   *
   * @param error undefined where it only let too much wait.
   */
  onBroken(error: unknown): void;
  /**
   * Called when everything is written, if lines were dropped meanwhile because too many waited or the
   * disk was full. Without it a reader that lets too many wait counts as gone, and so does a full disk.
   */
  onRecovered?(dropped: number): void;
}

const LINE_BREAK = 0x0a;

/** Whether there is no room on the disk, or in the user's share of it: there may be later. */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && "code" in error &&
    (error.code === "ENOSPC" || error.code === "EDQUOT");
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
  /** Whether nothing could be written because the disk was full, and whether a part of a line was. */
  #isDiskFull = false;
  #isTorn = false;
  #isBroken = false;
  #writing: Promise<void> | undefined;
  /** Of what waits, and of what is being written: resolve to whether it was. */
  #pendingResult: PromiseWithResolvers<boolean> | undefined;
  #writingResult: PromiseWithResolvers<boolean> | undefined;

  constructor(options: LineWriterOptions) {
    this.#options = options;
  }

  /** Characters that wait to be written. */
  get waiting(): number {
    return this.#writingLength + this.#pending.length;
  }

  /** Writes a line, which may contain line breaks. */
  print(line: string): void {
    this.write(`${line}\n`);
  }

  /** Writes a text, whole or not at all. */
  write(text: string): void {
    if (this.#isBroken) return;
    const { waiting } = this;
    if (waiting > 0 && waiting + text.length > this.#options.pendingMax) {
      if (this.#options.onRecovered === undefined) this.#break(undefined);
      else this.#dropped++;
      return;
    }
    this.#pending += text;
    this.#pendingResult ??= Promise.withResolvers();
    this.#writing ??= this.#writeAll();
  }

  /** Settles when all up to now is written; resolves to whether it was, and not dropped. */
  written(): Promise<boolean> {
    const result = this.#pendingResult ?? this.#writingResult;
    return result?.promise ?? Promise.resolve(!this.#isBroken);
  }

  /** Settles when everything is written, or the reader is gone. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    // Lines that are printed in one turn of the event loop are written together.
    await Promise.resolve();
    while (this.#pending !== "") {
      const bytes = this.#encoder.encode(this.#isTorn ? `\n${this.#pending}` : this.#pending);
      this.#writingLength = this.#pending.length;
      this.#pending = "";
      const result = this.#writingResult = this.#pendingResult;
      this.#pendingResult = undefined;
      await this.#write(bytes);
      this.#writingLength = 0;
      this.#writingResult = undefined;
      result?.resolve(!this.#isBroken && !this.#isDiskFull);
    }
    this.#writing = undefined;
    if (this.#isDiskFull) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0) this.#options.onRecovered?.(dropped);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    let start = 0;
    try {
      while (start < bytes.length && !this.#isBroken) {
        start += await this.#options.write(bytes.subarray(start));
      }
      this.#isDiskFull = this.#isTorn = false;
    } catch (error) {
      if (this.#options.onRecovered === undefined || !isDiskFull(error)) return this.#break(error);
      this.#isDiskFull = true;
      // The line break that ends the torn line is none of a line that is dropped.
      const dropped = bytes.subarray(this.#isTorn ? Math.max(1, start) : start);
      this.#dropped += dropped.filter((byte) => byte === LINE_BREAK).length;
      if (start > 0) this.#isTorn = bytes[start - 1] !== LINE_BREAK;
    }
  }

  #break(error: unknown): void {
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#pending = "";
    this.#dropped = 0;
    this.#pendingResult?.resolve(false);
    this.#pendingResult = undefined;
    this.#options.onBroken(error);
  }
}
