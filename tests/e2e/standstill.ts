/**
 * Whether the machine stood still, or was much too busy, while something was tried.
 *
 * @module
 */

/** Milliseconds between two looks. */
const INTERVAL = 20;
/** Milliseconds without a turn of the event loop: by so much an answer can be late without a resend. */
const STANDSTILL = 50;

/** Watches the clock until it is disposed of. */
export class StandstillWatch implements Disposable {
  #last = performance.now();
  #longest = 0;
  readonly #timer = setInterval(() => this.#look(), INTERVAL);

  /** Whether the machine stood still since this watch began. */
  get stoodStill(): boolean {
    this.#look();
    return this.#longest > STANDSTILL;
  }

  #look(): void {
    const now = performance.now();
    this.#longest = Math.max(this.#longest, now - this.#last);
    this.#last = now;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
