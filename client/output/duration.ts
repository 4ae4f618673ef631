/**
 * Ages, waits and round trips in words for people.
 *
 * @module
 */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age: `just now`, `5 minutes ago`, `3 days ago` */
export function elapsed(ms: number): string {
  if (ms >= 2 * DAY) return ago(ms / DAY, "day");
  if (ms >= HOUR) return ago(ms / HOUR, "hour");
  return ms >= MINUTE ? ago(ms / MINUTE, "minute") : "just now";
}

/** A wait, rounded up: `3 s` */
export function seconds(ms: number): string {
  return `${Math.max(0, Math.ceil(ms / 1000))} s`;
}

/** A round trip: `0.4 ms`, `23 ms` */
export function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function ago(count: number, unit: string): string {
  const whole = Math.floor(count);
  return `${whole} ${unit}${whole === 1 ? "" : "s"} ago`;
}
