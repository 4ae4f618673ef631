/**
 * A store that several directories share, as a directory sees it: questions out, inputs in.
 *
 * The store knows nothing of clients. It keeps records with versions, and changes several of them in
 * one step if none has changed meanwhile; each change has the next number and goes to all directories.
 * What a change means is decided by the directories, all by the same rules, so that a store is small,
 * whichever it is.
 *
 * @module
 */

/**
 * Milliseconds that a lease's records outlive it, for what nobody is there to end. After that its
 * records are gone, but the lease is still there until it is removed: its end is still to be told.
 */
export const LEASE_MARGIN = 60_000;
/** Records in a page of {@linkcode PageInput}; a store may give a few more. */
export const PAGE_LENGTH_MAX = 1000;
/** The most leases in one {@linkcode DueQuestion}'s answer. */
export const DUE_MAX = 200;

/** A record to be written. */
export interface Put {
  readonly key: string;
  /** JSON, by convention. */
  readonly value: string;
  /** Milliseconds that it is kept, whole and above 0; undefined where it is of the commit's lease. */
  readonly ttl?: number;
}

/**
 * Records that live and end together: their keys, one at least, which name the lease. They are kept
 * until the lease is renewed no more, or is removed.
 */
export type Lease = readonly string[];

/**
 * Changes records in one step, first `removes`, then `puts`, where each of `checks` has the version;
 * answered by a commit input. The numbers of changes rise by one. They start anew, at a higher one,
 * where the store was emptied.
 */
export interface CommitQuestion {
  readonly kind: "commit";
  /** Chosen by the directory, rising. */
  readonly number: number;
  /** Keys with the versions that they must have: the number of the change that wrote them, 0 for none. */
  readonly checks: readonly (readonly [key: string, version: number])[];
  /** Leases that must be there, and over: for a change that nobody else may make before. */
  readonly over: readonly Lease[];
  /** Leases to be removed, with their records; one that is not there is no matter. */
  readonly removes: readonly Lease[];
  readonly puts: readonly Put[];
  /** The lease that puts without a `ttl` belong to, and how long it lasts from now on, as a `ttl`. */
  readonly lease: { readonly keys: Lease; readonly ttl: number } | undefined;
  /** What all directories get to see with the change's number. */
  readonly change: string;
}

/**
 * Lets leases last `ttl` milliseconds from now on, those that are over, too; answered by those that
 * are not there any more, or lack a record.
 */
export interface RenewQuestion {
  readonly kind: "renew";
  readonly leases: readonly Lease[];
  readonly ttl: number;
}

/**
 * Asks which leases are over, {@linkcode DUE_MAX} at most, the oldest first, and what the last change
 * was: up to this one, all changes come before the answer.
 */
export interface DueQuestion {
  readonly kind: "due";
  /** Chosen by the directory; its answer has the same. */
  readonly number: number;
}

/** Asks for all records, a page at a time. */
export interface LoadQuestion {
  readonly kind: "load";
  /** Chosen by the directory; its answer has the same. */
  readonly number: number;
  /** Empty for the first page. */
  readonly cursor: string;
}

/** Sends something to one other directory, at most once. */
export interface SendQuestion {
  readonly kind: "send";
  /** The other directory, by the number that it chose for itself. */
  readonly directory: number;
  readonly message: string;
}

/** What a directory asks of its store; all that waits is asked together, in order. */
export type StoreQuestion =
  | CommitQuestion
  | RenewQuestion
  | DueQuestion
  | LoadQuestion
  | SendQuestion;

/** A record as it is kept. */
export interface StoreRecord {
  readonly key: string;
  /** The number of the change that wrote it. */
  readonly version: number;
  readonly value: string;
}

/** The records at some time while they are loaded: some may be stale, some come twice. */
export interface PageInput {
  readonly kind: "page";
  readonly number: number;
  readonly records: readonly StoreRecord[];
  /** Empty after the last page. */
  readonly cursor: string;
  /** The store's clock, in milliseconds since 1970. */
  readonly time: number;
}

/** What comes from a store. */
export type StoreInput =
  /** It can be asked, and from now on its changes come, without a gap unless it says so. */
  | { readonly kind: "up" }
  /** It cannot be asked, for a reason to log; questions without an answer get none. */
  | { readonly kind: "down"; readonly reason: string }
  /**
   * `last` is the number of this change, or of the last one before where a check failed; 0 for none.
   * The change itself may come before or after.
   */
  | {
    readonly kind: "commit";
    readonly number: number;
    readonly isDone: boolean;
    readonly last: number;
  }
  | { readonly kind: "renew"; readonly missing: readonly Lease[] }
  | {
    readonly kind: "due";
    readonly number: number;
    readonly leases: readonly Lease[];
    readonly last: number;
  }
  | PageInput
  /** A change of any directory, this one included, in the order of the numbers. */
  | {
    readonly kind: "change";
    readonly number: number;
    /** The store's clock, in milliseconds since 1970. */
    readonly time: number;
    readonly change: string;
  }
  /** From another directory. */
  | { readonly kind: "message"; readonly message: string };
