/**
 * The outcome of what can fail for a reason that the caller acts on or shows.
 *
 * Elsewhere `undefined` means that there is none, and a boolean answers a question; an exception is
 * a bug, or an error of the system at the edge.
 *
 * @module
 */

/** A value, or why there is none. `error` is a message for people unless `E` says otherwise. */
export type Result<T, E = string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** A success. */
export function success<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** A failure. */
export function failure<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}
