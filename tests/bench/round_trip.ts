/**
 * Round trips, one message at a time.
 *
 * @module
 */
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import type { Place } from "./child.ts";
import { hasPinning } from "./machine.ts";
import { DirectoryProcess, Pair } from "./pair.ts";
import type { Found } from "./report.ts";
import type { Pinged } from "./talk.ts";
import { SUBJECTS } from "./throughput.ts";
import type { WireKind } from "./wire.ts";

const SIZE = 64;
/** Milliseconds before the first round of each pair, for V8 to optimise the code. */
const WARM_UP_FIRST = 5000;
/** Milliseconds of each run before the measurement, and of the measurement. */
const WARM_UP = 200;
const MEASURED = 800;
const MEASURED_QUICK = 400;

/** See its summary. */
export const roundTrip: Benchmark = {
  name: "round-trip",
  summary: "round trip of a 64-byte message between two processes",
  problem: () => undefined,
  run,
};

async function run(plan: Plan): Promise<Found> {
  const figures = new Figures();
  const own = ownCores();
  const notes = [
    `Own cores: ${own.note}.`,
    "CPU time: of both ends together, for a round trip.",
    `Each pair ran for ${WARM_UP_FIRST / 1000} s before its first round.`,
  ];
  await measure(plan, figures, "own cores", own.places);
  if (hasPinning()) await measure(plan, figures, "one core", [{ core: 0 }, { core: 0 }]);
  else notes.push("One core is left out: needs taskset.");
  return { rows: figures.rows, notes };
}

async function measure(
  { rounds, isQuick }: Plan,
  figures: Figures,
  where: string,
  places: readonly [Place, Place],
): Promise<void> {
  await using open = new AsyncDisposableStack();
  const directory = open.use(await DirectoryProcess.open());
  const pairs: Partial<Record<WireKind, Pair>> = {};
  for (const [kind] of SUBJECTS) {
    pairs[kind] = open.use(
      await Pair.open(kind, { size: SIZE, places, directory: directory.address }),
    );
    await pairs[kind].take({ do: "echo" });
  }
  const ms = isQuick ? MEASURED_QUICK : MEASURED;
  for (const [kind] of SUBJECTS) {
    await pairs[kind]!.send({ do: "ping", warmUpMs: WARM_UP_FIRST, ms: 0 });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [kind, subject] of SUBJECTS) {
      const pair = pairs[kind]!;
      const before = pair.cpu;
      const { p50, p99, trips } = await pair.send<Pinged>({ do: "ping", warmUpMs: WARM_UP, ms });
      const cpu = pair.cpuSince(before);
      figures.add(subject, `p50, ${where}`, "µs", p50, "bare UDP");
      figures.add(subject, `p99, ${where}`, "µs", p99, "bare UDP");
      if (cpu === undefined) continue;
      const cpuTime = 1e6 * (cpu[0] + cpu[1]) / trips;
      figures.add(subject, `CPU time, ${where}`, "µs", cpuTime, "bare UDP");
    }
  }
}

/** A core for each of two processes, if processes can be pinned. */
function ownCores(): { places: readonly [Place, Place]; note: string } {
  if (hasPinning()) {
    return { places: [{ core: 0 }, { core: 1 }], note: "each process pinned to a core of its own" };
  }
  return { places: [{}, {}], note: "processes not pinned: needs taskset and two cores" };
}
