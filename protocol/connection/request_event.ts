/**
 * What requests for connections report, and what decides on them.
 *
 * @module
 */
import type { Connection } from "./connection.ts";
import type { IncomingRequest } from "./incoming_requests.ts";
import type { Target } from "./outgoing_requests.ts";

/** The answer to a Connection Request that nothing else decides. */
export type Admission = "ring" | "accept" | "reject";

/** Why a request that this client made came to nothing. */
export type RequestFailure =
  /** There is nobody with that id or name. */
  | { why: "inactive" }
  /** `reason` is one of `RejectReason`. */
  | { why: "rejected"; reason: number }
  /** It was taken back. */
  | { why: "cancelled" }
  | { why: "directoryTimeout" }
  /** No directory can answer now. */
  | { why: "directoryUnavailable" }
  | { why: "peerTimeout" }
  | { why: "otherVersion"; version: number }
  /** The directory found this client itself, or one that it is connected with. */
  | { why: "self" }
  | { why: "alreadyConnected" }
  /** It found one that this client requests already. */
  | { why: "alreadyRequesting" }
  /** With the key that the directory knows nobody can be talked to. */
  | { why: "weakKey" };

/** What requests report. */
export type RequestEvent =
  /**
   * The request was sent for the `attempt`th time and will be again in `nextInMs` milliseconds. `name`:
   * as the directory knows the peer, empty for none.
   */
  | { kind: "requesting"; peer: number; name: string; attempt: number; nextInMs: number }
  | { kind: "ringing"; peer: number; name: string }
  /** `peer`: the client id, undefined where the directory did not tell it. */
  | {
    kind: "requestFailed";
    target: Target;
    peer: number | undefined;
    name: string;
    failure: RequestFailure;
  }
  /** Somebody wants to connect. */
  | { kind: "request"; request: IncomingRequest }
  /** An incoming request is no more; `busy`: it was rejected; `full`: it did not even ring. */
  | { kind: "requestEnded"; request: IncomingRequest; why: RequestEnd }
  | {
    kind: "connected";
    connection: Connection;
    by: Opening;
    /** What this client wanted to connect to, if that is what was opened. */
    target: Target | undefined;
    /** Whether the peer goes on with a conversation that this end does not know any more. */
    isResumed: boolean;
  };

/** What opened a connection: this end's request, its user's acceptance of one, or `admit()`. */
export type Opening = "request" | "acceptance" | "admission";

/** Why an incoming request is no more, although the user did not answer it. */
export type RequestEnd = "cancelled" | "expired" | "busy" | "full";
