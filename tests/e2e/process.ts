/**
 * Real processes for the end-to-end tests: starts them, types into them, reads their lines, and cleans
 * up.
 *
 * They run `deno run main.ts` with the permissions of the tasks in deno.json, or the executable that
 * the environment variable UDP_CHAT names, in an empty folder with an empty environment. Each client
 * has a configuration folder by its name, so that none touches the user's, and a client that starts
 * again under its name has the same identity.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { Folders, systemEnv } from "./folders.ts";
import { Lines, PATIENCE } from "./lines.ts";
import { freePort } from "./ports.ts";

const ROOT = new URL("../../", import.meta.url);
const IS_WINDOWS = Deno.build.os === "windows";

/** A line of `--json` output. */
export interface JsonEvent {
  readonly event: string;
  readonly time: string;
  readonly [field: string]: unknown;
}

/** How a process ended. */
export interface Exit {
  readonly code: number;
  readonly signal: Deno.Signal | null;
}

/** A program and its first arguments. */
export interface CommandLine {
  readonly program: string;
  readonly args: readonly string[];
  /** Whether it is the executable, which runs in an empty folder and environment. */
  readonly isExecutable: boolean;
}

/** A command of udp-chat. */
export type Side = "serve" | "client" | "doctor";

/** How to start a command. */
export function commandLine(side: Side): CommandLine {
  const executable = Deno.env.get("UDP_CHAT");
  if (executable !== undefined && executable !== "") {
    return { program: Deno.realPathSync(executable), args: [side], isExecutable: true };
  }
  const task = config.tasks[side === "serve" ? "server" : side].command;
  // "deno run … --import-map=import_map.json main.ts client"
  const args = task.split(" ").slice(1).map((arg) =>
    arg.replace(/(?:import_map\.json|main\.ts)$/, toPath)
  );
  return { program: Deno.execPath(), args, isExecutable: false };
}

function toPath(file: string): string {
  const path = decodeURIComponent(new URL(file, ROOT).pathname);
  return IS_WINDOWS ? path.slice(1) : path;
}

/** Called with every line that a program prints. */
export type Observer = (name: string, line: string) => void;

/** The environment of a program. */
interface Surroundings {
  /** The folder; undefined for that of the tests. */
  readonly cwd: string | undefined;
  readonly env: Record<string, string>;
  readonly onLine: Observer;
}

/** A running program. */
export class Program {
  readonly stdout: Lines;
  readonly stderr: Lines;
  /** Resolves when it ends. */
  readonly exit: Promise<Exit>;
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #hasEnded = false;

  constructor(
    name: string,
    { program, args, isExecutable }: CommandLine,
    { cwd, env, onLine }: Surroundings,
  ) {
    this.#name = name;
    this.#child = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      clearEnv: isExecutable,
      env: { ...isExecutable && systemEnv(), ...env },
      ...cwd !== undefined && { cwd },
    }).spawn();
    const transcript = (): string => this.transcript();
    const tell = (line: string): void => onLine(name, line);
    this.stdout = new Lines(this.#child.stdout, transcript, tell);
    this.stderr = new Lines(this.#child.stderr, transcript, tell);
    this.#input = this.#child.stdin.getWriter();
    // The pipe breaks when the program ends.
    this.#input.closed.catch(() => {});
    this.exit = this.#child.status.then(async ({ code, signal }) => {
      this.#hasEnded = true;
      await Promise.all([this.stdout.ended, this.stderr.ended]);
      return { code, signal };
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Writes lines to its standard input. */
  async type(...lines: string[]): Promise<void> {
    await this.write(new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
  }

  /** Writes bytes to its standard input. */
  async write(bytes: Uint8Array): Promise<void> {
    await this.#input.write(bytes).catch(() => {});
  }

  /** Ends its standard input. */
  async endInput(): Promise<void> {
    await this.#input.close().catch(() => {});
  }

  /** Sends it a signal, unless it has ended. */
  signal(signal: Deno.Signal): void {
    if (this.#hasEnded) return;
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It may have ended a moment ago.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Its exit status; 128 or more after a signal. */
  async exitCode(timeout = PATIENCE): Promise<number> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      reject(new Error(`${this.#name}: still running after ${timeout} ms\n${this.transcript()}`));
    }, timeout);
    try {
      return (await Promise.race([this.exit, late])).code;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Its last output, for error messages. */
  transcript(): string {
    const show = (mark: string, { all }: Lines): string[] =>
      all.slice(-100).map((line) => `  ${this.#name} ${mark} ${line.slice(0, 300)}`);
    return [...show("│", this.stdout), ...show("!", this.stderr)].join("\n");
  }

  /** The next event of this name on a `--json` output. */
  async waitForEvent(
    name: string,
    fields: Readonly<Record<string, unknown>> = {},
    timeout = PATIENCE,
  ): Promise<JsonEvent> {
    const line = await this.stdout.waitFor(
      Object.assign((line: string) => {
        const event = parseEvent(line);
        return event.event === name && includes(event, fields);
      }, { toString: () => `${name} ${JSON.stringify(fields)}` }),
      timeout,
    );
    return parseEvent(line);
  }

  /** All events so far of a `--json` output. */
  events(): JsonEvent[] {
    return this.stdout.all.map(parseEvent);
  }

  /** What the directory told this client when it registered it first. */
  registered(): JsonEvent | undefined {
    return this.events().find(({ event }) => event === "registered");
  }

  /** Kills it if it still runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.signal("SIGKILL");
    await this.endInput();
    await this.exit;
  }
}

/** A line of `--json` output, which must be an object with at least these two fields. */
export function parseEvent(line: string): JsonEvent {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null || !("event" in value) || !("time" in value)) {
    throw new Error(`Not an event: ${line}`);
  }
  return value as JsonEvent;
}

function includes(event: JsonEvent, fields: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(fields).every(([name, value]) =>
    JSON.stringify(event[name]) === JSON.stringify(value)
  );
}

/** Runs a program without input, by default with a new configuration folder. */
export async function runProgram(
  { program, args, isExecutable }: CommandLine,
  more: readonly string[],
  env?: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  using folders = new Folders();
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args, ...more],
    stdin: "null",
    clearEnv: isExecutable,
    env: { ...isExecutable && systemEnv(), ...env ?? folders.env("program") },
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Where a Stage starts its programs, and how. */
export interface Setting {
  /** Called with every line that a program prints. */
  readonly onLine?: Observer;
  /** Whether programs get temporary folders, which needs permission to write. */
  readonly hasFolders?: boolean;
  /** The command line to start a program by. */
  readonly wrap?: (name: string, command: CommandLine) => CommandLine;
  /** Variables for all programs. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A directory that listens. */
export interface RunningServer {
  readonly program: Program;
  /** The value for `--server`. */
  readonly address: string;
  readonly port: number;
}

/** The programs that a test starts; disposal ends them. */
export class Stage {
  readonly #programs: Program[] = [];
  readonly #setting: Required<Setting>;
  /** The folders of the programs. */
  readonly folders = new Folders();

  constructor(setting: Setting = {}) {
    const wrap = (_name: string, command: CommandLine): CommandLine => command;
    this.#setting = { onLine: () => {}, hasFolders: true, wrap, env: {}, ...setting };
  }

  /** Starts the program. */
  start(name: string, side: Side, args: readonly string[]): Program {
    const { onLine, hasFolders, wrap } = this.#setting;
    const command = commandLine(side);
    const env = { ...this.#setting.env, ...hasFolders ? this.folders.env(name) : {} };
    const cwd = command.isExecutable && hasFolders ? this.folders.get("empty") : undefined;
    const whole = wrap(name, { ...command, args: [...command.args, ...args] });
    const program = new Program(name, whole, { cwd, env, onLine });
    this.#programs.push(program);
    return program;
  }

  /** Starts a directory, by default on a free port, and waits until it listens. */
  serve(...args: string[]): Promise<RunningServer> {
    return this.serveAs("server", ...args);
  }

  /** The same with a name, and so a configuration folder, of its own. */
  async serveAs(name: string, ...args: string[]): Promise<RunningServer> {
    const all = args.includes("--port") ? args : ["--port", `${freePort()}`, ...args];
    const program = this.start(name, "serve", all);
    const line = await program.stdout.waitFor(/^Listening on |"event":"listening"/);
    const [, host, port] = /(\d+(?:\.\d+){3}|\[[\da-f:]+\])(?::|","port":)(\d+)/.exec(line)!;
    return { program, port: Number(port), address: `${host}:${port}` };
  }

  /** Starts a client. */
  client(name: string, server: Reachable, ...args: string[]): Program {
    return this.start(name, "client", ["--server", server.address, ...args]);
  }

  /** Starts a client with `--json`, and waits until it is registered. */
  async jsonClient(name: string, server: Reachable, ...args: string[]): Promise<Program> {
    const client = this.client(name, server, "--json", "--name", name, ...args);
    await client.waitForEvent("registered");
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program[Symbol.asyncDispose]()));
    this.folders[Symbol.dispose]();
  }
}

/** A directory, or a relay in front of it. */
type Reachable = Readonly<{ address: string }>;

/** Two connected clients with `--json`; the first one made the request. */
export async function connectedPair(
  stage: Stage,
  server: Reachable | Readonly<{ ana: Reachable; bob: Reachable }>,
  args: { ana?: string[]; bob?: string[] } = {},
): Promise<[ana: Program, bob: Program]> {
  const servers = "address" in server ? { ana: server, bob: server } : server;
  const ana = await stage.jsonClient("ana", servers.ana, ...args.ana ?? []);
  const bob = await stage.jsonClient("bob", servers.bob, ...args.bob ?? []);
  await ana.type("connect bob");
  await bob.waitForEvent("request");
  await bob.type("accept");
  await Promise.all([ana.waitForEvent("connected"), bob.waitForEvent("connected")]);
  return [ana, bob];
}

/** For the names of tests that need Unix signals. */
export const UNIX_SIGNALS = IS_WINDOWS
  ? { ignore: true, note: " (skipped: Windows has no such signals)" }
  : { ignore: false, note: "" };
