/**
 * A directory under load, compared with a bare Deno echo.
 *
 * @module
 */
import { commandLine } from "../e2e/process.ts";
import { batchProblem } from "./batch_socket.ts";
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import { Child, LineStream } from "./child.ts";
import { KNOWN_CLIENTS, type Load, type LoadJob, OUTSTANDING } from "./directory_load.ts";
import type { Found } from "./report.ts";

/** Most clients of the directory: the registrations of all rounds. */
const CLIENTS_MAX = 100_000;
const WARM_UP = 300;
const MEASURED = 1000;
const MEASURED_QUICK = 500;

/** See its summary. */
export const directory: Benchmark = {
  name: "directory",
  summary: "look-ups, and registrations with their challenge, a second, beside a bare Deno echo",
  problem: batchProblem,
  run,
};

async function run({ rounds, isQuick }: Plan): Promise<Found> {
  const figures = new Figures();
  await using open = new AsyncDisposableStack();
  const echo = open.use(new Child("echo", {}));
  const server = open.use(new ServerProcess());
  const { port: echoPort } = await echo.hear<{ port: number }>();
  const echoLoad = open.use(new Child("load", { port: echoPort }));
  const load = open.use(new Child("load", { port: await server.port() }));
  const measured = { clients: KNOWN_CLIENTS, warmUpMs: WARM_UP };
  const ms = isQuick ? MEASURED_QUICK : MEASURED;
  const perRound = Math.floor((CLIENTS_MAX - KNOWN_CLIENTS) / rounds);
  const ask = (child: Child, job: LoadJob): Promise<Load> => child.ask<Load>(job);
  await ask(load, { do: "register", first: 0, clients: KNOWN_CLIENTS, ms: 10_000 });
  let unanswered = 0;
  for (let round = 0; round < rounds; round++) {
    const echoed = await ask(echoLoad, { do: "echo", ...measured, ms });
    const lookUps = await ask(load, { do: "lookUp", ...measured, ms });
    const first = KNOWN_CLIENTS + round * perRound;
    const registrations = await ask(load, { do: "register", first, clients: perRound, ms });
    for (const [what, { rate }] of Object.entries({ lookUps, registrations })) {
      const metric = what === "lookUps" ? "look-ups" : what;
      figures.add("bare UDP", metric, "/s", echoed.rate, "bare UDP");
      figures.add("udp-chat", metric, "/s", rate, "bare UDP");
    }
    unanswered += lookUps.unanswered + registrations.unanswered;
  }
  const notes = [
    `serve --quiet --no-source-limits, one process; ${OUTSTANDING} requests outstanding, each ` +
    `client at an address of its own.`,
    "A registration is two requests and two answers. bare UDP: an echo of the same Look-ups.",
  ];
  if (unanswered > 0) notes.push(`${unanswered} requests were not answered.`);
  return { rows: figures.rows, notes };
}

/** `udp-chat serve` in a process. */
class ServerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  constructor() {
    const { program, args } = commandLine("serve");
    const options = ["--quiet", "--json", "--no-source-limits", "--port", "0"];
    const all = [...args, ...options, "--max-clients", String(CLIENTS_MAX)];
    this.#process = new Deno.Command(program, {
      args: all,
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  }

  async port(): Promise<number> {
    const lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new LineStream()).getReader();
    const { value = "{}" } = await lines.read();
    return JSON.parse(value).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}
