/**
 * Durations and sizes as people read them.
 *
 * @module
 */
import { format as formatBytes } from "@std/fmt/bytes";
import { format as formatDuration } from "@std/fmt/duration";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago something was, in at most two units: `7s`, `12m 34s`, `3d 4h`. */
export function formatAge(ms: number): string {
  const unit = ms >= DAY ? HOUR : ms >= HOUR ? MINUTE : SECOND;
  return formatWhole(Math.floor(Math.max(0, ms) / unit) * unit);
}

/** How long something will take at most, in whole seconds: `3s`, `1m 30s`. */
export function formatWait(ms: number): string {
  return formatWhole(Math.ceil(Math.max(0, ms) / SECOND) * SECOND);
}

/** A measured time, to a tenth of a millisecond below ten: `400µs`, `2ms 300µs`, `23ms`. */
export function formatLatency(ms: number): string {
  return formatDuration(ms < 10 ? Math.round(ms * 10) / 10 : Math.round(ms), {
    ignoreZero: true,
  }) ||
    "0ms";
}

/** A number of bytes: `100 B`, `64 KiB`. */
export function formatSize(bytes: number): string {
  // IEC 80000-13 writes Ki.
  return formatBytes(bytes, { binary: true }).replace("kiB", "KiB");
}

function formatWhole(ms: number): string {
  return formatDuration(ms, { style: "narrow", ignoreZero: true }) || "0s";
}
