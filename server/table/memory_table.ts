/**
 * The table in memory.
 *
 * @module
 */
import type { Instant, Random } from "../../protocol/machine.ts";
import { KEY_SIZE } from "../../protocol/crypto/x25519.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import { sourceOf } from "../../protocol/wire/address.ts";
import { readEndpoint } from "../../protocol/wire/endpoint_bytes.ts";
import { RefusalReason } from "../../protocol/wire/frame.ts";
import { Entries, TOKEN_SECRET_SIZE } from "./entries.ts";
import { HeldNames } from "./held_names.ts";
import { HashIndex } from "./hash_index.ts";
import { IdSet } from "./id_set.ts";
import { KeyedHash } from "./keyed_hash.ts";
import { NameIndex } from "./name_index.ts";
import { RegisterReplayFilter } from "./register_replay.ts";
import { SourceIndex } from "./source_index.ts";
import {
  NO_SLOT,
  type RegisterOutcome,
  type RegisterRequest,
  type TableClient,
  type TableLimits,
} from "./table.ts";
import { writeUtf8 } from "../../protocol/wire/utf8.ts";

/**
 * The most entries that one call of expire() removes, which takes about a millisecond. More are due
 * at once only after the process was suspended.
 */
export const EXPIRED_MAX = 1000;
/** Milliseconds between two sweeps; leases that end meanwhile share a timer. */
const SWEEP_INTERVAL_MIN = 1;

/** The settings of a {@linkcode MemoryTable}. */
export interface MemoryTableOptions extends TableLimits {
  /** The most Registers that can be granted while a cookie is valid: replays of these are noticed. */
  readonly replaysMax: number;
  readonly random: Random;
}

/** What is set of an entry when it is made, and stays. */
export interface NewEntry {
  readonly id: number;
  readonly tokenSecret: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly joinedAt: Instant;
}

/** What each Register sets of an entry. */
export type EntrySession = Pick<
  RegisterRequest,
  "endpoint" | "sessionKey" | "session" | "packet" | "name"
>;

/** What a Register changes. */
export interface Grant {
  /** The slot of the entry that it renews. */
  readonly own: number;
  /** The slot of the entry of an earlier run at its address. */
  readonly replaced: number;
  /** The slot of the newest entry of the fullest source, where the table is full. */
  readonly displaced: number;
  /** 0 for any that is free. */
  readonly id: number;
}

/** A block of entries, and an index for each way to find them. */
export class MemoryTable {
  readonly entries: Entries;
  readonly #options: MemoryTableOptions;
  readonly #ids = new IdSet();
  readonly #hash: KeyedHash;
  readonly #byHigherId: HashIndex;
  readonly #byAddress: HashIndex;
  readonly #byName: NameIndex;
  readonly #sources: SourceIndex | undefined;
  /** The names of clients that are gone. */
  readonly heldNames: HeldNames;
  /** The sessions that have ended. */
  readonly replays: RegisterReplayFilter;
  /** No lease ends before this instant. It changes seldom, so that the timer is seldom set. */
  #expiryBound: Instant = Infinity;
  readonly #idBytes = new Uint8Array(4);

  constructor(options: MemoryTableOptions) {
    const { maxClients, maxPerSource, nameHold, replaysMax, random } = options;
    this.#options = options;
    this.entries = new Entries(maxClients);
    this.#hash = new KeyedHash(random);
    this.#byHigherId = new HashIndex(maxClients, (slot) => this.#hashOfId(this.entries.id(slot)));
    this.#byAddress = new HashIndex(
      maxClients,
      (slot) => this.#hashOf(this.entries.endpoint(slot)),
    );
    this.#byName = new NameIndex(this.entries, maxClients, random);
    this.#sources = maxPerSource === undefined
      ? undefined
      : new SourceIndex(this.entries, maxClients, maxPerSource, this.#hash);
    this.heldNames = new HeldNames(nameHold);
    this.replays = new RegisterReplayFilter(replaysMax);
  }

  get size(): number {
    return this.entries.size;
  }

  find(id: number): number {
    const { entries } = this;
    if (entries.isDirect(id)) return entries.find(id);
    const index = this.#byHigherId;
    for (let cell = index.first(this.#hashOfId(id));; cell = index.next(cell)) {
      const slot = index.at(cell);
      if (slot === NO_SLOT || entries.id(slot) === id) return slot;
    }
  }

  findName(name: string): number {
    return name === "" ? NO_SLOT : this.#byName.find(name);
  }

  findEndpoint(endpoint: Uint8Array): number {
    const index = this.#byAddress;
    for (let cell = index.first(this.#hashOf(endpoint));; cell = index.next(cell)) {
      const slot = index.at(cell);
      if (slot === NO_SLOT || this.entries.isAt(slot, endpoint)) return slot;
    }
  }

  /** Grants or refuses a Register, by the rules in `protocol/README.md`, "Registering". */
  register(now: Instant, request: RegisterRequest): Result<RegisterOutcome, number> {
    const decided = this.decide(now, request);
    if (!decided.ok) return decided;
    const { own, replaced, displaced, id } = decided.value;
    const gone = this.#take(now, replaced);
    const isDisplaced = this.#take(now, displaced);
    if (own === NO_SLOT) {
      const slot = this.add(now, {
        id: id === 0 ? this.smallestFreeId : id,
        tokenSecret: this.#options.random(TOKEN_SECRET_SIZE),
        publicKey: request.publicKey,
        joinedAt: now,
      }, request);
      return success({ slot, change: "joined", replaced: gone, displaced: isDisplaced });
    }
    const change = this.isUnmoved(own, request) ? "none" : "moved";
    this.update(now, own, request);
    return success({ slot: own, change, replaced: gone, displaced: undefined });
  }

  /** What a Register would change, or why it is refused; one of {@linkcode RefusalReason}. */
  decide(now: Instant, request: RegisterRequest): Result<Grant, number> {
    const { wantedId, publicKey, endpoint } = request;
    const own = this.#findOwn(request);
    const atAddress = this.findEndpoint(endpoint);
    const replaced = atAddress === own ? NO_SLOT : atAddress;
    const reason = this.#refusal(now, request, own, replaced);
    if (reason !== undefined) return failure(reason);
    const isAnother = own === NO_SLOT && replaced === NO_SLOT;
    const isFull = isAnother && this.size >= this.#options.maxClients;
    const displaced = isFull ? this.#sources?.newestOfFullest ?? NO_SLOT : NO_SLOT;
    const isHeir = replaced !== NO_SLOT && this.entries.hasKey(replaced, publicKey);
    const formerId = isHeir ? this.entries.id(replaced) : 0;
    const id = own === NO_SLOT ? wantedId || formerId : this.entries.id(own);
    return success({ own, replaced, displaced, id });
  }

  /** Adds an entry; there must be room, and none with this id, name or address. */
  add(now: Instant, entry: NewEntry, session: EntrySession): number {
    const { id, tokenSecret, publicKey, joinedAt } = entry;
    const expiresAt = now + this.#options.lease;
    if (this.size === 0) this.#expiryBound = expiresAt;
    const slot = this.entries.add(id, tokenSecret, publicKey, joinedAt, expiresAt);
    if (!this.entries.isDirect(id)) this.#byHigherId.add(this.#hashOfId(id), slot);
    this.#ids.add(id);
    this.#set(slot, session);
    this.#sources?.add(slot);
    return slot;
  }

  /** Gives an entry another session, address and name, and starts its lease anew. */
  update(now: Instant, slot: number, session: EntrySession): void {
    const sources = this.#sources;
    // One that stays with its source is no newer for it.
    const isElsewhere = sources?.isSame(this.entries.endpoint(slot), session.endpoint) === false;
    this.replays.add(this.entries.sessionKey(slot));
    if (isElsewhere) sources?.remove(slot);
    this.#unset(slot);
    this.#set(slot, session);
    if (isElsewhere) sources?.add(slot);
    this.renew(now, slot);
  }

  /** Whether an entry is at this address already, and has this name. */
  isUnmoved(slot: number, { name, endpoint }: EntrySession): boolean {
    return this.entries.isAt(slot, endpoint) && this.entries.name(slot) === name;
  }

  /** The smallest id that no entry has. */
  get smallestFreeId(): number {
    return this.#ids.smallestFree();
  }

  /** Removes the entry in a slot, if there is one, and returns its client. */
  #take(now: Instant, slot: number): TableClient | undefined {
    if (slot === NO_SLOT) return undefined;
    const client = this.entries.client(slot);
    this.remove(now, slot);
    return client;
  }

  renew(now: Instant, slot: number): void {
    // All leases have the same length, so this one ends last.
    this.entries.renew(slot, now + this.#options.lease);
  }

  remove(now: Instant, slot: number): void {
    const id = this.entries.id(slot);
    this.#holdName(now, slot);
    // Its Register must not bring it back.
    this.replays.add(this.entries.sessionKey(slot));
    if (!this.entries.isDirect(id)) this.#byHigherId.remove(slot);
    this.#ids.remove(id);
    this.#sources?.remove(slot);
    this.#unset(slot);
    this.entries.remove(slot);
  }

  /** Removes some of the clients whose leases have ended, the oldest first. */
  expire(now: Instant, onExpired: (client: TableClient) => void): void {
    this.endLeases(now, (slot) => {
      const client = this.entries.client(slot);
      this.remove(now, slot);
      onExpired(client);
    });
  }

  /** Calls `end` for some of the entries whose leases have ended; it removes or renews each. */
  endLeases(now: Instant, end: (slot: number) => void): void {
    if (now < this.#expiryBound) return;
    const { entries } = this;
    for (let count = 0; count < EXPIRED_MAX; count++) {
      const { oldest } = entries;
      if (oldest === NO_SLOT || entries.expiresAt(oldest) > now) break;
      end(oldest);
    }
    const { oldest } = entries;
    const next = oldest === NO_SLOT ? Infinity : entries.expiresAt(oldest);
    this.#expiryBound = next <= now ? next : Math.max(next, now + SWEEP_INTERVAL_MIN);
  }

  /** When to call expire() next. */
  nextExpiry(): Instant | undefined {
    return this.size === 0 ? undefined : this.#expiryBound;
  }

  *listAbove(id: number): Generator<number, void> {
    for (const each of this.#ids.above(id)) yield this.find(each);
  }

  /** See {@linkcode Table}. */
  *listFrom(index: number): Generator<number, void> {
    for (const each of this.#ids.from(index)) yield this.find(each);
  }

  /** Why a Register is refused, one of {@linkcode RefusalReason}; undefined if it is granted. */
  #refusal(
    now: Instant,
    request: RegisterRequest,
    own: number,
    replaced: number,
  ): number | undefined {
    const { name, publicKey } = request;
    const isHeir = replaced !== NO_SLOT && this.entries.hasKey(replaced, publicKey);
    const isOther = (holder: number): boolean =>
      holder !== NO_SLOT && holder !== own && !(isHeir && holder === replaced);
    const [withId, withName] = [this.find(request.wantedId), this.findName(name)];
    const isIdTaken = own === NO_SLOT && isOther(withId);
    if (isIdTaken || isOther(withName)) {
      // An earlier run of the same client, perhaps, whose lease has not ended.
      const isOwnKey = this.entries.hasKey(isIdTaken ? withId : withName, publicKey);
      if (isOwnKey) return RefusalReason.ownEntry;
      return isIdTaken ? RefusalReason.idTaken : RefusalReason.nameTaken;
    }
    if (this.heldNames.isForOther(now, name, publicKey)) return RefusalReason.nameHeld;
    // Whoever takes the place of another entry at the same address takes none of its source's.
    return replaced === NO_SLOT ? this.#lackOfPlace(request.endpoint, own) : undefined;
  }

  /** Why there is no place for one more entry, or for one that moves to another source. */
  #lackOfPlace(endpoint: Uint8Array, own: number): number | undefined {
    const { maxClients, maxPerSource = Infinity } = this.#options;
    const sources = this.#sources;
    const isMove = own !== NO_SLOT;
    if (isMove && sources?.isSame(this.entries.endpoint(own), endpoint) !== false) return undefined;
    const count = sources?.count(endpoint) ?? 0;
    if (count >= maxPerSource) return RefusalReason.sourceFull;
    if (isMove || this.size < maxClients) return undefined;
    // Only who has fewer entries even then may displace one.
    const mayDisplace = sources !== undefined && count + 1 < sources.countMax;
    return mayDisplace ? undefined : RefusalReason.full;
  }

  /** Keeps the name of a client that is gone. */
  #holdName(now: Instant, slot: number): void {
    const { entries } = this;
    if (entries.nameSize(slot) === 0) return;
    const publicKey = new Uint8Array(KEY_SIZE);
    entries.copyKey(slot, publicKey, 0);
    const source = sourceOf(readEndpoint(entries.endpoint(slot)));
    this.heldNames.add(now, entries.name(slot), publicKey, source);
  }

  /** Sets the fields that a Register may change, and their indexes. */
  #set(slot: number, { endpoint, sessionKey, session, packet, name }: EntrySession): void {
    this.heldNames.release(name);
    this.entries.setSession(slot, endpoint, sessionKey, session);
    this.entries.setPacket(slot, packet);
    this.#byAddress.add(this.#hashOf(endpoint), slot);
    if (name === "") return;
    this.entries.setName(slot, writeUtf8(name));
    this.#byName.add(slot);
  }

  /** Removes these fields from their indexes. */
  #unset(slot: number): void {
    this.#byAddress.remove(slot);
    if (this.entries.nameSize(slot) === 0) return;
    this.#byName.remove(slot);
    this.entries.setName(slot, NO_NAME);
  }

  /** The slot of the entry that the Register names by its token, if its key is the same. */
  #findOwn({ token, publicKey }: RegisterRequest): number {
    const id = (token[0]! << 24 | token[1]! << 16 | token[2]! << 8 | token[3]!) >>> 0;
    const slot = this.find(id);
    const isOwn = slot !== NO_SLOT && this.entries.hasSecret(slot, token) &&
      this.entries.hasKey(slot, publicKey);
    return isOwn ? slot : NO_SLOT;
  }

  #hashOfId(id: number): number {
    const bytes = this.#idBytes;
    bytes[0] = id;
    bytes[1] = id >>> 8;
    bytes[2] = id >>> 16;
    bytes[3] = id >>> 24;
    return this.#hashOf(bytes);
  }

  #hashOf(bytes: Uint8Array): number {
    return this.#hash.hash(bytes, bytes.length);
  }
}

const NO_NAME = new Uint8Array(0);
