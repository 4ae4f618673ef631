/**
 * One directory's copy of the table that several share.
 *
 * @module
 */
import { type Instant, type Random, randomU32 } from "../../protocol/machine.ts";
import { fromHex } from "../../cli/hex.ts";
import { sourceOf } from "../../protocol/wire/address.ts";
import { ENDPOINT_SIZE } from "../../protocol/wire/endpoint_bytes.ts";
import { PUBLIC_KEY_SIZE } from "../../protocol/wire/frame.ts";
import type { Lease } from "../store/store.ts";
import {
  type ClientRecord,
  decodeHeldName,
  encodeHeldName,
  heldNameKey,
  idOfLease,
  leaseOf,
  SESSION_MARK_SIZE,
  spentKey,
} from "./client_record.ts";
import type { CommitDraft } from "./commit_draft.ts";
import { IdSet } from "./id_set.ts";
import { type EntrySession, MemoryTable, type MemoryTableOptions } from "./memory_table.ts";
import { type ChangeKind, NO_SLOT, type TableHandlers } from "./table.ts";

/** The directory of a client that is leaving, or whose session was lost. */
export const NOWHERE = 0;
/** Milliseconds that a session which has ended is remembered: no cookie of its is good any more. */
const SPENT_TTL = 120_000;
/** Bytes in a key of a session; of a client that is elsewhere, only the first are known. */
const SESSION_KEY_SIZE = 32;

/** Free ids among which one is chosen after a conflict; after each further one among four times as many. */
const ID_SPREAD = 16;
/** The address of the other family of a client that has told none. */
const NO_ENDPOINT = new Uint8Array(ENDPOINT_SIZE);

/** A table in memory, and for each entry where it is from. */
export class Replica {
  readonly memory: MemoryTable;
  readonly #report: TableHandlers["report"];
  readonly #random: Random;
  readonly #nameHold: number;
  readonly #maxClients: number;
  /** The number of the change that wrote the entry's records; 0 where they may be gone. */
  readonly #versions: Float64Array;
  readonly #directories: Uint32Array;
  /** The ids of the entries, and those that are asked for. */
  readonly #taken = new IdSet();
  /** Those that are asked for, and no entry has. */
  readonly #reserved = new Set<number>();

  constructor(options: MemoryTableOptions, report: TableHandlers["report"]) {
    const { maxClients, nameHold, random } = options;
    this.#random = random;
    this.memory = new MemoryTable(options);
    this.#report = report;
    this.#nameHold = nameHold;
    this.#maxClients = maxClients;
    this.#versions = new Float64Array(2 * maxClients);
    this.#directories = new Uint32Array(2 * maxClients);
  }

  /** The number of the change that wrote the entry in a slot; 0 where it may be gone from the store. */
  version(slot: number): number {
    return this.#versions[slot]!;
  }

  /** The directory that the client in a slot is registered with, or {@linkcode NOWHERE}. */
  directory(slot: number): number {
    return this.#directories[slot]!;
  }

  /** The client has no session any more. */
  release(slot: number): void {
    this.#directories[slot] = NOWHERE;
  }

  /** The store does not have the entry in a slot. */
  forgetVersion(slot: number): void {
    this.#versions[slot] = 0;
  }

  /** It is not known which entries the store has. */
  forgetVersions(): void {
    this.#versions.fill(0);
  }

  /** The records of the entry in a slot. */
  lease(slot: number): Lease {
    const { entries } = this.memory;
    return leaseOf(entries.id(slot), entries.endpoint(slot), entries.name(slot));
  }

  /** The slot of the client that has exactly this lease. */
  findLease(lease: Lease): number {
    const slot = this.memory.find(idOfLease(lease) ?? 0);
    return slot !== NO_SLOT && this.lease(slot).join() === lease.join() ? slot : NO_SLOT;
  }

  /** What is known of the client in a slot, on a clock that is `offset` ahead. */
  record(slot: number, offset: number): ClientRecord {
    const { entries } = this.memory;
    const publicKey = new Uint8Array(PUBLIC_KEY_SIZE);
    entries.copyKey(slot, publicKey, 0);
    const { id, name, joinedAt } = entries.client(slot);
    return {
      id,
      tokenSecret: entries.token(slot).subarray(4),
      publicKey,
      name,
      endpoint: entries.endpoint(slot),
      otherEndpoint: entries.otherEndpoint(slot),
      joinedAt: Math.round(joinedAt + offset),
      directory: this.directory(slot),
      session: entries.sessionKey(slot).subarray(0, SESSION_MARK_SIZE),
    };
  }

  /**
   * An id that is free, or one of these that are then; the smallest one, but not after a conflict, as
   * other directories choose that, too.
   */
  freeId(conflicts: number, gone: readonly number[]): number {
    if (conflicts === 0) return Math.min(this.#freeAfter(0), ...gone);
    return this.#freeAfter(randomU32(this.#random) % (ID_SPREAD * 4 ** (conflicts - 1)));
  }

  /** Keeps an id from others that ask here. */
  reserve(id: number): void {
    if (this.#reserved.has(id) || this.memory.find(id) !== NO_SLOT) return;
    this.#reserved.add(id);
    this.#taken.add(id);
  }

  /** It is not asked for any more. */
  unreserve(id: number): void {
    if (this.#reserved.delete(id)) this.#taken.remove(id);
  }

  /**
   * Takes a client as a change of this number has it.
   *
   * @param joinedAt on the clock of this directory.
   * @param session undefined where the client keeps its session, or is elsewhere.
   * @returns its slot, {@linkcode NO_SLOT} where there is no room.
   */
  put(
    now: Instant,
    record: ClientRecord,
    version: number,
    joinedAt: Instant,
    session: EntrySession | undefined,
  ): number {
    const { memory } = this;
    const { id, publicKey, tokenSecret, endpoint, name } = record;
    let slot = this.isSame(record) ? memory.find(id) : NO_SLOT;
    const others = [memory.find(id), memory.findEndpoint(endpoint), memory.findName(name)];
    for (const other of new Set(others)) {
      // What the store says counts: this one is gone, and that was not heard.
      if (other !== NO_SLOT && other !== slot) this.drop(now, other, "left");
    }
    const isKept = slot !== NO_SLOT && session === undefined && this.hasSession(record);
    if (slot === NO_SLOT) {
      if (memory.size >= this.#maxClients) return NO_SLOT;
      const entry = { id, tokenSecret, publicKey, joinedAt };
      slot = memory.add(now, entry, session ?? sessionElsewhere(record));
      if (!this.#reserved.delete(id)) this.#taken.add(id);
      this.#note(slot, record, version);
      this.#report("joined", memory.entries.client(slot));
      return slot;
    }
    const isMoved = !memory.isUnmoved(slot, { ...sessionElsewhere(record), endpoint, name });
    if (!isKept) memory.update(now, slot, session ?? sessionElsewhere(record));
    this.#note(slot, record, version);
    if (isMoved) this.#report("moved", memory.entries.client(slot));
    return slot;
  }

  /** Keeps a name as a record says, on a clock that is `offset` ahead. */
  takeHeldName(now: Instant, text: string, offset: number): void {
    const held = decodeHeldName(text);
    if (held === undefined) return;
    const { name, publicKey, source, until } = held;
    const hold = until - offset - now;
    if (hold > 0) this.memory.heldNames.add(now, name, publicKey, source, hold);
  }

  /** The session has ended, of which this is the mark. */
  takeSpent(mark: string): void {
    const session = fromHex(mark, SESSION_MARK_SIZE);
    if (session !== undefined) this.memory.replays.add(session);
  }

  /** Whether the client is known, and in this very session. */
  hasSession({ id, session, directory }: ClientRecord): boolean {
    const slot = this.memory.find(id);
    if (slot === NO_SLOT || this.directory(slot) !== directory) return false;
    const key = this.memory.entries.sessionKey(slot);
    return session.every((byte, at) => byte === key[at]);
  }

  /** Whether the entry with this id is of the same client. */
  isSame({ id, publicKey, tokenSecret }: ClientRecord): boolean {
    const { entries } = this.memory;
    const slot = this.memory.find(id);
    if (slot === NO_SLOT || !entries.hasKey(slot, publicKey)) return false;
    const secret = entries.token(slot).subarray(4);
    return secret.every((byte, at) => byte === tokenSecret[at]);
  }

  /** Removes the entry in a slot. */
  drop(now: Instant, slot: number, kind: ChangeKind): void {
    const { memory } = this;
    const client = memory.entries.client(slot);
    memory.remove(now, slot);
    this.#taken.remove(client.id);
    this.#versions[slot] = 0;
    this.#directories[slot] = NOWHERE;
    this.#report(kind, client);
  }

  /** The entry in a slot goes, or gets another session. */
  draftEnd(draft: CommitDraft, slot: number): void {
    const session = this.memory.entries.sessionKey(slot);
    this.draftGone(draft, this.lease(slot), this.version(slot), session);
  }

  /** The lease that the change of this number wrote goes, and its session. */
  draftGone(draft: CommitDraft, lease: Lease, version: number, session: Uint8Array): void {
    draft.expect(lease, version);
    draft.remove(lease);
    draft.put(spentKey(session), "", SPENT_TTL);
  }

  /** No Register of the session of the entry in a slot is granted again. */
  draftSpent(draft: CommitDraft, slot: number): void {
    draft.put(spentKey(this.memory.entries.sessionKey(slot)), "", SPENT_TTL);
  }

  /** The name of the entry in a slot, which goes, is kept for its key. */
  draftHold(draft: CommitDraft, slot: number, storeTime: number): void {
    const { entries, heldNames } = this.memory;
    const { name, address } = entries.client(slot);
    if (name === "" || this.#nameHold === 0) return;
    const source = sourceOf(address);
    const forgotten = heldNames.forgottenFor(source);
    if (forgotten !== undefined) draft.delete(heldNameKey(forgotten));
    const publicKey = new Uint8Array(PUBLIC_KEY_SIZE);
    entries.copyKey(slot, publicKey, 0);
    const until = storeTime + this.#nameHold;
    const value = encodeHeldName({ name, publicKey, source, until });
    draft.put(heldNameKey(name), value, this.#nameHold);
  }

  /** The smallest id that is free, or one after so many others. */
  #freeAfter(skip: number): number {
    let id = this.#taken.smallestFree() + skip;
    while (this.#reserved.has(id) || this.memory.find(id) !== NO_SLOT) id++;
    return id;
  }

  #note(slot: number, { directory, otherEndpoint, session }: ClientRecord, version: number): void {
    const { entries, replays } = this.memory;
    this.#versions[slot] = version;
    this.#directories[slot] = directory;
    entries.setOtherEndpoint(slot, otherEndpoint ?? NO_ENDPOINT);
    // Here it is known by its entry.
    if (entries.sessionKey(slot).subarray(SESSION_MARK_SIZE).every((byte) => byte === 0)) {
      replays.add(session);
    }
  }
}

/** What is known of a session with another directory: no datagram is opened with it. */
function sessionElsewhere({ session, endpoint, name }: ClientRecord): EntrySession {
  const sessionKey = new Uint8Array(SESSION_KEY_SIZE);
  sessionKey.set(session);
  return { endpoint, name, sessionKey, session: 0, packet: 0 };
}
