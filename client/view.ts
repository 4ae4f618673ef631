/**
 * The options and the visible state of a client.
 *
 * @module
 */
import type { Address } from "../protocol/wire/address.ts";
import type { Instant, Random } from "../protocol/machine.ts";
import type { TimerMode } from "../protocol/recovery/timer_policy.ts";
import type { KeyPair } from "../protocol/crypto/x25519.ts";
import type { EntryToken } from "../protocol/directory/entry_token.ts";
import type { Peer } from "./peer.ts";

/** What a client is created with. */
export interface ClientOptions {
  /** Where the directory is: all are tried. */
  readonly directoryAddresses: readonly Address[];
  /** The directory as the user wrote it. */
  readonly serverName: string;
  /** The client id wanted, 0 for any. */
  readonly id: number;
  /** Empty for none. */
  readonly name: string;
  /** Names that do as well where that is not free, in turn; an empty one for none. */
  readonly otherNames?: readonly string[];
  /** An earlier run that was killed, to be continued. */
  readonly formerRun?: Run | undefined;
  /** The UDP port that the socket is bound to. */
  readonly port: number;
  readonly timers: TimerMode;
  /** Whether somebody sits there, who need not wait long to hear that nothing comes back. */
  readonly isAttended?: boolean;
  /** Whether requests are accepted without asking the user. */
  readonly acceptAll: boolean;
  /** Whether messages are acknowledged only when take() says that they are shown; else at once. */
  readonly holdsTexts?: boolean;
  /** The static key that identifies this client. */
  readonly identity: KeyPair;
  /** Whether requests from the owner of this static key are rejected without asking the user. */
  readonly isBlocked: (key: Uint8Array) => boolean;
  /** Whether the user has talked with the owner of this static key: others are strangers. */
  readonly isKnown: (key: Uint8Array) => boolean;
  /**
   * Whether the user's words may go to the owner of this static key, under the name that it tells, or
   * an empty one, and what this client called it by, if it called.
   */
  readonly isTrustedPeer: (key: Uint8Array, name: string, calledAs: Peer | undefined) => boolean;
  /** The secret of a private directory. */
  readonly secret?: Uint8Array | undefined;
  /** Which directory may be used. */
  readonly trust: DirectoryTrust;
  /** Where this client may be reached in its own network. */
  readonly localAddresses?: (() => readonly Address[]) | undefined;
  readonly random: Random;
}

/** A conversation that is open, as a later run has to know it. */
export interface OpenConversation {
  /** The peer's client id. */
  readonly id: number;
  /** The peer's name, empty for none. */
  readonly name: string;
  /** The peer's static key. */
  readonly key: Uint8Array;
}

/** What continues a run that was killed. */
export interface Run {
  /** What shows the directory that its entry is this client's. */
  readonly entry: EntryToken;
  /** The name that the directory knew it by, empty for none. */
  readonly name: string;
  /** The conversations that were open, the current one first. */
  readonly conversations: readonly OpenConversation[];
}

/** Decides which static key of a directory is trusted. */
export interface DirectoryTrust {
  isTrusted(directoryKey: Uint8Array): boolean;
  /** Why another key is refused, and what the user can do; completes "the directory at … ". */
  refusal(directoryKey: Uint8Array): string;
}

/** A connection that has not ended. */
export interface ConversationView {
  readonly id: number;
  readonly name: string;
  /** Messages that are not acknowledged. */
  readonly unconfirmed: number;
  /** Whether it takes no more messages, because it is being terminated. */
  readonly isEnding: boolean;
  /** Whether messages wait until the user trusts the peer's key. */
  readonly isHeld: boolean;
  /** Whether the directory carries what is said, because nothing direct gets through. */
  readonly isCarried: boolean;
}

/** A Connection Request of this client. */
export interface CallView {
  /** Its client id, or its name until that is known. */
  readonly peer: Peer;
  /** Its name, empty for none. */
  readonly name: string;
  /** How often the request was sent: 0 during the look-up. */
  readonly attempt: number;
  readonly nextAt: Instant;
  readonly isRinging: boolean;
}

/** The state of a client, for a prompt. */
export interface ClientView {
  /** The first that applies; beside `connected`, `outgoing` may have a request. */
  readonly state:
    | "left"
    | "leaving"
    /** The current connection is open. */
    | "connected"
    /** It is being terminated. */
    | "terminating"
    | "requesting"
    | "registering"
    | "idle";
  readonly id: number | undefined;
  readonly name: string;
  /** The current connection. */
  readonly peer: ConversationView | undefined;
  /** The other connections, oldest first. */
  readonly others: readonly ConversationView[];
  /** The latest of the calls: the one that is cancelled first. */
  readonly outgoing: CallView | undefined;
  /** The requests of this client, oldest first. */
  readonly calls: readonly CallView[];
  /** The requests that wait for the user and are to be shown, oldest first. */
  readonly requests: readonly { id: number; name: string }[];
  /** The deadline of the leave. */
  readonly leaveBy: Instant | undefined;
  /** When the directory stopped answering, undefined while it answers. */
  readonly serverLostSince: Instant | undefined;
}
