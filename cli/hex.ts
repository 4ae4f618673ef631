/**
 * Bytes as hexadecimal digits.
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

/** The bytes; undefined where the text is not `size` bytes in lower-case digits. */
export function fromHex(text: string, size: number): Uint8Array | undefined {
  if (text.length !== 2 * size || !/^[0-9a-f]*$/.test(text)) return undefined;
  return Uint8Array.from({ length: size }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
}
