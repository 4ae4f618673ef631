/**
 * `udp-chat serve`: runs a directory.
 *
 * @module
 */
import { errorMessage, socketProblem, type StartProblem } from "../cli/errors.ts";
import { SECRET_SOURCES } from "../cli/files.ts";
import { LineWriter } from "../cli/line_writer.ts";
import { helpText } from "../cli/help.ts";
import { DIRECTORY_IDENTITY, openIdentity } from "../cli/identity_file.ts";
import { findSecret } from "../cli/secret.ts";
import { listenToSignals } from "../cli/signals.ts";
import { inspectStdio, onHangup } from "../cli/tty.ts";
import { fingerprint } from "../protocol/crypto/fingerprint.ts";
import { type Result, success } from "../protocol/result.ts";
import type { KeyPair } from "../protocol/crypto/x25519.ts";
import { randomU32 } from "../protocol/machine.ts";
import {
  clock,
  drive,
  interfaceAddresses,
  isIpv6Only,
  openSocket,
  resolveHost,
  systemRandom,
} from "../protocol/udp.ts";
import { formatAddress } from "../protocol/wire/address.ts";
import { addressNotes } from "./address_notes.ts";
import { describeClient, describeReload, describeStart, describeStop } from "./log/entries.ts";
import { type Rates, usualRates } from "./limits.ts";
import { readLimits } from "./limits_file.ts";
import { LimitWatch, type SocketErrors, WATCH_INTERVAL } from "./log/limit_watch.ts";
import { Log, type LogEvent, renderLogEntry } from "./log/log.ts";
import { type OpenMetrics, openMetrics } from "./metrics/open_metrics.ts";
import { type MetricsAddress, type Options, parseServerOptions, SERVER_HELP } from "./options.ts";
import {
  type ClockReading,
  type Output,
  renderHint,
  renderJson,
  renderText,
} from "./screen/render.ts";
import { openScreen } from "./screen/terminal.ts";
import { openSecondPort, type SecondPort } from "./second_port.ts";
import { Server } from "./server.ts";
import { StoreLink } from "./store_link.ts";
import { findStore, type StoreUrl } from "./store/store_url.ts";

/** Milliseconds that the last answers have to get out, and then the last lines. */
const STOP_TIMEOUT = 1000;

/** Characters that may wait for a slow reader of standard output; further lines are dropped. */
const PENDING_OUTPUT_MAX = 1024 * 1024;

/** Why lines are dropped. */
const UNWRITTEN = "read too slowly, or its disk was full";

/** Milliseconds by which the wall clock may differ from what was printed before. */
const CLOCK_TOLERANCE = 50;

type ReadClock = () => ClockReading;

/** A log, and what settles when it is written. */
type OpenLog = Log & { flush(): Promise<void> };

/** What a directory listens with, and what it is logged with. */
interface Edge {
  readonly log: Log;
  readonly readClock: ReadClock;
  readonly socket: Deno.DatagramConn;
  /** For metrics, where they are served. */
  readonly listener: Deno.TcpListener | undefined;
}

/**
 * Runs a directory until a signal stops it.
 *
 * @param args the arguments after `serve`.
 * @returns the exit status: 0 stopped, or help was printed; 1 it failed; 2 wrong usage.
 */
export async function serve(args: string[]): Promise<number> {
  const parsed = parseServerOptions(args);
  if (!parsed.ok) return rejectUsage(parsed.error);
  if (parsed.value === "help") {
    tryPrint(() => console.log(helpText(SERVER_HELP)));
    return 0;
  }
  const options = parsed.value;
  const inputs = readInputs(options);
  if (!inputs.ok) return rejectUsage(inputs.error);
  const opened = openIdentity(DIRECTORY_IDENTITY, options, systemRandom);
  if (!opened.ok) return fail({ code: "identity", message: opened.error }, options);
  const { identity, notice } = opened.value;
  const readClock = wallClock();
  const log = openLog(options, readClock);
  if (notice !== undefined) log.add({ level: "warn", event: "identity", message: notice });
  const { host, port } = options;
  let socket: Deno.DatagramConn;
  try {
    socket = openSocket(await resolve(host), port);
  } catch (error) {
    const failed = `Cannot listen on ${formatAddress({ hostname: host, port })}`;
    return fail(socketProblem(error, { failed, host, hostOption: "--host" }), options);
  }
  let listener: Deno.TcpListener | undefined;
  try {
    listener = options.metrics && await listen(options.metrics);
  } catch (error) {
    socket.close();
    return fail(metricsProblem(error, options.metrics!), options);
  }
  const status = await run({ socket, listener, log, readClock }, options, identity, inputs.value);
  await withTimeout(STOP_TIMEOUT, log.flush());
  return status;
}

/** What is read at the start, and again at a hangup. */
interface Inputs {
  readonly secret: Uint8Array | undefined;
  readonly rates: Rates;
  /** The same at a reload: a directory keeps its store. */
  readonly store: StoreUrl | undefined;
}

function readInputs({ secretFile, limitsFile, relayLimit, ...options }: Options): Result<Inputs> {
  const secret = findSecret(secretFile, SECRET_SOURCES);
  if (!secret.ok) return secret;
  const rates = readLimits(limitsFile, usualRates(relayLimit));
  if (!rates.ok) return rates;
  const store = findStore(options.store, (name) => Deno.env.get(name));
  if (!store.ok) return store;
  return success({ secret: secret.value, rates: rates.value, store: store.value });
}

/** The log, on standard error. */
function openLog({ logFormat: format, logLevel: level }: Options, readClock: ReadClock): OpenLog {
  const writer = new LineWriter({
    pendingMax: PENDING_OUTPUT_MAX,
    write: (bytes) => Deno.stderr.write(bytes),
    onRecovered(dropped): void {
      const message = `Left out ${dropped} lines of the log: it was ${UNWRITTEN}`;
      log.add({ level: "warn", event: "output", message });
    },
    // There is nowhere left to report it.
    onBroken: () => {},
  });
  const readDate = (): Date => {
    const { now, toDate } = readClock();
    return toDate(now);
  };
  const log = new Log({ format, level, readDate, writeLine: (line) => writer.print(line) });
  return Object.assign(log, { flush: () => writer.flush() });
}

/** An address of a host, of IPv4 where a name like localhost leaves the choice. */
async function resolve(host: string): Promise<string> {
  const hosts = await resolveHost(host);
  return hosts.find((each) => !each.includes(":")) ?? hosts[0]!;
}

async function listen({ host, port }: MetricsAddress): Promise<Deno.TcpListener> {
  return Deno.listen({ hostname: await resolve(host), port });
}

function metricsProblem(error: unknown, { host, port }: MetricsAddress): StartProblem {
  const failed = `Cannot serve metrics on ${formatAddress({ hostname: host, port })}`;
  const options = { hostOption: "--metrics", portOption: "--metrics" };
  return socketProblem(error, { failed, host, ...options });
}

async function run(
  { socket, listener, log, readClock }: Edge,
  options: Options,
  identity: KeyPair,
  { secret, rates, store }: Inputs,
): Promise<number> {
  const { isJson, isPlain, isQuiet, color } = options;
  const stdio = inspectStdio();
  const isColored = color === "always" || color === "auto" && stdio.wantsColor && !isPlain;
  const stop = stopSignal(() => reload({ server, secondPort, options, log }));
  const lease = 1000 * options.leaseSeconds;
  const relayLimit = options.isRelay ? options.relayLimit : 0;
  const random = systemRandom;
  const nameHold = 24 * 60 * 60 * 1000 * options.nameHoldDays;
  const settings = { ...options, lease, nameHold, relayLimit, rates };
  const directory = store && randomU32(random);
  const server = new Server({ ...settings, identity, secret, directory, random });
  const link = store && new StoreLink(server, log, { clock, after });
  const writer = new LineWriter({
    pendingMax: PENDING_OUTPUT_MAX,
    write: (bytes) => Deno.stdout.write(bytes),
    onRecovered(dropped): void {
      warn("output", `Left out ${dropped} lines of the output: it was ${UNWRITTEN}`);
      print(server.table());
    },
    onBroken(): void {
      warn("output", "Cannot print any more: nobody reads the output; the directory goes on");
    },
  });
  const warn = (event: LogEvent, message: string): void =>
    log.add({ level: "warn", event, message });
  function print(output: Output): void {
    const time = readClock();
    writer.print(isJson ? renderJson(output, time) : renderText(output, time, isColored));
  }

  const isPrivate = secret !== undefined;
  const listening = {
    kind: "listening",
    address: socket.addr as Deno.NetAddr,
    fingerprint: fingerprint(identity.publicKey),
    isPrivate,
  } as const;
  print(listening);
  const texts = {
    title: renderText(listening, readClock(), false).split("\n"),
    hint: renderHint(listening.address),
  };
  const screen = stdio.canRedraw && !isPlain && !isJson && !isQuiet
    ? openScreen(texts, server, isColored, { readClock, after })
    : undefined;
  // A line on the terminal would disturb the screen.
  if (screen !== undefined && Deno.stderr.isTerminal()) {
    log.showOn((text) => screen.live.showNote(text));
  }
  const socketErrors = { count: 0, last: "" };
  const running = drive(
    link ?? server,
    socket,
    (event) => {
      if (event.kind !== "table" && log.has("debug")) log.add(describeClient(event));
      if (screen === undefined) return isQuiet ? undefined : print(event);
      if (event.kind !== "table") screen.live.showChange(event.kind, event.client);
    },
    Date.now,
    (error) => {
      // Windows reports this for a client that has gone.
      if (error instanceof Deno.errors.ConnectionReset) return;
      socketErrors.count++;
      socketErrors.last = errorMessage(error);
    },
  );
  log.add(describeStart(listening));
  if (store !== undefined) link?.open(store, directory!, running);
  for (const note of addressNotes(listening.address.hostname, interfaceAddresses(), isIpv6Only)) {
    warn("addresses", note);
  }
  const endWatch = watchLimits(log, server, socketErrors);
  const metrics = listener && serveMetrics(listener, server, link, options, log);
  const secondPort = openSecondPort(listening.address, identity, secret);
  let problem: StartProblem | undefined;
  try {
    await Promise.race([stop.promise, running.finished]);
    metrics?.stopping();
    log.add({ level: "info", event: "stopping", message: "Stopping" });
    if (link !== undefined) await withTimeout(STOP_TIMEOUT, link.sendAway(running));
    await withTimeout(STOP_TIMEOUT, running.close());
  } catch (error) {
    problem = { code: "unexpected", message: `Cannot go on: ${errorMessage(error)}` };
  }
  link?.close();
  await withTimeout(STOP_TIMEOUT, secondPort?.close() ?? Promise.resolve());
  metrics?.close();
  endWatch();
  stop.dispose();
  if (screen !== undefined) await withTimeout(STOP_TIMEOUT, screen.close());
  log.showOn();
  // After the screen is closed, which would hide it.
  if (problem !== undefined) return fail(problem, options);
  log.add(describeStop(server.totals));
  if (!isQuiet) print({ kind: "totals", totals: server.totals });
  await withTimeout(STOP_TIMEOUT, writer.flush());
  return 0;
}

/** What a reload concerns. */
interface Reloaded {
  readonly server: Server;
  readonly secondPort: SecondPort | undefined;
  readonly options: Options;
  readonly log: Log;
}

/** Reads the files again, and takes what is in them, or nothing where one is wrong. */
function reload({ server, secondPort, options, log }: Reloaded): void {
  const inputs = readInputs(options);
  if (!inputs.ok) {
    const message = `Nothing is changed: ${inputs.error}`;
    return log.add({ level: "error", event: "notReloaded", message });
  }
  const { secret, rates } = inputs.value;
  server.changeRates(rates);
  if (secret !== undefined) {
    server.changeSecret(secret);
    secondPort?.changeSecret(secret);
  }
  log.add(describeReload(options));
}

/** Logs limits that are reached, until the returned function is called. */
function watchLimits(log: Log, server: Server, errors: SocketErrors): () => void {
  const limits = new LimitWatch();
  const timer = setInterval(() => {
    limits.observe(clock(), server.totals, errors).forEach((entry) => log.add(entry));
  }, WATCH_INTERVAL);
  return () => clearInterval(timer);
}

function serveMetrics(
  listener: Deno.TcpListener,
  server: Server,
  link: StoreLink | undefined,
  { maxClients }: Options,
  log: Log,
): OpenMetrics {
  const startedAt = performance.timeOrigin / 1000;
  const metrics = openMetrics(listener, server, link?.latency, maxClients, {
    clock,
    after,
    startedAt,
  });
  const { url } = metrics;
  log.add({ level: "info", event: "metrics", message: `Metrics at ${url}`, fields: { url } });
  return metrics;
}

/**
 * A promise of the first signal to stop. A hangup where there is no terminal is one to read the inputs
 * again.
 *
 * Later ones change nothing, because one Ctrl-C can come twice: from the terminal, and passed on by
 * `deno task`. Stopping takes two seconds at most.
 */
function stopSignal(reload: () => void): { promise: Promise<void>; dispose(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  const dispose = listenToSignals({
    SIGINT: stop,
    SIGBREAK: stop,
    SIGTERM: stop,
    SIGQUIT: stop,
    SIGHUP: onHangup(stop, reload),
  });
  return { promise, dispose };
}

/**
 * Both clocks.
 *
 * Their offset changes when the wall clock is set or the machine sleeps. Smaller differences are
 * ignored, so that the same instant is always the same millisecond.
 */
function wallClock(): ReadClock {
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

/** Waits for the promise, but no longer than `ms`: a flood or a stalled reader may never end. */
async function withTimeout(ms: number, promise: Promise<void>): Promise<void> {
  const { promise: timeout, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, timeout]);
  clearTimeout(timer);
}

/** Reports wrong usage; returns the exit status. */
function rejectUsage(message: string): number {
  printError(`${message}\nTry udp-chat serve --help`);
  return 2;
}

/** Reports why the directory cannot run, on standard error and as an event; returns the status. */
function fail(problem: StartProblem, options: Options): number {
  const { code, message } = problem;
  if (options.logFormat === "json") {
    const entry = { level: "error", event: "failed", message, fields: { code } } as const;
    printError(renderLogEntry(entry, "json", new Date()));
  } else printError(message);
  if (options.isJson) {
    tryPrint(() => console.log(renderJson({ kind: "error", ...problem }, wallClock()())));
  }
  return 1;
}

function printError(message: string): void {
  tryPrint(() => console.error(message));
}

/** Prints, unless the pipe is closed, which throws. */
function tryPrint(print: () => void): void {
  try {
    print();
  } catch {
    // There is nowhere left to report it.
  }
}
