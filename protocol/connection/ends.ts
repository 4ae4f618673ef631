/**
 * Who is at the two ends of a connection, and what one of them tells.
 *
 * @module
 */

/** Both ends of a connection. */
export interface ConnectionIds {
  /** This end's client id. */
  readonly local: number;
  /** The other's client id. */
  readonly remote: number;
  /** This end's connection id. */
  readonly localConnection: number;
  /** The other's connection id. */
  readonly remoteConnection: number;
  /** The other's name, empty for none. */
  readonly remoteName: string;
}

/** Who ended a connection; `timeout`: the other was not heard of, or did not acknowledge it. */
export type EndedBy = "local" | "peer" | "timeout";

/** What a connection tells; `seq` counts texts, not Messages. */
export type ConnectionEvent =
  | { kind: "sent"; textSeq: number }
  | { kind: "delivered"; textSeq: number; rttMs: number }
  | { kind: "unconfirmed"; textSeq: number }
  | { kind: "message"; textSeq: number; text: string }
  | { kind: "terminated"; by: EndedBy; undelivered: number };
