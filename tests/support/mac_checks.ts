/**
 * Counts the codes that a piece of code computes.
 *
 * @module
 */
import { HmacSha256 } from "../../protocol/crypto/hmac.ts";

/** How many codes `body` computes. */
export function macChecks(body: () => void): number {
  const { sign } = HmacSha256.prototype;
  let count = 0;
  HmacSha256.prototype.sign = function (...parts: readonly Uint8Array[]) {
    count++;
    return sign.call(this, ...parts);
  };
  try {
    body();
  } finally {
    HmacSha256.prototype.sign = sign;
  }
  return count;
}
