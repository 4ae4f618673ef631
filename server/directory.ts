/**
 * The directory: the table of active clients and their leases. Pure: the time is an argument.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import { type Address, formatAddress, sameAddress } from "../protocol/address.ts";
import type { Instant, Random } from "../protocol/driven.ts";
import { RefusalReason } from "../protocol/frame.ts";
import { nameKey } from "../protocol/name.ts";
import { SpentRegisters } from "./spent.ts";

/** Random bytes in a token, behind the four of the client id. */
const TOKEN_SECRET_SIZE = 12;

/** Entries above which one pass over all ids is less work than taking them out one by one. */
const EXPIRED_AT_ONCE = 32;

/** What the directory knows of an active client. */
export interface Entry {
  readonly id: number;
  /** Empty for none. */
  name: string;
  /** What the client shows with each request; opaque to it. */
  readonly token: Uint8Array;
  /** The static key that it registered with. */
  readonly publicKey: Uint8Array;
  /** Where its datagrams come from, and where others reach it. */
  address: Address;
  /** The port that its socket is bound to, as it says. */
  port: number;
  /** The nonce of the Register that was last granted. */
  nonce: bigint;
  readonly joinedAt: Instant;
  /** The end of its lease: from this instant on it is not active. */
  expiresAt: Instant;
}

/** A Register whose sender has shown that it receives at its address. */
export interface RegisterRequest {
  nonce: bigint;
  token: Uint8Array;
  /** 0 for any. */
  wantedId: number;
  port: number;
  publicKey: Uint8Array;
  /** Empty, or a good name. */
  name: string;
  address: Address;
}

/** What becomes of a Register. */
export type Registration =
  | {
    ok: true;
    entry: Entry;
    /** `moved`: the client was in the table and has another address or name now. */
    change: "none" | "joined" | "moved";
    /** The entry of an earlier run at the same address, which was removed. */
    replaced: Entry | undefined;
  }
  | { ok: false; reason: number };

/** The limits of a directory. */
export interface DirectoryOptions {
  maxClients: number;
  /** Milliseconds. */
  lease: number;
  random: Random;
}

/** The table, with an index for each way to find a client. */
export class Directory {
  readonly #options: DirectoryOptions;
  /** In the order of renewal, which is the order of expiry, because all leases are equally long. */
  readonly #byId = new Map<number, Entry>();
  readonly #byName = new Map<string, Entry>();
  readonly #byAddress = new Map<string, Entry>();
  /** Rising. Moving 10,000 of them takes about 2 µs, so no tree is needed. */
  #ids: number[] = [];
  /** No lease ends earlier: saves looking for the oldest entry at every datagram. */
  #expiryBound: Instant = Infinity;
  readonly #spent = new SpentRegisters();

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** How many clients are active. */
  get size(): number {
    return this.#byId.size;
  }

  /** The client with this id. */
  get(id: number): Entry | undefined {
    return this.#byId.get(id);
  }

  /** The client with this name, or one that counts as the same. */
  getByName(name: string): Entry | undefined {
    return this.#byName.get(nameKey(name));
  }

  /** The client that was given this token. How long it takes tells nothing about the token. */
  getByToken(token: Uint8Array): Entry | undefined {
    const entry = this.#byId.get(new DataView(token.buffer, token.byteOffset).getUint32(0));
    return entry !== undefined && timingSafeEqual(entry.token, token) ? entry : undefined;
  }

  /** Whether this Register had its effect already, on an entry that has since changed or gone. */
  isSpent({ address, nonce }: RegisterRequest): boolean {
    return this.#spent.has(address, nonce);
  }

  /** Whether this Register leaves the table as it is, but for the lease. */
  isRepeat(request: RegisterRequest): boolean {
    const own = this.getByToken(request.token);
    if (own === undefined) return isSameRegister(this.#atAddress(request), request);
    return own.name === request.name && sameAddress(own.address, request.address);
  }

  /** Grants or refuses a Register, by the three rules in `protocol/README.md`, "Registering". */
  register(now: Instant, request: RegisterRequest): Registration {
    const own = this.getByToken(request.token);
    const atAddress = this.#atAddress(request);
    if (own === undefined && isSameRegister(atAddress, request)) {
      this.renew(now, atAddress);
      return { ok: true, entry: atAddress, change: "none", replaced: undefined };
    }
    const replaced = atAddress === own ? undefined : atAddress;
    const reason = this.#refusal(request, own, replaced);
    if (reason !== undefined) return { ok: false, reason };
    if (replaced !== undefined) this.remove(replaced);
    if (own === undefined) {
      return { ok: true, entry: this.#add(now, request), change: "joined", replaced };
    }
    const isMoved = own.name !== request.name || !sameAddress(own.address, request.address);
    this.#update(own, request);
    this.renew(now, own);
    return { ok: true, entry: own, change: isMoved ? "moved" : "none", replaced };
  }

  /** Starts the lease anew. */
  renew(now: Instant, entry: Entry): void {
    entry.expiresAt = now + this.#options.lease;
    this.#byId.delete(entry.id);
    this.#byId.set(entry.id, entry);
  }

  /** Takes a client out that left, or made room for another; its Register is spent. */
  remove(entry: Entry): void {
    this.#spent.add(entry.address, entry.nonce);
    this.#remove(entry);
  }

  /** Takes the clients out whose leases have ended, and returns them, the oldest first. */
  expire(now: Instant): Entry[] {
    const expired: Entry[] = [];
    if (now < this.#expiryBound) return expired;
    this.#expiryBound = Infinity;
    for (const entry of this.#byId.values()) {
      if (entry.expiresAt > now) {
        this.#expiryBound = entry.expiresAt;
        break;
      }
      expired.push(entry);
    }
    if (expired.length < EXPIRED_AT_ONCE) { for (const entry of expired) this.#remove(entry); }
    else this.#removeAll(expired);
    return expired;
  }

  /** An instant before which no lease ends: when to call expire() next. */
  nextExpiry(): Instant | undefined {
    return this.size === 0 ? undefined : this.#expiryBound;
  }

  /** The clients with ids above `after`, by rising id. Costs only what is taken from it. */
  *entries(after = 0): Generator<Entry, void> {
    for (let index = this.#indexAbove(after); index < this.#ids.length; index++) {
      yield this.#byId.get(this.#ids[index]!)!;
    }
  }

  #atAddress({ address }: RegisterRequest): Entry | undefined {
    return this.#byAddress.get(formatAddress(address));
  }

  #remove(entry: Entry): void {
    this.#byId.delete(entry.id);
    this.#ids.splice(this.#indexAbove(entry.id - 1), 1);
    this.#unindex(entry);
  }

  #removeAll(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#byId.delete(entry.id);
      this.#unindex(entry);
    }
    this.#ids = this.#ids.filter((id) => this.#byId.has(id));
  }

  #refusal(
    request: RegisterRequest,
    own: Entry | undefined,
    replaced: Entry | undefined,
  ): number | undefined {
    if (own !== undefined && !sameKey(own, request)) return RefusalReason.otherKey;
    const heir = replaced !== undefined && sameKey(replaced, request) ? replaced : undefined;
    const isOther = (holder?: Entry) => holder !== undefined && holder !== own && holder !== heir;
    if (own === undefined && isOther(this.get(request.wantedId))) return RefusalReason.idTaken;
    if (isOther(this.getByName(request.name))) return RefusalReason.nameTaken;
    const isNewcomer = own === undefined && replaced === undefined;
    return isNewcomer && this.size >= this.#options.maxClients ? RefusalReason.full : undefined;
  }

  #add(now: Instant, request: RegisterRequest): Entry {
    const { nonce, wantedId, port, name, address } = request;
    const id = wantedId === 0 ? this.#smallestFreeId() : wantedId;
    const expiresAt = now + this.#options.lease;
    const token = makeToken(id, this.#options.random);
    // A copy of the key: what was read is a view of the datagram.
    const client = { name, publicKey: request.publicKey.slice(), address, port, nonce };
    const entry: Entry = { id, token, ...client, joinedAt: now, expiresAt };
    if (this.size === 0) this.#expiryBound = expiresAt;
    this.#byId.set(id, entry);
    this.#ids.splice(this.#indexAbove(id), 0, id);
    this.#index(entry);
    return entry;
  }

  #update(entry: Entry, request: RegisterRequest): void {
    this.#unindex(entry);
    if (entry.nonce !== request.nonce) this.#spent.add(entry.address, entry.nonce);
    entry.nonce = request.nonce;
    entry.port = request.port;
    entry.name = request.name;
    entry.address = request.address;
    this.#index(entry);
  }

  #index(entry: Entry): void {
    this.#byAddress.set(formatAddress(entry.address), entry);
    if (entry.name !== "") this.#byName.set(nameKey(entry.name), entry);
  }

  #unindex(entry: Entry): void {
    this.#byAddress.delete(formatAddress(entry.address));
    if (entry.name !== "") this.#byName.delete(nameKey(entry.name));
  }

  /** Up to the first gap, the id at each index is the index plus 1. */
  #smallestFreeId(): number {
    return firstIndex(this.#ids.length, (index) => this.#ids[index]! > index + 1) + 1;
  }

  /** The index in the ids of the first one above `id`. */
  #indexAbove(id: number): number {
    return firstIndex(this.#ids.length, (index) => this.#ids[index]! > id);
  }
}

/** Whether this is the very Register that the entry was granted to. */
function isSameRegister(entry: Entry | undefined, request: RegisterRequest): entry is Entry {
  return entry !== undefined && entry.nonce === request.nonce && sameKey(entry, request);
}

function sameKey(entry: Entry, request: RegisterRequest): boolean {
  return timingSafeEqual(entry.publicKey, request.publicKey);
}

/** The first index below `length` where `isTrue`, which stays true from there on; else `length`. */
function firstIndex(length: number, isTrue: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isTrue(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** A token tells its client id, so that it needs no index, and is secret behind that. */
function makeToken(id: number, random: Random): Uint8Array {
  const token = new Uint8Array(4 + TOKEN_SECRET_SIZE);
  new DataView(token.buffer).setUint32(0, id);
  token.set(random(TOKEN_SECRET_SIZE), 4);
  return token;
}
