/**
 * The settings of a directory.
 *
 * @module
 */
import type { KeyPair } from "../protocol/crypto/x25519.ts";
import type { Random } from "../protocol/machine.ts";
import type { Rates } from "./limits.ts";

/** The settings of a `Server`. */
export interface ServerOptions {
  /** The most clients in the table. */
  maxClients: number;
  /** Milliseconds that an entry lives without a Lease Keepalive. */
  lease: number;
  /** The directory's static key. */
  identity: KeyPair;
  /** Only who has it too is answered; undefined for a public directory. */
  secret?: Uint8Array | undefined;
  /** Whether a single source is limited, and not only all together; true where left out. */
  hasSourceLimits?: boolean;
  /** The most clients of one source in the table, where single sources are limited. */
  maxPerSource?: number;
  /** Milliseconds that a name is kept for its key after its client is gone; 7 days where left out. */
  nameHold?: number;
  /** Bytes that are carried a second for all clients together, unless `rates` say so; 0 for none. */
  relayLimit?: number;
  /** The limits; the usual ones where left out. */
  rates?: Rates;
  /** Its number among those that share a store; undefined for a table of its own. */
  directory?: number | undefined;
  random: Random;
}
