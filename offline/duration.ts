/** Stand-in for `@std/fmt/duration`: the narrow style. */

/** How to format a duration. */
export interface FormatOptions {
  /** `1m 39s`; the real one has two more styles. */
  style?: "narrow";
  /** Whether units with the value 0 are left out. */
  ignoreZero?: boolean;
}

/** The units above a millisecond: how they are shown, their length, and how many make the next. */
const UNITS = [
  ["d", 86_400_000, Infinity],
  ["h", 3_600_000, 24],
  ["m", 60_000, 60],
  ["s", 1000, 60],
  ["ms", 1, 1000],
] as const;

/** Formats milliseconds; the sign is dropped. */
export function format(ms: number, { ignoreZero = false }: FormatOptions = {}): string {
  const length = Math.abs(ms);
  // Rounded to a tenth of a nanosecond, of which the last digit is cut off.
  const fraction = length.toFixed(7).split(".")[1] ?? "";
  const parts: [value: number, unit: string][] = [
    ...UNITS.map(([unit, size, count]): [number, string] => [
      Math.trunc(length / size) % count,
      unit,
    ]),
    [Number(fraction.slice(0, 3)), "µs"],
    [Number(fraction.slice(3, 6)), "ns"],
  ];
  return parts.filter(([value]) => value !== 0 || !ignoreZero)
    .map(([value, unit]) => `${value}${unit}`).join(" ");
}
