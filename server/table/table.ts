/**
 * The table of active clients as the server uses it; a store implements it.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Result } from "../../protocol/result.ts";
import type { Address } from "../../protocol/wire/address.ts";

/**
 * The slot of no entry.
 *
 * Entries are referred to by the numbers of their slots, valid until the entry is removed: objects
 * would have to be made for each of hundreds of thousands of requests a second.
 */
export const NO_SLOT = -1;

/** A client as events and listings show it. */
export interface TableClient {
  readonly id: number;
  /** Empty for none. */
  readonly name: string;
  /** The address that its datagrams come from, where peers reach it. */
  readonly address: Address;
  readonly joinedAt: Instant;
}

/** A Register whose sender has shown that it receives at its address, and has its static key. */
export interface RegisterRequest {
  /** The key that it is sealed with. */
  readonly sessionKey: Uint8Array;
  /** The client's id of the session. */
  readonly session: number;
  /** Its packet counter. */
  readonly packet: number;
  readonly token: Uint8Array;
  /** 0 for any. */
  readonly wantedId: number;
  readonly publicKey: Uint8Array;
  /** Empty, or a valid name. */
  readonly name: string;
  /** The address that it came from, as in `endpoint_bytes.ts`. */
  readonly endpoint: Uint8Array;
}

/** What a Register that was granted has changed. */
export interface RegisterOutcome {
  readonly slot: number;
  /** `moved`: the client was in the table, and its address or name has changed. */
  readonly change: "none" | "joined" | "moved";
  /** The entry of an earlier run at the same address, which was removed. */
  readonly replaced: TableClient | undefined;
  /** The newest entry of the fullest source, which was removed because the table was full. */
  readonly displaced: TableClient | undefined;
}

/** The fields of the entries. */
export interface EntryFields {
  id(slot: number): number;
  /** Bytes in the name, 0 for none. */
  nameSize(slot: number): number;
  name(slot: number): string;
  /** The address as in `endpoint_bytes.ts`, as a view. */
  endpoint(slot: number): Uint8Array;
  /** Whether the client's datagrams come from this endpoint. */
  isAt(slot: number, endpoint: Uint8Array): boolean;
  /** Writes the name from `at` on. */
  copyName(slot: number, to: Uint8Array, at: number): void;
  /** Writes the static public key from `at` on. */
  copyKey(slot: number, to: Uint8Array, at: number): void;
  token(slot: number): Uint8Array;
  /** The key that the client's requests are sealed with, as a view. */
  sessionKey(slot: number): Uint8Array;
  /** The client's id of the session. */
  session(slot: number): number;
  /** The highest packet counter of the client's requests. */
  packet(slot: number): number;
  /** Sets it where a session begins: nothing below it counts. */
  setPacket(slot: number, packet: number): void;
  /** Notes the packet counter of a request; false where it came before, or is too old to tell. */
  takePacket(slot: number, packet: number): boolean;
  /** The packet counter of the next Notice to the client, which counts as sent. */
  takeNotice(slot: number): number;
  /** The address of the other family, as in `endpoint_bytes.ts`, undefined for none. */
  otherEndpoint(slot: number): Uint8Array | undefined;
  setOtherEndpoint(slot: number, endpoint: Uint8Array): void;
  client(slot: number): TableClient;
}

/** The active clients, with their leases. */
export interface Table {
  /** How many clients are active. */
  readonly size: number;
  readonly entries: EntryFields;

  /** The slot of the client with this id, or {@linkcode NO_SLOT}. */
  find(id: number): number;
  /** The slot of the client with this name, or one that counts as the same. */
  findName(name: string): number;
  /** The slot of the client whose datagrams come from this endpoint. */
  findEndpoint(endpoint: Uint8Array): number;
  /** The slots of the clients with ids above `id`, by rising id; only what is taken costs time. */
  listAbove(id: number): Iterable<number>;
  /** The same from the `index`th client on, counted from 0. */
  listFrom(index: number): Iterable<number>;

  /** Whether a Register with this key has had its effect, on an entry that has changed or gone. */
  isReplay(sessionKey: Uint8Array): boolean;
  /** Grants or refuses a Register, by the rules in `protocol/README.md`, "Registering". */
  register(now: Instant, request: RegisterRequest): Result<RegisterOutcome, number>;
  /** Starts the lease anew. */
  renew(now: Instant, slot: number): void;
  /** Removes a client that left; its name is kept for its key. */
  remove(now: Instant, slot: number): void;

  /** Removes some of the clients whose leases have ended, the oldest first. */
  expire(now: Instant, onExpired: (client: TableClient) => void): void;
  /** When to call expire() next. */
  nextExpiry(): Instant | undefined;
}
