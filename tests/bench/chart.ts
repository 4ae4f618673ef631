/**
 * `deno task chart`: makes the chart and the tables of the pages from `results.json`.
 *
 * @module
 */
import { findRow, type Report, type Subject } from "./report.ts";
import { type Bar, chart, type Group, type Panel } from "./svg.ts";
import {
  describeRun,
  formatNumber,
  markdownTable,
  replaceMarked,
  reportMarkdown,
} from "./table.ts";

/** What the chart and the short table show of the ratios: a name, the benchmark and its metric. */
const RATIOS = [
  ["64-byte messages", "throughput-64", "messages"],
  ["64-byte, a CPU second", "throughput-64", "messages a CPU second"],
  ["1000-byte messages", "throughput-1000", "messages"],
  ["1000-byte, a CPU second", "throughput-1000", "messages a CPU second"],
  ["look-ups", "directory", "look-ups"],
  ["look-ups a CPU second", "directory", "look-ups a CPU second"],
  ["registrations", "directory", "registrations"],
  ["registrations a CPU second", "directory", "registrations a CPU second"],
] as const;
/** The same of round trips, of which less is better. */
const ROUND_TRIPS = [
  ["round trip, p50, own cores", "round-trip", "p50, own cores"],
  ["round trip, p99, own cores", "round-trip", "p99, own cores"],
  ["round trip, p50, one core", "round-trip", "p50, one core"],
  ["round trip, CPU time", "round-trip", "CPU time, own cores"],
] as const;
/** The same of delays under loss. */
const DELAYS = [
  ["5%, every 20 ms", "every 20 ms, 5% loss"],
  ["20%, every 20 ms", "every 20 ms, 20% loss"],
  ["5%, every 200 ms", "every 200 ms, 5% loss"],
] as const;

type Measured = NonNullable<ReturnType<typeof findRow>>;
type Show = (measured: Measured) => { value: number; label: string };

function ratio({ figures }: Measured): { value: number; label: string } {
  const value = figures.ratio?.median ?? NaN;
  return { value, label: `${formatNumber(value)} ×` };
}

function milliseconds({ figures }: Measured): { value: number; label: string } {
  const value = figures.value.median;
  return { value, label: `${formatNumber(value)} ms` };
}

function group(
  report: Report,
  [title, name, metric]: readonly [string, string, string],
  show: Show,
): Group[] {
  const bars = (["udp-chat", "TCP"] as Subject[]).flatMap((who): Bar[] => {
    const measured = findRow(report, name, metric, who);
    return measured ? [{ who, isOwn: who === "udp-chat", ...show(measured) }] : [];
  });
  return bars.length === 0 ? [] : [{ title, bars }];
}

/** The panels of the chart; a benchmark that was skipped is left out. */
export function panelsOf(report: Report): Panel[] {
  const delays = DELAYS.map(([title, where]) => [title, "latency-loss", `p99, ${where}`] as const);
  const panels: Panel[] = [
    {
      title: "A second; the line is a bare Deno UDP socket (logarithmic, longer is better)",
      mark: 1,
      groups: RATIOS.flatMap((each) => group(report, each, ratio)),
    },
    {
      title: "Delivery under loss, p99, 25 ms one way (logarithmic, shorter is better)",
      groups: delays.flatMap((each) => group(report, each, milliseconds)),
    },
  ];
  return panels.filter(({ groups }) => groups.length > 0);
}

/** README's sentence with the most important figures; what was not measured is left out. */
export function figuresLine(report: Report): string {
  const rate = findRow(report, "throughput-64", "messages");
  const roundTrip = findRow(report, "round-trip", "p50, own cores");
  const delay = findRow(report, "latency-loss", "p99, every 20 ms, 5% loss");
  const delayOfTcp = findRow(report, "latency-loss", "p99, every 20 ms, 5% loss", "TCP");
  const figures = [
    rate && `${formatNumber(rate.figures.value.median)} messages of 64 bytes a second, ` +
      `${ratio(rate).label} a bare Deno UDP socket`,
    roundTrip && `a round trip in ${formatNumber(roundTrip.figures.value.median)} µs, ` +
      `${ratio(roundTrip).label} the bare one`,
    delay && delayOfTcp && "with 5% loss and 25 ms one way, 99% of messages arrive within " +
      `${milliseconds(delay).label}, over TCP within ${milliseconds(delayOfTcp).label}`,
  ];
  const { machine, date } = report;
  const where = `${machine.cpu}, ${machine.cores} cores, Deno ${machine.deno}, ${
    date.slice(0, 10)
  }`;
  return `${figures.filter((figure) => figure !== undefined).join("; ")} (${where}).`;
}

/** The short table: one line for each figure that counts. */
export function shortTable(report: Report): string {
  const rows: string[][] = [];
  for (const [title, name, metric] of [...RATIOS, ...ROUND_TRIPS]) {
    const own = findRow(report, name, metric);
    if (own === undefined) continue;
    const tcp = findRow(report, name, metric, "TCP");
    const value = `${formatNumber(own.figures.value.median)} ${own.row.unit}`;
    rows.push([title, value, ratio(own).label, tcp ? ratio(tcp).label : ""]);
  }
  const speed = markdownTable(["", "udp-chat", "× bare UDP", "TCP × bare UDP"], rows, RIGHT);
  const delays = DELAYS.flatMap(([title, where]) => {
    const of = (metric: string, who?: Subject): string => {
      const measured = findRow(report, "latency-loss", `${metric}, ${where}`, who);
      return measured ? formatNumber(measured.figures.value.median) : "–";
    };
    if (of("p99") === "–") return [];
    const own = ["p50", "p99", "worst"].map((metric) => of(metric)).join(" / ");
    const tcp = ["p50", "p99", "worst"].map((metric) => of(metric, "TCP")).join(" / ");
    return [[title, own, tcp, of("datagrams a message")]];
  });
  if (delays.length === 0) return speed;
  const head = ["loss, a 64-byte message", "p50 / p99 / worst, ms", "TCP", "datagrams a message"];
  return `${speed}\n\n${markdownTable(head, delays, RIGHT)}`;
}

const RIGHT = [false, true, true, true];

function update(page: URL, marker: string, content: string): void {
  Deno.writeTextFileSync(page, replaceMarked(Deno.readTextFileSync(page), marker, content));
}

if (import.meta.main) {
  const file = (path: string): URL => new URL(path, import.meta.url);
  const report: Report = JSON.parse(Deno.readTextFileSync(file("results.json")));
  Deno.writeTextFileSync(file("chart.svg"), chart(panelsOf(report)));
  update(file("README.md"), "last run", reportMarkdown(report));
  const image = "![What udp-chat reaches beside TCP, as bars](chart.svg)";
  const short = `${describeRun(report)}:\n\n${shortTable(report)}\n\n${image}`;
  update(file("README.md"), "summary", short);
  update(file("../../README.md"), "figures", figuresLine(report));
}
