/**
 * The table of active clients as the server uses it; a store implements it.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import type { Result } from "../../protocol/result.ts";
import type { Address } from "../../protocol/wire/address.ts";
import type { Frame } from "../../protocol/wire/frame.ts";

/**
 * The slot of no entry.
 *
 * Entries are referred to by the numbers of their slots, valid until the entry is removed: objects
 * would have to be made for each of hundreds of thousands of requests a second.
 */
export const NO_SLOT = -1;

/**
 * How an entry changed. `moved`: the client has another address or name now; `displaced`: one of
 * another source has its place.
 */
export type ChangeKind = "joined" | "moved" | "left" | "expired" | "displaced";

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

/** Called once with the slot of the entry, or one of `RefusalReason`; never for a replay. */
export type OnDecided = (result: Result<number, number>) => void;

/** What a table tells its directory. */
export interface TableHandlers {
  /** A client came, changed or went. */
  report(kind: ChangeKind, client: TableClient): void;
  /** A frame for the client in a slot, from another directory. */
  deliver(now: Instant, slot: number, frame: Frame): void;
  /** All directories make and check codes with these from now on, and still check the ones before. */
  useKeys(keys: SharedKeys): void;
  /** Whether answers can be sent; while not, those that have waited for a store go on waiting. */
  hasRoom(): boolean;
}

/** The keys of the codes that directories of one table give away; see `timed_mac.ts`. */
export interface SharedKeys {
  readonly current: Uint8Array;
  /** The one before; valid, but no new code is made with it. */
  readonly previous: Uint8Array;
  /** The settings of the directory that made the current one, where they are known. */
  readonly settings?: SharedSettings | undefined;
}

/** What directories that share a table have in common. */
export interface SharedSettings extends TableLimits {
  /** Their static public key. */
  readonly publicKey: Uint8Array;
}

/** The limits of a table. */
export interface TableLimits {
  readonly maxClients: number;
  /** The most entries of one source; undefined for any number, and then none is displaced. */
  readonly maxPerSource?: number | undefined;
  /** Milliseconds. */
  readonly lease: number;
  /** Milliseconds that a name is kept for its key after its client is gone, 0 for not at all. */
  readonly nameHold: number;
}

/** The active clients, with their leases. */
export interface Table {
  /** How many clients are active. */
  readonly size: number;
  readonly entries: EntryFields;
  /** Whether it is known who is active: not while a store cannot be asked. */
  readonly isAvailable: boolean;

  /** The slot of the client with this id, or {@linkcode NO_SLOT}. */
  find(id: number): number;
  /** The slot of the client with this name, or one that counts as the same. */
  findName(name: string): number;
  /** The slot of the client whose datagrams come from this endpoint. */
  findEndpoint(endpoint: Uint8Array): number;
  /** Whether the client in a slot is registered with this directory: only then has it a session. */
  isHere(slot: number): boolean;
  /** The slots of the clients with ids above `id`, by rising id; only what is taken costs time. */
  listAbove(id: number): Iterable<number>;
  /** The same from the `index`th client on, counted from 0. */
  listFrom(index: number): Iterable<number>;

  /** Whether a Register with this key has had its effect, on an entry that has changed or gone. */
  isReplay(sessionKey: Uint8Array): boolean;
  /**
   * Grants or refuses a Register, by the rules in `protocol/README.md`, "Registering"; at once, or
   * when a store has answered. One that is being decided is not decided again.
   */
  register(now: Instant, request: RegisterRequest, onDecided: OnDecided): void;
  /** Starts the lease anew. */
  renew(now: Instant, slot: number): void;
  /** Notes the address of the other family of a client that is here. */
  setOtherEndpoint(now: Instant, slot: number, endpoint: Uint8Array): void;
  /** Removes a client that left; its name is kept for its key. */
  remove(now: Instant, slot: number): void;
  /** Gives a frame to the directory of a client that is elsewhere; false where that cannot be. */
  send(slot: number, frame: Frame): boolean;

  /** Removes clients whose leases have ended, some of many, and does what else is due. */
  handleTimeout(now: Instant): void;
  /** When to call handleTimeout() next. */
  nextTimeout(): Instant | undefined;
}
