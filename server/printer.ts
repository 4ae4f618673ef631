/**
 * Lines on their way out, in order, with a bound.
 *
 * @module
 */

/** Bytes that may wait to be written. A single text may be larger: it is taken when none wait. */
export const PENDING_MAX = 1024 * 1024;

/** What a {@linkcode Printer} tells whoever made it. */
export interface PrinterHandlers {
  /** Writes some of the bytes, and resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
  /** Everything is written, and this many texts were left out before. */
  onRecovered(dropped: number): void;
  /** Nothing can be written any more: the reader has gone. */
  onClosed(error: unknown): void;
}

/**
 * Writes texts one after the other without making anyone wait.
 *
 * Writing synchronously would stop the directory for as long as the reader of a pipe does not read,
 * and its clients would lose their leases. So writes are asynchronous, what waits is bounded, and
 * what is too much is left out and counted.
 */
export class Printer {
  readonly #handlers: PrinterHandlers;
  readonly #encoder = new TextEncoder();
  readonly #pending: Uint8Array[] = [];
  #pendingSize = 0;
  #dropped = 0;
  #isClosed = false;
  #writing: Promise<void> | undefined;

  constructor(handlers: PrinterHandlers) {
    this.#handlers = handlers;
  }

  /** Takes a text to be written with a line break behind it, or leaves it out. */
  print(text: string): void {
    if (this.#isClosed) return;
    const bytes = this.#encoder.encode(`${text}\n`);
    if (this.#pendingSize > 0 && this.#pendingSize + bytes.length > PENDING_MAX) {
      this.#dropped++;
      return;
    }
    this.#pending.push(bytes);
    this.#pendingSize += bytes.length;
    this.#writing ??= this.#writeAll();
  }

  /** Settles when everything is written or the reader has gone. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  async #writeAll(): Promise<void> {
    try {
      for (let bytes = this.#pending[0]; bytes !== undefined; bytes = this.#pending[0]) {
        for (let at = 0; at < bytes.length;) {
          at += await this.#handlers.write(bytes.subarray(at));
        }
        this.#pending.shift();
        this.#pendingSize -= bytes.length;
      }
    } catch (error) {
      this.#isClosed = true;
      this.#pending.length = 0;
      this.#handlers.onClosed(error);
    }
    this.#writing = undefined;
    const dropped = this.#dropped;
    this.#dropped = 0;
    if (dropped > 0 && !this.#isClosed) this.#handlers.onRecovered(dropped);
  }
}
