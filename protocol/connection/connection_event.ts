/**
 * What a connection is, and what it reports.
 *
 * @module
 */
import type { Random } from "../machine.ts";
import type { Session } from "../session/session.ts";
import type { Address } from "../wire/address.ts";
import type { PathKind } from "../wire/remote.ts";
import type { ReceiveOptions } from "./receive_queue.ts";

/** Where a connection stands. */
export type ConnectionState =
  | "open"
  /** The user terminated; what was queued before is still being sent. */
  | "draining"
  /** A Termination was sent; its ack, or something below the final seq in it, is missing. */
  | "terminating"
  /** The peer terminated; what was in flight is still being sent. */
  | "flushing"
  /** Over, but repeats are still acknowledged. */
  | "closed"
  /** Nothing is left to do. */
  | "gone";

/** Both ends of a connection. */
export interface ConnectionIds {
  /** This end's client id. */
  readonly local: number;
  /** This end's name, empty for none. */
  readonly localName: string;
  /** The peer's client id. */
  readonly remote: number;
  /** The peer's name, empty for none. */
  readonly remoteName: string;
}

/** How a connection begins. */
export interface ConnectionOptions extends ReceiveOptions {
  /** What carries it. */
  readonly session: Session;
  /** Both ends. */
  readonly ids: ConnectionIds;
  /** Whether this end accepted the request, and has to say so. */
  readonly isResponder: boolean;
  /** A cryptographic source. */
  readonly random: Random;
}

/** Who ended a connection; `timeout`: the peer was silent, or did not acknowledge the Termination. */
export type EndedBy = "local" | "peer" | "timeout";

/** What a connection reports; `textSeq` counts texts, not Messages. */
export type ConnectionEvent =
  | { kind: "sent"; textSeq: number }
  | { kind: "delivered"; textSeq: number; rttMs: number }
  | { kind: "unconfirmed"; textSeq: number }
  | { kind: "message"; textSeq: number; text: string }
  /** The peer started again, and goes on in another session; its texts count from 0 again. */
  | { kind: "returned" }
  /** Nothing was said yet, and the peer goes on in another session: the handshake's hash changed. */
  | { kind: "renewed" }
  /** Another kind of path is in use than `before`. */
  | { kind: "path"; path: PathKind; before: PathKind; address: Address }
  | { kind: "terminated"; by: EndedBy; undelivered: number };
