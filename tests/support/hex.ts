/**
 * Bytes as hexadecimal digits, and back.
 *
 * @module
 */

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Two lower-case digits for each byte. */
export function toHex(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += DIGITS[byte];
  return digits;
}

/** The bytes of a text of digits, which may contain white space. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replace(/\s/g, "");
  if (!/^(?:[\da-f]{2})*$/.test(digits)) throw new Error(`Cannot read "${text}": expected hex`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}
