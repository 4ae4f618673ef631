/**
 * A store in memory that keeps to the contract of `server/store/store.ts`, for tests on virtual time.
 *
 * It answers at once and loses nothing: its caller delays, drops and repeats.
 *
 * @module
 */
import { Fifo } from "../../protocol/fifo.ts";
import type { Instant } from "../../protocol/machine.ts";
import {
  type CommitQuestion,
  DUE_MAX,
  type Lease,
  LEASE_MARGIN,
  type LoadQuestion,
  PAGE_LENGTH_MAX,
  type RenewQuestion,
  type StoreInput,
  type StoreQuestion,
} from "../../server/store/store.ts";

/** The store's clock at instant 0, so that nothing takes one clock for the other; a time slot begins. */
export const STORE_EPOCH = 1_700_000_010_000;
/** In a millisecond. A store that was emptied counts on from its clock in these. */
const MICROSECONDS = 1000;

interface KeptRecord {
  readonly version: number;
  readonly value: string;
  /** By the store's clock. */
  expiresAt: number;
}

interface KeptLease {
  readonly keys: Lease;
  /** By the store's clock. */
  readonly endsAt: number;
}

/** A store, with a queue of inputs for each directory that is attached. */
export class SimulatedStore {
  readonly #pageLength: number;
  readonly #records = new Map<string, KeptRecord>();
  /** By their names. */
  readonly #leases = new Map<string, KeptLease>();
  readonly #inputs = new Map<number, Fifo<StoreInput>>();
  #last = 0;

  constructor(pageLength: number = PAGE_LENGTH_MAX) {
    this.#pageLength = pageLength;
  }

  /** Connects a directory: the store is up for it. */
  attach(directory: number): void {
    const inputs = new Fifo<StoreInput>();
    inputs.push({ kind: "up" });
    this.#inputs.set(directory, inputs);
  }

  /** Disconnects a directory, which loses what it has not polled; its caller reports it as down. */
  detach(directory: number): void {
    this.#inputs.delete(directory);
  }

  /** Takes a question of a directory; one of a directory that is not attached is lost. */
  ask(now: Instant, directory: number, question: StoreQuestion): void {
    const inputs = this.#inputs.get(directory);
    if (inputs === undefined) return;
    const time = STORE_EPOCH + Math.floor(now);
    this.#expire(time);
    if (question.kind === "send") {
      this.#inputs.get(question.directory)?.push({ kind: "message", message: question.message });
    } else inputs.push(this.#answer(time, question));
  }

  /** The next input of a directory, undefined for none yet. */
  poll(directory: number): StoreInput | undefined {
    return this.#inputs.get(directory)?.shift();
  }

  /** Loses everything, as an operator may have it do; nobody is disconnected by that. */
  forget(): void {
    this.#records.clear();
    this.#leases.clear();
    this.#last = 0;
  }

  #answer(time: number, question: Exclude<StoreQuestion, { kind: "send" }>): StoreInput {
    switch (question.kind) {
      case "commit":
        return this.#commit(time, question);
      case "renew":
        return this.#renew(time, question);
      case "due": {
        const leases = this.#due(time).map(({ keys }) => keys);
        return { kind: "due", number: question.number, leases, last: this.#last };
      }
      case "load":
        return this.#load(time, question);
    }
  }

  #commit(time: number, commit: CommitQuestion): StoreInput {
    const { number, checks, over, removes, puts, lease, change } = commit;
    const isCurrent = checks.every(([key, version]) =>
      (this.#records.get(key)?.version ?? 0) === version
    );
    const areOver = over.every((keys) => {
      const kept = this.#leases.get(nameOf(keys));
      return kept !== undefined && kept.endsAt <= time;
    });
    if (!isCurrent || !areOver) return { kind: "commit", number, isDone: false, last: this.#last };
    if (this.#last === 0) this.#last = MICROSECONDS * time;
    this.#last++;
    for (const keys of removes) this.#remove(time, keys);
    for (const { key, value, ttl = lease?.ttl } of puts) {
      if (ttl === undefined) throw new Error(`Cannot put ${key}: it has neither ttl nor lease`);
      this.#records.set(key, { version: this.#last, value, expiresAt: time + ttl });
    }
    if (lease !== undefined) this.#extend(time, lease.keys, lease.ttl);
    for (const inputs of this.#inputs.values()) {
      inputs.push({ kind: "change", number: this.#last, time, change });
    }
    return { kind: "commit", number, isDone: true, last: this.#last };
  }

  #renew(time: number, { leases, ttl }: RenewQuestion): StoreInput {
    const missing = leases.filter((keys) => {
      const kept = this.#leases.get(nameOf(keys));
      const isThere = kept !== undefined && hasRecords(time, kept) &&
        keys.every((key) => this.#records.has(key));
      if (isThere) this.#extend(time, keys, ttl);
      return !isThere;
    });
    return { kind: "renew", missing };
  }

  /** The leases that are over, the oldest first. */
  #due(time: number): KeptLease[] {
    return [...this.#leases.entries()].filter(([, { endsAt }]) => endsAt <= time)
      .toSorted(([a, { endsAt: endA }], [b, { endsAt: endB }]) => endA - endB || (a < b ? -1 : 1))
      .slice(0, DUE_MAX).map(([, lease]) => lease);
  }

  /** A page by rising keys, which begins with the last record before: some may come twice. */
  #load(time: number, { number, cursor }: LoadQuestion): StoreInput {
    const rest = [...this.#records].map(([key, { version, value }]) => ({ key, version, value }))
      .filter(({ key }) => key >= cursor).toSorted((a, b) => a.key < b.key ? -1 : 1);
    const records = rest.slice(0, this.#pageLength + 1);
    const next = rest.length > records.length ? records.at(-1)!.key : "";
    return { kind: "page", number, records, cursor: next, time };
  }

  /** Lets a lease end `ttl` from now on, and its records after that. */
  #extend(time: number, keys: Lease, ttl: number): void {
    const endsAt = time + ttl;
    this.#leases.set(nameOf(keys), { keys, endsAt });
    for (const key of keys) {
      const record = this.#records.get(key);
      if (record !== undefined) record.expiresAt = endsAt + LEASE_MARGIN;
    }
  }

  #remove(time: number, keys: Lease): void {
    const kept = this.#leases.get(nameOf(keys));
    this.#leases.delete(nameOf(keys));
    // Where its records are gone, those under its keys now are of another lease.
    if (kept === undefined || !hasRecords(time, kept)) return;
    for (const key of keys) this.#records.delete(key);
  }

  #expire(time: number): void {
    for (const [key, { expiresAt }] of this.#records) {
      if (expiresAt <= time) this.#records.delete(key);
    }
  }
}

function nameOf(keys: Lease): string {
  return JSON.stringify(keys);
}

/** Whether the records of a lease have not expired. */
function hasRecords(time: number, { endsAt }: KeptLease): boolean {
  return endsAt + LEASE_MARGIN > time;
}
