/**
 * What a directory reports of itself to Prometheus.
 *
 * @module
 */
import { DROP_REASONS, REFUSAL_NAMES, type Totals } from "../totals.ts";
import type { Metric, Sample } from "./exposition.ts";
import type { Histogram } from "./histogram.ts";

/** What runs: versions. */
export interface Build {
  readonly version: string;
  readonly protocol: string;
  readonly deno: string;
}

/** The memory of the process, in bytes, as `Deno.memoryUsage()` has it. */
export interface Memory {
  readonly rss: number;
  readonly heapTotal: number;
  readonly heapUsed: number;
}

/** The state of a store that a directory shares with others. */
export interface StoreReading {
  readonly isAvailable: boolean;
  /** Seconds in which it answered. */
  readonly latency: Histogram;
}

/** The state of a directory and of its process at one instant. */
export interface Reading {
  readonly totals: Totals;
  /** The most clients in the table. */
  readonly maxClients: number;
  /** Seconds by which timers were late. */
  readonly loopDelay: Histogram;
  readonly memory: Memory;
  /** The store, undefined where there is none. */
  readonly store: StoreReading | undefined;
  /** When the process started, in seconds since 1970. */
  readonly startedAt: number;
  readonly build: Build;
}

/** All metrics, in the order in which they are shown. */
export function directoryMetrics(reading: Reading): Metric[] {
  return [
    ...tableMetrics(reading),
    ...trafficMetrics(reading.totals),
    ...reading.store === undefined ? [] : storeMetrics(reading.store),
    ...processMetrics(reading),
  ];
}

function tableMetrics({ totals, maxClients }: Reading): Metric[] {
  return [
    gauge("udpchat_clients", "Clients in the table.", totals.clients),
    gauge("udpchat_clients_max", "The most clients that the table takes.", maxClients),
    counter("udpchat_registrations_total", "Registrations granted.", totals.registrations),
    {
      name: "udpchat_refusals_total",
      help: "Registrations refused, by reason.",
      type: "counter",
      samples: byReason(REFUSAL_NAMES, totals.refused),
    },
  ];
}

function trafficMetrics(totals: Totals): Metric[] {
  const { lookUps, introductions, carriedDatagrams, carriedBytes, dropped } = totals;
  return [
    counter("udpchat_look_ups_total", "Look-ups answered.", lookUps),
    counter("udpchat_meetings_total", "Calls that led to a meeting.", introductions),
    counter(
      "udpchat_carried_datagrams_total",
      "Datagrams carried between clients.",
      carriedDatagrams,
    ),
    counter("udpchat_carried_bytes_total", "Bytes carried between clients.", carriedBytes),
    {
      name: "udpchat_dropped_total",
      help: "Datagrams and answers dropped, by reason.",
      type: "counter",
      samples: byReason(DROP_REASONS, dropped),
    },
  ];
}

function storeMetrics({ isAvailable, latency }: StoreReading): Metric[] {
  return [
    gauge("udpchat_store_up", "Whether the store answers: 1 or 0.", isAvailable ? 1 : 0),
    {
      name: "udpchat_store_latency_seconds",
      help: "How long the store took to answer, once a second.",
      type: "histogram",
      histogram: latency,
    },
  ];
}

function processMetrics({ loopDelay, memory, startedAt, build }: Reading): Metric[] {
  return [
    {
      name: "udpchat_event_loop_delay_seconds",
      help: "How late a timer fired, ten times a second.",
      type: "histogram",
      histogram: loopDelay,
    },
    gauge("udpchat_heap_used_bytes", "Memory in use on the heap of V8.", memory.heapUsed),
    gauge("udpchat_heap_size_bytes", "Size of the heap of V8.", memory.heapTotal),
    gauge("process_resident_memory_bytes", "Resident memory of the process.", memory.rss),
    gauge("process_start_time_seconds", "Start of the process, in seconds since 1970.", startedAt),
    {
      name: "udpchat_build_info",
      help: "The versions of the program, of the protocol and of Deno; always 1.",
      type: "gauge",
      samples: [{ labels: { ...build }, value: 1 }],
    },
  ];
}

function gauge(name: string, help: string, value: number): Metric {
  return { name, help, type: "gauge", samples: [{ value }] };
}

function counter(name: string, help: string, value: number): Metric {
  return { name, help, type: "counter", samples: [{ value }] };
}

/** A value for every reason, so that each is there from the start. */
function byReason<Reason extends string>(
  reasons: readonly Reason[],
  counts: Partial<Record<Reason, number>>,
): Sample[] {
  return reasons.map((reason) => ({ labels: { reason }, value: counts[reason] ?? 0 }));
}
