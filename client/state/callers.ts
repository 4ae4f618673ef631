/**
 * Which requests for a connection are reported to the user, and when.
 *
 * Anybody can call again and again, and under as many keys as it likes. So each key is reported once in
 * a while, and strangers, whose keys are not known, at a bounded rate; all others wait, and are counted.
 *
 * @module
 */
import { BoundedMap } from "../../protocol/bounded_map.ts";
import { toHex } from "../../cli/hex.ts";
import type { IncomingRequest } from "../../protocol/connection/incoming_requests.ts";
import { isSameKey } from "../../protocol/crypto/x25519.ts";
import type { Instant } from "../../protocol/machine.ts";
import { earlier } from "../../protocol/timers.ts";

/** Milliseconds from one line about a stranger's key to the next. */
export const STRANGER_PAUSE = 60_000;
/** The same for a known key. */
export const KNOWN_PAUSE = 10_000;
/** Lines about strangers in {@linkcode STRANGERS_INTERVAL}. */
export const STRANGERS_MAX = 6;
/** Milliseconds. */
export const STRANGERS_INTERVAL = 60_000;
/** Keys whose last line is remembered; of more, the oldest is forgotten. */
export const CALLERS_MAX = 256;

/** The last line about a key. */
interface Line {
  readonly at: Instant;
  readonly requester: number;
  readonly name: string;
}

/** The requests that ring, and the lines about them. */
export class Callers {
  readonly #isKnown: (key: Uint8Array) => boolean;
  /** By keys in hexadecimal, the latest last. */
  readonly #lines = new BoundedMap<string, Line>(CALLERS_MAX);
  /** When the last strangers were reported. */
  #strangers: Instant[] = [];
  /** Those that ring and were reported, and those that wait for that, oldest first. */
  #told: IncomingRequest[] = [];
  #quiet: IncomingRequest[] = [];

  /** @param isKnown whether the user has had to do with the owner of a static key. */
  constructor(isKnown: (key: Uint8Array) => boolean) {
    this.#isKnown = isKnown;
  }

  /** Takes a request that rings; returns whether to tell the user now. */
  ring(now: Instant, request: IncomingRequest): boolean {
    const isTold = this.#tell(now, request);
    (isTold ? this.#told : this.#quiet).push(request);
    return isTold;
  }

  /** Takes the end of a request that the user did not answer; returns whether to tell the user. */
  end(now: Instant, request: IncomingRequest): boolean {
    const [wasTold, wasQuiet] = [this.#told, this.#quiet].map((some) =>
      some.some((each) => isSameCaller(each, request))
    );
    this.drop(request);
    // One that never rang is a line of its own.
    return wasTold || !wasQuiet && this.#tell(now, request);
  }

  /** Takes the user's answer to a request: its key may ring again at once. */
  answer(request: IncomingRequest): void {
    this.#lines.delete(toHex(request.key));
    this.drop(request);
  }

  /** Forgets a request that is no more. */
  drop(request: IncomingRequest): void {
    const isOther = (each: IncomingRequest): boolean => !isSameCaller(each, request);
    this.#told = this.#told.filter(isOther);
    this.#quiet = this.#quiet.filter(isOther);
  }

  /** Whether not even the prompt shows a request: the last line about its key was not about this client. */
  isHidden(request: IncomingRequest): boolean {
    const line = this.#lines.get(toHex(request.key));
    const isSeen = line?.requester === request.requester && line.name === request.name;
    return !isSeen && this.#quiet.some((each) => isSameCaller(each, request));
  }

  /** Notes that the user has seen all. */
  showAll(): void {
    this.#told.push(...this.#quiet);
    this.#quiet = [];
  }

  /** Those that may be reported by now. */
  takeDue(now: Instant): IncomingRequest[] {
    const due = this.#quiet.filter((each) => this.#tell(now, each));
    this.#quiet = this.#quiet.filter((each) => !due.includes(each));
    this.#told.push(...due);
    return due;
  }

  /** When to call takeDue() next. */
  nextTimeout(): Instant | undefined {
    let timeout: Instant | undefined;
    for (const { key } of this.#quiet) timeout = earlier(timeout, this.#mayTellAt(key));
    return timeout;
  }

  /** Notes a line about a key, if there may be one. */
  #tell(now: Instant, { key, requester, name }: IncomingRequest): boolean {
    if (now < this.#mayTellAt(key)) return false;
    this.#lines.set(toHex(key), { at: now, requester, name });
    if (!this.#isKnown(key)) this.#strangers = [...this.#strangers, now].slice(-STRANGERS_MAX);
    return true;
  }

  #mayTellAt(key: Uint8Array): Instant {
    const { at: toldAt } = this.#lines.get(toHex(key)) ?? { at: -Infinity };
    if (this.#isKnown(key)) return toldAt + KNOWN_PAUSE;
    const [first = -Infinity] = this.#strangers;
    const isFull = this.#strangers.length === STRANGERS_MAX;
    return Math.max(toldAt + STRANGER_PAUSE, isFull ? first + STRANGERS_INTERVAL : -Infinity);
  }
}

/** Whether two requests are of one client, which may have made another one meanwhile. */
function isSameCaller(one: IncomingRequest, other: IncomingRequest): boolean {
  return one.requester === other.requester && isSameKey(one.key, other.key);
}
