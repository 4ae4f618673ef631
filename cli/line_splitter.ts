/**
 * Bytes to lines of text.
 *
 * @module
 */

/** Characters in the longest line: a text of the largest size, escaped in JSON, fits. */
export const LINE_LENGTH_MAX = 512 * 1024;

/** A line, or `undefined` for one that was longer than {@linkcode LINE_LENGTH_MAX}. */
export type Line = string | undefined;

/** Splits UTF-8 into lines that end in LF or CRLF; buffers no more than one line. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #isTooLong = false;

  /** The lines that these bytes complete. */
  *push(bytes: Uint8Array): Generator<Line> {
    const text = this.#decoder.decode(bytes, { stream: true });
    let start = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
      this.#append(text.slice(start, end));
      yield this.#take();
      start = end + 1;
    }
    this.#append(text.slice(start));
  }

  /** The last line, if it has no line end. */
  *end(): Generator<Line> {
    this.#append(this.#decoder.decode());
    if (this.#rest !== "" || this.#isTooLong) yield this.#take();
  }

  #append(text: string): void {
    if (this.#isTooLong) return;
    this.#rest += text;
    if (this.#rest.length <= LINE_LENGTH_MAX) return;
    this.#isTooLong = true;
    this.#rest = "";
  }

  #take(): Line {
    const line = this.#isTooLong ? undefined : this.#rest.replace(/\r$/, "");
    this.#rest = "";
    this.#isTooLong = false;
    return line;
  }
}
