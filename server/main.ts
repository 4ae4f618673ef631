/**
 * `udp-chat serve`: runs a directory.
 *
 * @module
 */
import { formatAddress } from "../protocol/wire/address.ts";
import { SECRET_SOURCES } from "../cli/files.ts";
import { findSecret } from "../cli/secret.ts";
import { clock, drive, openSocket, resolveHost, systemRandom } from "../protocol/udp.ts";
import { type Options, parseServerOptions, serverHelp } from "./options.ts";
import { LineWriter } from "../cli/line_writer.ts";
import {
  type Moment,
  type Output,
  renderHint,
  renderJson,
  renderText,
  renderTotals,
} from "./screen/render.ts";
import { Server } from "./server.ts";
import { hasTerminal, openScreen } from "./screen/terminal.ts";

/** Milliseconds that the last answers have to get out, and then the last lines. */
const STOP_LIMIT = 1000;

/**
 * Characters that may wait for a slow reader of standard output. What is too much is left out, so
 * that the directory goes on.
 */
const PENDING_OUTPUT_MAX = 1024 * 1024;

/** Milliseconds by which the wall clock may differ from what was printed before. */
const CLOCK_TOLERANCE = 50;

/**
 * Runs a directory until a signal stops it.
 *
 * @param args the arguments behind `serve`.
 * @returns the exit status: 0 stopped or helped, 1 it could not go on, 2 wrong usage.
 */
export async function serve(args: string[]): Promise<number> {
  const parsed = parseServerOptions(args);
  if (!parsed.ok) {
    complain(`${parsed.error}\nTry udp-chat serve --help`);
    return 2;
  }
  if (parsed.value === "help") {
    attempt(() => console.log(serverHelp()));
    return 0;
  }
  const options = parsed.value;
  const found = findSecret(options.secretFile, SECRET_SOURCES);
  if (!found.ok) {
    complain(`${found.error}\nTry udp-chat serve --help`);
    return 2;
  }
  let socket: Deno.DatagramConn;
  try {
    socket = openSocket(await resolveHost(options.host), options.port);
  } catch (error) {
    return fail(listenProblem(error, options), options);
  }
  return await run(socket, options, found.value);
}

async function run(
  socket: Deno.DatagramConn,
  options: Options,
  secret: Uint8Array | undefined,
): Promise<number> {
  const { isJson, isQuiet } = options;
  const isScreen = hasTerminal() && !options.isPlain;
  const isColored = options.color === "always" ||
    options.color === "auto" && isScreen && !Deno.noColor;
  const stop = stopSignal();
  const moment = wallClock();
  const lease = 1000 * options.leaseSeconds;
  const server = new Server({ ...options, lease, secret, random: systemRandom });
  const printer = new LineWriter({
    pendingMax: PENDING_OUTPUT_MAX,
    write: (bytes) => Deno.stdout.write(bytes),
    onRecovered(dropped): void {
      complain(`Cannot print as fast as clients come and go: left out ${dropped} lines or tables`);
      print(server.table());
    },
    onBroken(): void {
      complain("Cannot print any more: nobody reads the output; the directory goes on");
    },
  });
  function print(output: Output): void {
    const text = isJson ? renderJson(output, moment()) : renderText(output, moment(), isColored);
    printer.print(text);
  }

  const isPrivate = secret !== undefined;
  const listening = { kind: "listening", address: socket.addr as Deno.NetAddr, isPrivate } as const;
  print(listening);
  const texts = {
    title: renderText(listening, moment(), false),
    hint: renderHint(listening.address),
  };
  const screen = isScreen && !isJson && !isQuiet
    ? openScreen(texts, server, isColored, { moment, after })
    : undefined;
  const running = drive(server, socket, (event) => {
    if (screen === undefined) return isQuiet ? undefined : print(event);
    if (event.kind !== "table") screen.live.change(event.kind, event.client);
  });
  let problem: Problem | undefined;
  try {
    await Promise.race([stop.promise, running.finished]);
    await atMost(STOP_LIMIT, running.close());
  } catch (error) {
    problem = { code: "unexpected", message: `Cannot go on: ${messageOf(error)}` };
  }
  stop.dispose();
  if (screen !== undefined) await atMost(STOP_LIMIT, screen.close());
  // What the screen covers comes back with its end.
  if (problem !== undefined) return fail(problem, options);
  const totals = renderTotals(server.table().size, server.dropped);
  // With --json, standard output has nothing but the events.
  if (isJson && !isQuiet) complain(totals);
  else if (!isQuiet) printer.print(totals);
  await atMost(STOP_LIMIT, printer.flush());
  return 0;
}

interface Problem {
  code: string;
  message: string;
}

/** Why there is no socket, and what to do about it. */
function listenProblem(error: unknown, { host, port }: Options): Problem {
  const where = formatAddress({ hostname: host, port });
  if (error instanceof Deno.errors.AddrInUse) {
    const advice = "stop the program that uses it, or choose another with --port";
    return { code: "portInUse", message: `Cannot listen on ${where}: port in use; ${advice}` };
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    const advice = "choose one of its own with --host, or 0.0.0.0 for all";
    return {
      code: "addressNotAvailable",
      message: `Cannot listen on ${where}: this machine does not have that address; ${advice}`,
    };
  }
  if (error instanceof Deno.errors.NotCapable) {
    const advice = "allow it with --allow-net";
    return {
      code: "notPermitted",
      message: `Cannot listen on ${where}: Deno was not given network access; ${advice}`,
    };
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    const advice = "choose a port from 1024 up with --port";
    return {
      code: "notPermitted",
      message: `Cannot listen on ${where}: the system does not permit it; ${advice}`,
    };
  }
  if (codeOf(error) === "ENOTFOUND" || codeOf(error) === "EAI_AGAIN") {
    const advice = "check --host, or give an IP address";
    return { code: "hostNotFound", message: `Cannot find the host "${host}"; ${advice}` };
  }
  return {
    code: "unexpected",
    message: `Cannot listen on ${where}: ${messageOf(error)}; try another --host or --port`,
  };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * A promise of the first signal to stop.
 *
 * Later ones change nothing, because one Ctrl-C can come twice: from the terminal, and passed on by
 * `deno task`. Stopping takes two seconds at most.
 */
function stopSignal(): { promise: Promise<void>; dispose(): void } {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
  const { promise, resolve } = Promise.withResolvers<void>();
  const listener = () => resolve();
  for (const signal of signals) Deno.addSignalListener(signal, listener);
  return {
    promise,
    dispose(): void {
      for (const signal of signals) Deno.removeSignalListener(signal, listener);
    },
  };
}

/**
 * A clock that turns instants into dates.
 *
 * The offset between the two clocks changes when the wall clock is set or the machine sleeps; below
 * that it is kept, so that the same instant is always the same millisecond.
 */
function wallClock(): () => Moment {
  let offset = -Infinity;
  return () => {
    const now = clock();
    const current = Date.now() - now;
    if (Math.abs(current - offset) > CLOCK_TOLERANCE) offset = current;
    const kept = offset;
    return { now, toDate: (instant) => new Date(kept + instant) };
  };
}

/** Calls `action` once, unless the returned function is called before. */
function after(ms: number, action: () => void): () => void {
  const timer = setTimeout(action, ms);
  return () => clearTimeout(timer);
}

/** Waits for the promise, but no longer: a flood or a stalled reader must not keep it running. */
async function atMost(limit: number, promise: Promise<void>): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limit);
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}

/** Says why the directory cannot run, on standard error and as an event; returns the exit status. */
function fail(problem: Problem, options: Options): number {
  complain(problem.message);
  if (options.isJson) {
    attempt(() => console.log(renderJson({ kind: "error", ...problem }, wallClock()())));
  }
  return 1;
}

/** Prints a line on standard error. */
function complain(message: string): void {
  attempt(() => console.error(message));
}

/** Prints, whether or not anyone reads it: a closed pipe throws. */
function attempt(print: () => void): void {
  try {
    print();
  } catch {
    // There is nowhere left to say so.
  }
}
