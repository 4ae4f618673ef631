/**
 * What a directory tells its user; render.ts turns it into words or JSON.
 *
 * @module
 */
import type { Instant } from "../protocol/machine.ts";
import type { MemoryTable } from "./table/memory_table.ts";
import type { TableClient } from "./table/entry.ts";

/** Rows in the longest table that is told whole; of a longer one the changes and the size are. */
export const TABLE_ROWS_MAX = 200;
/** Rows of tables that may be told per second; a longer table counts as the longest. */
export const TABLE_ROWS_PER_SECOND = 10_000;
/** Rows of tables that may be told in a burst above that. */
export const TABLE_BURST = 2_000;
/** Milliseconds that a row takes from the allowance. */
const ROW_COST = 1000 / TABLE_ROWS_PER_SECOND;

/** What can happen to a client. `moved`: it has another address or name now. */
export type ChangeKind = "joined" | "moved" | "left" | "expired";

/**
 * Who is active: not a copy, but a look at the directory, so that it costs nothing unread. Above
 * {@linkcode TABLE_ROWS_MAX} only the size is told.
 */
export interface TableEvent {
  readonly kind: "table";
  readonly size: number;
  /** By rising id. */
  readonly clients: Iterable<TableClient>;
}

/** Everything that a directory tells, by `kind`. */
export type ServerEvent = { kind: ChangeKind; client: TableClient } | TableEvent;

/**
 * The events that wait to be taken: after each input the changes, then the table, once.
 *
 * Where changes are many, the table follows when the rate allows it.
 */
export class Announcements {
  readonly #directory: MemoryTable;
  /** At most two for each client, as long as they are taken after each input. */
  readonly #events: ServerEvent[] = [];
  #isTableChanged = false;
  /** When the allowance for the rows that were told is earned; tables wait until then. */
  #paidAt: Instant = -Infinity;

  constructor(directory: MemoryTable) {
    this.#directory = directory;
  }

  /** Tells what happened to a client. */
  tellChange(kind: ChangeKind, client: TableClient): void {
    this.#events.push({ kind, client });
    this.#isTableChanged = true;
  }

  /** Tells the table, where it changed and the rate allows it. */
  tellTable(now: Instant): void {
    if (!this.#isTableChanged || now < this.#paidAt) return;
    const start = Math.max(this.#paidAt, now - TABLE_BURST * ROW_COST);
    this.#paidAt = start + Math.min(this.#directory.size, TABLE_ROWS_MAX) * ROW_COST;
    this.#isTableChanged = false;
    this.#events.push(this.table());
  }

  /** Who is active, as an event. */
  table(): TableEvent {
    const directory = this.#directory;
    return {
      kind: "table",
      get size(): number {
        return directory.size;
      },
      clients: {
        *[Symbol.iterator](): Generator<TableClient, void> {
          for (const slot of directory.above()) yield directory.entries.client(slot);
        },
      },
    };
  }

  /** When to call tellTable() next. */
  nextTimeout(): Instant | undefined {
    return this.#isTableChanged ? this.#paidAt : undefined;
  }

  /** The next event, if any. */
  poll(): ServerEvent | undefined {
    return this.#events.shift();
  }
}
