import { assertEquals } from "@std/assert";
import { renderMetrics } from "../../../server/metrics/exposition.ts";
import { directoryMetrics, type Reading } from "../../../server/metrics/metrics.ts";
import { parsePrometheusText } from "../../support/prometheus_text.ts";
import { IDLE } from "./reading.ts";

const READING: Reading = {
  ...IDLE,
  totals: {
    ...{ clients: 1, registrations: 2, lookUps: 3, introductions: 4 },
    ...{ carriedDatagrams: 5, carriedBytes: 6, refused: { full: 7 }, dropped: { strangers: 8 } },
  },
};

Deno.test("directoryMetrics() has each count once, and every reason from the start", () => {
  const metrics = parsePrometheusText(renderMetrics(directoryMetrics(READING)));
  const singles = [...metrics].flatMap(([name, { samples }]) =>
    samples.length === 1 ? [[name, samples[0]!.value]] : []
  );
  assertEquals(Object.fromEntries(singles), {
    udpchat_clients: 1,
    udpchat_registrations_total: 2,
    udpchat_look_ups_total: 3,
    udpchat_meetings_total: 4,
    udpchat_carried_datagrams_total: 5,
    udpchat_carried_bytes_total: 6,
    udpchat_clients_max: 9,
    process_resident_memory_bytes: 10,
    udpchat_heap_size_bytes: 11,
    udpchat_heap_used_bytes: 12,
    process_start_time_seconds: 13.5,
    udpchat_build_info: 1,
  });
  const counts = (name: string): unknown[] =>
    metrics.get(name)!.samples.filter(({ value }) => value > 0)
      .map(({ labels, value }) => [labels, value]);
  assertEquals(counts("udpchat_refusals_total"), [[{ reason: "full" }, 7]]);
  assertEquals(counts("udpchat_dropped_total"), [[{ reason: "strangers" }, 8]]);
  assertEquals(metrics.get("udpchat_refusals_total")!.samples.length, 8);
  assertEquals(metrics.get("udpchat_dropped_total")!.samples.length, 20);
});
