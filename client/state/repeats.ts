/**
 * Which lines about a connected peer the user gets that the peer can cause again and again.
 *
 * Whoever was accepted once comes back without being asked, as often as it likes, and may change its
 * path as often. So each key gets a few lines a minute, and all together as well; what is beyond is
 * counted, and the next line about that key says how often it was.
 *
 * @module
 */
import { BoundedMap } from "../../protocol/bounded_map.ts";
import { toHex } from "../../cli/hex.ts";
import type { Instant } from "../../protocol/machine.ts";
import type { ClientEvent } from "../event.ts";

/** Lines of one kind about one key in {@linkcode REPEATS_INTERVAL}. */
export const REPEATS_PER_KEY = 3;
/** Lines about all keys in {@linkcode REPEATS_INTERVAL}. */
export const REPEATS_MAX = 12;
/** Milliseconds. */
export const REPEATS_INTERVAL = 60_000;
/** Keys whose lines are remembered; of more, the oldest is forgotten. */
export const REPEATS_KEYS_MAX = 64;

/** The lines of one kind about one key. */
interface Lines {
  /** When the last ones were printed. */
  times: readonly Instant[];
  /** Events since then that have no line. */
  quiet: number;
}

/** The lines of the last minute. */
export class Repeats {
  readonly #lines = new BoundedMap<string, Lines>(REPEATS_KEYS_MAX);
  #all: readonly Instant[] = [];

  /** The event as it is to be told: where it can be repeated at will, maybe without a line. */
  mark(now: Instant, event: ClientEvent): ClientEvent {
    if (!hasLine(event)) return event;
    const subject = event.kind === "returned" ? toHex(event.key) : event.peer;
    const name = `${event.kind} ${subject}`;
    const { times, quiet } = this.#lines.get(name) ?? { times: [], quiet: 0 };
    const isTold = isFree(now, times, REPEATS_PER_KEY) && isFree(now, this.#all, REPEATS_MAX);
    this.#lines.set(name, {
      times: isTold ? [...times, now].slice(-REPEATS_PER_KEY) : times,
      quiet: isTold ? 0 : quiet + 1,
    });
    if (!isTold) return { ...event, isQuiet: true };
    this.#all = [...this.#all, now].slice(-REPEATS_MAX);
    return quiet > 0 ? { ...event, quietBefore: quiet } : event;
  }
}

type Repeated = Extract<ClientEvent, { kind: "returned" | "path" }>;

/** Whether it can be repeated, and has a line: only the way by the directory has one. */
function hasLine(event: ClientEvent): event is Repeated {
  if (event.kind === "path") return event.path === "carried" || event.before === "carried";
  return event.kind === "returned";
}

/** Whether there is room for one more in the last minute. */
function isFree(now: Instant, times: readonly Instant[], max: number): boolean {
  return times.length < max || now - times[0]! >= REPEATS_INTERVAL;
}
