/**
 * Directories that share a table through a store, beside one with a table of its own.
 *
 * @module
 */
import { REDIS, RedisServer } from "../e2e/redis_server.ts";
import { Folders } from "../e2e/folders.ts";
import { batchProblem } from "./batch_socket.ts";
import { type Benchmark, Figures, type Plan, sleep } from "./benchmark.ts";
import { Child } from "./child.ts";
import { KNOWN_CLIENTS, type Load } from "./directory_load.ts";
import { cpuSeconds, residentBytes } from "./machine.ts";
import type { Found } from "./report.ts";
import { ServerProcess } from "./server_process.ts";

const CLIENTS = 100_000;
const CLIENTS_QUICK = 10_000;
/** Milliseconds that all may take to register. */
const REGISTERING = 300_000;
const WARM_UP = 300;
const MEASURED = 2000;
/** Milliseconds that directories have to find their store, and then to hear the last change. */
const SETTLING = 3000;

/** How many directories, and whether they have a store. */
const CASES = [["in memory", 1, false], ["a store", 1, true], ["a store, 2", 2, true]] as const;

/** See its summary. */
export const sharedTable: Benchmark = {
  name: "shared-table",
  summary: "100,000 clients on two directories with a store, on one, and on one in memory",
  problem: () => batchProblem() ?? (REDIS.ignore ? "needs redis-server" : undefined),
  async run({ isQuick }: Plan): Promise<Found> {
    const clients = isQuick ? CLIENTS_QUICK : CLIENTS;
    const figures = new Figures();
    for (const [name, count, hasStore] of CASES) {
      await measure(figures, clients, name, count, hasStore);
    }
    const notes = [
      `${
        clients.toLocaleString("en-US")
      } clients, each at an address of its own, in equal shares ` +
      "at each directory; one round. All processes, the store and the loads too, share the cores.",
      "A CPU second: of the directories. Memory: the growth of each directory's resident memory, " +
      "which has all clients, and of used_memory of Redis.",
    ];
    return { rows: figures.rows, notes };
  },
};

/** Registers the clients, and asks for them. */
async function measure(
  figures: Figures,
  clients: number,
  name: string,
  count: number,
  hasStore: boolean,
): Promise<void> {
  await using open = new AsyncDisposableStack();
  const folders = open.adopt(new Folders(), (each) => each[Symbol.dispose]());
  const redis = hasStore ? open.use(await RedisServer.start()) : undefined;
  const key = ["--identity", `${folders.get("key")}/key`];
  const options = redis === undefined ? key : [...key, "--store", redis.url];
  const servers: ServerProcess[] = [];
  const loads: Child[] = [];
  for (let i = 0; i < count; i++) {
    const server = open.use(new ServerProcess(2 * clients, options));
    servers.push(server);
    loads.push(open.use(new Child("load", { port: await server.port() })));
  }
  await sleep(SETTLING);
  const add = (metric: string, unit: string, value: number): void =>
    figures.add("udp-chat", `${metric}, ${name}`, unit, value);
  const residentBefore = servers.map(({ pid }) => residentBytes(pid));
  const usedBefore = await usedMemory(redis);
  const share = clients / count;
  const register = (load: Child, index: number): Promise<Load> =>
    load.ask<Load>(
      { do: "register", first: index * share, clients: share, ms: REGISTERING },
      REGISTERING,
    );
  const registered = await together(servers, loads, register);
  add("registrations", "/s", registered.rate);
  add("registrations a CPU second", "/s", registered.byCpuTime);
  await sleep(SETTLING);
  const growth = servers.map(({ pid }, at) => residentBytes(pid) - residentBefore[at]!);
  add("memory for each client", "B", Math.max(...growth) / registered.count);
  if (redis !== undefined) {
    const used = await usedMemory(redis) - usedBefore;
    add("memory of Redis for each client", "B", used / registered.count);
  }
  const lookUp = { do: "lookUp", clients: KNOWN_CLIENTS, ms: MEASURED, warmUpMs: WARM_UP } as const;
  const lookUps = await together(servers, loads, (load) => load.ask<Load>(lookUp));
  add("look-ups", "/s", lookUps.rate);
  add("look-ups a CPU second", "/s", lookUps.byCpuTime);
}

/** What all loads reach together. */
async function together(
  servers: readonly ServerProcess[],
  loads: readonly Child[],
  ask: (load: Child, index: number) => Promise<Load>,
): Promise<{ rate: number; byCpuTime: number; count: number }> {
  const cpuTime = (): number => servers.reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
  const before = cpuTime();
  const results = await Promise.all(loads.map(ask));
  const sum = (of: "rate" | "count"): number => results.reduce((all, each) => all + each[of], 0);
  return { rate: sum("rate"), count: sum("count"), byCpuTime: sum("count") / (cpuTime() - before) };
}

/** Bytes that a server of Redis uses. */
async function usedMemory(redis: RedisServer | undefined): Promise<number> {
  const info = String(await redis?.command("INFO", "memory") ?? "");
  return Number(/used_memory:(\d+)/.exec(info)?.[1] ?? 0);
}
