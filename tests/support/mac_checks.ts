/**
 * Counts the codes that a piece of code computes.
 *
 * @module
 */
import { ready } from "../../protocol/crypto/sodium.ts";

/** How many codes `body` computes. */
export function macChecks(body: () => void): number {
  const { sodium } = ready();
  const { _crypto_kdf_hkdf_sha256_extract: extract } = sodium;
  let count = 0;
  sodium._crypto_kdf_hkdf_sha256_extract = (...args) => {
    count++;
    return extract(...args);
  };
  try {
    body();
  } finally {
    sodium._crypto_kdf_hkdf_sha256_extract = extract;
  }
  return count;
}
