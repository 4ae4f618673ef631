/**
 * The proof at the end of a private directory's datagrams: shows that their sender has its secret.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { DATAGRAM_SIZE_MAX, FRAME_HEADER_SIZE, HEADER_SIZE } from "../wire/frame.ts";
import { HmacSha256, hmacSha256 } from "./hmac.ts";
import { LAYOUTS } from "../wire/layout.ts";

/** Bytes in a code. */
const CODE_SIZE = 16;
/** Bytes in a Proof frame. */
export const PROOF_SIZE: number = FRAME_HEADER_SIZE + CODE_SIZE;
/** Keeps the key of the proofs apart from whatever else may once be made from the secret. */
const LABEL = new TextEncoder().encode("udp-chat directory proof");
/** What stands in front of the code. */
const FRAME_HEADER = [LAYOUTS.proof[0], CODE_SIZE >> 8, CODE_SIZE & 0xff] as const;

/** Makes and checks proofs, under a key that is made from a secret. */
export class Prover {
  readonly #hmac: HmacSha256;

  /**
   * Makes the key.
   *
   * @param secret of any length; the proofs are as strong as it is.
   */
  constructor(secret: Uint8Array) {
    this.#hmac = new HmacSha256(hmacSha256(LABEL, secret));
  }

  /**
   * The datagram with a Proof frame behind it, in bytes of its own.
   *
   * @throws {RangeError} where there is no room for the frame.
   */
  prove(bytes: Uint8Array): Uint8Array {
    const proven = new Uint8Array(bytes.length + PROOF_SIZE);
    if (proven.length > DATAGRAM_SIZE_MAX) {
      throw new RangeError("Cannot prove: the datagram is full");
    }
    proven.set(bytes);
    proven.set(FRAME_HEADER, bytes.length);
    proven.set(this.#code(proven), proven.length - CODE_SIZE);
    return proven;
  }

  /** Whether the datagram ends with a good Proof frame. */
  isProven(bytes: Uint8Array): boolean {
    const start = bytes.length - PROOF_SIZE;
    if (start < HEADER_SIZE || bytes.length > DATAGRAM_SIZE_MAX) return false;
    if (FRAME_HEADER.some((byte, index) => bytes[start + index] !== byte)) return false;
    return timingSafeEqual(bytes.subarray(-CODE_SIZE), this.#code(bytes));
  }

  /** Over everything in front of the code. */
  #code(bytes: Uint8Array): Uint8Array {
    return this.#hmac.sign(bytes.subarray(0, -CODE_SIZE)).subarray(0, CODE_SIZE);
  }
}
