/**
 * The table of a directory that shares it with no other.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { success } from "../../protocol/result.ts";
import { type Entries } from "./entries.ts";
import { MemoryTable, type MemoryTableOptions } from "./memory_table.ts";
import type { OnDecided, RegisterRequest, Table, TableClient, TableHandlers } from "./table.ts";

/** A table in memory that decides at once. */
export class LocalTable implements Table {
  readonly isAvailable = true;
  readonly #memory: MemoryTable;
  readonly #handlers: TableHandlers;
  readonly #reportExpired = (client: TableClient): void => {
    this.#handlers.report("expired", client);
  };

  constructor(options: MemoryTableOptions, handlers: TableHandlers) {
    this.#memory = new MemoryTable(options);
    this.#handlers = handlers;
  }

  get size(): number {
    return this.#memory.size;
  }

  get entries(): Entries {
    return this.#memory.entries;
  }

  find(id: number): number {
    return this.#memory.find(id);
  }

  findName(name: string): number {
    return this.#memory.findName(name);
  }

  findEndpoint(endpoint: Uint8Array): number {
    return this.#memory.findEndpoint(endpoint);
  }

  isHere(): boolean {
    return true;
  }

  listAbove(id: number): Iterable<number> {
    return this.#memory.listAbove(id);
  }

  listFrom(index: number): Iterable<number> {
    return this.#memory.listFrom(index);
  }

  isReplay(sessionKey: Uint8Array): boolean {
    return this.#memory.replays.has(sessionKey);
  }

  register(now: Instant, request: RegisterRequest, onDecided: OnDecided): void {
    const result = this.#memory.register(now, request);
    if (!result.ok) return onDecided(result);
    const { slot, change, replaced, displaced } = result.value;
    const { report } = this.#handlers;
    if (replaced !== undefined) report("left", replaced);
    if (displaced !== undefined) report("displaced", displaced);
    if (change !== "none") report(change, this.entries.client(slot));
    onDecided(success(slot));
  }

  renew(now: Instant, slot: number): void {
    this.#memory.renew(now, slot);
  }

  setOtherEndpoint(_now: Instant, slot: number, endpoint: Uint8Array): void {
    this.entries.setOtherEndpoint(slot, endpoint);
  }

  remove(now: Instant, slot: number): void {
    this.#handlers.report("left", this.entries.client(slot));
    this.#memory.remove(now, slot);
  }

  send(): boolean {
    return false;
  }

  handleTimeout(now: Instant): void {
    this.#memory.expire(now, this.#reportExpired);
  }

  nextTimeout(): Instant | undefined {
    return this.#memory.nextExpiry();
  }
}
