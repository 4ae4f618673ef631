/**
 * Directories with one key and one store, and many clients of them, as real processes.
 *
 * @module
 */
import { PATIENCE } from "./lines.ts";
import type { FloodReport, RegisterFloodConfig } from "./register_flood.ts";
import type { ClientReport, ManyClientsConfig } from "./many_clients.ts";
import { Program, type RunningServer, Stage } from "./process.ts";
import { RedisServer } from "./redis_server.ts";
import { TcpProxy } from "./tcp_proxy.ts";

/** Milliseconds between two questions how many messages have come. */
const ASK_INTERVAL = 200;

/** Milliseconds that a flood may take. */
const FLOOD_TIMEOUT = 60_000;

/** How they are started. */
interface Setting {
  /** Arguments of each directory. */
  readonly args?: readonly string[];
  /** Settings of Redis. */
  readonly redis?: readonly string[];
}

/** Two directories, each with a path of its own to one store. */
export class SharedDirectories implements AsyncDisposable {
  readonly stage = new Stage();
  readonly redis: RedisServer;
  /** The paths of the first and the second one to the store. */
  readonly paths: readonly [TcpProxy, TcpProxy];
  readonly #servers: RunningServer[] = [];
  #started = 0;
  readonly #processes: Program[] = [];

  private constructor(redis: RedisServer) {
    this.redis = redis;
    this.paths = [new TcpProxy(redis.port), new TcpProxy(redis.port)];
  }

  /** Starts them; each has its store. */
  static async start({ args = [], redis = [] }: Setting = {}): Promise<SharedDirectories> {
    const shared = new SharedDirectories(await RedisServer.start(redis));
    for (const { port } of shared.paths) shared.#servers.push(await shared.serve(port, ...args));
    return shared;
  }

  /** Starts a directory whose store is at this port, and waits until it answers. */
  async serve(port: number, ...args: string[]): Promise<RunningServer> {
    const identity = `${this.stage.folders.get("key")}/identity`;
    const store = ["--store", `redis://127.0.0.1:${port}`, "--identity", identity];
    const log = ["--quiet", "--log-level", "info", "--no-source-limits"];
    const name = `d${this.#started++}`;
    const server = await this.stage.serveAs(name, ...store, ...log, ...args);
    await server.program.stderr.waitFor(/The store answers/);
    return server;
  }

  /** The first one. */
  get first(): RunningServer {
    return this.#servers[0]!;
  }

  /** The second one. */
  get second(): RunningServer {
    return this.#servers[1]!;
  }

  /** The directory where most of these clients are, and the other one. */
  byClients(clients: readonly ClientReport[]): readonly [RunningServer, RunningServer] {
    const atFirst = clients.filter(({ at }) => at === this.first.port).length;
    return 2 * atFirst >= clients.length ? [this.first, this.second] : [this.second, this.first];
  }

  /** The path of a directory to the store. */
  pathOf(server: RunningServer): TcpProxy {
    return this.paths[this.#servers.indexOf(server)]!;
  }

  /** Starts clients, and waits until they are registered and talk. */
  async crowd(
    clients: number,
    conversations: number,
    servers: readonly RunningServer[] = this.#servers,
    prefix = "client",
  ): Promise<Crowd> {
    const directories = servers.map(({ port }) => ({ hostname: "127.0.0.1", port }));
    return await this.#start({ directories, clients, conversations, prefix });
  }

  /** Starts two clients, one at each directory, that talk and cannot reach each other. */
  async pairApart(): Promise<Crowd> {
    const directories = this.#servers.map(({ port }) => ({ hostname: "127.0.0.1", port }));
    return await this.#start({
      directories,
      clients: 2,
      conversations: 1,
      prefix: "apart",
      isApart: true,
    });
  }

  /**
   * Floods the first directory with Registers, as `register_flood.ts` does; returns what came of it.
   *
   * @param onSent called when each was sent.
   */
  async flood(clients: number, onSent: () => void = () => {}): Promise<FloodReport> {
    const program = startProcess("register_flood.ts", { port: this.first.port, clients });
    this.#processes.push(program);
    await program.waitForEvent("sent", {}, FLOOD_TIMEOUT);
    onSent();
    return await program.waitForEvent("flooded", {}, FLOOD_TIMEOUT) as unknown as FloodReport;
  }

  async #start(config: ManyClientsConfig): Promise<Crowd> {
    const { clients, conversations } = config;
    const program = startProcess("many_clients.ts", config);
    this.#processes.push(program);
    const crowd = new Crowd(program);
    await crowd.waitForSpread((at) => sum(at) === clients);
    if (conversations > 0) {
      await program.type("talk");
      await program.waitForEvent("talking");
    }
    return crowd;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((each) => each[Symbol.asyncDispose]()));
    await this.stage[Symbol.asyncDispose]();
    for (const path of this.paths) path[Symbol.dispose]();
    await this.redis[Symbol.asyncDispose]();
  }
}

/** Many clients in one process. */
export class Crowd {
  readonly program: Program;

  constructor(program: Program) {
    this.program = program;
  }

  /** Waits until they are registered as they should be, by the ports of the directories. */
  async waitForSpread(
    isWanted: (at: Readonly<Record<string, number>>) => boolean,
    timeout?: number,
  ): Promise<void> {
    await this.program.stdout.waitFor((line) => {
      const { event, at } = JSON.parse(line);
      return event === "spread" && isWanted(at);
    }, timeout);
  }

  /** Waits until each that talks has got so many messages. */
  async waitForMessages(count: number): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const talking = (await this.report()).filter(({ sent }) => sent > 0);
      if (talking.length > 0 && talking.every(({ received }) => received >= count)) return;
      if (Date.now() > deadline) throw new Error(`Not ${count} messages: ${Deno.inspect(talking)}`);
      await new Promise((resolve) => setTimeout(resolve, ASK_INTERVAL));
    }
  }

  /** What has become of them. */
  async report(): Promise<ClientReport[]> {
    await this.program.type("report");
    return (await this.program.waitForEvent("report")).clients as ClientReport[];
  }
}

/** Starts a file of this folder. */
function startProcess(name: string, config: ManyClientsConfig | RegisterFloodConfig): Program {
  const root = new URL("../../", import.meta.url);
  const args = ["run", "--no-check", "--allow-net", "--allow-ffi", "--unstable-net"];
  const map = `--import-map=${decodeURIComponent(new URL("import_map.json", root).pathname)}`;
  const file = decodeURIComponent(new URL(name, import.meta.url).pathname);
  const command = { program: Deno.execPath(), isExecutable: false };
  return new Program(name, {
    ...command,
    args: [...args, "--allow-read", "--allow-env", map, file, JSON.stringify(config)],
  }, { cwd: undefined, env: {}, onLine: () => {} });
}

function sum(at: Readonly<Record<string, number>>): number {
  return Object.values(at).reduce((total, each) => total + each, 0);
}
