/**
 * A server of Redis or Valkey for one test, on a port and in a folder of its own.
 *
 * @module
 */
import { createClient } from "@redis/client";
import { Folders } from "./folders.ts";
import { freePort } from "./ports.ts";

const COMMAND = ["redis-server", "valkey-server"].find(isInstalled);

/** The command that starts a server. */
export const REDIS_COMMAND: string = COMMAND ?? "redis-server";

/** For the names of tests that need a server. */
export const REDIS = COMMAND === undefined
  ? { ignore: true, note: " (skipped: no redis-server)" }
  : { ignore: false, note: "" };

/** Milliseconds that a server may take to start. */
const START_TIMEOUT = 10_000;
/** Milliseconds between two looks whether it has started. */
const START_INTERVAL = 20;

/** Settings of a server that keeps what it was told, also where it is killed. */
export const PERSISTENT: readonly string[] = ["--appendonly", "yes", "--appendfsync", "always"];

function isInstalled(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}

/** A server, which can be killed and started again. */
export class RedisServer implements AsyncDisposable {
  readonly port: number;
  readonly #settings: readonly string[];
  readonly #folders = new Folders();
  #process: Deno.ChildProcess | undefined;

  private constructor(port: number, settings: readonly string[]) {
    this.port = port;
    this.#settings = settings;
  }

  /** Starts a server, which keeps nothing unless its settings say so. */
  static async start(settings: readonly string[] = []): Promise<RedisServer> {
    const server = new RedisServer(freePort("tcp"), settings);
    await server.start();
    return server;
  }

  /** For `--store`. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again, where it was killed. */
  async start(): Promise<void> {
    const { port } = this;
    const place = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", this.#folders.get("redis")];
    this.#process = new Deno.Command(REDIS_COMMAND, {
      args: [...place, "--save", "", ...this.#settings],
      stdout: "null",
      stderr: "null",
    }).spawn();
    const deadline = Date.now() + START_TIMEOUT;
    while (!await this.#answers()) {
      if (Date.now() > deadline) throw new Error(`Cannot start ${COMMAND} on port ${port}`);
      await new Promise((resolve) => setTimeout(resolve, START_INTERVAL));
    }
  }

  /** Ends it as a power failure would. */
  async kill(): Promise<void> {
    this.#process?.kill("SIGKILL");
    await this.#process?.status;
    this.#process = undefined;
  }

  /** Halts it: it answers nothing, and its connections stay. */
  pause(): void {
    this.#process?.kill("SIGSTOP");
  }

  /** Lets it go on. */
  resume(): void {
    this.#process?.kill("SIGCONT");
  }

  /** What it replies to a command. */
  async command(...args: string[]): Promise<unknown> {
    const client = createClient({ socket: { port: this.port, reconnectStrategy: false } });
    client.on("error", () => {});
    try {
      await client.connect();
      return await client.sendCommand(args);
    } finally {
      client.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    this.#folders[Symbol.dispose]();
  }

  /** Whether it has read what it kept, and answers. */
  async #answers(): Promise<boolean> {
    return await this.command("PING").then(() => true, () => false);
  }
}
