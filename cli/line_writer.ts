/**
 * Lines out, where the reader may be slow or gone.
 *
 * @module
 */

/** Characters that may wait for a slow reader of the output. */
export const PENDING_OUTPUT_MAX = 64 * 1024 * 1024;

/** Writes some of the bytes, and tells how many. */
export type Write = (bytes: Uint8Array) => Promise<number>;

/** Writes lines in order, as many at once as are there. */
export class Output {
  readonly #write: Write;
  readonly #onBroken: () => void;
  readonly #encoder = new TextEncoder();
  #pending = "";
  #isBroken = false;
  #writing: Promise<void> | undefined;

  /** @param onBroken called once when nobody reads any more; what follows is dropped. */
  constructor(write: Write, onBroken: () => void) {
    this.#write = write;
    this.#onBroken = onBroken;
  }

  /** Writes a line. */
  print(line: string): void {
    if (this.#isBroken) return;
    this.#pending += line + "\n";
    if (this.#pending.length > PENDING_OUTPUT_MAX) return this.#break();
    this.#writing ??= this.#drain();
  }

  /** Settles when everything is written. */
  async finish(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    // What is printed in one turn is written at once.
    await Promise.resolve();
    while (this.#pending !== "") {
      const bytes = this.#encoder.encode(this.#pending);
      this.#pending = "";
      for (let start = 0; start < bytes.length && !this.#isBroken;) {
        try {
          start += await this.#write(bytes.subarray(start));
        } catch {
          this.#break();
        }
      }
    }
    this.#writing = undefined;
  }

  #break(): void {
    this.#pending = "";
    if (this.#isBroken) return;
    this.#isBroken = true;
    this.#onBroken();
  }
}
