/**
 * What a directory has done, and what it has not, in numbers.
 *
 * @module
 */
import type { ClientLimitName, LimitName } from "./limits.ts";

/** Why something that came, or an answer to it, came to nothing. */
export type DropReason =
  /** Under 16 or over 1200 bytes; or a Call with fewer bytes than what it brings about. */
  | "size"
  /** Not of this protocol. */
  | "magic"
  /** Of another version; answered, unless it was an answer. */
  | "version"
  /** A type of datagram that this version does not know. */
  | "type"
  /** A packet counter above 2^53 - 1. */
  | "packet"
  /** A frame that is cut short, too long or malformed. */
  | "frame"
  /** A datagram that is none for a directory, or none that a directory can do anything with. */
  | "notRequest"
  /** A request of a client that is not in the table, or from another address than its. */
  | "unknown"
  /** A Register without the secret that a private directory asks for. */
  | "secret"
  /** A Register or a request that is not sealed with the key of its client. */
  | "forged"
  /** A Register or a request that had its effect before. */
  | "replay"
  /** Beyond what one source, or all together, may have: see `limits.ts`. */
  | LimitName
  | ClientLimitName
  /** What is not carried: no datagram of a client to one that it has met, or nothing is carried. */
  | "carry"
  /** An answer, because too many wait to be sent. */
  | "output";

/** What a directory has done. */
export interface Totals {
  /** How many are active. */
  readonly clients: number;
  /** Look-ups that were answered. */
  readonly lookUps: number;
  /** Calls that led to a meeting. */
  readonly introductions: number;
  /** Bytes that were carried from one client to another. */
  readonly carriedBytes: number;
  readonly dropped: Partial<Record<DropReason, number>>;
}
