/**
 * Counts what is dear: the X25519 operations of a piece of code.
 *
 * @module
 */
import { KeyPair } from "../../protocol/crypto/x25519.ts";

/** How many X25519 operations `body` costs. */
export function agreements(body: () => void): number {
  const { agree } = KeyPair.prototype;
  let count = 0;
  KeyPair.prototype.agree = function (publicKey) {
    count++;
    return agree.call(this, publicKey);
  };
  try {
    body();
  } finally {
    KeyPair.prototype.agree = agree;
  }
  return count;
}
