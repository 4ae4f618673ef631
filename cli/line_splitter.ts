/**
 * Bytes to lines of text.
 *
 * @module
 */

/** Bytes in the longest line: a text of the largest size, escaped in JSON, fits. */
export const LINE_SIZE_MAX = 512 * 1024;

/**
 * Why a line cannot be read: it has more than {@linkcode LINE_SIZE_MAX} bytes; it is not UTF-8; the
 * input is UTF-16, and nothing of it can be read.
 */
export type LineProblem = "tooLong" | "notUtf8" | "utf16";

/** A line, or why there is none. */
export type Line = { readonly text: string } | { readonly problem: LineProblem };

const LF = 0x0a;
const CR = 0x0d;
/** The byte order marks of UTF-16. */
const UTF_16_MARKS = [[0xff, 0xfe], [0xfe, 0xff]] as const;

/** Splits UTF-8 into lines that end in LF or CRLF; buffers no more than one line. */
export class LineSplitter {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  /** The beginning of the next line, in pieces, and its size. */
  #pieces: Uint8Array[] = [];
  #size = 0;
  #isFirst = true;
  /** Whether the input is UTF-16, so that nothing of it is read. */
  #isUtf16 = false;

  /** The lines that these bytes complete. */
  *push(bytes: Uint8Array): Generator<Line> {
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      this.#append(bytes.subarray(start, end));
      yield* this.#take();
      start = end + 1;
    }
    this.#append(bytes.subarray(start));
  }

  /** The last line, if it has no line end. */
  *end(): Generator<Line> {
    if (this.#size > 0) yield* this.#take();
  }

  #append(bytes: Uint8Array): void {
    this.#size += bytes.length;
    if (this.#size > LINE_SIZE_MAX || this.#isUtf16) this.#pieces = [];
    else this.#pieces.push(bytes.slice());
  }

  *#take(): Generator<Line> {
    const size = this.#size;
    const bytes = new Uint8Array(size > LINE_SIZE_MAX ? 0 : size);
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    this.#size = 0;
    if (this.#isUtf16) return;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    yield size > LINE_SIZE_MAX ? { problem: "tooLong" } : this.#decode(bytes, isFirst);
  }

  #decode(whole: Uint8Array, isFirst: boolean): Line {
    const bytes = whole.at(-1) === CR ? whole.subarray(0, -1) : whole;
    if (isFirst && UTF_16_MARKS.some((mark) => mark.every((byte, at) => bytes[at] === byte))) {
      this.#isUtf16 = true;
      return { problem: "utf16" };
    }
    try {
      const text = this.#decoder.decode(bytes);
      return { text: isFirst ? text.replace(/^\ufeff/, "") : text };
    } catch {
      return { problem: "notUtf8" };
    }
  }
}
