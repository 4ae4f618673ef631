/**
 * What a directory has done, and what it has not, in numbers.
 *
 * @module
 */
import { RefusalReason } from "../protocol/wire/frame.ts";
import type { ClientLimitName, LimitName } from "./limits.ts";

/** Why a registration is refused, in an answer that says so. */
export type RefusalName = keyof typeof RefusalReason;

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
  | "output"
  /** What was for a client of another directory, which cannot be told now. */
  | "elsewhere";

/** Complete, as the type of the table sees to. */
const IS_DROP_REASON: Readonly<Record<DropReason, true>> = {
  size: true,
  magic: true,
  version: true,
  type: true,
  packet: true,
  frame: true,
  notRequest: true,
  unknown: true,
  secret: true,
  forged: true,
  replay: true,
  registrations: true,
  questions: true,
  strangers: true,
  calls: true,
  meetings: true,
  carry: true,
  carried: true,
  output: true,
  elsewhere: true,
};

/** All reasons, in the order of the manual. */
export const DROP_REASONS: readonly DropReason[] = Object.keys(IS_DROP_REASON) as DropReason[];

/** What a directory has done. */
export interface Totals {
  /** How many are active. */
  readonly clients: number;
  /** Registrations that were granted: of new clients, and of those that came back or moved. */
  readonly registrations: number;
  /** Look-ups that were answered. */
  readonly lookUps: number;
  /** Calls that led to a meeting. */
  readonly introductions: number;
  /** Datagrams that were carried from one client to another. */
  readonly carriedDatagrams: number;
  /** The bytes in them. */
  readonly carriedBytes: number;
  /** Registrations that were refused. */
  readonly refused: Partial<Record<RefusalName, number>>;
  readonly dropped: Partial<Record<DropReason, number>>;
}

/** The names of the reasons for a refusal, which are numbers in datagrams. */
const NAME_OF_REFUSAL: ReadonlyMap<number, RefusalName> = new Map(
  Object.entries(RefusalReason).map(([name, reason]) => [reason, name as RefusalName]),
);

/** All names of reasons for a refusal. */
export const REFUSAL_NAMES: readonly RefusalName[] = [...NAME_OF_REFUSAL.values()];

/** The name of one of {@linkcode RefusalReason}. */
export function refusalName(reason: number): RefusalName {
  return NAME_OF_REFUSAL.get(reason)!;
}
