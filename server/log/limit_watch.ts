/**
 * Limits that are reached, for the log: a line now and then, however often it happens.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { DropReason, RefusalName, Totals } from "../totals.ts";
import type { LogEntry } from "./log.ts";

/** Milliseconds between two looks at the totals. */
export const WATCH_INTERVAL = 1_000;
/** Milliseconds from one entry about a limit to the next about the same one. */
export const REPORT_INTERVAL = 60_000;

/** Errors of a socket that ended nothing. */
export interface SocketErrors {
  readonly count: number;
  /** The message of the last one. */
  readonly last: string;
}

const LIMITS: readonly DropReason[] = [
  ...["registrations", "questions", "strangers", "calls", "meetings", "carried", "output"] as const,
];
const PLACES: Partial<Record<RefusalName, string>> = {
  full: "The directory is full",
  sourceFull: "An address has all the places of one (--max-per-source)",
};

/** A count as it was when it was last reported. */
interface Reported {
  readonly count: number;
  readonly at: Instant;
}

/** Compares the totals with those before. */
export class LimitWatch {
  readonly #reported = new Map<string, Reported>();

  /** What is to be logged now. */
  observe(now: Instant, { dropped, refused }: Totals, socket: SocketErrors): LogEntry[] {
    const entries: LogEntry[] = [];
    for (const [reason, what] of Object.entries(PLACES)) {
      const count = this.#rise(now, reason, refused[reason as RefusalName] ?? 0);
      if (count === undefined) continue;
      const message = `${what}: ${count} refused`;
      entries.push({ level: "warn", event: "full", message, fields: { reason, count } });
    }
    for (const limit of LIMITS) {
      const count = this.#rise(now, limit, dropped[limit] ?? 0);
      if (count === undefined) continue;
      const message = `Limit reached: ${limit}: ${count} dropped`;
      entries.push({ level: "warn", event: "limit", message, fields: { limit, count } });
    }
    const errors = this.#rise(now, "socket", socket.count);
    if (errors !== undefined) {
      const message = `Cannot send or receive (${errors} times): ${socket.last}`;
      entries.push({ level: "warn", event: "socket", message, fields: { count: errors } });
    }
    return entries;
  }

  /** By how much a count has grown since it was reported; undefined where that is not due. */
  #rise(now: Instant, key: string, count: number): number | undefined {
    const before = this.#reported.get(key) ?? { count: 0, at: -Infinity };
    if (count === before.count || now < before.at + REPORT_INTERVAL) return undefined;
    this.#reported.set(key, { count, at: now });
    return count - before.count;
  }
}
