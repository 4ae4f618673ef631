/**
 * What a client asks its directory, and what comes of its registration.
 *
 * @module
 */
import type { Address } from "../wire/address.ts";
import type { Found, ListEntry } from "../wire/frame.ts";

/** What the directory is asked. */
export type Query = { kind: "lookUp"; id: number; name: string } | { kind: "list" };

/** What the dealings with the directory lead to. */
export type RegistrationEvent =
  /** `directoryKey`: the key that the directory showed to have. */
  | { kind: "registered"; id: number; name: string; seenAt: Address; directoryKey: Uint8Array }
  /** The first registration was refused, for one of `RefusalReason`. */
  | { kind: "refused"; reason: number }
  /** The first registration, or a query, was not answered. */
  | { kind: "timeout"; query: Query | undefined }
  /** `lost`: datagrams that were sent for it before the one that was answered, within `rttMs`. */
  | { kind: "found"; query: Query; client: Found; rttMs: number; lost: number }
  | { kind: "inactive"; query: Query; rttMs: number; lost: number }
  | { kind: "list"; clients: readonly ListEntry[] }
  | { kind: "lost" }
  | { kind: "back" }
  | { kind: "otherVersion"; version: number }
  /** Only a directory with a key that is not trusted answers. */
  | { kind: "otherKey"; directoryKey: Uint8Array }
  | { kind: "left"; acknowledged: boolean };
