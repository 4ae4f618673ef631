/**
 * Delivery under loss: real processes in two network namespaces with a lossy link between them.
 *
 * @module
 */
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import { hasProgram, namespaceProblem, runProgram } from "./machine.ts";
import { DirectoryProcess, Pair } from "./pair.ts";
import type { Found } from "./report.ts";
import type { Counted, Listened, Sent } from "./talk.ts";
import { SUBJECTS } from "./throughput.ts";
import type { WireKind } from "./wire.ts";

/** One-way delay in milliseconds. */
const DELAY = 25;
const SIZE = 64;
const BULK_SIZE = 1000;
const BULK_MESSAGES = 5000;
/** The hosts at both ends, as the tool names them. */
const PLACES = [{ namespace: "link-a" }, { namespace: "link-b" }] as const;
const HOSTNAMES = ["10.99.0.1", "10.99.0.2"] as const;

/** Messages sent at an interval, on several wires at once to get enough of them for a p99. */
interface Pace {
  readonly interval: number;
  readonly wires: number;
}
const BUSY: Pace = { interval: 20, wires: 4 };
const SPARSE: Pace = { interval: 200, wires: 16 };
/** Milliseconds of sending. */
const DURATION = 15_000;
const DURATION_QUICK = 4_000;

/** See its summary. */
export const latencyLoss: Benchmark = {
  name: "latency-loss",
  summary: "delivery of 64-byte messages over a lossy line, 25 ms one way, and datagrams for each",
  problem,
  run,
};

function problem(): string | undefined {
  const missing = namespaceProblem();
  if (missing !== undefined) return missing;
  if (tool() === undefined) return "needs the lossy-link tool: LOSSY_LINK=path";
  if (!hasProgram("cc", "--version")) return "needs cc, to build the lossy-link tool";
  try {
    Deno.statSync("/dev/net/tun");
  } catch {
    return "needs TUN (/dev/net/tun)";
  }
  return undefined;
}

/** The path of the tool: LOSSY_LINK, or next to the checkout. */
function tool(): string | undefined {
  const beside = new URL("../../../shared/tools/lossy-link", import.meta.url).pathname;
  const path = Deno.env.get("LOSSY_LINK") ?? beside;
  try {
    return Deno.statSync(path).isFile ? path : undefined;
  } catch {
    return undefined;
  }
}

async function run({ isQuick }: Plan): Promise<Found> {
  const figures = new Figures();
  const duration = isQuick ? DURATION_QUICK : DURATION;
  const notes = [
    `A round is ${duration / 1000} s on each of several wires in one pair of processes: ` +
    `${BUSY.wires} for every ${BUSY.interval} ms, ${SPARSE.wires} for every ${SPARSE.interval} ms.`,
    "Delays are one way, from send() to the receiver's event, on the one clock of the machine.",
    "Of what arrived until 2 s after the last was sent. Datagrams: the sender's for each message.",
    "Bulk: 1000-byte messages; necessary are as many datagrams as would arrive if each were " +
    "sent again only when it was lost: 1 / (1 - loss).",
  ];
  // With many wires one round is enough; more would take minutes.
  for (const loss of [5, 20]) {
    runProgram(tool()!, "up", String(loss), String(DELAY));
    try {
      await using open = new AsyncDisposableStack();
      const directory = open.use(await DirectoryProcess.open(PLACES[0], HOSTNAMES[0]));
      const options = { places: PLACES, hostnames: HOSTNAMES, directory: directory.address };
      const paces = loss === 5 ? [BUSY, SPARSE] : [BUSY];
      const runs = paces.flatMap((pace) =>
        SUBJECTS.map(async ([kind]) => {
          const { wires } = pace;
          const pair = open.use(await Pair.open(kind, { size: SIZE, wires, ...options }));
          return { pace, kind, ...await deliver(pair, pace, duration) };
        })
      );
      for (const found of await Promise.all(runs)) addDelays(figures, loss, found);
      if (loss === 5) await bulk(figures, loss, options);
    } finally {
      runProgram(tool()!, "down");
    }
  }
  return { rows: figures.rows, notes };
}

interface Delivery {
  readonly sent: Sent;
  readonly heard: Listened;
  readonly messages: number;
}

async function deliver(pair: Pair, { interval, wires }: Pace, ms: number): Promise<Delivery> {
  const messages = Math.round(ms / interval);
  await pair.take({ do: "listen" });
  const sent = await pair.send<Sent>({ do: "pace", interval, messages });
  const heard = await pair.take<Listened>({ do: "listened" });
  return { sent, heard, messages: messages * wires };
}

function addDelays(
  figures: Figures,
  loss: number,
  { pace, kind, sent, heard, messages }: Delivery & { pace: Pace; kind: WireKind },
): void {
  const subject = SUBJECTS.find(([each]) => each === kind)![1];
  const where = `every ${pace.interval} ms, ${loss}% loss`;
  const add = (metric: string, unit: string, value: number): void =>
    figures.add(subject, `${metric}, ${where}`, unit, value);
  for (const quantile of ["p50", "p99", "worst"] as const) add(quantile, "ms", heard[quantile]);
  add("delivered", "%", 100 * heard.count / messages);
  if (kind !== "chat") return;
  if (sent.datagrams === 0) throw new Error("No datagrams were counted");
  add("datagrams a message", "", sent.datagrams / messages);
  add("receiver's datagrams", "", heard.datagrams / messages);
}

async function bulk(
  figures: Figures,
  loss: number,
  options: Omit<Parameters<typeof Pair.open>[1], "size">,
): Promise<void> {
  const where = `bulk, ${loss}% loss`;
  for (const [kind, subject] of SUBJECTS) {
    if (kind === "udp") continue;
    await using pair = await Pair.open(kind, { size: BULK_SIZE, ...options });
    await pair.take({ do: "count", warmUpMs: 0 });
    const amount = { messages: BULK_MESSAGES, ...kind === "tcp" && { ms: BULK_TCP_MS } };
    const { datagrams } = await pair.send<Sent>({ do: "flood", amount });
    const { rate } = await pair.take<Counted>({ do: "counted" });
    figures.add(subject, `messages, ${where}`, "/s", rate, "TCP");
    if (kind !== "chat") continue;
    const necessary = BULK_MESSAGES / (1 - loss / 100);
    figures.add(subject, `datagrams ÷ necessary, ${where}`, "", datagrams / necessary);
  }
}

/** Milliseconds of bulk over TCP, which may not end. */
const BULK_TCP_MS = 5000;
