/**
 * An entry of the table as an object, for all that is not done a hundred thousand times a second.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import type { Instant } from "../../protocol/machine.ts";

/** What the directory knows of an active client, at the time of asking. */
export interface Entry {
  /** Where it is kept. */
  readonly slot: number;
  readonly id: number;
  /** Empty for none. */
  readonly name: string;
  /** What the client shows with each request; opaque to it. */
  readonly token: Uint8Array;
  /** The static key that it registered with. */
  readonly publicKey: Uint8Array;
  /** Where its datagrams come from, and where others reach it. */
  readonly address: Address;
  /** The port that its socket is bound to, as it says. */
  readonly port: number;
  /** The nonce of the Register that was last granted. */
  readonly nonce: bigint;
  readonly joinedAt: Instant;
  /** The end of its lease: from this instant on it is not active. */
  readonly expiresAt: Instant;
}

/** A client as told to the user. */
export type TableClient = Pick<Entry, "id" | "name" | "address" | "joinedAt">;
