/**
 * A strict parser of the text format of Prometheus, version 0.0.4.
 *
 * It is written from the specification, not from the code:
 * https://prometheus.io/docs/instrumenting/exposition_formats/. Stricter than that, it wants a help and
 * a type for each metric, single spaces, no time stamps, and the suffix `_total` on counters.
 *
 * @module
 */

/** A value of a metric. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric and its values. */
export interface ParsedMetric {
  readonly help: string;
  readonly type: string;
  readonly samples: ParsedSample[];
}

const TYPES = ["counter", "gauge", "histogram", "summary", "untyped"];
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/;
const NUMBER = /^[+-]?(?:Inf|NaN|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)$/;

/** Parses metrics by their names; throws at the first line that the specification does not allow. */
export function parsePrometheusText(text: string): Map<string, ParsedMetric> {
  if (text !== "" && !text.endsWith("\n")) throw new Error("The last line has no line feed");
  const metrics = new Map<string, ParsedMetric>();
  const lines = text.split("\n").slice(0, -1);
  for (let at = 0; at < lines.length;) at = readMetric(lines, at, metrics);
  for (const [name, metric] of metrics) checkMetric(name, metric);
  return metrics;
}

/** Reads the group of lines of one metric; returns where the next one starts. */
function readMetric(lines: string[], start: number, metrics: Map<string, ParsedMetric>): number {
  const [, name = "", help = ""] = expect(/^# HELP (\S+) (.*)$/, lines[start]);
  const [, typed = "", type = ""] = expect(/^# TYPE (\S+) (\S+)$/, lines[start + 1]);
  if (!NAME.test(name) || typed !== name) throw new Error(`Names differ, or are none: ${name}`);
  if (!TYPES.includes(type)) throw new Error(`No type: ${type}`);
  if (metrics.has(name)) throw new Error(`In two groups: ${name}`);
  const samples: ParsedSample[] = [];
  let at = start + 2;
  for (; at < lines.length && !lines[at]!.startsWith("#"); at++) {
    samples.push(parseSample(lines[at]!));
  }
  metrics.set(name, { help: unescape(help, /\\(?![\\n])/), type, samples });
  return at;
}

function parseSample(line: string): ParsedSample {
  const [, name = "", labels, value = ""] = expect(SAMPLE, line);
  return { name, labels: parseLabels(labels ?? "", line), value: parseValue(value) };
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== "";) {
    const [all, name = "", value = ""] = expect(LABEL, rest);
    if (Object.hasOwn(labels, name)) throw new Error(`A label twice: ${line}`);
    labels[name] = unescape(value, /\\(?![\\n"])/);
    rest = rest.slice(all.length);
  }
  return labels;
}

function parseValue(text: string): number {
  if (!NUMBER.test(text)) throw new Error(`No number: ${text}`);
  return Number(text.replace("Inf", "Infinity"));
}

/** Undoes the escapes, in pairs from the left; throws where there is another one. */
function unescape(text: string, other: RegExp): string {
  if (other.test(text.replaceAll("\\\\", ""))) throw new Error(`No such escape: ${text}`);
  return text.replace(/\\(.)/g, (_, escaped) => escaped === "n" ? "\n" : escaped);
}

function checkMetric(name: string, { type, samples }: ParsedMetric): void {
  const series = samples.map(({ name, labels }) =>
    JSON.stringify([name, Object.entries(labels).toSorted()])
  );
  if (samples.length === 0) throw new Error(`No value: ${name}`);
  if (new Set(series).size < series.length) throw new Error(`The same labels twice: ${name}`);
  if (type === "histogram") return checkHistogram(name, samples);
  const stray = samples.find((sample) => sample.name !== name);
  if (stray !== undefined) throw new Error(`In the group of another: ${stray.name}`);
  if (type !== "counter") return;
  if (!name.endsWith("_total")) throw new Error(`A counter without _total: ${name}`);
  if (!samples.every(({ value }) => value >= 0)) throw new Error(`A counter below 0: ${name}`);
}

function checkHistogram(name: string, samples: ParsedSample[]): void {
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const [sum, count, ...rest] = samples.slice(buckets.length);
  if (sum?.name !== `${name}_sum` || count?.name !== `${name}_count` || rest.length > 0) {
    throw new Error(`Not buckets, sum and count: ${name}`);
  }
  const bounds = buckets.map(({ labels }) => parseValue(labels.le ?? ""));
  const counts = buckets.map(({ value }) => value);
  if (!isRising(bounds, true)) throw new Error(`Bounds that do not rise: ${name}`);
  if (!isRising(counts, false)) throw new Error(`Buckets that are not cumulative: ${name}`);
  if (bounds.at(-1) !== Infinity || counts.at(-1) !== count.value) {
    throw new Error(`The last bucket has not all: ${name}`);
  }
}

function isRising(numbers: number[], isStrict: boolean): boolean {
  return numbers.every((number, index) => {
    const before = numbers[index - 1] ?? -Infinity;
    return isStrict ? number > before : number >= before;
  });
}

function expect(pattern: RegExp, line: string | undefined): RegExpExecArray {
  const match = pattern.exec(line ?? "");
  if (match === null) throw new Error(`Not as ${pattern}: ${line}`);
  return match;
}
