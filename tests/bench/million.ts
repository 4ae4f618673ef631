/**
 * A conversation of a million messages, and the memory of both ends meanwhile.
 *
 * @module
 */
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import { DirectoryProcess, Pair } from "./pair.ts";
import type { Found } from "./report.ts";
import type { Counted, MemorySample, Sent } from "./talk.ts";

const SIZE = 64;
const MESSAGES = 1_000_000;
const MESSAGES_QUICK = 100_000;
/** Measurements of the memory, evenly spread over the messages. */
const SAMPLES = 10;

/** See its summary. */
export const million: Benchmark = {
  name: "million",
  summary: "memory during a conversation of 1,000,000 messages",
  problem: () => undefined,
  run,
};

async function run({ isQuick }: Plan): Promise<Found> {
  const figures = new Figures();
  const messages = isQuick ? MESSAGES_QUICK : MESSAGES;
  await using open = new AsyncDisposableStack();
  const directory = open.use(await DirectoryProcess.open());
  const { address } = directory;
  const pair = open.use(await Pair.open("chat", { size: SIZE, directory: address }));
  await pair.take({ do: "watch", messages, samples: SAMPLES });
  const sent = await pair.send<Sent>({ do: "flood", amount: { messages }, samples: SAMPLES });
  const taken = await pair.take<Counted>({ do: "counted" });
  const memory = await pair.take<MemorySample[]>({ do: "watched" });
  await pair.send({ do: "close" });
  await pair.take({ do: "close" });
  figures.add("udp-chat", "messages delivered", "", taken.messages);
  figures.add("udp-chat", "seconds", "s", sent.seconds);
  addGrowth(figures, "sender", sent.memory);
  addGrowth(figures, "receiver", memory);
  const notes = [
    "Growth: from the sample after a fifth of the messages to the last one.",
    `Sender, resident/heap MiB: ${samplesText(sent.memory)}`,
    `Receiver: ${samplesText(memory)}`,
  ];
  return { rows: figures.rows, notes };
}

function addGrowth(figures: Figures, who: string, memory: readonly MemorySample[]): void {
  const early = memory[Math.floor(memory.length / 5)]!;
  const last = memory.at(-1)!;
  const add = (what: string, bytes: number): void =>
    figures.add("udp-chat", `${who}'s ${what}`, "MiB", bytes / 2 ** 20);
  add("resident memory at the end", last.resident);
  add("growth, resident", last.resident - early.resident);
  add("growth, heap", last.heap - early.heap);
}

function samplesText(memory: readonly MemorySample[]): string {
  const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  return memory.map(({ resident, heap }) => `${mebibytes(resident)}/${mebibytes(heap)}`).join(" ");
}
