/**
 * Throughput in one direction between two processes on the loopback.
 *
 * @module
 */
import { type Benchmark, Figures, type Plan, sleep } from "./benchmark.ts";
import { DirectoryProcess, Pair } from "./pair.ts";
import type { Found, Subject } from "./report.ts";
import type { Counted } from "./talk.ts";
import type { WireKind } from "./wire.ts";

/** The wires and message sizes, in the order of a round. */
export const SUBJECTS: readonly (readonly [WireKind, Subject])[] = [
  ["udp", "bare UDP"],
  ["tcp", "TCP"],
  ["chat", "udp-chat"],
];

/** Milliseconds before the first round of each pair, for V8 to optimise the code. */
const WARM_UP_FIRST = 5000;
/** Milliseconds of each run before the measurement. */
const WARM_UP = 400;
/** Milliseconds of the measurement. */
const MEASURED = 1000;
const MEASURED_QUICK = 500;
/** Milliseconds for the last datagrams to arrive. */
const SETTLE = 100;

/** Messages of this size. */
export function throughput(size: number): Benchmark {
  return {
    name: `throughput-${size}`,
    summary: `${size}-byte messages a second, one way, encrypted, reliable and in order`,
    problem: () => undefined,
    run: (plan) => run(size, plan),
  };
}

async function run(size: number, { rounds, isQuick }: Plan): Promise<Found> {
  const figures = new Figures();
  await using open = new AsyncDisposableStack();
  const directory = open.use(await DirectoryProcess.open());
  const pairs: Partial<Record<WireKind, Pair>> = {};
  for (const [kind] of SUBJECTS) {
    pairs[kind] = open.use(
      await Pair.open(kind, { size, directory: directory.address }),
    );
  }
  const ms = WARM_UP + (isQuick ? MEASURED_QUICK : MEASURED);
  for (const [kind] of SUBJECTS) {
    await pairs[kind]!.take({ do: "count", warmUpMs: Infinity });
    await pairs[kind]!.send({ do: "flood", amount: { ms: WARM_UP_FIRST } });
    await sleep(SETTLE);
  }
  for (let round = 0; round < rounds; round++) {
    for (const [kind, subject] of SUBJECTS) {
      const pair = pairs[kind]!;
      await pair.take({ do: "count", warmUpMs: WARM_UP });
      const before = pair.cpu;
      await pair.send({ do: "flood", amount: { ms } });
      await sleep(SETTLE);
      const cpu = pair.cpuSince(before);
      const { rate, messages } = await pair.take<Counted>({ do: "counted" });
      figures.add(subject, "messages", "/s", rate, "bare UDP");
      if (cpu === undefined) continue;
      const byCpuTime = messages / Math.max(...cpu);
      figures.add(subject, "messages a CPU second", "/s", byCpuTime, "bare UDP");
    }
  }
  const notes = [
    "Two processes on the loopback; counted where they arrive.",
    `Each pair ran for ${WARM_UP_FIRST / 1000} s before its first round.`,
    "A CPU second: of the end that has more of them, which other programs hardly change.",
    "bare UDP: a datagram a message, not reliable, not encrypted; TCP: a write a message.",
  ];
  return { rows: figures.rows, notes };
}
