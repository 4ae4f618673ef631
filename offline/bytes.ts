/** Stand-in for `@std/fmt/bytes`: bytes in decimal or binary units. */

/** How to format a size. */
export interface FormatOptions {
  /** Whether to count in units of 1024, such as `kiB`, rather than in units of 1000. */
  binary?: boolean;
}

const PREFIXES = ["", "k", "M", "G", "T", "P", "E", "Z", "Y"] as const;

/** Formats a number of bytes with three significant digits. */
export function format(num: number, { binary = false }: FormatOptions = {}): string {
  if (!Number.isFinite(num)) {
    throw new TypeError(`Expected a finite number, got ${typeof num}: ${num}`);
  }
  const size = Math.abs(num);
  const sign = num < 0 ? "-" : "";
  if (size < 1) return `${sign}${size} B`;
  // The real one takes these logarithms, too, with their rounding.
  const power = Math.floor(binary ? Math.log(size) / Math.log(1024) : Math.log10(size) / 3);
  const exponent = Math.min(power, PREFIXES.length - 1);
  const value = Number((size / (binary ? 1024 : 1000) ** exponent).toPrecision(3));
  const infix = binary && exponent > 0 ? "i" : "";
  return `${sign}${value} ${PREFIXES[exponent]}${infix}B`;
}
