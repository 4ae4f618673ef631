/**
 * Colors and weights of text on a terminal, by the SGR codes of ECMA-48.
 *
 * `@std/fmt/colors` (1.0.10) is not used: its setColorEnabled() does nothing where NO_COLOR is set,
 * so that `--color always` could not override it; and it is one switch for the whole process, while
 * a client shows a line in color and writes the same line to its transcript without.
 *
 * @module
 */

/** Whether to use colors; `auto`: where a terminal shows them, and NO_COLOR is not set. */
export type ColorMode = "auto" | "always" | "never";

/**
 * Colors for names, from the 256 of xterm: each has a contrast of at least 3.8 to 1 with black and
 * with white alike (WCAG 2.2, "contrast ratio"). Red is left to problems.
 */
export const NAME_COLORS: readonly number[] = [166, 100, 28, 30, 32, 63, 129, 163];

/** FNV-1a, 32 bits: the offset basis and the prime. */
const FNV_BASIS = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** SGR codes. */
// deno-lint-ignore no-control-regex
const CODES = /\x1b\[[\d;]*m/g;

/** Adds the codes of one color or weight to a text. */
export type Brush = (text: string) => string;

/** The colors and weights in use. */
export interface Style {
  readonly bold: Brush;
  readonly dim: Brush;
  readonly red: Brush;
  readonly green: Brush;
  readonly yellow: Brush;
  readonly cyan: Brush;
  /** The color for this static key, the same in every run; none without a key. */
  name(text: string, key: Uint8Array | undefined): string;
}

/** Brushes that add codes, or leave the text as it is. */
export function styles(hasColor: boolean): Style {
  const wrap = (open: string, close: number): Brush => (text) => {
    if (!hasColor || text === "") return text;
    const [start, end] = [`\x1b[${open}m`, `\x1b[${close}m`];
    // The end of a style inside this one starts this one again.
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
