/**
 * `deno task bench`: runs all benchmarks, or those that are named.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { type Benchmark, ROUNDS, ROUNDS_QUICK } from "./benchmark.ts";
import { bottleneck } from "./bottleneck.ts";
import { bursts } from "./bursts.ts";
import { directory } from "./directory.ts";
import { directoryMemory } from "./directory_memory.ts";
import { sharedTable } from "./shared_table.ts";
import { latencyLoss } from "./latency_loss.ts";
import { describeThisMachine } from "./machine.ts";
import { million } from "./million.ts";
import { reach } from "./reach.ts";
import type { Report, Section } from "./report.ts";
import { roundTrip } from "./round_trip.ts";
import { startUp } from "./start_up.ts";
import { describeRun, sectionText } from "./table.ts";
import { throughput } from "./throughput.ts";

const BENCHMARKS: readonly Benchmark[] = [
  throughput(64),
  throughput(1000),
  roundTrip,
  latencyLoss,
  bursts,
  directory,
  directoryMemory,
  sharedTable,
  startUp,
  bottleneck,
  million,
  reach,
];

const RESULTS = new URL("results.json", import.meta.url);
/** Most rounds for --rounds. */
const ROUNDS_MAX = 100;

const HELP = `Measure udp-chat beside a bare Deno UDP socket and TCP in Deno without delay

Usage: deno task bench [options] [NAME ...]

  --list        show the benchmarks, and which of them cannot run here
  --rounds N    rounds of each that repeats itself (${ROUNDS}, or ${ROUNDS_QUICK} with --quick)
  --quick       do less of everything
  --json        print the report as JSON; the tables go to stderr
  --save        write it to tests/bench/results.json, for deno task chart; what was not named stays
  -h, --help    print this

Without a name, all run: about four minutes on two cores. The environment variable LOSSY_LINK
names the lossy-link tool, which latency-loss needs, and UDP_CHAT_NAT_LAB the nat-lab that reach
needs, which takes a quarter of an hour more.

`;

function list(): string {
  const width = Math.max(...BENCHMARKS.map(({ name }) => name.length));
  return BENCHMARKS.map((benchmark) => {
    const problem = benchmark.problem();
    const note = problem === undefined ? "" : ` (skipped here: ${problem})`;
    return `  ${benchmark.name.padEnd(width)}  ${benchmark.summary}${note}`;
  }).join("\n");
}

async function measure(benchmark: Benchmark, plan: Parameters<Benchmark["run"]>[0]) {
  const { name } = benchmark;
  const skipped = benchmark.problem();
  if (skipped !== undefined) return { name, skipped, rows: [], notes: [] };
  try {
    return { name, ...await benchmark.run(plan) };
  } catch (error) {
    Deno.exitCode = 1;
    const failed = error instanceof Error ? error.message : String(error);
    return { name, failed, rows: [], notes: [] };
  }
}

/** Saves a report; of the benchmarks that were not named, the results stay. */
function save(report: Report): void {
  const before = JSON.parse(Deno.readTextFileSync(RESULTS)) as Report;
  const kept = before.sections.filter(({ name }) =>
    report.sections.every((section) => section.name !== name)
  );
  const order = BENCHMARKS.map(({ name }) => name);
  const sections = [...report.sections, ...kept]
    .sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
  Deno.writeTextFileSync(RESULTS, `${JSON.stringify({ ...report, sections }, null, 2)}\n`);
}

function fail(message: string): never {
  console.error(`${message}\nTry deno task bench --help`);
  Deno.exit(2);
}

const options = parseArgs(Deno.args, {
  string: ["rounds"],
  boolean: ["list", "quick", "json", "save", "help"],
  alias: { help: "h" },
  unknown: (arg) => arg.startsWith("-") ? fail(`Unknown option ${arg}`) : true,
});
if (options.help || options.list) {
  console.log((options.help ? HELP : "") + list());
  Deno.exit(0);
}
const rounds = Number(options.rounds ?? (options.quick ? ROUNDS_QUICK : ROUNDS));
if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX) {
  fail(`Cannot parse --rounds: expected 1 to ${ROUNDS_MAX}, got "${options.rounds}"`);
}
const names = options._.map(String);
const unknown = names.find((each) => !BENCHMARKS.some(({ name }) => name === each));
if (unknown !== undefined) fail(`There is no benchmark "${unknown}"`);
const chosen = BENCHMARKS.filter(({ name }) => names.length === 0 || names.includes(name));

const print = options.json ? console.error : console.log;
const machine = describeThisMachine();
const sections: Section[] = [];
const report: Report = {
  machine,
  date: new Date().toISOString(),
  rounds,
  isQuick: options.quick,
  sections,
};
print(`${describeRun(report)}\n`);
for (const benchmark of chosen) {
  const section = await measure(benchmark, { rounds, isQuick: options.quick });
  sections.push(section);
  print(sectionText(section));
}
if (options.json) console.log(JSON.stringify(report, null, 2));
if (options.save) save(report);
