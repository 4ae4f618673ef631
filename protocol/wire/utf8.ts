/**
 * Short texts to bytes and back. Most are in ASCII, and then a call into the runtime costs more than
 * the work.
 *
 * @module
 */
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The text in UTF-8. */
export function writeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return encoder.encode(text);
    bytes[i] = code;
  }
  return bytes;
}

/** The text of bytes that are UTF-8. */
export function readUtf8(bytes: Uint8Array): string {
  return readAscii(bytes, 0) ?? decoder.decode(bytes);
}

/** The text from `at` on, where it is in ASCII. */
export function readAscii(bytes: Uint8Array, at: number): string | undefined {
  let text = "";
  for (let i = at; i < bytes.length; i++) {
    if (bytes[i]! >= 0x80) return undefined;
    text += String.fromCharCode(bytes[i]!);
  }
  return text;
}
