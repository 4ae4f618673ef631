/**
 * The list of active clients, as it comes in several Listings.
 *
 * @module
 */
import type { ListEntry, Listing } from "../wire/frame.ts";

/** Clients in the longest list. */
export const LIST_LENGTH_MAX = 100_000;

/** The list that is being asked for, if any. */
export class ClientList {
  #clients: ListEntry[] | undefined;

  /** Whether it is being asked for. */
  get isOpen(): boolean {
    return this.#clients !== undefined;
  }

  /** The id after which the next Listing has to go on. */
  get after(): number {
    return this.#clients?.at(-1)?.id ?? 0;
  }

  /** Begins a list. */
  open(): void {
    this.#clients = [];
  }

  /** Takes a Listing; returns whether another one is needed. */
  add({ clients, more }: Listing): boolean {
    const isRising = (clients[0]?.id ?? 0) > this.after;
    if (isRising) this.#clients?.push(...clients);
    return isRising && more !== 0 && (this.#clients?.length ?? 0) < LIST_LENGTH_MAX;
  }

  /** Ends the list; returns what came. */
  close(): readonly ListEntry[] {
    const clients = this.#clients ?? [];
    this.#clients = undefined;
    return clients;
  }
}
