/**
 * The requests that ended before the user answered them.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { IncomingRequest } from "../../protocol/connection/incoming_requests.ts";
import type { MissedRequest } from "../event.ts";
import { isSameKey } from "../../protocol/crypto/x25519.ts";

/** Missed requests that are remembered; beyond that, the oldest of a stranger is forgotten. */
export const MISSED_REQUESTS_MAX = 32;

type Entry = Omit<MissedRequest, "agoMs"> & { readonly at: Instant };

/** Missed requests: for each key, the last one, and how many there were. */
export class MissedRequests {
  readonly #isKnown: (key: Uint8Array) => boolean;
  #entries: Entry[] = [];

  /** @param isKnown whose requests are forgotten last. */
  constructor(isKnown: (key: Uint8Array) => boolean) {
    this.#isKnown = isKnown;
  }

  /** Adds a missed request. */
  add(
    now: Instant,
    { requester: id, name, key }: IncomingRequest,
    why: MissedRequest["why"],
  ): void {
    const before = this.#entries.find((each) => isSameKey(each.key, key));
    this.forget(key);
    this.#entries.push({ id, name, key, why, times: 1 + (before?.times ?? 0), at: now });
    if (this.#entries.length <= MISSED_REQUESTS_MAX) return;
    const stranger = this.#entries.findIndex((each) => !this.#isKnown(each.key));
    this.#entries.splice(Math.max(0, stranger), 1);
  }

  /** Removes the requests of a key. */
  forget(key: Uint8Array): void {
    this.#entries = this.#entries.filter((each) => !isSameKey(each.key, key));
  }

  /** All of them, the latest first. */
  list(now: Instant): MissedRequest[] {
    return this.#entries.map(({ at, ...entry }) => ({ ...entry, agoMs: now - at })).reverse();
  }
}
