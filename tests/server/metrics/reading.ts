/**
 * A reading of a directory that has done nothing.
 *
 * @module
 */
import { Histogram } from "../../../server/metrics/histogram.ts";
import type { Reading } from "../../../server/metrics/metrics.ts";
import { NOTHING } from "../screen/nothing.ts";

export const IDLE: Reading = {
  totals: NOTHING,
  maxClients: 9,
  loopDelay: new Histogram([1]),
  memory: { rss: 10, heapTotal: 11, heapUsed: 12 },
  store: undefined,
  startedAt: 13.5,
  build: { version: "0.1.0", protocol: "1", deno: "2.9.6" },
};
