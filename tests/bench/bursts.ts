/**
 * Delivery under losses in bursts, on the simulated network.
 *
 * @module
 */
import { loadCipher } from "../../protocol/crypto/sodium.ts";
import { GilbertElliott } from "../sim/gilbert_elliott.ts";
import { Prng } from "../support/random.ts";
import { Stage } from "../stories/stage.ts";
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import type { Found } from "./report.ts";
import { delaysOf } from "./stats.ts";

/** The share of lost datagrams. */
const LOSS = 0.05;
/** One-way delay in milliseconds. */
const DELAY = 25;
const SIZE = 64;
/** Messages in a round, for each interval in milliseconds. */
const MESSAGES = 3000;
const MESSAGES_QUICK = 1000;
const INTERVALS = [20, 200];
/** Milliseconds for the last messages to arrive. */
const SETTLE = 30_000;

/** See its summary. */
export const bursts: Benchmark = {
  name: "bursts",
  summary: "delivery under Gilbert-Elliott loss in the simulator: mean burst 4, 5% overall",
  problem: () => undefined,
  run: async ({ rounds, isQuick }: Plan): Promise<Found> => {
    await loadCipher();
    const figures = new Figures();
    for (const interval of INTERVALS) {
      for (let seed = 1; seed <= rounds; seed++) {
        simulate(figures, seed, interval, isQuick ? MESSAGES_QUICK : MESSAGES);
      }
    }
    const notes = [
      `${DELAY} ms one way, virtual time; rounds are seeds. Both directions lose alike, each in ` +
      "bursts of its own.",
    ];
    return Promise.resolve({ rows: figures.rows, notes });
  },
};

function simulate(figures: Figures, seed: number, interval: number, messages: number): void {
  const stage = new Stage("adaptive", seed);
  const { network } = stage;
  network.conditions = { ...network.conditions, delay: DELAY };
  const [ana, ben] = stage.pair();
  const lines = new Map(["ana", "ben"].map((name, index) => {
    return [name, new GilbertElliott(new Prng(2 * seed + index))] as const;
  }));
  network.script(({ from, to }) => {
    // Does not count datagrams of the directory.
    if (!lines.has(to)) return undefined;
    return lines.get(from)?.loses(LOSS) ? "drop" : undefined;
  });
  const arrivedBefore = ben.host.events.length;
  const sentBefore = stage.datagrams(ana).length;
  const sentAt: number[] = [];
  for (let count = 0; count < messages; count++) {
    sentAt.push(stage.now);
    ana.send("x".repeat(SIZE));
    stage.wait(interval);
  }
  const datagrams = stage.datagrams(ana).length - sentBefore;
  stage.wait(SETTLE);
  const delays = ben.host.events.slice(arrivedBefore)
    .flatMap(({ time, event }) => event.kind === "message" ? [time - sentAt[event.textSeq]!] : []);
  const { count, p50, p99, worst } = delaysOf(delays);
  const add = (metric: string, unit: string, value: number): void =>
    figures.add("udp-chat", `${metric}, every ${interval} ms`, unit, value);
  add("p50", "ms", p50);
  add("p99", "ms", p99);
  add("worst", "ms", worst);
  add("delivered", "%", 100 * count / messages);
  add("datagrams a message", "", datagrams / messages);
}
