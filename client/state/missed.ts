/**
 * The requests that ended before the user answered them.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { IncomingRequest } from "../../protocol/connection/incoming_requests.ts";
import type { MissedRequest } from "../event.ts";
import { isSameKey } from "../../protocol/crypto/x25519.ts";

/** Missed requests that are remembered; beyond that, the oldest is forgotten. */
export const MISSED_REQUESTS_MAX = 32;

type Entry = Omit<MissedRequest, "agoMs"> & { readonly at: Instant };

/** Missed requests: for each client and key, the last one. */
export class MissedRequests {
  #entries: Entry[] = [];

  /** Adds a missed request. */
  add(
    now: Instant,
    { requester: id, name, key }: IncomingRequest,
    why: MissedRequest["why"],
  ): void {
    this.forget(id, key);
    this.#entries.push({ id, name, key, why, at: now });
    if (this.#entries.length > MISSED_REQUESTS_MAX) this.#entries.shift();
  }

  /** Removes the request of a client and key. */
  forget(id: number, key: Uint8Array): void {
    this.#entries = this.#entries.filter((each) => each.id !== id || !isSameKey(each.key, key));
  }

  /** All of them, the latest first. */
  list(now: Instant): MissedRequest[] {
    return this.#entries.map(({ at, ...entry }) => ({ ...entry, agoMs: now - at })).reverse();
  }
}
