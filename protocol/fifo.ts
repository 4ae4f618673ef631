/**
 * A queue whose ends are both quick, however long it is.
 *
 * @module
 */

/** Items that were taken and still take room, before the rest moves up. */
const GAP_MAX = 1024;

/** First in, first out. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #first = 0;

  /** Adds an item. */
  push(item: T): void {
    this.#items.push(item);
  }

  /** How many items there are. */
  get length(): number {
    return this.#items.length - this.#first;
  }

  /** The oldest item, undefined where there is none. */
  get first(): T | undefined {
    return this.#items[this.#first];
  }

  /** Takes the oldest item, undefined where there is none. */
  shift(): T | undefined {
    if (this.#first === this.#items.length) return undefined;
    const item = this.#items[this.#first];
    this.#items[this.#first++] = undefined;
    if (this.#first === this.#items.length) {
      this.#items.length = this.#first = 0;
    } else if (this.#first > GAP_MAX && 2 * this.#first > this.#items.length) {
      this.#items = this.#items.slice(this.#first);
      this.#first = 0;
    }
    return item;
  }
}
