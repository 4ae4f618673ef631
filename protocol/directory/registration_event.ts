/**
 * What a client asks its directory, and the events of its registration.
 *
 * @module
 */
import type { KeyPair } from "../crypto/x25519.ts";
import type { Random } from "../machine.ts";
import type { TimerPolicy } from "../recovery/timer_policy.ts";
import type { Address } from "../wire/address.ts";
import type { MoveReason } from "./directory_choice.ts";
import type { EntryToken } from "./entry_token.ts";
import type { Found, Frame, Inactive, ListEntry, Meeting } from "../wire/frame.ts";

/** What a client asks to be registered as, and where. */
export interface RegistrationRequest {
  /** Where the directory is, one address at least: all are tried, and the first to answer is used. */
  readonly directoryAddresses: readonly Address[];
  /** The client id, 0 for any. */
  readonly id: number;
  /** Empty for none. */
  readonly name: string;
  /** Names that do as well where that is not free, in turn; an empty one for none. */
  readonly otherNames?: readonly string[] | undefined;
  /** The entry of an earlier run, to be continued. */
  readonly formerEntry?: EntryToken | undefined;
  /** The UDP port that the socket is bound to. */
  readonly port: number;
  /** The static key that others are told. */
  readonly identity: KeyPair;
  /** The secret of a private directory. */
  readonly secret?: Uint8Array | undefined;
  /** Whether a directory with this static key may be used; any may where it is left out. */
  readonly isTrusted?: ((directoryKey: Uint8Array) => boolean) | undefined;
  /** When to send again. */
  readonly policy: TimerPolicy;
  /** A cryptographic source. */
  readonly random: Random;
}

/** What the directory is asked about one client. */
export interface ClientQuery {
  /** Only where it is, or to meet it. */
  readonly kind: "lookUp" | "call";
  /** Its client id, 0 where only the name is known. */
  readonly id: number;
  /** Its name, empty where the id is known. */
  readonly name: string;
}

/** What the directory is asked. */
export type Query = ClientQuery | { kind: "list" };

/** What the dealings with the directory lead to. */
export type RegistrationEvent =
  /** The entry of this client, which registered before, has another token now. */
  | { kind: "entry" }
  /**
   * `lostName`: the name that somebody else has meanwhile, and that is asked for until it is free, else
   * empty; `directoryKey`: the key that the directory showed to have, which is at `directoryAddress`;
   * `isFormer`: the entry of the earlier run goes on.
   */
  | {
    kind: "registered";
    id: number;
    name: string;
    lostName: string;
    seenAt: Address;
    directoryKey: Uint8Array;
    directoryAddress: Address;
    isFormer: boolean;
  }
  /** Another name was not granted, for one of `RefusalReason`; undefined for no answer. */
  | { kind: "nameRefused"; name: string; reason: number | undefined }
  /** The first registration was refused, for one of `RefusalReason`. */
  | { kind: "refused"; reason: number }
  /** The first registration, or a query, was not answered. */
  | { kind: "timeout"; query: Query | undefined }
  /** No directory can answer this query now; without one, the first registration is tried again. */
  | { kind: "unavailable"; query: Query | undefined }
  /** The registration goes on at another address. */
  | { kind: "moved"; why: MoveReason; from: Address; to: Address }
  /** `lost`: datagrams that were sent for it before the one that was answered, within `rttMs`. */
  | { kind: "found"; query: Query; client: Found; rttMs: number; lost: number }
  | { kind: "inactive"; query: Query; rttMs: number; lost: number }
  /** `query`: the call that it answers; undefined where the peer called. */
  | { kind: "meeting"; query: Query | undefined; meeting: Meeting }
  /** A datagram that the directory carried for the client with the id `from`. */
  | { kind: "carried"; from: number; datagram: Uint8Array }
  | { kind: "list"; clients: readonly ListEntry[] }
  /** No directory answers. */
  | { kind: "lost" }
  /** The one that was lost answers again; where another one does, that is a `moved`. */
  | { kind: "back" }
  | { kind: "otherVersion"; version: number }
  /** Only a directory with a key that is not trusted answers. */
  | { kind: "otherKey"; directoryKey: Uint8Array }
  | { kind: "left"; acknowledged: boolean };

/** Whether this is an answer to that question: only a look-up leads to Found. */
export function mayAnswer(
  { kind }: Found | Inactive | Meeting,
  query: Query | undefined,
): query is ClientQuery {
  return query?.kind === "lookUp" && kind !== "meeting" ||
    query?.kind === "call" && kind !== "found";
}

/** The event of an answer to a look-up or a call; the frame may be in a reused buffer. */
export function lookUpEvent(
  frame: Found | Inactive | Meeting,
  query: Query,
  rttMs: number,
  lost: number,
): RegistrationEvent {
  if (frame.kind === "meeting") return meetingEvent(frame, query);
  const measured = { query, rttMs, lost };
  if (frame.kind === "inactive") return { kind: "inactive", ...measured };
  const client = { ...frame, publicKey: frame.publicKey.slice() };
  return { kind: "found", client, ...measured };
}

/** The event of a Meeting; the frame may be in a reused buffer. */
function meetingEvent(frame: Meeting, query: Query | undefined): RegistrationEvent {
  return { kind: "meeting", query, meeting: { ...frame, publicKey: frame.publicKey.slice() } };
}

/** The events of a frame in a Notice; the frame may be in a reused buffer. */
export function noticeEvents(frame: Frame): RegistrationEvent[] {
  if (frame.kind === "meeting") return [meetingEvent(frame, undefined)];
  if (frame.kind !== "carried") return [];
  return [{ kind: "carried", from: frame.from, datagram: frame.datagram.slice() }];
}
