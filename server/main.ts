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
import type { KeyPair } from "../protocol/crypto/x25519.ts";
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
import { type Options, parseServerOptions, SERVER_HELP } from "./options.ts";
import {
  type ClockReading,
  type Output,
  renderHint,
  renderJson,
  renderText,
} from "./screen/render.ts";
import { openScreen } from "./screen/terminal.ts";
import { openSecondPort } from "./second_port.ts";
import { Server } from "./server.ts";

/** Milliseconds that the last answers have to get out, and then the last lines. */
const STOP_TIMEOUT = 1000;

/** Characters that may wait for a slow reader of standard output; further lines are dropped. */
const PENDING_OUTPUT_MAX = 1024 * 1024;

/** Milliseconds by which the wall clock may differ from what was printed before. */
const CLOCK_TOLERANCE = 50;

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
  const found = findSecret(options.secretFile, SECRET_SOURCES);
  if (!found.ok) return rejectUsage(found.error);
  const opened = openIdentity(DIRECTORY_IDENTITY, options, systemRandom);
  if (!opened.ok) return fail({ code: "identity", message: opened.error }, options);
  const { identity, notice } = opened.value;
  if (notice !== undefined) printError(notice);
  const { host, port } = options;
  let socket: Deno.DatagramConn;
  try {
    const hosts = await resolveHost(host);
    // IPv4 where a name like localhost leaves the choice.
    socket = openSocket(hosts.find((each) => !each.includes(":")) ?? hosts[0]!, port);
  } catch (error) {
    const failed = `Cannot listen on ${formatAddress({ hostname: host, port })}`;
    return fail(socketProblem(error, { failed, host, hostOption: "--host" }), options);
  }
  return await run(socket, options, identity, found.value);
}

async function run(
  socket: Deno.DatagramConn,
  options: Options,
  identity: KeyPair,
  secret: Uint8Array | undefined,
): Promise<number> {
  const { isJson, isPlain, isQuiet, color } = options;
  const stdio = inspectStdio();
  const isColored = color === "always" || color === "auto" && stdio.wantsColor && !isPlain;
  const stop = stopSignal();
  const readClock = wallClock();
  const lease = 1000 * options.leaseSeconds;
  const relayLimit = options.isRelay ? options.relayLimit : 0;
  const random = systemRandom;
  const nameHold = 24 * 60 * 60 * 1000 * options.nameHoldDays;
  const server = new Server({ ...options, lease, nameHold, relayLimit, identity, secret, random });
  const writer = new LineWriter({
    pendingMax: PENDING_OUTPUT_MAX,
    write: (bytes) => Deno.stdout.write(bytes),
    onRecovered(dropped): void {
      printError(
        `Cannot print as fast as clients come and go: left out ${dropped} lines or tables`,
      );
      print(server.table());
    },
    onBroken(): void {
      printError("Cannot print any more: nobody reads the output; the directory goes on");
    },
  });
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
  const running = drive(server, socket, (event) => {
    if (screen === undefined) return isQuiet ? undefined : print(event);
    if (event.kind !== "table") screen.live.showChange(event.kind, event.client);
  });
  for (const note of addressNotes(listening.address.hostname, interfaceAddresses(), isIpv6Only)) {
    if (screen === undefined) printError(note);
    else screen.live.showNote(note);
  }
  const closeSecondPort = openSecondPort(listening.address, identity, secret);
  let problem: StartProblem | undefined;
  try {
    await Promise.race([stop.promise, running.finished]);
    await withTimeout(STOP_TIMEOUT, running.close());
  } catch (error) {
    problem = { code: "unexpected", message: `Cannot go on: ${errorMessage(error)}` };
  }
  await withTimeout(STOP_TIMEOUT, closeSecondPort?.() ?? Promise.resolve());
  stop.dispose();
  if (screen !== undefined) await withTimeout(STOP_TIMEOUT, screen.close());
  // After the screen is closed, which would hide it.
  if (problem !== undefined) return fail(problem, options);
  if (!isQuiet) print({ kind: "totals", totals: server.totals });
  await withTimeout(STOP_TIMEOUT, writer.flush());
  return 0;
}

/**
 * A promise of the first signal to stop.
 *
 * Later ones change nothing, because one Ctrl-C can come twice: from the terminal, and passed on by
 * `deno task`. Stopping takes two seconds at most.
 */
function stopSignal(): { promise: Promise<void>; dispose(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  const dispose = listenToSignals({
    SIGINT: stop,
    SIGBREAK: stop,
    SIGTERM: stop,
    SIGQUIT: stop,
    SIGHUP: onHangup(stop),
  });
  return { promise, dispose };
}

/**
 * Both clocks.
 *
 * Their offset changes when the wall clock is set or the machine sleeps. Smaller differences are
 * ignored, so that the same instant is always the same millisecond.
 */
function wallClock(): () => ClockReading {
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
  printError(problem.message);
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
