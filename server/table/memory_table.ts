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
  type Table,
  type TableClient,
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
export interface MemoryTableOptions {
  readonly maxClients: number;
  /** The most entries of one source; undefined for any number, and then none is displaced. */
  readonly maxPerSource?: number | undefined;
  /** Milliseconds. */
  readonly lease: number;
  /** Milliseconds that a name is kept for its key after its client is gone, 0 for not at all. */
  readonly nameHold: number;
  /** The most Registers that can be granted while a cookie is valid: replays of these are noticed. */
  readonly replaysMax: number;
  readonly random: Random;
}

/** A block of entries, and an index for each way to find them. */
export class MemoryTable implements Table {
  readonly entries: Entries;
  readonly #options: MemoryTableOptions;
  readonly #ids = new IdSet();
  readonly #hash: KeyedHash;
  readonly #byHigherId: HashIndex;
  readonly #byAddress: HashIndex;
  readonly #byName: NameIndex;
  readonly #sources: SourceIndex | undefined;
  readonly #heldNames: HeldNames;
  readonly #replays: RegisterReplayFilter;
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
    this.#heldNames = new HeldNames(nameHold);
    this.#replays = new RegisterReplayFilter(replaysMax);
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

  isReplay(sessionKey: Uint8Array): boolean {
    return this.#replays.has(sessionKey);
  }

  register(now: Instant, request: RegisterRequest): Result<RegisterOutcome, number> {
    const own = this.#findOwn(request);
    const atAddress = this.findEndpoint(request.endpoint);
    const replaced = atAddress === own ? NO_SLOT : atAddress;
    const reason = this.#refusal(now, request, own, replaced);
    if (reason !== undefined) return failure(reason);
    const gone = replaced === NO_SLOT ? undefined : this.entries.client(replaced);
    const isHeir = replaced !== NO_SLOT && this.entries.hasKey(replaced, request.publicKey);
    if (replaced !== NO_SLOT) this.remove(now, replaced);
    this.#heldNames.release(request.name);
    if (own === NO_SLOT) {
      const displaced = this.size < this.#options.maxClients ? undefined : this.#displace(now);
      const slot = this.#add(now, request, isHeir ? gone?.id : undefined);
      return success({ slot, change: "joined", replaced: gone, displaced });
    }
    const change = this.#isUnmoved(own, request) ? "none" : "moved";
    this.#update(own, request);
    this.renew(now, own);
    return success({ slot: own, change, replaced: gone, displaced: undefined });
  }

  /** Removes the newest entry of the source that has the most. */
  #displace(now: Instant): TableClient | undefined {
    if (this.#sources === undefined) return undefined;
    const slot = this.#sources.newestOfFullest;
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
    this.#replays.add(this.entries.sessionKey(slot));
    if (!this.entries.isDirect(id)) this.#byHigherId.remove(slot);
    this.#ids.remove(id);
    this.#sources?.remove(slot);
    this.#unset(slot);
    this.entries.remove(slot);
  }

  expire(now: Instant, onExpired: (client: TableClient) => void): void {
    if (now < this.#expiryBound) return;
    const { entries } = this;
    for (let count = 0; count < EXPIRED_MAX; count++) {
      const { oldest } = entries;
      if (oldest === NO_SLOT || entries.expiresAt(oldest) > now) break;
      const client = entries.client(oldest);
      this.remove(now, oldest);
      onExpired(client);
    }
    const { oldest } = entries;
    const next = oldest === NO_SLOT ? Infinity : entries.expiresAt(oldest);
    this.#expiryBound = next <= now ? next : Math.max(next, now + SWEEP_INTERVAL_MIN);
  }

  nextExpiry(): Instant | undefined {
    return this.size === 0 ? undefined : this.#expiryBound;
  }

  *listAbove(id: number): Generator<number, void> {
    for (const each of this.#ids.above(id)) yield this.find(each);
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
    if (this.#heldNames.isForOther(now, name, publicKey)) return RefusalReason.nameHeld;
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
    this.#heldNames.add(now, entries.name(slot), publicKey, source);
  }

  /** Adds an entry, under the id that it asks for, else that of the one that it continues. */
  #add(now: Instant, request: RegisterRequest, formerId: number | undefined): number {
    const { wantedId, publicKey } = request;
    const id = wantedId === 0 ? formerId ?? this.#ids.smallestFree() : wantedId;
    const expiresAt = now + this.#options.lease;
    if (this.size === 0) this.#expiryBound = expiresAt;
    const slot = this.entries.add(
      id,
      this.#options.random(TOKEN_SECRET_SIZE),
      publicKey,
      now,
      expiresAt,
    );
    if (!this.entries.isDirect(id)) this.#byHigherId.add(this.#hashOfId(id), slot);
    this.#ids.add(id);
    this.#set(slot, request);
    this.#sources?.add(slot);
    return slot;
  }

  #update(slot: number, request: RegisterRequest): void {
    const sources = this.#sources;
    // One that stays with its source is no newer for it.
    const isElsewhere = sources?.isSame(this.entries.endpoint(slot), request.endpoint) === false;
    this.#replays.add(this.entries.sessionKey(slot));
    if (isElsewhere) sources?.remove(slot);
    this.#unset(slot);
    this.#set(slot, request);
    if (isElsewhere) sources?.add(slot);
  }

  /** Sets the fields that a Register may change, and their indexes. */
  #set(slot: number, request: RegisterRequest): void {
    const { endpoint, sessionKey, session, packet, name } = request;
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

  #isUnmoved(slot: number, { name, endpoint }: RegisterRequest): boolean {
    return this.entries.isAt(slot, endpoint) && this.entries.name(slot) === name;
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
