/**
 * The events of a directory.
 *
 * @module
 */
import { Fifo } from "../protocol/fifo.ts";
import type { Instant } from "../protocol/machine.ts";
import type { ChangeKind, Table, TableClient } from "./table/table.ts";

/** Rows in the longest table that is shown; of a longer one only the changes and the size are. */
export const TABLE_ROWS_MAX = 200;
/** Rows of tables that may be reported per second; a longer table counts as the longest. */
export const TABLE_ROWS_PER_SECOND = 10_000;
/** Rows of tables that may be reported in a burst above that. */
export const TABLE_BURST = 2_000;
/** Milliseconds in which a row may be reported. */
const ROW_INTERVAL = 1000 / TABLE_ROWS_PER_SECOND;

/** The active clients: a view of the table, so that it costs nothing if it is not read. */
export interface TableEvent {
  readonly kind: "table";
  readonly size: number;
  /** By rising id. */
  readonly clients: Iterable<TableClient>;
}

/** An event of a directory. */
export type ServerEvent = { kind: ChangeKind; client: TableClient } | TableEvent;

/**
 * Queues the events: after each input its changes, then the table, once.
 *
 * While there are many changes, the table is reported when its rate limit allows it.
 */
export class EventReporter {
  readonly #table: Table;
  /** At most two for each client and input, as long as they are taken after what comes together. */
  readonly #events = new Fifo<ServerEvent>();
  #isTableChanged = false;
  /** The next table waits until then. */
  #nextTableAt: Instant = -Infinity;

  constructor(table: Table) {
    this.#table = table;
  }

  /** Reports a change of the table. */
  reportChange(kind: ChangeKind, client: TableClient): void {
    this.#events.push({ kind, client });
    this.#isTableChanged = true;
  }

  /** Reports the table, if it has changed and the rate limit allows it. */
  reportTable(now: Instant): void {
    if (!this.#isTableChanged || now < this.#nextTableAt) return;
    const start = Math.max(this.#nextTableAt, now - TABLE_BURST * ROW_INTERVAL);
    this.#nextTableAt = start + Math.min(this.#table.size, TABLE_ROWS_MAX) * ROW_INTERVAL;
    this.#isTableChanged = false;
    this.#events.push(this.table());
  }

  /** The table as an event. */
  table(): TableEvent {
    const table = this.#table;
    return {
      kind: "table",
      get size(): number {
        return table.size;
      },
      clients: {
        *[Symbol.iterator](): Generator<TableClient, void> {
          for (const slot of table.listAbove(0)) yield table.entries.client(slot);
        },
      },
    };
  }

  /** When to call reportTable() next. */
  nextTimeout(): Instant | undefined {
    return this.#isTableChanged ? this.#nextTableAt : undefined;
  }

  /** The next event, if any. */
  poll(): ServerEvent | undefined {
    return this.#events.shift();
  }
}
