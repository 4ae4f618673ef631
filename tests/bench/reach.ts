/**
 * Calls between two networks with real NATs between them, in a nat-lab.
 *
 * @module
 */
import { Encounter, otherOf, type PathKind, type Side } from "../e2e/encounter.ts";
import { NAT_LAB } from "../e2e/nat_lab.ts";
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import type { Found } from "./report.ts";

/** One-way delay in milliseconds. */
const DELAY = 25;
const LOSS = 0.1;
/** Calls of each kind in a round. */
const CALLS = 4;

/** The path that each pair of networks ends up with. */
const PAIRS: readonly (readonly [topology: string, path: PathKind])[] = [
  ...([
    ...["public+port-cone", "port-cone+port-cone", "full-cone+bare", "addr-cone+port-cone"],
    ...["bare+bare", "double+port-cone", "double+double", "short+short", "firewall+firewall"],
    ...["firewall+port-cone", "dual+dual", "v6+v6"],
    ...["symmetric+public", "symmetric+full-cone", "symmetric+addr-cone", "double-sym+public"],
    ...["double-sym+addr-cone", "cgn-hairpin"],
  ].map((topology) => [topology, "direct"] as const)),
  ...["lan", "lan-hairpin", "subnets"].map((topology) => [topology, "lan"] as const),
  ...([
    ...["port-cone+symmetric", "firewall+symmetric", "symmetric+symmetric"],
    ...["double-sym+double-sym", "cgn", "v6+port-cone"],
  ].map((topology) => [topology, "carried"] as const)),
];
const LOSSY_PAIRS = ["port-cone+port-cone", "double+firewall", "v6+v6"];

/** See its summary. */
export const reach: Benchmark = {
  name: "reach",
  summary: "calls through real NATs, in the laboratory that UDP_CHAT_NAT_LAB names",
  problem: () => NAT_LAB.ignore ? NAT_LAB.note.trim() : undefined,
  run: async ({ rounds, isQuick }: Plan): Promise<Found> => {
    const figures = new Figures();
    const notes = [
      `${DELAY} ms one way; ${rounds * CALLS} calls by each side in turn, and as many by both at ` +
      "once. Each conversation went by the path that is named. Times are from the first Initiation.",
    ];
    for (const [topology, path] of isQuick ? PAIRS.slice(0, 2) : PAIRS) {
      notes.push(await measure(figures, topology, { path, calls: rounds * CALLS, loss: 0 }));
    }
    for (const topology of isQuick ? [] : LOSSY_PAIRS) {
      const path = "direct";
      notes.push(await measure(figures, topology, { path, calls: rounds * CALLS, loss: LOSS }));
    }
    return { rows: figures.rows, notes };
  },
};

interface Trial {
  readonly path: PathKind;
  readonly calls: number;
  readonly loss: number;
}

/** Calls often; throws where one call fails. */
async function measure(
  figures: Figures,
  topology: string,
  { path, calls, loss }: Trial,
): Promise<string> {
  const name = loss === 0 ? topology : `${topology}, ${100 * loss}% loss`;
  // So many calls from one address would have to wait for one another.
  await using pair = await Encounter.open(topology, { ms: DELAY, loss }, ["--no-source-limits"]);
  const times = { ring: [] as number[], ringing: [] as number[], both: [] as number[] };
  for (let call = 0; call < calls; call++) {
    const from: Side = call % 2 === 0 ? "a" : "b";
    const { toRing, toRinging } = await pair.call(from);
    times.ring.push(toRing);
    times.ringing.push(toRinging);
    await converse(pair, path, from);
  }
  for (let call = 0; call < calls; call++) {
    times.both.push(await pair.callBoth());
    await converse(pair, path, "a");
  }
  if (loss === 0) await measureRebinding(figures, topology, pair);
  for (const [what, all] of Object.entries(times)) {
    for (const ms of all) figures.add("udp-chat", `${name}, ${what}`, "ms", ms);
  }
  return `${name}: ${path}, ${2 * calls} of ${2 * calls}`;
}

/** How long it takes until texts go both ways again when a side, or both, got another address. */
async function measureRebinding(
  figures: Figures,
  topology: string,
  pair: Encounter,
): Promise<void> {
  await pair.call("a");
  for (const sides of [["a"], ["b"], ["a", "b"]] as const) {
    const text = sides.join(" and ");
    for (const side of sides) await pair.lab.changeAddress(side);
    const start = performance.now();
    await Promise.all([pair.a.type(`send ${text}`), pair.b.type(`send ${text}`)]);
    await Promise.all(
      [pair.a, pair.b].map((each) => each.waitForEvent("message", { text }, 60_000)),
    );
    figures.add("udp-chat", `${topology}, again`, "ms", performance.now() - start);
  }
  await pair.terminate();
}

/** A text goes by the path that is expected, and the conversation ends. */
async function converse(pair: Encounter, path: PathKind, from: Side): Promise<void> {
  await pair.waitForPath(path);
  await pair[from].type("send hello");
  await pair[otherOf(from)].waitForEvent("message", { text: "hello" });
  await pair.terminate();
}
