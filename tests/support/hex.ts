/**
 * Bytes as hexadecimal digits, and back.
 *
 * @module
 */
export { toHex } from "../../cli/hex.ts";

/** The bytes of a text of digits, which may contain white space. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, "");
  if (!/^(?:[\da-f]{2})*$/.test(digits)) throw new Error(`Cannot read "${text}": expected hex`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
