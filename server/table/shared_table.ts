/**
 * The table of directories that share a store.
 *
 * Each has a replica of all of it in memory. A directory decides on its replica, by the rules of a
 * table in memory, and has the store make the change if nothing that it depends on has changed
 * meanwhile. Then the change comes to all, in one order, and only then it counts. Sessions are in the
 * replica of the directory where the client is registered, and nowhere else.
 *
 * @module
 */
import { COOKIE_SLOT } from "../../protocol/directory/timed_mac.ts";
import { Fifo } from "../../protocol/fifo.ts";
import { type Instant, type Random } from "../../protocol/machine.ts";
import { failure, success } from "../../protocol/result.ts";
import { earlier, Timers } from "../../protocol/timers.ts";
import { type Frame, RefusalReason } from "../../protocol/wire/frame.ts";
import type { Lease, StoreInput, StoreQuestion, StoreRecord } from "../store/store.ts";
import {
  type Change,
  type ClientRecord,
  decodeChange,
  decodeClient,
  decodeKeys,
  encodeClient,
  encodeKeys,
  heldNameKey,
  KEYS_KEY,
  leaseOf,
  parseKey,
  SESSION_MARK_SIZE,
} from "./client_record.ts";
import { CodeKeys } from "./code_keys.ts";
import { CommitDraft } from "./commit_draft.ts";
import { TOKEN_SECRET_SIZE } from "./entries.ts";
import { Forwarding } from "./forwarding.ts";
import type { MemoryTableOptions } from "./memory_table.ts";
import {
  PENDING_REGISTERS_MAX,
  type PendingRegister,
  PendingRegisters,
} from "./pending_registers.ts";
import { Renewals } from "./renewals.ts";
import { Replica } from "./replica.ts";
import { Restoring } from "./restoring.ts";
import { StoreFeed } from "./store_feed.ts";
import {
  type ChangeKind,
  NO_SLOT,
  type OnDecided,
  type RegisterRequest,
  type SharedSettings,
  type Table,
  type TableHandlers,
} from "./table.ts";
import { TableInMemory } from "./table_in_memory.ts";

/** How often a Register is decided anew, because something that it depends on had changed. */
export const CONFLICTS_MAX = 5;
/** Milliseconds that the other directories have to bring back the next of what the store has lost. */
export const SETTLE_TIME = 2_000;
/** The same to renew the leases that are over because the store was down. */
export const RENEWAL_TIME = 10_000;
/** Inputs that wait until their answers can be sent; beyond, answers are lost. */
export const WAITING_INPUTS_MAX = 10_000;
/** Milliseconds that keys are kept in the store: longer than anything is good that is made with them. */
const KEYS_TTL = 10 * COOKIE_SLOT;

/** The settings of a {@linkcode SharedTable}. */
export interface SharedTableOptions extends MemoryTableOptions {
  /** The number of this directory, which no other has. */
  readonly directory: number;
  /** For the other directories to compare with theirs. */
  readonly settings: SharedSettings;
}

/** A table that is shared through a store. */
export class SharedTable extends TableInMemory implements Table {
  readonly #handlers: TableHandlers;
  readonly #directory: number;
  readonly #lease: number;
  readonly #random: Random;
  readonly #replica: Replica;
  readonly #pending = new PendingRegisters();
  readonly #restoring: Restoring;
  readonly #feed: StoreFeed;
  readonly #keys: CodeKeys;
  readonly #questions = new Fifo<StoreQuestion>();
  readonly #inputs = new Fifo<StoreInput>();
  readonly #forwarding = new Forwarding();
  /** The ids of clients that left here, of which the store may not know that. */
  readonly #left = new Set<number>();
  #number = 0;
  readonly #renewals: Renewals;
  /** No lease is ended for another directory before. */
  #sweepFrom: Instant = Infinity;
  readonly #timers = new Timers<"settle">();

  constructor(options: SharedTableOptions, handlers: TableHandlers) {
    const replica = new Replica(options, handlers.report);
    super(replica.memory);
    this.#replica = replica;
    this.#handlers = handlers;
    this.#directory = options.directory;
    this.#lease = options.lease;
    this.#random = options.random;
    this.#renewals = new Renewals(2 * options.maxClients, options.lease);
    this.#restoring = new Restoring((id) => this.#restore(this.find(id)));
    this.#feed = new StoreFeed({
      ask: (question) => this.#ask(question),
      begin: () => {
        this.#timers.clear("settle");
        this.#replica.forgetVersions();
        this.#renewals.reset();
        this.#keys.forgetVersion();
      },
      record: (now, record) => this.#takeRecord(now, record),
      loaded: (now) => this.#handleLoaded(now),
      change: (now, { number, change }) => this.#handleChange(now, number, change),
      due: (now, leases) => this.#handleDue(now, leases),
      down: (now) => this.#handleDown(now),
    });
    const { settings, random } = options;
    this.#keys = new CodeKeys({
      feed: this.#feed,
      random,
      settings,
      commit: (draft, keys) => {
        draft.put(KEYS_KEY, encodeKeys(keys), KEYS_TTL);
        this.#commit(draft, { keys });
      },
      onKeys: (keys) => handlers.useKeys(keys),
    });
  }

  get isAvailable(): boolean {
    return this.#feed.isLive && this.#timers.get("settle") === undefined;
  }

  isHere(slot: number): boolean {
    return this.#replica.directory(slot) === this.#directory;
  }

  register(now: Instant, request: RegisterRequest, onDecided: OnDecided): void {
    const isTooMuch = this.#pending.size >= PENDING_REGISTERS_MAX;
    if (!this.isAvailable || isTooMuch) return onDecided(failure(RefusalReason.unavailable));
    const pending = this.#pending.add(now, request, onDecided);
    if (pending !== undefined) this.#decide(now, pending);
  }

  renew(now: Instant, slot: number): void {
    this.memory.renew(now, slot);
    if (this.#feed.isLive) this.#renewals.hear(now, slot);
  }

  setOtherEndpoint(_now: Instant, slot: number, endpoint: Uint8Array): void {
    const before = this.entries.otherEndpoint(slot);
    if (before?.every((byte, at) => byte === endpoint[at])) return;
    this.entries.setOtherEndpoint(slot, endpoint);
    const draft = new CommitDraft();
    draft.expect(this.#replica.lease(slot), this.#replica.version(slot));
    this.#writeClient(draft, slot);
  }

  remove(now: Instant, slot: number): void {
    this.#left.add(this.entries.id(slot));
    this.#replica.release(slot);
    this.#end(now, slot, "left");
  }

  send(slot: number, frame: Frame): boolean {
    const directory = this.#replica.directory(slot);
    const isElsewhere = directory !== 0 && directory !== this.#directory;
    if (!isElsewhere || !this.#feed.isLive) return false;
    const message = this.#forwarding.add(this.entries.id(slot), frame);
    if (message !== undefined) this.#ask({ kind: "send", directory, message });
    return message !== undefined;
  }

  /** Takes what comes from the store, as fast as the answers can be sent. */
  handleStore(now: Instant, input: StoreInput): void {
    this.#inputs.push(input);
    this.#takeInputs(now);
  }

  #takeInputs(now: Instant): void {
    while (this.#handlers.hasRoom() || this.#inputs.length > WAITING_INPUTS_MAX) {
      const input = this.#inputs.shift();
      if (input === undefined) return;
      this.#takeInput(now, input);
    }
  }

  #takeInput(now: Instant, input: StoreInput): void {
    switch (input.kind) {
      case "commit":
        return this.#handleCommit(now, input.number, input.isDone, input.last);
      case "renew":
        this.#renewals.handleAnswer();
        return this.#handleMissing(now, input.missing);
      case "message":
        return this.#handleMessage(now, input.message);
      default:
        return this.#feed.handle(now, input);
    }
  }

  /** The next question to the store, if any. */
  pollQuestion(now: Instant): StoreQuestion | undefined {
    const leases = this.#renewals.take(now, (slot) => {
      return this.isHere(slot) ? this.#replica.lease(slot) : undefined;
    });
    if (leases.length > 0) return { kind: "renew", leases, ttl: this.#lease };
    const question = this.#questions.shift();
    if (question?.kind === "send") this.#forwarding.noteSent();
    return question;
  }

  handleTimeout(now: Instant): void {
    this.#takeInputs(now);
    this.#feed.handleTimeout(now);
    this.#restoring.handleTimeout(now);
    this.#keys.handleTimeout(now);
    if (this.#timers.expire("settle", now)) this.#settle(now);
    this.#refuseLate(now);
    this.memory.endLeases(now, (slot) => {
      // That of a client of another directory is not over because nothing is heard of it here, and
      // where the store is down, none is.
      this.memory.renew(now, slot);
      if (this.isHere(slot)) this.#end(now, slot, "expired");
    });
  }

  nextTimeout(): Instant | undefined {
    if (this.#inputs.length > 0) return -Infinity;
    let timeout = earlier(this.memory.nextExpiry(), this.#feed.nextTimeout());
    timeout = earlier(timeout, this.#restoring.nextTimeout());
    timeout = earlier(timeout, this.#keys.nextTimeout());
    timeout = earlier(timeout, this.#pending.nextTimeout());
    return earlier(timeout, this.#timers.next());
  }

  #ask(question: StoreQuestion): void {
    this.#questions.push(question);
  }

  /** Asks the store to make a change; it comes back to all if it was made. */
  #commit(draft: CommitDraft, change: Change): number {
    const number = ++this.#number;
    this.#ask(draft.toQuestion(number, change));
    return number;
  }

  /** Decides a Register on the replica, and asks the store to make the change. */
  #decide(now: Instant, pending: PendingRegister): void {
    const { request } = pending;
    const { publicKey, name, endpoint, sessionKey } = request;
    // It was granted at another directory meanwhile: two must not seal with one key.
    if (this.isReplay(sessionKey)) return this.#pending.drop(pending);
    const decided = this.memory.decide(now, request);
    if (!decided.ok) return this.#refuse(pending, decided.error);
    const { own, replaced, displaced, id: wantedId } = decided.value;
    const draft = new CommitDraft();
    const gone: [number, ChangeKind][] = [];
    for (const [slot, kind] of [[replaced, "left"], [displaced, "displaced"]] as const) {
      if (slot === NO_SLOT) continue;
      this.#replica.draftEnd(draft, slot);
      if (this.entries.name(slot) !== name) this.#draftHold(now, draft, slot);
      gone.push([this.entries.id(slot), kind]);
    }
    if (own !== NO_SLOT) this.#replica.draftEnd(draft, own);
    const former = own === NO_SLOT ? undefined : this.#record(own);
    const id = wantedId || this.#replica.freeId(pending.conflicts, gone.map(([id]) => id));
    const client: ClientRecord = {
      id,
      tokenSecret: former?.tokenSecret ?? this.#random(TOKEN_SECRET_SIZE),
      publicKey,
      name,
      endpoint,
      otherEndpoint: undefined,
      joinedAt: former?.joinedAt ?? this.#feed.storeTime(now),
      directory: this.#directory,
      session: sessionKey.subarray(0, SESSION_MARK_SIZE),
    };
    if (name !== "" && this.memory.heldNames.has(name)) draft.delete(heldNameKey(name));
    draft.putLease(leaseOf(id, endpoint, name), encodeClient(client), this.#lease);
    this.#replica.reserve(id);
    pending.id = id;
    this.#pending.setNumber(pending, this.#commit(draft, { gone, client }));
  }

  /** Refuses those whose time is over, as fast as that can be sent. */
  #refuseLate(now: Instant): void {
    while (this.#handlers.hasRoom()) {
      const late = this.#pending.late(now);
      if (late === undefined) return;
      this.#refuse(late, RefusalReason.unavailable);
    }
  }

  #refuse(pending: PendingRegister, reason: number): void {
    this.#replica.unreserve(pending.id);
    this.#pending.finish(pending, failure(reason));
  }

  #handleCommit(now: Instant, number: number, isDone: boolean, last: number): void {
    const pending = this.#pending.find(number);
    // What was done comes as a change.
    if (pending !== undefined && !isDone) {
      this.#replica.unreserve(pending.id);
      if (++pending.conflicts > CONFLICTS_MAX) this.#refuse(pending, RefusalReason.unavailable);
      else if (this.#feed.last >= last) this.#decide(now, pending);
      else this.#pending.wait(pending, last);
    }
    const id = this.#restoring.finish(now, number);
    const slot = id === undefined || isDone ? NO_SLOT : this.find(id);
    // Another client has its id, address or name: it has to register again.
    if (slot !== NO_SLOT && this.isHere(slot) && this.#replica.version(slot) === 0) {
      this.#replica.drop(now, slot, "left");
    }
  }

  #handleChange(now: Instant, number: number, text: string): void {
    const change = decodeChange(text);
    for (const [id, kind] of change.gone ?? []) this.#takeEnd(now, this.find(id), kind, number);
    const over = change.over === undefined ? NO_SLOT : this.#replica.findLease(change.over);
    this.#takeEnd(now, over, "expired", number);
    if (change.client !== undefined) this.#takeClient(now, change.client, number);
    if (change.keys !== undefined) this.#keys.take(change.keys, number);
    for (const pending of this.#pending.waitingFor(number)) this.#decide(now, pending);
  }

  /** Removes the client in a slot, as the change of this number says. */
  #takeEnd(now: Instant, slot: number, kind: ChangeKind, number: number): void {
    const version = slot === NO_SLOT ? Infinity : this.#replica.version(slot);
    const isRestored = version > 0 || !this.isHere(slot);
    if (version >= number || !isRestored) return;
    this.#left.delete(this.entries.id(slot));
    this.#replica.drop(now, slot, kind);
  }

  #takeRecord(now: Instant, { key, version, value }: StoreRecord): void {
    const [kind, rest] = parseKey(key);
    if (kind === "client") {
      const client = decodeClient(value);
      if (client !== undefined) this.#takeClient(now, client, version);
    } else if (kind === "held") {
      this.#replica.takeHeldName(now, value, this.#feed.storeTime(0));
    } else if (kind === "spent") this.#replica.takeSpent(rest);
    else if (key === KEYS_KEY) {
      const keys = decodeKeys(value);
      if (keys !== undefined) this.#keys.take(keys, version);
    }
  }

  #takeClient(
    now: Instant,
    client: ClientRecord,
    version: number,
  ): void {
    const known = this.find(client.id);
    if (known !== NO_SLOT && this.#replica.version(known) >= version) return;
    const isLost = known !== NO_SLOT && this.#replica.version(known) === 0;
    const isAwaited = isLost && this.#timers.get("settle") !== undefined;
    // More may come.
    if (isAwaited) this.#timers.set("settle", now + SETTLE_TIME);
    const isOurs = client.directory === this.#directory;
    const pending = isOurs ? this.#pending.findSession(client.session) : undefined;
    const isKept = this.#replica.hasSession(client);
    const isMove = this.#replica.isSame(client) && !this.#left.has(client.id);
    // It has a session again.
    if (!isOurs || pending !== undefined) this.#left.delete(client.id);
    const joinedAt = Math.min(now, this.#feed.instantOf(client.joinedAt));
    const slot = this.#replica.put(now, client, version, joinedAt, pending?.request);
    if (slot === NO_SLOT) {
      if (pending !== undefined) this.#refuse(pending, RefusalReason.full);
      if (isOurs) this.#withdraw(client, version);
    } else if (pending !== undefined) {
      this.#renewals.note(now, slot);
      this.#pending.finish(pending, success(slot));
    } else if (isOurs && !isKept) {
      // It was refused, as the answer took too long. A client that was registered elsewhere is as good
      // as there: it comes again with its token, or its lease ends.
      if (isMove) this.#replica.release(slot);
      else this.remove(now, slot);
    }
  }

  /** Has the store remove a client of this directory, in which there is no room for it. */
  #withdraw({ id, endpoint, name, session }: ClientRecord, version: number): void {
    if (!this.#feed.isLive) return;
    const draft = new CommitDraft();
    this.#replica.draftGone(draft, leaseOf(id, endpoint, name), version, session);
    this.#commit(draft, { gone: [[id, "left"]] });
  }

  #handleLoaded(now: Instant): void {
    this.#sweepFrom = now + RENEWAL_TIME;
    let isStale = false;
    for (const slot of this.listAbove(0)) {
      const isThere = this.#replica.version(slot) > 0;
      if (this.isHere(slot)) {
        if (isThere) this.#renewals.add(slot);
        else this.#restoring.add(now, this.entries.id(slot));
      } else if (this.#replica.directory(slot) !== 0) isStale ||= !isThere;
      else if (!isThere) this.#replica.drop(now, slot, "left");
      else if (this.#left.has(this.entries.id(slot))) this.#end(now, slot, "left");
    }
    this.#left.clear();
    if (isStale) this.#timers.set("settle", now + SETTLE_TIME);
    this.#keys.rotate(now);
  }

  /** Removes what nobody brought back. */
  #settle(now: Instant): void {
    for (const slot of this.listAbove(0)) {
      const isGone = this.#replica.version(slot) === 0 && !this.isHere(slot);
      if (isGone) this.#replica.drop(now, slot, "expired");
    }
  }

  #handleDown(now: Instant): void {
    this.#timers.clear("settle");
    this.#restoring.clear();
    this.#pending.end(now);
    this.#refuseLate(now);
    this.#sweepFrom = now + RENEWAL_TIME;
  }

  /** Ends leases that are over: whichever directory they are of may be gone. */
  #handleDue(now: Instant, leases: readonly Lease[]): void {
    for (const lease of leases) {
      const slot = this.#replica.findLease(lease);
      if (slot !== NO_SLOT && this.isHere(slot)) this.#renewals.add(slot);
      else if (now >= this.#sweepFrom) this.#endOver(now, lease, slot);
    }
  }

  /** The store has none of these leases. */
  #handleMissing(now: Instant, leases: readonly Lease[]): void {
    for (const lease of leases) {
      const slot = this.#replica.findLease(lease);
      if (slot === NO_SLOT || !this.isHere(slot)) continue;
      this.#replica.forgetVersion(slot);
      this.#restoring.add(now, this.entries.id(slot));
    }
  }

  #handleMessage(now: Instant, message: string): void {
    const read = this.#forwarding.read(message);
    const slot = read === undefined ? NO_SLOT : this.find(read.id);
    if (read !== undefined && slot !== NO_SLOT && this.isHere(slot)) {
      this.#handlers.deliver(now, slot, read.frame);
    }
  }

  /** Removes a lease that is over; the slot of its client has none where this directory has no room. */
  #endOver(now: Instant, lease: Lease, slot: number): void {
    const draft = new CommitDraft();
    // Its records may be gone: they outlive it by a while only.
    draft.requireOver(lease);
    draft.remove(lease);
    if (slot !== NO_SLOT) {
      this.#replica.draftSpent(draft, slot);
      this.#draftHold(now, draft, slot);
    }
    this.#commit(draft, { over: lease });
  }

  /** Removes a client, where the store can be asked: else its lease ends. */
  #end(now: Instant, slot: number, kind: ChangeKind): void {
    if (!this.#feed.isLive) return;
    const draft = new CommitDraft();
    this.#replica.draftEnd(draft, slot);
    this.#draftHold(now, draft, slot);
    this.#commit(draft, { gone: [[this.entries.id(slot), kind]] });
  }

  #draftHold(now: Instant, draft: CommitDraft, slot: number): void {
    this.#replica.draftHold(draft, slot, this.#feed.storeTime(now));
  }

  /** Writes a client again that the store has lost; returns the number of the question, if it is here. */
  #restore(slot: number): number | undefined {
    const isLost = slot !== NO_SLOT && this.isHere(slot) && this.#replica.version(slot) === 0;
    return isLost ? this.#writeClient(new CommitDraft(), slot) : undefined;
  }

  #writeClient(draft: CommitDraft, slot: number): number {
    const client = this.#record(slot);
    draft.putLease(this.#replica.lease(slot), encodeClient(client), this.#lease);
    return this.#commit(draft, { client });
  }

  #record(slot: number): ClientRecord {
    return this.#replica.record(slot, this.#feed.storeTime(0));
  }
}
