/**
 * A map for what others can make this program remember.
 *
 * @module
 */

/** A map of bounded size, the entry that was set last being the last: of more, the first one goes. */
export class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    super();
    this.#sizeMax = sizeMax;
  }

  /** Sets an entry, which is the last one then, also where it was there before. */
  override set(key: Key, value: Value): this {
    this.delete(key);
    super.set(key, value);
    const [first] = this;
    if (this.size > this.#sizeMax && first !== undefined) this.delete(first[0]);
    return this;
  }
}
