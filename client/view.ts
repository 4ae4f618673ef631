/**
 * A client from outside: what it is started with, and how it stands.
 *
 * @module
 */
import type { Address } from "../protocol/address.ts";
import type { Instant, Random } from "../protocol/driven.ts";
import type { TimerMode } from "../protocol/rtt.ts";
import type { KeyPair } from "../protocol/x25519.ts";
import type { Peer } from "./event.ts";

/** What a client is started with. */
export interface ClientOptions {
  readonly server: Address;
  /** The directory as the user wrote it. */
  readonly serverName: string;
  /** The client id wanted, 0 for any. */
  readonly id: number;
  /** Empty for none. */
  readonly name: string;
  /** The UDP port that the socket is bound to. */
  readonly port: number;
  readonly timers: TimerMode;
  /** Whether requests are accepted without asking the user. */
  readonly acceptAll: boolean;
  /** The static key that others know this client by. */
  readonly identity: KeyPair;
  /** Whether requests from the owner of this static key are rejected without asking the user. */
  readonly isBlocked: (key: Uint8Array) => boolean;
  /** The secret of a private directory. */
  readonly secret?: Uint8Array | undefined;
  /** Milliseconds since 1970 when the clock that `now` is read from stood at zero. */
  readonly epoch: number;
  readonly random: Random;
}

/** What a client looks like from outside, for a prompt. */
export interface ClientView {
  readonly state:
    | "registering"
    | "idle"
    | "requesting"
    | "connected"
    | "terminating"
    | "leaving"
    | "left";
  readonly id: number | undefined;
  readonly name: string;
  /** The client that this one is connected with. */
  readonly peer: { id: number; name: string } | undefined;
  /** What this client wants to connect to; `attempt` is 0 while the directory is asked. */
  readonly outgoing:
    | { peer: Peer; attempt: number; nextAt: Instant; isRinging: boolean }
    | undefined;
  /** The requests that wait for the user, oldest first. */
  readonly requests: readonly { id: number; name: string }[];
  /** Texts that are not known to be delivered. */
  readonly unconfirmed: number;
  /** When a leave is given up. */
  readonly leaveBy: Instant | undefined;
  readonly isServerLost: boolean;
}
