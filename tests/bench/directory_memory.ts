/**
 * Memory and times of a directory with a million clients.
 *
 * @module
 */
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import { Child } from "./child.ts";
import type { Filled } from "./directory_fill.ts";
import type { Found } from "./report.ts";

const CLIENTS = 1_000_000;
const CLIENTS_QUICK = 100_000;
/** Milliseconds that filling the table may take. */
const PATIENCE = 600_000;

/** See its summary. */
export const directoryMemory: Benchmark = {
  name: "directory-memory",
  summary: "memory of a directory for each of 1,000,000 clients, and look-ups while leases end",
  problem: () => undefined,
  async run({ isQuick }: Plan): Promise<Found> {
    const clients = isQuick ? CLIENTS_QUICK : CLIENTS;
    await using child = new Child("fill", { clients });
    const filled = await child.hear<Filled>(PATIENCE);
    const { bytesPerClient, registerMicros, atRest, sweeping, expired } = filled;
    const figures = new Figures();
    const add = (metric: string, unit: string, value: number): void =>
      figures.add("udp-chat", metric, unit, value);
    add("resident for each client", "B", bytesPerClient);
    add("a registration without X25519", "µs", registerMicros);
    for (const [when, delays] of Object.entries({ "at rest": atRest, "leases ending": sweeping })) {
      for (const quantile of ["p50", "p99", "worst"] as const) {
        add(`look-up ${quantile}, ${when}`, "µs", delays[quantile]);
      }
    }
    const notes = [
      `${clients.toLocaleString("en-US")} clients at addresses of their own, without a socket, ` +
      "on virtual time, one round. Resident: its growth after a garbage collection.",
      "A registration: both ends of it, with one key agreement for all, since the clients share a key.",
      `While ${sweeping.count} look-ups went on, ${expired} leases ended.`,
    ];
    return { rows: figures.rows, notes };
  },
};
