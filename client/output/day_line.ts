/**
 * When to print the date: lines have only the time.
 *
 * @module
 */

/** Milliseconds after which the clock is looked at again: it may have been set, or the computer slept. */
export const DAY_CHECK_MAX = 600_000;

/** The day of the lines that are printed. */
export class DayLine {
  #day: string;
  /** Whether a line was printed on that day. */
  #isUsed = false;

  /** Lines of this day need no date before them. */
  constructor(start: Date) {
    this.#day = dayOf(start);
  }

  /** A line is printed; returns the date to print before it, if it is another day than before. */
  beforeLine(time: Date): string | undefined {
    const date = this.#change(time);
    this.#isUsed = true;
    return date;
  }

  /** It may be past midnight; returns the date to print, unless nothing came since the last one. */
  atMidnight(time: Date): string | undefined {
    return this.#isUsed ? this.#change(time) : undefined;
  }

  #change(time: Date): string | undefined {
    const day = dayOf(time);
    if (day === this.#day) return undefined;
    this.#day = day;
    this.#isUsed = false;
    return day;
  }
}

/** The milliseconds until midnight, or until the clock should be looked at again. */
export function untilMidnight(time: Date): number {
  const midnight = new Date(time.getFullYear(), time.getMonth(), time.getDate() + 1);
  return Math.min(Math.max(midnight.getTime() - time.getTime(), 1), DAY_CHECK_MAX);
}

const weekday = new Intl.DateTimeFormat("en", { weekday: "long" });
const month = new Intl.DateTimeFormat("en", { month: "long" });

/** `Monday, 30 November 2026` */
function dayOf(time: Date): string {
  return `${weekday.format(time)}, ${time.getDate()} ${month.format(time)} ${time.getFullYear()}`;
}
