/**
 * A directory under load, compared with a bare Deno echo.
 *
 * @module
 */
import { batchProblem } from "./batch_socket.ts";
import { type Benchmark, Figures, type Plan } from "./benchmark.ts";
import { Child } from "./child.ts";
import { KNOWN_CLIENTS, type Load, type LoadJob, OUTSTANDING } from "./directory_load.ts";
import { cpuSeconds } from "./machine.ts";
import type { Found, Subject } from "./report.ts";
import { ServerProcess } from "./server_process.ts";

/** Most clients of the directory: the registrations of all rounds. */
const CLIENTS_MAX = 100_000;
const WARM_UP = 300;
const MEASURED = 1000;
const MEASURED_QUICK = 500;
/** Milliseconds of X25519 alone. */
const AGREEING = 500;

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
  const server = open.use(new ServerProcess(CLIENTS_MAX));
  const { port: echoPort } = await echo.hear<{ port: number }>();
  const echoLoad = open.use(new Child("load", { port: echoPort }));
  const load = open.use(new Child("load", { port: await server.port() }));
  const measured = { clients: KNOWN_CLIENTS, warmUpMs: WARM_UP };
  const ms = isQuick ? MEASURED_QUICK : MEASURED;
  const perRound = Math.floor((CLIENTS_MAX - KNOWN_CLIENTS) / rounds);
  /** Lets a load ask a process, and adds its rate, and its rate by the CPU time of the process. */
  async function measure(who: Subject, what: string, load: Child, pid: number, job: LoadJob) {
    const before = cpuSeconds(pid);
    const { rate, count, unanswered } = await load.ask<Load>(job);
    const byCpuTime = count / (cpuSeconds(pid) - before);
    for (const metric of who === "bare UDP" ? ["look-ups", "registrations"] : [what]) {
      figures.add(who, metric, "/s", rate, "bare UDP");
      figures.add(who, `${metric} a CPU second`, "/s", byCpuTime, "bare UDP");
    }
    return unanswered;
  }
  const known = { do: "register", first: 0, clients: KNOWN_CLIENTS, ms: 10_000 } as const;
  // On a busy machine some datagrams may be dropped: who is registered already is so again.
  for (let tries = 5; tries > 0; tries--) {
    if ((await load.ask<Load>(known)).count === KNOWN_CLIENTS) break;
  }
  let unanswered = 0;
  for (let round = 0; round < rounds; round++) {
    const first = KNOWN_CLIENTS + round * perRound;
    const echoes = { do: "echo", ...measured, ms } as const;
    const lookUps = { do: "lookUp", ...measured, ms } as const;
    const registers = { do: "register", first, clients: perRound, ms } as const;
    await measure("bare UDP", "echoes", echoLoad, echo.pid, echoes);
    unanswered += await measure("udp-chat", "look-ups", load, server.pid, lookUps);
    unanswered += await measure("udp-chat", "registrations", load, server.pid, registers);
    const before = cpuSeconds(load.pid);
    const { count } = await load.ask<Load>({ do: "agree", ms: AGREEING });
    const byCpuTime = count / (cpuSeconds(load.pid) - before);
    figures.add("udp-chat", "X25519 alone, a CPU second", "/s", byCpuTime);
  }
  const notes = [
    `serve --quiet --no-source-limits, one process; ${OUTSTANDING} requests outstanding, each ` +
    `client at an address of its own.`,
    "A registration is two requests and two answers. bare UDP: an echo of datagrams as long as " +
    "the Look-ups, which are sealed before the time starts.",
    "A CPU second: of the process that answers, all its threads, so that other programs and the " +
    "load on the second core hardly count.",
  ];
  if (unanswered > 0) notes.push(`${unanswered} requests were not answered.`);
  return { rows: figures.rows, notes };
}
