/**
 * What a client has to tell its user; render.ts turns it into words or JSON.
 *
 * @module
 */
import type { Address } from "../protocol/wire/address.ts";
import type { ListEntry } from "../protocol/wire/frame.ts";
import type { Peer } from "./peer.ts";

/** Why a command or the client itself failed. */
export type ErrorCode =
  /** The directory did not answer. */
  | "serverTimeout"
  /** The directory refused to register this client. */
  | "refused"
  /** The directory or a peer speaks another version. */
  | "version"
  /** Nothing came back from the peer. */
  | "peerTimeout"
  /** A command that makes no sense now: not connected, nobody is ringing, … */
  | "notRegistered"
  | "notConnected"
  | "noRequest"
  | "alreadyConnected"
  | "alreadyRequesting"
  /** No room for another connection. */
  | "tooManyConnections"
  | "self"
  /** Nobody is known by that id, name or fingerprint, or more than one. */
  | "unknownPeer"
  /** The file of known peers cannot be read or written. */
  | "knownPeers"
  /** The transcript cannot be opened or written. */
  | "log"
  /** A text above the limit, or more texts than the queue holds. */
  | "tooLong"
  | "queueFull"
  /** A command that cannot be understood. */
  | "usage";

/** A command or the client itself failed. */
export interface ErrorEvent {
  readonly kind: "error";
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
}

/** Makes an {@linkcode ErrorEvent}. */
export function errorEvent(code: ErrorCode, message: string): ErrorEvent {
  return { kind: "error", code, message };
}

/** Whose key it is, as far as this client remembers. */
export interface IdentityEvent {
  readonly kind: "identity";
  readonly peer: number;
  readonly name: string;
  readonly fingerprint: string;
  /** Whether the key was met before; `changed`: another key had that name. */
  readonly known: "same" | "new" | "changed";
  /** Whether it is the key of this client's own user. */
  readonly isOwn: boolean;
  /** The name that the key had before, where that was another one; empty for none. */
  readonly formerName: string;
  /** When the other key that had the name was met last. */
  readonly lastSeen: Date | undefined;
}

/** A request that came to nothing before the user answered it. */
export interface MissedRequest {
  readonly id: number;
  readonly name: string;
  readonly key: Uint8Array;
  readonly why: "cancelled" | "expired" | "busy";
  /** How long ago that was, in milliseconds. */
  readonly agoMs: number;
}

/** Everything that a client tells, by `kind`. Times and round-trip times are in milliseconds. */
export type ClientEvent =
  | { kind: "registered"; id: number; name: string; address: Address; server: string }
  | { kind: "serverLost"; server: string }
  | { kind: "serverBack"; server: string }
  | { kind: "requesting"; peer: number; attempt: number; nextInMs: number }
  | { kind: "ringing"; peer: number }
  | { kind: "inactive"; peer: Peer }
  /** `reason` is one of `RejectReason`. */
  | { kind: "rejected"; peer: number; reason: number }
  /** The user cancelled an outgoing request. */
  | { kind: "cancelled"; peer: Peer }
  /**
   * Somebody wants to connect. `isAgain`: the client that one is connected with, started anew. `key`:
   * its static public key.
   */
  | { kind: "request"; peer: number; name: string; key: Uint8Array; isAgain: boolean }
  /** An incoming request is no more; `busy`: rejected because the client was busy. */
  | { kind: "requestEnded"; peer: number; name: string; why: "cancelled" | "expired" | "busy" }
  /** `hash`: of the handshake, the same on both sides. `isAside`: another connection stays current. */
  | {
    kind: "connected";
    peer: number;
    name: string;
    key: Uint8Array;
    hash: Uint8Array;
    isAside?: true;
  }
  /** The current connection is another one now: the user chose it, or the one before has ended. */
  | { kind: "current"; peer: number; name: string; why: "chosen" | "ended" }
  /** The requests that wait for the user, oldest first, and the missed ones, latest first. */
  | {
    kind: "requests";
    pending: readonly { id: number; name: string; key: Uint8Array }[];
    missed: readonly MissedRequest[];
  }
  /** Whose key it is: follows a request and a connection. */
  | IdentityEvent
  | { kind: "sent"; peer: number; textSeq: number }
  | { kind: "delivered"; peer: number; textSeq: number; rttMs: number }
  | { kind: "unconfirmed"; peer: number; textSeq: number }
  | { kind: "message"; peer: number; name: string; textSeq: number; text: string }
  | {
    kind: "terminated";
    peer: number;
    name: string;
    by: "local" | "peer" | "timeout";
    undelivered: number;
  }
  | { kind: "list"; clients: readonly ListEntry[] }
  /** The last event. `acknowledged`: by the directory. */
  | { kind: "left"; undelivered: number; acknowledged: boolean }
  | ErrorEvent;
