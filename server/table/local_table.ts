/**
 * The table of a directory that shares it with no other.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { success } from "../../protocol/result.ts";
import { MemoryTable, type MemoryTableOptions } from "./memory_table.ts";
import type { OnDecided, RegisterRequest, Table, TableClient, TableHandlers } from "./table.ts";
import { TableInMemory } from "./table_in_memory.ts";

/** A table in memory that decides at once. */
export class LocalTable extends TableInMemory implements Table {
  readonly isAvailable = true;
  readonly #handlers: TableHandlers;
  readonly #reportExpired = (client: TableClient): void => {
    this.#handlers.report("expired", client);
  };

  constructor(options: MemoryTableOptions, handlers: TableHandlers) {
    super(new MemoryTable(options));
    this.#handlers = handlers;
  }

  isHere(): boolean {
    return true;
  }

  register(now: Instant, request: RegisterRequest, onDecided: OnDecided): void {
    const result = this.memory.register(now, request);
    if (!result.ok) return onDecided(result);
    const { slot, change, replaced, displaced } = result.value;
    const { report } = this.#handlers;
    if (replaced !== undefined) report("left", replaced);
    if (displaced !== undefined) report("displaced", displaced);
    if (change !== "none") report(change, this.entries.client(slot));
    onDecided(success(slot));
  }

  renew(now: Instant, slot: number): void {
    this.memory.renew(now, slot);
  }

  setOtherEndpoint(_now: Instant, slot: number, endpoint: Uint8Array): void {
    this.entries.setOtherEndpoint(slot, endpoint);
  }

  remove(now: Instant, slot: number): void {
    this.#handlers.report("left", this.entries.client(slot));
    this.memory.remove(now, slot);
  }

  send(): boolean {
    return false;
  }

  handleTimeout(now: Instant): void {
    this.memory.expire(now, this.#reportExpired);
  }

  nextTimeout(): Instant | undefined {
    return this.memory.nextExpiry();
  }
}
