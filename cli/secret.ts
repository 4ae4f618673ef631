/**
 * The secret of a private directory, from a file or from the environment.
 *
 * @module
 */
import { failure, type Result, success } from "../protocol/result.ts";

/** The environment variable with the secret. */
const SECRET_VARIABLE = "UDP_CHAT_SECRET";
/** Bytes in the shortest secret. */
const SECRET_SIZE_MIN = 16;
/** Bytes in the longest secret. */
export const SECRET_SIZE_MAX = 4096;
/** Bytes in the largest file with a secret, white space included: a larger one is the wrong one. */
export const SECRET_FILE_SIZE_MAX: number = 4 * SECRET_SIZE_MAX;

/** What a secret is read from. */
export interface SecretSources {
  /** The bytes of a file; throws if it cannot be read. */
  readFile(path: string): Uint8Array;
  /** The value of an environment variable. */
  readVariable(name: string): string | undefined;
  /** Why a file cannot be read. */
  fileProblem(error: unknown): string;
}

/**
 * The secret in the file that the user named, or else in the environment, without white space around
 * it; `undefined` if neither was given. An empty secret is an error, so that a typing error does not
 * make a private directory a public one.
 */
export function findSecret(
  file: string | undefined,
  sources: SecretSources,
): Result<Uint8Array | undefined> {
  if (file === undefined) {
    const value = sources.readVariable(SECRET_VARIABLE);
    if (value === undefined) return success(undefined);
    return check(new TextEncoder().encode(value), SECRET_VARIABLE);
  }
  try {
    return check(sources.readFile(file), `the file "${file}"`);
  } catch (error) {
    return failure(`Cannot read the secret in the file "${file}": ${sources.fileProblem(error)}`);
  }
}

function check(bytes: Uint8Array, where: string): Result<Uint8Array> {
  const secret = trim(bytes);
  const size = secret.length;
  if (size >= SECRET_SIZE_MIN && size <= SECRET_SIZE_MAX) return success(secret);
  const expected = `expected ${SECRET_SIZE_MIN} to ${SECRET_SIZE_MAX} bytes`;
  return failure(`Cannot use the secret in ${where}: ${expected}, got ${size}`);
}

/** Without ASCII white space at both ends: editors and `echo` leave line breaks. */
function trim(bytes: Uint8Array): Uint8Array {
  const isSpace = (byte: number): boolean => byte === 0x20 || byte >= 0x09 && byte <= 0x0d;
  let start = 0;
  let end = bytes.length;
  while (start < end && isSpace(bytes[start]!)) start++;
  while (end > start && isSpace(bytes[end - 1]!)) end--;
  return bytes.slice(start, end);
}
