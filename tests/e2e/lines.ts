/**
 * A stream as lines, and waiting for one of them until a deadline.
 *
 * @module
 */

/** Milliseconds that anything on this machine may take, however busy it is. */
export const PATIENCE = 20_000;

interface Waiter {
  look(): boolean;
}

/** The lines of a stream as they come, for those who wait for one of them. */
export class Lines {
  readonly all: string[] = [];
  readonly #transcript: () => string;
  readonly #onLine: (line: string) => void;
  /** The lines before this one were waited for. */
  #seen = 0;
  #isEnded = false;
  readonly #waiters = new Set<Waiter>();
  /** Settles when the stream has ended. */
  readonly ended: Promise<void>;

  /**
   * @param transcript what a failure to wait for a line shows.
   * @param onLine called with each line that comes.
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
   * The next line that satisfies the predicate; those up to it count as seen.
   *
   * @throws with everything that came, where none does in time or the stream ends.
   */
  waitFor(predicate: RegExp | ((line: string) => boolean), timeout = PATIENCE): Promise<string> {
    const matches = predicate instanceof RegExp
      ? (line: string) => predicate.test(line)
      : predicate;
    let at = this.#seen;
    return this.#wait(`a line for ${predicate}`, timeout, () => {
      // Each line is looked at once, however many come.
      for (at = Math.max(at, this.#seen); at < this.all.length; at++) {
        const line = this.all[at]!;
        if (!matches(line)) continue;
        this.#seen = at + 1;
        return line;
      }
      return undefined;
    });
  }

  /** Everything so far, for error messages and whole-text assertions. */
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
    const timer = setTimeout(() => fail(`${timeout} ms went by`), timeout);
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
    // A pipe may break when its writer is killed: that is an end, too.
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
