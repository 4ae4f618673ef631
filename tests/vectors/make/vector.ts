/**
 * What a vector is, before it is JSON and text.
 *
 * @module
 */

import type { NaiveFrame } from "../../reference/naive_codec.ts";

/** A datagram without sealed frames. */
export interface ClearVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  /**
   * `receiver`: a receiver has to take it, but no sender that keeps to the text makes it; `sender`:
   * it is made, but of this version none is to be taken.
   */
  readonly only?: "receiver" | "sender";
  /** Where there is Padding, which a decoder leaves out: what is encoded. */
  readonly encoded?: readonly NaiveFrame[];
}

/** A datagram with sealed frames. */
export interface SealedVector extends ClearVector {
  /** Names what it is sealed under: the registration key, or the first key of a direction. */
  readonly key: string;
  /** The frames before sealing. */
  readonly plain: Uint8Array;
}
