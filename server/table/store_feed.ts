/**
 * What a directory has seen of its store: all records once, and then every change in order.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { Timers } from "../../protocol/timers.ts";
import {
  DUE_MAX,
  type Lease,
  type StoreInput,
  type StoreQuestion,
  type StoreRecord,
} from "../store/store.ts";

/** Milliseconds between two questions that show whether the store answers, and what is due. */
export const DUE_INTERVAL = 1_000;
/** The same where more leases are over than an answer has. */
const DUE_INTERVAL_SHORT = DUE_INTERVAL / 10;
/** Milliseconds after which a store that does not answer counts as down. */
export const STORE_TIMEOUT = 3_000;
/** Changes that wait while records are loaded; where there are more, loading starts again. */
export const WAITING_CHANGES_MAX = 100_000;

type ChangeInput = Extract<StoreInput, { kind: "change" }>;

/** Called with what is new. */
export interface FeedHandlers {
  /** Asks the store. */
  ask(question: StoreQuestion): void;
  /** All records follow. */
  begin(): void;
  /** A record; one comes again where it is of a newer version. */
  record(now: Instant, record: StoreRecord): void;
  /** All records are there. */
  loaded(now: Instant): void;
  /** The next change; one that the records had in them comes, too. */
  change(now: Instant, input: ChangeInput): void;
  /** Leases that are over. */
  due(now: Instant, leases: readonly Lease[]): void;
  /** The store is down: until `begin` nothing comes. */
  down(now: Instant): void;
}

/** Follows one store. */
export class StoreFeed {
  readonly #handlers: FeedHandlers;
  #state: "down" | "loading" | "live" = "down";
  /** The number of the change that came last, or was the last one before the records were asked for. */
  #last = 0;
  /** The highest number of a change that was seen, in a record or by itself. */
  #newest = 0;
  /** What waits for the records. */
  #waiting: ChangeInput[] = [];
  #number = 0;
  /** The number of the question for a page that has no answer yet. */
  #page: number | undefined;
  /** The question about what is due that has no answer yet. */
  #due: { readonly number: number; readonly newest: number } | undefined;
  /** What the store said was its last change, while that had not come. */
  #awaited: number | undefined;
  /** What its clock is ahead of ours. */
  #offset = 0;
  readonly #timers = new Timers<"due" | "timeout">();

  constructor(handlers: FeedHandlers) {
    this.#handlers = handlers;
  }

  /** Whether all records are there, and every change so far. */
  get isLive(): boolean {
    return this.#state === "live";
  }

  /** The number of the last change, 0 for none. */
  get last(): number {
    return this.#last;
  }

  /** The store's clock at an instant. */
  storeTime(now: Instant): number {
    return Math.round(now + this.#offset);
  }

  /** The instant for a time of the store's clock. */
  instantOf(time: number): Instant {
    return time - this.#offset;
  }

  /** Takes what is no answer to a question of others. */
  handle(now: Instant, input: StoreInput): void {
    switch (input.kind) {
      case "up":
        return this.#load(now);
      case "down":
        return this.#fall(now);
      case "page":
        if (this.#state !== "loading" || input.number !== this.#page) return;
        this.#offset = input.time - now;
        for (const record of input.records) this.#takeRecord(now, record);
        return input.cursor === "" ? this.#finishLoad(now) : this.#askPage(now, input.cursor);
      case "change":
        if (this.#state === "loading") return this.#wait(now, input);
        if (this.#state === "live") this.#take(now, input);
        return;
      case "due":
        return this.#handleDue(now, input.number, input.last, input.leases);
    }
  }

  handleTimeout(now: Instant): void {
    if (this.#timers.expire("timeout", now)) this.#fall(now);
    if (!this.#timers.expire("due", now)) return;
    this.#timers.set("due", now + DUE_INTERVAL);
    // A slow store has one at a time; a lost answer makes it down.
    const isFree = this.#state === "live" && this.#due === undefined;
    if (isFree || this.#state === "down") this.#askDue(now);
  }

  #askDue(now: Instant): void {
    const number = ++this.#number;
    this.#due = { number, newest: this.#newest };
    this.#handlers.ask({ kind: "due", number });
    if (this.#state !== "down") this.#timers.set("timeout", now + STORE_TIMEOUT);
  }

  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** Loads everything: it is not known what was missed. */
  #load(now: Instant): void {
    this.#state = "loading";
    this.#newest = 0;
    this.#awaited = undefined;
    this.#waiting = [];
    this.#page = undefined;
    this.#handlers.begin();
    // What comes after the last change now is in the feed.
    this.#askDue(now);
    this.#timers.set("due", now + DUE_INTERVAL);
  }

  #askPage(now: Instant, cursor: string): void {
    this.#page = ++this.#number;
    this.#handlers.ask({ kind: "load", number: this.#page, cursor });
    this.#timers.set("timeout", now + STORE_TIMEOUT);
  }

  #takeRecord(now: Instant, record: StoreRecord): void {
    this.#newest = Math.max(this.#newest, record.version);
    this.#handlers.record(now, record);
  }

  #finishLoad(now: Instant): void {
    this.#state = "live";
    this.#page = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const input of waiting) {
      // A gap starts another load, which has everything.
      if (this.#state === "live") this.#take(now, input);
    }
    if (this.#state !== "live") return;
    this.#timers.clear("timeout");
    this.#handlers.loaded(now);
  }

  #wait(now: Instant, input: ChangeInput): void {
    if (this.#waiting.length >= WAITING_CHANGES_MAX) return this.#load(now);
    this.#waiting.push(input);
  }

  #take(now: Instant, input: ChangeInput): void {
    const { number, time } = input;
    if (number <= this.#last) return;
    // The first one in an empty store has any number.
    if (this.#last !== 0 && number !== this.#last + 1) return this.#load(now);
    this.#last = number;
    this.#newest = Math.max(this.#newest, number);
    this.#offset = time - now;
    this.#handlers.change(now, input);
  }

  /** An answer shows that the store is there, that it has forgotten, or that changes were lost. */
  #handleDue(now: Instant, number: number, last: number, leases: readonly Lease[]): void {
    // Any answer shows that the store is there.
    if (this.#state === "down") return this.#load(now);
    if (number !== this.#due?.number) return;
    const { newest } = this.#due;
    this.#due = undefined;
    if (this.#state === "loading") {
      this.#last = last;
      return this.#askPage(now, "");
    }
    this.#timers.clear("timeout");
    const isLost = this.#awaited !== undefined && this.#last < this.#awaited;
    this.#awaited = last > this.#last ? last : undefined;
    if (last < newest || isLost) return this.#load(now);
    this.#handlers.due(now, leases);
    if (leases.length >= DUE_MAX) this.#timers.set("due", now + DUE_INTERVAL_SHORT);
  }

  #fall(now: Instant): void {
    this.#timers.clear("timeout");
    // A store that is only slow shows by an answer that it is there.
    if (this.#state === "down") return;
    this.#state = "down";
    this.#waiting = [];
    this.#page = undefined;
    this.#handlers.down(now);
  }
}
