/**
 * One flow of this program and one of TCP on the same bottleneck link, in two network namespaces.
 *
 * @module
 */
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import { hasProgram, namespaceProblem, runProgram } from "./machine.ts";
import { DirectoryProcess, Pair } from "./pair.ts";
import type { Found } from "./report.ts";
import type { Counted } from "./talk.ts";

const SIZE = 1000;
/** The link; its queue holds 50 ms of traffic. */
const RATE_MBIT = 20;
const TBF = ["rate", `${RATE_MBIT}mbit`, "burst", "16kb", "latency", "50ms"];
const NAMESPACES = ["udp-chat-bench-a", "udp-chat-bench-b"] as const;
const DEVICES = ["bench-a", "bench-b"] as const;
const HOSTNAMES = ["10.98.0.1", "10.98.0.2"] as const;
/** Milliseconds of the warm-up and of the measurement. */
const WARM_UP = 3000;
const MEASURED = 10_000;
const MEASURED_QUICK = 4000;
/** Milliseconds of sending after that. */
const MARGIN = 500;

/** See its summary. */
export const bottleneck: Benchmark = {
  name: "bottleneck",
  summary: "the share beside one TCP flow of a line that tbf narrows to 20 Mbit/s",
  problem: () => namespaceProblem() ?? (hasProgram("tc", "-V") ? shaperProblem() : "needs tc"),
  run,
};

function shaperProblem(): string | undefined {
  try {
    makeLine();
    return undefined;
  } catch (error) {
    return `cannot narrow a line: ${error instanceof Error ? error.message : error}`;
  } finally {
    removeLine();
  }
}

function makeLine(): void {
  // A killed run may have left it.
  removeLine();
  const [a, b] = DEVICES;
  for (const namespace of NAMESPACES) runProgram("ip", "netns", "add", namespace);
  const [atA, atB] = NAMESPACES;
  const peer = ["type", "veth", "peer", "name", b, "netns", atB];
  runProgram("ip", "link", "add", a, "netns", atA, ...peer);
  for (const end of [0, 1] as const) {
    const inside = ["-n", NAMESPACES[end]];
    runProgram("ip", ...inside, "addr", "add", `${HOSTNAMES[end]}/24`, "dev", DEVICES[end]);
    runProgram("ip", ...inside, "link", "set", DEVICES[end], "up");
    runProgram("ip", ...inside, "link", "set", "lo", "up");
  }
  runProgram("ip", "netns", "exec", atA, "tc", "qdisc", "add", "dev", a, "root", "tbf", ...TBF);
}

function removeLine(): void {
  for (const namespace of NAMESPACES) {
    try {
      runProgram("ip", "netns", "del", namespace);
    } catch {
      // It does not exist.
    }
  }
}

async function run({ isQuick }: Plan): Promise<Found> {
  const figures = new Figures();
  makeLine();
  try {
    const ms = isQuick ? MEASURED_QUICK : MEASURED;
    const places = NAMESPACES.map((namespace) => ({ namespace })) as [
      { namespace: string },
      { namespace: string },
    ];
    await using open = new AsyncDisposableStack();
    const directory = open.use(await DirectoryProcess.open(places[1], HOSTNAMES[1]));
    const options = { size: SIZE, places, hostnames: HOSTNAMES, directory: directory.address };
    const chat = open.use(await Pair.open("chat", options));
    const tcp = open.use(await Pair.open("tcp", options));
    const [chatRate, tcpRate] = await Promise.all([chat, tcp].map(async (pair) => {
      await pair.take({ do: "count", warmUpMs: WARM_UP, ms });
      await pair.send({ do: "flood", amount: { ms: WARM_UP + ms + MARGIN } });
      const { rate } = await pair.take<Counted>({ do: "counted" });
      return rate * SIZE * 8 / 1e6;
    })) as [number, number];
    figures.add("TCP", "rate", "Mbit/s", tcpRate);
    figures.add("udp-chat", "rate", "Mbit/s", chatRate, "TCP");
    figures.add(
      "udp-chat",
      "both together, of the line",
      "%",
      100 * (chatRate + tcpRate) / RATE_MBIT,
    );
  } finally {
    removeLine();
  }
  const notes = [
    `tbf ${TBF.join(" ")}; both send ${SIZE}-byte messages in the same direction, one round; ` +
    "payload is counted, without headers.",
  ];
  return { rows: figures.rows, notes };
}
