/**
 * Start-up time of a client, and its load while idle.
 *
 * @module
 */
import { commandLine } from "../e2e/process.ts";
import { type Benchmark, Figures, type Plan, sleep } from "./benchmark.ts";
import { hasProgram, residentBytes, runProgram } from "./machine.ts";
import { DirectoryProcess } from "./pair.ts";
import type { Found, Subject } from "./report.ts";

const EXECUTABLE = new URL("../../dist/udp-chat", import.meta.url).pathname;
/** An empty program, which exits at once with an argument. */
const EMPTY = `console.log("ready >");if (Deno.args.length === 0) setInterval(() => {}, 1e6);`;
/** Milliseconds until a client counts as idle. */
const IDLE_AFTER = 500;

/** See its summary. */
export const startUp: Benchmark = {
  name: "start-up",
  summary: "time from the start to the first prompt, and memory of an idle client",
  problem(): string | undefined {
    if (Deno.build.os === "windows") return "needs ps";
    return hasProgram("ps", "-p", "1") ? undefined : "needs ps";
  },
  run,
};

interface Program {
  readonly subject: Subject;
  readonly command: readonly string[];
  /** Its output when it is ready, in a terminal and without one. */
  readonly prompt: RegExp;
  readonly ready: RegExp;
}

async function run({ rounds }: Plan): Promise<Found> {
  const figures = new Figures();
  await using open = new AsyncDisposableStack();
  const { address } = open.use(await DirectoryProcess.open());
  const folder = Deno.makeTempDirSync({ prefix: "udp-chat-bench-" });
  open.defer(() => Deno.removeSync(folder, { recursive: true }));
  const source = `${folder}/empty.ts`;
  Deno.writeTextFileSync(source, EMPTY);
  const compiledAt = modified(EXECUTABLE);
  const isCompiled = compiledAt !== undefined;
  const server = ["--server", `${address.hostname}:${address.port}`, "--ephemeral"];
  const { program, args } = commandLine("client");
  const client = isCompiled ? [EXECUTABLE, "client"] : [program, ...args];
  const isEmptyCompiled = isCompiled && compile(source, `${folder}/empty`);
  const empty = isEmptyCompiled ? [`${folder}/empty`] : [Deno.execPath(), "run", "--quiet", source];
  const programs: Program[] = [
    { subject: "empty program", command: empty, prompt: /ready >/, ready: /ready/ },
    { subject: "udp-chat", command: [...client, ...server], prompt: / > /, ready: /Registered/ },
  ];
  const hasTerminal = hasProgram("script", "--version");
  for (let round = 0; round < rounds; round++) {
    for (const { subject, command, prompt, ready } of programs) {
      const onTerminal = hasTerminal
        ? ["script", "-qfec", command.map((word) => `'${word}'`).join(" "), "/dev/null"]
        : command;
      const { ms } = await start(onTerminal, hasTerminal ? prompt : ready);
      figures.add(subject, "start", "ms", ms, "empty program");
      const { resident } = await start(command, ready, IDLE_AFTER);
      figures.add(subject, "resident", "MiB", resident / 2 ** 20, "empty program");
    }
  }
  const notes = [
    isCompiled
      ? `udp-chat is the executable dist/udp-chat of ${compiledAt.toISOString().slice(0, 16)}Z.`
      : "udp-chat runs from its source: there is no dist/udp-chat, which deno task compile makes.",
    `The empty program ${isEmptyCompiled ? "is an executable, too" : "runs from its source"}.`,
    hasTerminal
      ? "Until the first prompt, on a terminal that script(1) makes."
      : "Until registered: without script(1) there is no terminal to prompt on.",
  ];
  return { rows: figures.rows, notes };
}

/** When a file was last changed; undefined without a file. */
function modified(path: string): Date | undefined {
  try {
    return Deno.statSync(path).mtime ?? undefined;
  } catch {
    return undefined;
  }
}

/** Compiles the empty program; returns whether that worked. */
function compile(source: string, output: string): boolean {
  try {
    runProgram(Deno.execPath(), "compile", "--quiet", "--output", output, source);
    runProgram(output, "end");
    return true;
  } catch {
    return false;
  }
}

/** Starts a program, waits for its first output, and ends it. */
async function start(
  [program, ...args]: readonly string[],
  wanted: RegExp,
  idleMs = 0,
): Promise<{ ms: number; resident: number }> {
  const startedAt = performance.now();
  const child = new Deno.Command(program!, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let printed = "";
  while (!wanted.test(printed)) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${program} ended, and had printed: ${printed}`);
    printed += value;
  }
  const ms = performance.now() - startedAt;
  await sleep(idleMs);
  const resident = idleMs > 0 ? residentBytes(child.pid) : 0;
  await child.stdin.close();
  child.kill("SIGTERM");
  await reader.cancel();
  await child.status;
  return { ms, resident };
}
