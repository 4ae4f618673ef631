/**
 * Colors and weights of text on a terminal, by the SGR codes of ECMA-48, for both sides.
 *
 * Not those of `@std/fmt/colors`: where NO_COLOR is set nobody can turn them on, not even
 * `--color always`.
 *
 * @module
 */

/**
 * Colors for names, from the 256 of xterm: each has a contrast of at least 3.8 to 1 with black and
 * with white alike (WCAG 2.2, "contrast ratio"). Red is left to problems.
 */
export const NAME_COLORS: readonly number[] = [166, 100, 28, 30, 32, 63, 129, 163];

/** FNV-1a, 32 bits: the offset basis and the prime. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** What makes SGR codes. */
// deno-lint-ignore no-control-regex
const CODES = /\x1b\[[\d;]*m/g;

/** A way to write a text. */
export type Brush = (text: string) => string;

/** Ways to write a text. */
export interface Style {
  readonly bold: Brush;
  readonly dim: Brush;
  readonly red: Brush;
  readonly green: Brush;
  readonly yellow: Brush;
  readonly cyan: Brush;
  /** The color of whoever has this static key, the same in every run; none without a key. */
  name(text: string, key: Uint8Array | undefined): string;
}

/** Text with codes, or the bare text. */
export function styles(hasColor: boolean): Style {
  const wrap = (open: string, close: number): Brush => (text) => {
    if (!hasColor || text === "") return text;
    const [start, end] = [`\x1b[${open}m`, `\x1b[${close}m`];
    // What ends a style inside this one takes this one up again.
    return start + text.replaceAll(end, start) + end;
  };
  return {
    bold: wrap("1", 22),
    dim: wrap("2", 22),
    red: wrap("31", 39),
    green: wrap("32", 39),
    yellow: wrap("33", 39),
    cyan: wrap("36", 39),
    name: (text, key) => key === undefined ? text : wrap(`38;5;${nameColor(key)}`, 39)(text),
  };
}

/** The color for a key, one of {@linkcode NAME_COLORS}. */
export function nameColor(key: Uint8Array): number {
  let hash = FNV_BASIS;
  for (const byte of key) hash = Math.imul(hash ^ byte, FNV_PRIME) >>> 0;
  // The high bits depend on all of the key.
  return NAME_COLORS[(hash >>> 24) % NAME_COLORS.length] ?? 0;
}

/** The text without the codes of a {@linkcode Style}. */
export function withoutStyle(text: string): string {
  return text.replace(CODES, "");
}
