// Two directories with a slow store, and more Registers than may wait for it.
import { assertEquals, assertGreater, assertLess } from "@std/assert";
import { parsePrometheusText } from "../support/prometheus_text.ts";
import { PATIENCE } from "./lines.ts";
import { LINUX, memory } from "./proc.ts";
import { parseEvent, type Program } from "./process.ts";
import { REDIS } from "./redis_server.ts";
import type { FloodReport } from "./register_flood.ts";
import { SharedDirectories } from "./shared_directories.ts";

/** Milliseconds that everything takes to the store, each way: with more it would count as lost. */
const SLOW = 1_200;
const CLIENTS = 20;
const CONVERSATIONS = 2;
/** Registers of a flood: 4096 may wait. */
const FLOOD = 6_000;
/** Registers that wait when the connection is lost: more than answers. */
const WAITING = 3_000;
/** Milliseconds after which a client knows what came of its Register: 3 s, and more on a busy machine. */
const ANSWERED_WITHIN = 10_000;
/** MiB of a directory. */
const MEMORY_MAX = 300;
const ARGS = ["--metrics", "127.0.0.1:0", "--max-clients", "50000"];

// The flood has a kind of socket that only Linux has, too.
const SKIPPED = REDIS.ignore ? REDIS : LINUX;

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: name + SKIPPED.note, ignore: SKIPPED.ignore, fn });
}

/** How many answers found no place in the queue. */
async function lostAnswers({ program }: { readonly program: Program }): Promise<number> {
  const [url = ""] = /http:\S+metrics$/m.exec(program.stderr.all.join("\n")) ?? [];
  const metrics = parsePrometheusText(await (await fetch(url)).text());
  const { samples } = metrics.get("udpchat_dropped_total")!;
  return samples.find(({ labels }) => labels.reason === "output")?.value ?? 0;
}

/** How many were refused as `unavailable`, the only reason that there is. */
function unavailable({ refused }: FloodReport): number {
  const { unavailable = 0, ...others } = refused;
  assertEquals(others, {});
  return unavailable;
}

/** Asks for a client that there is not until it is over; returns how often it was told so. */
async function askUntil(over: Promise<unknown>, asker: Program): Promise<number> {
  let [isOver, count] = [false, 0];
  over.finally(() => isOver = true).catch(() => {});
  while (!isOver) {
    await asker.type("connect nobody");
    // On a busy machine the store may seem lost for a moment.
    const line = await asker.stdout.waitFor(/"event":"(?:inactive|error)"/);
    if (parseEvent(line).event === "inactive") count++;
  }
  return count;
}

test("under a flood of Registers with a slow store, each is answered and the rest goes on", async () => {
  await using shared = await SharedDirectories.start({ args: ARGS });
  const { first, stage } = shared;
  const crowd = await shared.crowd(CLIENTS, CONVERSATIONS);
  const asker = await stage.jsonClient("asker", first);
  for (const path of shared.paths) path.delay = SLOW;
  const deadline = Date.now() + PATIENCE;
  let report: FloodReport;
  // On a busy machine it may take another one until so many wait.
  do {
    const flooded = shared.flood(FLOOD);
    assertGreater(await askUntil(flooded, asker), 0);
    report = await flooded;
    assertEquals([report.unanswered, await lostAnswers(first)], [0, 0]);
    assertEquals(report.registered + unavailable(report), FLOOD);
    assertLess(report.longest, ANSWERED_WITHIN);
    assertLess(await memory(first.program.pid), MEMORY_MAX);
  } while (unavailable(report) === 0 && Date.now() < deadline);
  assertGreater(unavailable(report), 0);
  for (const path of shared.paths) path.delay = 0;
  await shared.crowd(CLIENTS, 0, [first], "new");
  for (const [index, { events, isBroken, received }] of (await crowd.report()).entries()) {
    assertEquals([events.registered, isBroken], [1, false]);
    if (index < 2 * CONVERSATIONS) assertGreater(received, 0);
  }
});

test("Registers that wait when the connection to the store is lost are all refused", async () => {
  await using shared = await SharedDirectories.start({ args: ARGS });
  for (const path of shared.paths) path.delay = SLOW;
  const report = await shared.flood(WAITING, () => shared.paths[0].reset());
  assertEquals([report.unanswered, await lostAnswers(shared.first)], [0, 0]);
  assertGreater(unavailable(report), 0);
  assertLess(report.longest, ANSWERED_WITHIN);
});
