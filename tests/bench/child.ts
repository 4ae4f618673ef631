/**
 * Processes of a benchmark: `worker.ts` in a role, with commands and answers in lines of JSON.
 *
 * @module
 */

const FOLDER = new URL("./", import.meta.url);
const IMPORT_MAP = new URL("../../import_map.json", import.meta.url);
/** Most milliseconds until a worker answers. */
const PATIENCE = 120_000;
/** Most milliseconds until a worker ends. */
const GRACE = 5000;
/** The environment variable with a folder for CPU profiles of all processes. */
const PROFILES = "CPU_PROFILES";

/** Where a process runs. */
export interface Place {
  /** The number of the core that it is pinned to. */
  readonly core?: number | undefined;
  /** A network namespace. */
  readonly namespace?: string | undefined;
}

/** The command line that runs a program at a place. */
function placed(place: Place, program: string, args: readonly string[]): string[] {
  const { core, namespace } = place;
  const pin = core === undefined ? [] : ["taskset", "-c", String(core)];
  const enter = namespace === undefined ? [] : ["ip", "netns", "exec", namespace];
  return [...enter, ...pin, program, ...args];
}

/** A process in a role. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #role: string;

  constructor(role: string, config: unknown, place: Place = {}) {
    this.#role = role;
    const folder = Deno.env.get(PROFILES);
    const profile = folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`];
    const options = ["--quiet", "--allow-all", `--import-map=${IMPORT_MAP}`, ...profile];
    const flags = ["--v8-flags=--expose-gc", new URL("worker.ts", FOLDER).href];
    const args = ["run", ...options, ...flags, role, JSON.stringify(config)];
    const [program, ...rest] = placed(place, Deno.execPath(), args);
    this.#process = new Deno.Command(program!, {
      args: rest,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new LineStream()).getReader();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Sends it a command. */
  async send(value: unknown): Promise<void> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  }

  /** The next answer, within `patience` milliseconds. */
  async hear<T>(patience = PATIENCE): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const limit = new Promise<never>((_, reject) => {
      const error = new Error(`The ${this.#role} process said nothing for ${patience / 1000} s`);
      timer = setTimeout(() => reject(error), patience);
    });
    const { value, done } = await Promise.race([this.#lines.read(), limit])
      .finally(() => clearTimeout(timer));
    if (done) throw new Error(`The ${this.#role} process ended`);
    return JSON.parse(value);
  }

  /** Sends it a command; returns the answer. */
  async ask<T>(value: unknown, patience = PATIENCE): Promise<T> {
    await this.send(value);
    return await this.hear<T>(patience);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {});
    await this.#lines.cancel().catch(() => {});
    // It ends at the end of its input.
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), GRACE);
    await this.#process.status;
    clearTimeout(timer);
  }
}

/** Cuts a text into lines. */
export class LineStream extends TransformStream<string, string> {
  constructor() {
    let rest = "";
    super({
      transform(chunk, controller): void {
        const lines = (rest + chunk).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller): void {
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
