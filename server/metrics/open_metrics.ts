/**
 * The metrics of a running directory, on HTTP.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { loadCipher } from "../../protocol/crypto/sodium.ts";
import { formatAddress } from "../../protocol/wire/address.ts";
import { VERSION } from "../../protocol/wire/frame.ts";
import type { Server } from "../server.ts";
import { renderMetrics } from "./exposition.ts";
import type { Histogram } from "./histogram.ts";
import { listenForMetrics } from "./listener.ts";
import { LoopDelay, type Timing } from "./loop_delay.ts";
import { type Build, directoryMetrics } from "./metrics.ts";

/** Metrics that are served, until they are closed. */
export interface OpenMetrics {
  /** Where the metrics are. */
  readonly url: string;
  /** Says from now on that the directory is not ready. */
  stopping(): void;
  close(): void;
}

/** Serves the metrics of a directory. */
export function openMetrics(
  listener: Deno.TcpListener,
  directory: Pick<Server, "totals" | "isAvailable">,
  storeLatency: Histogram | undefined,
  maxClients: number,
  timing: Timing & { readonly startedAt: number },
): OpenMetrics {
  const { startedAt } = timing;
  const loopDelay = new LoopDelay(timing);
  let [isLoaded, isStopping] = [false, false];
  // Before, datagrams wait. Where it cannot be loaded the directory ends.
  loadCipher().then(() => isLoaded = true, () => {});
  const open = listenForMetrics(listener, {
    isReady: () => isLoaded && !isStopping && directory.isAvailable,
    renderMetrics: () =>
      renderMetrics(directoryMetrics({
        totals: directory.totals,
        maxClients,
        loopDelay: loopDelay.histogram,
        memory: Deno.memoryUsage(),
        store: storeLatency && { isAvailable: directory.isAvailable, latency: storeLatency },
        startedAt,
        build: BUILD,
      })),
  }, timing);
  loopDelay.start();
  return {
    url: `http://${formatAddress(listener.addr as Deno.NetAddr)}/metrics`,
    stopping(): void {
      isStopping = true;
    },
    close(): void {
      loopDelay.stop();
      open.close();
    },
  };
}

const BUILD: Build = {
  version: config.version,
  protocol: `${VERSION}`,
  deno: Deno.version.deno,
};
