/**
 * Colors and weights of text on a terminal, by the SGR codes of ECMA-48.
 *
 * Not those of `@std/fmt/colors`: where NO_COLOR is set nobody can turn them on, not even
 * `--color always`.
 *
 * @module
 */

/** A way to write a text. */
export type Brush = (text: string) => string;

export const bold = brush(1, 22);
export const dim = brush(2, 22);
export const red = brush(31, 39);
export const green = brush(32, 39);
export const yellow = brush(33, 39);

function brush(open: number, close: number): Brush {
  return (text) => text === "" ? "" : `\x1b[${open}m${text}\x1b[${close}m`;
}
