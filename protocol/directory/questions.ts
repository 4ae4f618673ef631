/**
 * What a client asks its directory: look-ups, calls, and lists, which take several questions.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import type { Frame, Listing } from "../wire/frame.ts";
import { ClientList } from "./client_list.ts";
import {
  DIRECTORY_TIMEOUT,
  Outstanding,
  type OutstandingRequests,
  type Sent,
} from "./outstanding.ts";
import {
  lookUpEvent,
  mayAnswer,
  type Query,
  type RegistrationEvent,
} from "./registration_event.ts";

/** The questions of one client. */
export class Questions {
  readonly #outstanding: OutstandingRequests;
  readonly #list = new ClientList();

  /** Begins without any; those that are asked are added to `outstanding`. */
  constructor(outstanding: OutstandingRequests) {
    this.#outstanding = outstanding;
  }

  /** Asks for the list, unless one is under way. */
  list(now: Instant): void {
    if (this.#list.isOpen || this.#outstanding.isFull) return;
    this.#list.open();
    this.ask(now, { kind: "list" });
  }

  /** Adds a question. */
  ask(now: Instant, query: Query, resendMax?: number): Outstanding {
    const request = new Outstanding(now, "query", query, resendMax);
    this.#outstanding.add(request);
    return request;
  }

  /** The frame that asks it. */
  frame(query: Query): Frame {
    return query.kind === "list" ? { kind: "list", after: this.#list.after } : query;
  }

  /** Takes a frame of an Answer to a question; returns the event that it leads to. */
  handleFrame(
    now: Instant,
    frame: Frame,
    { query, transmissions }: Outstanding,
    sent: Sent,
  ): RegistrationEvent | undefined {
    switch (frame.kind) {
      case "found":
      case "inactive":
      case "meeting":
        if (!mayAnswer(frame, query)) return undefined;
        this.#outstanding.drop(query);
        return lookUpEvent(frame, query, now - sent.at, transmissions - 1);
      case "listing":
        return query?.kind === "list" ? this.#handleListing(now, query, frame) : undefined;
      default:
        return undefined;
    }
  }

  /** Gives up what was asked too long ago; returns the events. */
  takeTimedOut(now: Instant): RegistrationEvent[] {
    return this.#giveUp("timeout", now - DIRECTORY_TIMEOUT);
  }

  /** Gives up all: the directory cannot answer now; returns the events. */
  takeUnavailable(): RegistrationEvent[] {
    return this.#giveUp("unavailable", Infinity);
  }

  #giveUp(kind: "timeout" | "unavailable", before: Instant): RegistrationEvent[] {
    return this.#outstanding.takeQueries(before).map((query) => {
      if (query.kind === "list") this.#list.close();
      return { kind, query };
    });
  }

  #handleListing(now: Instant, query: Query, listing: Listing): RegistrationEvent | undefined {
    this.#outstanding.drop(query);
    if (!this.#list.isOpen) return undefined;
    const isMore = this.#list.add(listing) && !this.#outstanding.isFull;
    if (!isMore) return { kind: "list", clients: this.#list.close() };
    this.ask(now, { kind: "list" });
    return undefined;
  }
}
