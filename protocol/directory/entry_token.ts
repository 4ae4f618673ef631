/**
 * The token that shows a directory which of its entries is this client's, from one run to the next.
 *
 * @module
 */
import { isSameKey } from "../crypto/x25519.ts";

const NO_TOKEN = new Uint8Array(16);

/** What shows a directory which of its entries is this client's. */
export interface EntryToken {
  /** Sixteen bytes. */
  readonly token: Uint8Array;
  /** The static key of that directory: no other is told the token. */
  readonly directoryKey: Uint8Array;
}

/** The token of a client: that of an earlier run, until this one has its own. */
export class EntryTokens {
  readonly #former: EntryToken | undefined;
  #own: EntryToken | undefined;

  /** @param former of an earlier run, whose entry is to be continued. */
  constructor(former: EntryToken | undefined) {
    this.#former = former;
  }

  /** That of this run, once there is one. */
  get own(): EntryToken | undefined {
    return this.#own;
  }

  /** What a directory is told: a token only where its key gave it. */
  shownTo(directoryKey: Uint8Array): Uint8Array {
    return this.#tokenOf(directoryKey) ?? NO_TOKEN;
  }

  /**
   * Takes what the directory gave.
   *
   * @returns whether it is another token than that of this run before, and whether the entry of the
   * earlier run goes on.
   */
  take(token: Uint8Array, directoryKey: Uint8Array): { hasChanged: boolean; isFormer: boolean } {
    const shown = this.#tokenOf(directoryKey);
    const isShown = shown !== undefined && isSameKey(token, shown);
    const isFirst = this.#own === undefined;
    this.#own = { token: token.slice(), directoryKey };
    return { hasChanged: isFirst || !isShown, isFormer: isFirst && isShown };
  }

  #tokenOf(key: Uint8Array): Uint8Array | undefined {
    const entry = this.#own ?? this.#former;
    return entry !== undefined && isSameKey(entry.directoryKey, key) ? entry.token : undefined;
  }
}
