/**
 * How long the peer of a connection may be silent, and what is asked meanwhile.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import { Timers } from "../timers.ts";
import { Recall } from "./recall.ts";

/** Milliseconds of silence from the peer after which a Connection Keepalive asks for an Ack. */
export const CONNECTION_KEEPALIVE = 10_000;
/** Milliseconds after which it is asked again, for as long as the peer stays silent. */
export const CONNECTION_PROBE_INTERVAL = 1_000;
/** Milliseconds of silence from the peer after which the connection is ended locally, at least. */
export const CONNECTION_TIMEOUT = 60_000;
/** Lost datagrams in a row whose repair is waited for beyond that. */
const REPAIRS = 2;
/**
 * Milliseconds that are waited for longer where the directory carries the datagrams: what goes over two
 * directories waits for their store, which may be gone for a minute.
 */
export const CARRIED_PATIENCE = 30_000;
/** Milliseconds that the peer has to answer, at least, after this end slept. */
export const WAKE_PATIENCE = 15_000;

/**
 * Milliseconds of silence from the peer after which the connection is ended locally: 60 s, and with
 * fixed timers, which try in 60 s no more than six times, 80 s.
 *
 * @param repairDelay milliseconds that a timer policy waits longer before it repairs anything.
 */
export function connectionTimeout(repairDelay: number): number {
  return CONNECTION_TIMEOUT + REPAIRS * repairDelay;
}

/** Watches the silence of one peer. */
export class Silence {
  /** When the directory is to be asked where the peer is. */
  readonly recall: Recall;
  readonly #timeout: number;
  readonly #timers = new Timers<"keepalive" | "end">();

  /**
   * @param repairDelay milliseconds that a timer policy waits longer before it repairs anything.
   * @param isCarried whether the directory carries the datagrams.
   */
  constructor(now: Instant, repairDelay: number, isCarried: boolean) {
    this.#timeout = connectionTimeout(repairDelay);
    this.recall = new Recall(now, repairDelay);
    this.onHeard(now, isCarried);
  }

  /**
   * Notes that the peer was heard; returns whether it left this end waiting for long.
   *
   * @param isCarried whether the directory carries the datagrams.
   */
  onHeard(now: Instant, isCarried: boolean): boolean {
    this.#timers.set("keepalive", now + CONNECTION_KEEPALIVE);
    this.#timers.set("end", now + this.#timeout + (isCarried ? CARRIED_PATIENCE : 0));
    return this.recall.onHeard(now);
  }

  /** Asks at once: this end slept, for so many milliseconds at most, in which the clock stood still. */
  handleWake(now: Instant, slept: number): void {
    const end = this.#timers.get("end") ?? Infinity;
    this.#timers.set("keepalive", now);
    this.#timers.set("end", Math.min(end, Math.max(end - slept, now + WAKE_PATIENCE)));
    this.recall.handleWake();
  }

  /** Whether the peer is to be asked for a sign; then it is asked again a little later. */
  isKeepaliveDue(now: Instant): boolean {
    const isDue = this.#timers.expire("keepalive", now);
    if (isDue) this.#timers.set("keepalive", now + CONNECTION_PROBE_INTERVAL);
    return isDue;
  }

  /** Whether the peer was silent for too long. */
  isOver(now: Instant): boolean {
    return this.#timers.expire("end", now);
  }

  /** Watches no more. */
  stop(): void {
    this.#timers.clearAll();
  }

  /** When something is due. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }
}
