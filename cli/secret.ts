/**
 * The secret of a private directory: where it comes from, and what it must be like.
 *
 * @module
 */

/** The environment variable with the secret. */
export const SECRET_VARIABLE = "UDP_CHAT_SECRET";
/** Bytes in the shortest secret. */
export const SECRET_SIZE_MIN = 16;
/** Bytes in the longest secret: a file that is larger is the wrong one. */
export const SECRET_SIZE_MAX = 4096;

/** What a secret is read from. */
export interface SecretSources {
  /** The bytes of a file; throws where there is none to be read. */
  readFile(path: string): Uint8Array;
  /** The value of an environment variable. */
  readVariable(name: string): string | undefined;
}

/** The secret, `undefined` where none was given, or what is wrong with it. */
export type FoundSecret = { ok: true; secret: Uint8Array | undefined } | {
  ok: false;
  message: string;
};

/**
 * The secret that the user gave: in a file, or else in the environment, without the white space
 * around it. An empty one is an error, so that a slip does not make a private directory a public
 * one.
 */
export function findSecret(file: string | undefined, sources: SecretSources): FoundSecret {
  if (file === undefined) {
    const value = sources.readVariable(SECRET_VARIABLE);
    if (value === undefined) return { ok: true, secret: undefined };
    return check(new TextEncoder().encode(value), SECRET_VARIABLE);
  }
  try {
    return check(sources.readFile(file), `the file "${file}"`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `Cannot read the secret in the file "${file}": ${why}` };
  }
}

function check(bytes: Uint8Array, where: string): FoundSecret {
  const secret = trim(bytes);
  if (secret.length >= SECRET_SIZE_MIN && secret.length <= SECRET_SIZE_MAX) {
    return { ok: true, secret };
  }
  const expected = `expected ${SECRET_SIZE_MIN} to ${SECRET_SIZE_MAX} bytes`;
  return {
    ok: false,
    message: `Cannot use the secret in ${where}: ${expected}, got ${secret.length}`,
  };
}

/** Without the white space of ASCII at both ends: editors and `echo` leave line breaks. */
function trim(bytes: Uint8Array): Uint8Array {
  const isSpace = (byte: number): boolean => byte === 0x20 || byte >= 0x09 && byte <= 0x0d;
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes[start]!)) start++;
  while (end > start && isSpace(bytes[end - 1]!)) end--;
  return bytes.slice(start, end);
}
