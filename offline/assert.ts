/**
 * Stand-in for `@std/assert` over `node:assert`.
 *
 * `assertEquals` is a little stricter than the real one: it distinguishes 0 from -0, an object
 * without prototype from a plain one, and errors by their message.
 */
import nodeAssert from "node:assert";
import { isDeepStrictEqual, stripVTControlCharacters } from "node:util";

/** What a failed assertion throws. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/** A class, abstract ones included. */
type Class<T> = abstract new (...args: never[]) => T;

/** Throws unless the condition holds, with the caller's message after the reason, which is made only then. */
function check(condition: unknown, reason: () => string, msg?: string): asserts condition {
  if (!condition) throw new AssertionError(msg ? `${reason()}: ${msg}` : reason());
}

/** A value as a message shows it. */
function show(value: unknown): string {
  return Deno.inspect(value, { depth: 5 });
}

/** Asserts that the value is truthy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Asserts that the value is falsy. */
export function assertFalse(expr: unknown, msg = ""): asserts expr is false | 0 | "" | null {
  if (expr) throw new AssertionError(msg);
}

/** Asserts that two values are equal in depth. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  try {
    nodeAssert.deepStrictEqual(actual, expected);
  } catch (error) {
    const difference = error instanceof Error ? error.message : error;
    check(false, () => `Values are not equal\n${difference}`, msg);
  }
}

/** Asserts that two values are not equal in depth. */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  check(
    !isDeepStrictEqual(actual, expected),
    () => `Expected another value than ${show(actual)}`,
    msg,
  );
}

/** Asserts that the text contains another. */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  check(
    actual.includes(expected),
    () => `Expected ${show(actual)} to contain ${show(expected)}`,
    msg,
  );
}

/** Asserts that the text matches. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  check(expected.test(actual), () => `Expected ${show(actual)} to match ${expected}`, msg);
}

/** Asserts that the first is greater. */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  check(actual > expected, () => `Expected ${show(actual)} > ${show(expected)}`, msg);
}

/** Asserts that the first is greater or equal. */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  check(actual >= expected, () => `Expected ${show(actual)} >= ${show(expected)}`, msg);
}

/** Asserts that the first is less. */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  check(actual < expected, () => `Expected ${show(actual)} < ${show(expected)}`, msg);
}

/** Asserts that the first is less or equal. */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  check(actual <= expected, () => `Expected ${show(actual)} <= ${show(expected)}`, msg);
}

/** Fails. */
export function fail(msg?: string): never {
  throw new AssertionError(msg ? `Failed assertion: ${msg}` : "Failed assertion");
}

/** Asserts that what was thrown is of the class and says the words. */
function checkThrown<E extends Error>(
  error: unknown,
  expected: Class<E> | undefined,
  words: string | undefined,
  msg: string | undefined,
): void {
  if (!expected) return;
  check(error instanceof Error, () => "A non-Error object was thrown", msg);
  check(error instanceof expected, () => `Expected ${expected.name}, got ${error.name}`, msg);
  check(
    stripVTControlCharacters(error.message).includes(stripVTControlCharacters(words ?? "")),
    () => `Expected the message to contain ${show(words)}, got ${show(error.message)}`,
    msg,
  );
}

/** Asserts that the function throws, and returns what it threw. */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/** Asserts that the function throws an error of the class that says the words. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: Class<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error>(
  fn: () => unknown,
  classOrMsg?: Class<E> | string,
  words?: string,
  msg?: string,
): unknown {
  const [expected, note] = typeof classOrMsg === "string"
    ? [undefined, classOrMsg]
    : [classOrMsg, msg];
  try {
    fn();
  } catch (error) {
    checkThrown(error, expected, words, note);
    return error;
  }
  check(false, () => "Expected function to throw", note);
}
