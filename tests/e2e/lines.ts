/**
 * Reads a stream by lines, and waits for one of them until a deadline.
 *
 * @module
 */

/** Milliseconds to wait for anything, on a busy machine as well. */
export const PATIENCE = 20_000;

interface Waiter {
  look(): boolean;
}

/** The lines of a stream. */
export class Lines {
  readonly all: string[] = [];
  readonly #transcript: () => string;
  readonly #onLine: (line: string) => void;
  /** The lines before this one were returned by waitFor() or skipped. */
  #seen = 0;
  #isEnded = false;
  readonly #waiters = new Set<Waiter>();
  /** Resolves at the end of the stream. */
  readonly ended: Promise<void>;

  /**
   * @param transcript the text that an error of waitFor() shows.
   * @param onLine called with each line.
   */
  constructor(
    stream: ReadableStream<Uint8Array>,
    transcript: () => string,
    onLine: (line: string) => void,
  ) {
    this.#transcript = transcript;
    this.#onLine = onLine;
    this.ended = this.#read(stream);
  }

  /**
   * The next line that satisfies the predicate. Later calls start after it.
   *
   * @throws with the transcript, after the timeout or at the end of the stream.
   */
  waitFor(predicate: RegExp | ((line: string) => boolean), timeout = PATIENCE): Promise<string> {
    const matches = predicate instanceof RegExp
      ? (line: string) => predicate.test(line)
      : predicate;
    let at = this.#seen;
    return this.#wait(`a line for ${predicate}`, timeout, () => {
      // Checks each line only once.
      for (at = Math.max(at, this.#seen); at < this.all.length; at++) {
        const line = this.all[at]!;
        if (!matches(line)) continue;
        this.#seen = at + 1;
        return line;
      }
      return undefined;
    });
  }

  /** All lines so far. */
  text(): string {
    return this.all.join("\n");
  }

  #wait<T>(what: string, timeout: number, take: () => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const fail = (why: string): void => {
      clearTimeout(timer);
      this.#waiters.delete(waiter);
      reject(new Error(`${why} waiting for ${what}; seen so far:\n${this.#transcript()}`));
    };
    const waiter: Waiter = {
      look: () => {
        const found = take();
        if (found === undefined && this.#isEnded) fail("The output ended");
        if (found === undefined) return false;
        clearTimeout(timer);
        resolve(found);
        return true;
      },
    };
    const timer = setTimeout(() => fail(`${timeout} ms passed`), timeout);
    this.#waiters.add(waiter);
    this.#wake();
    return promise;
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) {
      if (waiter.look()) this.#waiters.delete(waiter);
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    let rest = "";
    // A pipe may break when its writer is killed, which is an end as well.
    try {
      for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
        const parts = (rest + chunk).split("\n");
        rest = parts.pop()!;
        for (const part of parts) this.#take(part);
        this.#wake();
      }
    } catch (error) {
      rest += ` [${error}]`;
    }
    if (rest !== "") this.#take(rest);
    this.#isEnded = true;
    this.#wake();
  }

  #take(part: string): void {
    const line = part.replace(/\r$/, "");
    this.all.push(line);
    this.#onLine(line);
  }
}
