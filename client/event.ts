/**
 * The events that a client reports to its user; output/ renders them as words or JSON.
 *
 * @module
 */
import type { PathKind } from "../protocol/wire/remote.ts";
import type { Address } from "../protocol/wire/address.ts";
import type { ListEntry } from "../protocol/wire/frame.ts";
import type { Peer } from "./peer.ts";

/** What a connected peer can make happen as often as it likes. */
export interface Repeatable {
  /** Whether it happened so often of late that it gets no line. */
  readonly isQuiet?: true;
  /** How often it happened without a line since the last one. */
  readonly quietBefore?: number;
}

/** Why a command or the client itself failed. */
export type ErrorCode =
  /** The directory did not answer. */
  | "serverTimeout"
  /** The directory answers, but cannot register or look up anybody now. */
  | "serverUnavailable"
  /** The directory refused to register this client. */
  | "refused"
  /** The directory or a peer speaks another version. */
  | "version"
  /** The directory has another key than the one that is trusted. */
  | "serverKey"
  /** A peer has another key than the one that is trusted. */
  | "peerKey"
  /** The peer did not answer. */
  | "peerTimeout"
  /** A command that is not possible now: not connected, no request, … */
  | "notRegistered"
  | "notConnected"
  | "noRequest"
  | "alreadyConnected"
  | "alreadyRequesting"
  /** No room for another connection. */
  | "tooManyConnections"
  | "self"
  /** No client matches the id, name or fingerprint, or more than one. */
  | "unknownPeer"
  /** The file of known peers cannot be read or written. */
  | "knownPeers"
  /** The transcript cannot be opened or written. */
  | "log"
  /** A text above the limit; more texts than the queue holds. */
  | "tooLong"
  | "queueFull"
  /** Nothing came within `--timeout` or `--wait-reply`. */
  | "timeout"
  /** A line of the input that is not UTF-8. */
  | "encoding"
  /** A command that cannot be parsed. */
  | "usage";

/** A command or the client itself failed. */
export interface ErrorEvent {
  readonly kind: "error";
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
  /** What it is the answer to, where that was asked some time before. */
  readonly of?: "list" | "nick" | { readonly calledAs: Peer };
}

/** Makes an {@linkcode ErrorEvent}. */
export function errorEvent(code: ErrorCode, message: string, of?: ErrorEvent["of"]): ErrorEvent {
  return { kind: "error", code, message, ...of !== undefined && { of } };
}

/** A key, with the name of its owner, and the client id where that is known. */
export interface KeyOfClient {
  readonly id: number | undefined;
  readonly name: string;
  readonly fingerprint: string;
}

/** The answer to a command that the client itself carries out; see `PeerMemory` and `Transcript`. */
export type AnswerEvent =
  | { readonly kind: "fingerprint"; readonly fingerprint: string; readonly file?: string }
  | {
    readonly kind: "verify";
    readonly peer: number;
    readonly name: string;
    readonly digits: string;
  }
  | { readonly kind: "trust" | "block" | "unblock"; readonly client: KeyOfClient }
  | { readonly kind: "blocked"; readonly clients: readonly KeyOfClient[] }
  | { readonly kind: "reject"; readonly peer: number; readonly name: string }
  /** Without `file`, no transcript is kept. */
  | { readonly kind: "log"; readonly file?: string }
  | { readonly kind: "help" | "show"; readonly text: string };

/** The identity of a peer, as far as this client knows its key. */
export interface IdentityEvent {
  readonly kind: "identity";
  readonly peer: number;
  readonly name: string;
  readonly fingerprint: string;
  /** Whether the key is known; `changed`: another key had the name, or one that looks the same. */
  readonly known: "same" | "new" | "changed";
  /** Whether it is the key of this client itself. */
  readonly isOwn: boolean;
  /** The former name of the key where it has changed, else empty. */
  readonly formerName: string;
  /** The name of the other key, where it only looks the same. */
  readonly similarName?: string;
  /** When the other key was last connected. */
  readonly lastSeen: Date | undefined;
}

/** The last request of a key that ended before the user answered it. */
export interface MissedRequest {
  readonly id: number;
  readonly name: string;
  readonly key: Uint8Array;
  readonly why: "cancelled" | "expired" | "busy";
  /** How many the same key made. */
  readonly times: number;
  /** The milliseconds since then. */
  readonly agoMs: number;
}

/** The events of a client. Times are in milliseconds. */
export type ClientEvent =
  /**
   * `serverAddress`, `serverKey`: of the directory that did it; `lostName`: the name that somebody else has
   * meanwhile, and that is asked for until it is free, else empty.
   */
  | {
    kind: "registered";
    id: number;
    name: string;
    lostName: string;
    address: Address;
    server: string;
    serverAddress: Address;
    serverKey: Uint8Array;
  }
  /** The entry in the directory, in which this client registered before, has another token now. */
  | { kind: "entry" }
  /** Nothing came back from the directory since the start; `start`: the command that starts one there. */
  | { kind: "serverQuiet"; server: string; start: string | undefined }
  | { kind: "serverLost"; server: string }
  | { kind: "serverBack"; server: string }
  /** The directory cannot register this client yet; it is asked again. */
  | { kind: "serverUnavailable"; server: string }
  /** The registration goes on at another address, as the one before is silent or cannot answer. */
  | {
    kind: "serverMoved";
    server: string;
    address: Address;
    before: Address;
    why: "silent" | "unavailable";
  }
  | { kind: "requesting"; peer: number; name: string; attempt: number; nextInMs: number }
  | { kind: "ringing"; peer: number; name: string }
  /** The request is under way for some time, and nothing came back; `by`: who has to answer now. */
  | { kind: "unanswered"; peer: Peer; name: string; by: "directory" | "peer" }
  | { kind: "inactive"; peer: Peer }
  /** `reason` is one of `RejectReason`. */
  | { kind: "rejected"; peer: number; name: string; reason: number }
  /** The user cancelled an outgoing request. */
  | { kind: "cancelled"; peer: Peer; name: string }
  /** A client requests a connection. `key`: its static public key. */
  | { kind: "request"; peer: number; name: string; key: Uint8Array }
  /** An incoming request has ended; `busy`: rejected because this client was busy. */
  | { kind: "requestEnded"; peer: number; name: string; why: "cancelled" | "expired" | "busy" }
  /**
   * `hash`: of the handshake, the same at both ends. `calledAs`: by this client, if it called.
   * `isHeld`: nothing is sent until the user trusts the key. `isAside`: another one stays current.
   */
  | {
    kind: "connected";
    peer: number;
    name: string;
    key: Uint8Array;
    hash: Uint8Array;
    path: PathKind;
    calledAs?: Peer;
    isHeld?: true;
    isAside?: true;
  }
  /** The datagrams of a connection go another way now than `before`. */
  | {
    kind: "path";
    peer: number;
    name: string;
    path: PathKind;
    before: PathKind;
    address: Address;
  } & Repeatable
  /**
   * The conversation goes on after a restart: of the peer (then `key` and `hash` are those of its new
   * session), or of this client.
   */
  | {
    kind: "returned";
    who: "peer" | "self";
    peer: number;
    name: string;
    key: Uint8Array;
    hash: Uint8Array;
  } & Repeatable
  /** The conversation of a run that was killed is over at the peer, or the peer does not answer. */
  | { kind: "notReturned"; peer: number; name: string }
  /** The connection goes on in another session before anything was said, with this `hash`. */
  | { kind: "renewed"; peer: number; hash: Uint8Array }
  /** Another connection is current now: the user chose it, or the one before ended. */
  | { kind: "current"; peer: number; name: string; why: "chosen" | "ended" }
  /** The requests that wait for the user, oldest first, and the missed ones, latest first. */
  | {
    kind: "requests";
    pending: readonly { id: number; name: string; key: Uint8Array }[];
    missed: readonly MissedRequest[];
  }
  /** Follows a request and a connection. */
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
  /** `pattern`: the user wanted only those that match it, of `total` ones. */
  | { kind: "list"; clients: readonly ListEntry[]; pattern?: string; total?: number }
  /** The last event. `acknowledged`: by the directory. */
  | { kind: "left"; undelivered: number; acknowledged: boolean }
  | ErrorEvent;
