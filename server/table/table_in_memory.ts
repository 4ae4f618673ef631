/**
 * What a table answers from memory, whether others share it or not.
 *
 * @module
 */
import type { Entries } from "./entries.ts";
import type { MemoryTable } from "./memory_table.ts";

/** Reads a table in memory. */
export abstract class TableInMemory {
  protected readonly memory: MemoryTable;

  constructor(memory: MemoryTable) {
    this.memory = memory;
  }

  get size(): number {
    return this.memory.size;
  }

  get entries(): Entries {
    return this.memory.entries;
  }

  find(id: number): number {
    return this.memory.find(id);
  }

  findName(name: string): number {
    return this.memory.findName(name);
  }

  findEndpoint(endpoint: Uint8Array): number {
    return this.memory.findEndpoint(endpoint);
  }

  listAbove(id: number): Iterable<number> {
    return this.memory.listAbove(id);
  }

  listFrom(index: number): Iterable<number> {
    return this.memory.listFrom(index);
  }

  isReplay(sessionKey: Uint8Array): boolean {
    return this.memory.replays.has(sessionKey);
  }
}
