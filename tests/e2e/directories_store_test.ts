// Two directories whose store fails: what their clients notice.
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { testConcurrently } from "./concurrent.ts";
import type { ClientReport } from "./many_clients.ts";
import { LINUX, memory } from "./proc.ts";
import { parseEvent, type Program } from "./process.ts";
import { PERSISTENT, REDIS } from "./redis_server.ts";
import { type Crowd, SharedDirectories } from "./shared_directories.ts";
import { StoreClient } from "./store_client.ts";

const CLIENTS = 20;
const CONVERSATIONS = 2;
/** Milliseconds in which all is back: 5 s, and as much again on a busy machine. */
const BACK_WITHIN = 10_000;
/** Milliseconds of an outage: longer than a lease, which is 45 s. */
const OUTAGE = 60_000;
/** Milliseconds between two questions whether it works. */
const ASK_INTERVAL = 200;
/** Milliseconds in which a directory finds that it is cut off, and its clients that it is of no use. */
const MOVED_WITHIN = 15_000;
/** Milliseconds that everything takes to the slow store, each way. */
const SLOW = 100;
/** Messages that each of two clients gets which cannot reach each other. */
const MESSAGES = 20;
/** MiB of a directory with a slow store. */
const MEMORY_MAX = 300;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function isStoreUp({ first, second }: SharedDirectories, timeout?: number): Promise<unknown> {
  const servers = [first, second];
  return Promise.all(
    servers.map(({ program }) => program.stderr.waitFor(/The store answers/, timeout)),
  );
}

function isStoreDown({ first, second }: SharedDirectories): Promise<unknown> {
  return Promise.all(
    [first, second].map(({ program }) => program.stderr.waitFor(/Cannot use the store/)),
  );
}

/** Each has the id and the name that it had, was never without, and its conversation went on. */
async function assertUndisturbed(crowd: Crowd, before: readonly ClientReport[]): Promise<void> {
  for (
    const [index, { id, name, events, isBroken, received }] of (await crowd.report()).entries()
  ) {
    assertEquals([id, name, events.registered], [before[index]!.id, before[index]!.name, 1]);
    if (index >= 2 * CONVERSATIONS) continue;
    assertEquals([events.connected, events.terminated, isBroken], [1, undefined, false]);
    assert(received > before[index]!.received);
  }
}

/** The ids of the clients in the store. */
async function storedIds({ redis }: SharedDirectories): Promise<number[]> {
  using client = await StoreClient.open(redis.url, 7);
  const keys = (await client.load()).map(({ key }) => /^client:(\d+)$/.exec(key)?.[1]);
  return keys.filter((id) => id !== undefined).map(Number).toSorted((a, b) => a - b);
}

/** The ids in a list, which a directory gives soon after its store is back. */
async function listedIds(asker: Program): Promise<number[]> {
  const deadline = Date.now() + BACK_WITHIN;
  for (;;) {
    await asker.type("list");
    const line = await asker.stdout.waitFor(/"event":"(?:list|error)"/);
    const { event, clients } = parseEvent(line);
    if (event === "list") return (clients as { id: number }[]).map(({ id }) => id);
    assertLess(Date.now(), deadline);
    await pause(ASK_INTERVAL);
  }
}

function idsOf(clients: readonly ClientReport[]): number[] {
  return clients.map(({ id }) => id).toSorted((a, b) => a - b);
}

async function playKilledStore(): Promise<void> {
  await using shared = await SharedDirectories.start({ redis: PERSISTENT });
  const crowd = await shared.crowd(CLIENTS, CONVERSATIONS);
  const before = await crowd.report();
  await shared.redis.kill();
  await isStoreDown(shared);
  await shared.redis.start();
  await isStoreUp(shared, BACK_WITHIN);
  const newcomers = await (await shared.crowd(CLIENTS, 0, undefined, "new")).report();
  const ids = [...idsOf(before), ...idsOf(newcomers)];
  assertEquals(new Set(ids).size, 2 * CLIENTS, "no id is given twice");
  await assertUndisturbed(crowd, before);
}

async function playOutage(): Promise<void> {
  await using shared = await SharedDirectories.start({ redis: PERSISTENT });
  const { stage, redis, first, second } = shared;
  const crowd = await shared.crowd(CLIENTS, CONVERSATIONS);
  const pair = await shared.pairApart();
  await pair.waitForMessages(MESSAGES);
  const before = await crowd.report();
  const both = { address: `${first.address},${second.address}` };
  const asker = await stage.jsonClient("asker", both);
  const script = stage.client("script", both, "--name", "script");
  await script.stdout.waitFor(/script/);
  await redis.kill();
  await isStoreDown(shared);
  const isOver = pause(OUTAGE);
  await asker.type("connect nobody");
  await asker.waitForEvent("error", { code: "serverUnavailable" });
  await script.type("connect nobody");
  await script.endInput();
  assertEquals(await script.exitCode(), 3);
  await isOver;
  await redis.start();
  await isStoreUp(shared, BACK_WITHIN);
  assertEquals(asker.events().filter(({ event }) => event === "inactive"), []);
  const listed = new Set(await listedIds(asker));
  for (const { id } of before) assert(listed.has(id), `the lease of ${id} has ended`);
  await assertUndisturbed(crowd, before);
  // What is carried over both waits for the store, and all of it arrives.
  const { sent } = (await pair.report())[0]!;
  await pair.waitForMessages(sent);
  for (const { events, isBroken } of await pair.report()) {
    assertEquals([events.terminated, isBroken], [undefined, false]);
  }
}

async function playEmptiedStore(): Promise<void> {
  await using shared = await SharedDirectories.start();
  const crowd = await shared.crowd(CLIENTS, CONVERSATIONS);
  const before = await crowd.report();
  await shared.redis.command("FLUSHALL");
  const deadline = Date.now() + BACK_WITHIN;
  while ((await storedIds(shared)).length < CLIENTS) {
    assertLess(Date.now(), deadline);
    await pause(ASK_INTERVAL);
  }
  assertEquals(await storedIds(shared), idsOf(before));
  await assertUndisturbed(crowd, before);
}

async function playCut(): Promise<void> {
  await using shared = await SharedDirectories.start();
  const crowd = await shared.crowd(CLIENTS, CONVERSATIONS);
  const before = await crowd.report();
  const [fuller, other] = shared.byClients(before);
  shared.pathOf(fuller).isCut = true;
  await crowd.waitForSpread((at) => at[other.port] === CLIENTS, MOVED_WITHIN);
  await assertUndisturbed(crowd, before);
}

async function playSlowStore(): Promise<void> {
  await using shared = await SharedDirectories.start();
  const { stage, first } = shared;
  for (const path of shared.paths) path.delay = SLOW;
  const crowd = await shared.crowd(10 * CLIENTS, CONVERSATIONS);
  const before = await crowd.report();
  const asker = await stage.jsonClient("asker", first);
  await asker.type("connect nobody");
  await asker.waitForEvent("inactive");
  await assertUndisturbed(crowd, before);
  if (!LINUX.ignore) assertLess(await memory(first.program.pid), MEMORY_MAX);
}

async function playOtherSettings(): Promise<void> {
  await using shared = await SharedDirectories.start();
  const third = await shared.serve(shared.redis.port, "--max-clients", "500", "--lease", "30");
  const line = await third.program.stderr.waitFor(/ warn /);
  assertMatch(line, / used with --max-clients 10000, here 500; --lease 45, here 30: start/);
  const fourth = await shared.serve(
    shared.redis.port,
    "--identity",
    `${shared.stage.folders.get("other")}/identity`,
  );
  assertMatch(await fourth.program.stderr.waitFor(/ warn /), / used with the key [\d ]+, here /);
  await shared.stage.jsonClient("ana", third);
  await shared.stage.jsonClient("bob", shared.first);
}

async function playApart(): Promise<void> {
  await using shared = await SharedDirectories.start();
  const pair = await shared.pairApart();
  await pair.waitForMessages(MESSAGES);
  for (const { events, paths, isBroken } of await pair.report()) {
    assertEquals([events.connected, events.terminated, isBroken], [1, undefined, false]);
    assertEquals(new Set(paths), new Set(["carried"]));
  }
  await pair.program[Symbol.asyncDispose]();
  for (const { program } of [shared.first, shared.second]) {
    program.signal("SIGINT");
    await program.stderr.waitFor(/Stopped .* carried [\d.]+ KiB/);
  }
}

testConcurrently(
  "two directories and their store",
  [
    ["a store that is killed and started again gives no id twice", playKilledStore],
    ["while the store is gone for a minute, no lease and no conversation ends", playOutage],
    ["clients that the store has lost are there again under their ids", playEmptiedStore],
    ["the clients of a directory that is cut off from the store go to the other", playCut],
    ["clients of both that cannot reach each other talk, carried over both", playApart],
    [
      "a directory with other limits, or another key, serves, and its log says so",
      playOtherSettings,
    ],
    ["with a store that is 200 ms away all is only slower", playSlowStore],
  ].map(([name, fn]) => ({
    name: `${name}${REDIS.note}`,
    ignore: REDIS.ignore,
    fn: fn as () => Promise<void>,
  })),
);
