/**
 * The text format of Prometheus, version 0.0.4.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * @module
 */
import type { Histogram } from "./histogram.ts";

/** The media type of the format. */
export const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** A value of a metric, and the labels that tell it from the others. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What is measured, and its values. */
export type Metric =
  & { readonly name: string; readonly help: string }
  & (
    | { readonly type: "counter" | "gauge"; readonly samples: readonly Sample[] }
    | { readonly type: "histogram"; readonly histogram: Histogram }
  );

/** The metrics as text. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics.map(renderMetric).join("");
}

function renderMetric(metric: Metric): string {
  const { name, help, type } = metric;
  const samples = metric.type === "histogram"
    ? histogramLines(name, metric.histogram)
    : metric.samples.map((sample) => sampleLine(name, sample));
  const lines = [`# HELP ${name} ${escapeText(help)}`, `# TYPE ${name} ${type}`, ...samples];
  return lines.map((line) => `${line}\n`).join("");
}

function histogramLines(name: string, { bounds, counts, sum }: Histogram): string[] {
  let count = 0;
  const buckets = counts.map((inBucket, index) => {
    count += inBucket;
    const le = formatValue(bounds[index] ?? Infinity);
    return sampleLine(`${name}_bucket`, { labels: { le }, value: count });
  });
  return [
    ...buckets,
    sampleLine(`${name}_sum`, { value: sum }),
    sampleLine(`${name}_count`, { value: count }),
  ];
}

function sampleLine(name: string, { labels = {}, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) =>
    `${label}="${escapeText(text).replaceAll('"', '\\"')}"`
  );
  const suffix = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${name}${suffix} ${formatValue(value)}`;
}

/** A number as Go parses it. */
function formatValue(value: number): string {
  if (Number.isFinite(value)) return `${value}`;
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escapeText(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
