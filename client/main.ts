/**
 * `udp-chat client`: runs a client on a socket, with its user or script.
 *
 * @module
 */
import { type Address, bytesToHost, hostToBytes, isLoopback } from "../protocol/wire/address.ts";
import { fingerprint } from "../protocol/crypto/fingerprint.ts";
import { findSecret } from "../cli/secret.ts";
import {
  clock,
  drive,
  openSocket,
  resolveHost,
  type Socket,
  systemRandom,
} from "../protocol/udp.ts";
import { describeChaos } from "./chaos/chaos.ts";
import { ChaosSocket } from "./chaos/chaos_socket.ts";
import { Client } from "./client.ts";
import { ExitStatus } from "./exit.ts";
import { clientHelp } from "./help.ts";
import { errorMessage, socketProblem } from "../cli/errors.ts";
import { AppendedFile, fileProblem, renounceFiles, SECRET_SOURCES } from "../cli/files.ts";
import { HistoryFile } from "./screen/history_file.ts";
import { toHex } from "../cli/hex.ts";
import { CLIENT_IDENTITY, type OpenedIdentity, openIdentity } from "../cli/identity_file.ts";
import { renderJsonProblem } from "./output/json.ts";
import { localHost } from "./local_host.ts";
import { type Options, parseClientOptions } from "./options.ts";
import { PeerMemory } from "./identity/peer_memory.ts";
import { directoryName, PinnedDirectory } from "./identity/directory_trust.ts";
import { openKnownDirectories, openKnownPeers } from "./identity/known_keys_file.ts";
import { ClientApp } from "./app.ts";
import { printText } from "../cli/tty.ts";

/** Milliseconds in which several signals count as one. */
const SIGNAL_REPEAT_WINDOW = 300;
/** Milliseconds to wait at the end for files that another process has locked. */
const LAST_SAVE_TIMEOUT = 5000;

/** What a client is started with, beside the options. */
interface Resources {
  readonly own: OpenedIdentity;
  readonly secret: Uint8Array | undefined;
  readonly server: Address;
  readonly socket: Deno.DatagramConn;
}

/** Runs a client until it has left; returns the exit status. */
export async function client(args: string[]): Promise<number> {
  const parsed = parseClientOptions(args);
  if (!parsed.ok) {
    console.error(`${parsed.error}\nTry udp-chat client --help`);
    return ExitStatus.usage;
  }
  if (parsed.value === "help") {
    await printText(clientHelp());
    return ExitStatus.ok;
  }
  const options = parsed.value;
  const found = findSecret(options.secretFile, SECRET_SOURCES);
  if (!found.ok) {
    console.error(`${found.error}\nTry udp-chat client --help`);
    return ExitStatus.usage;
  }
  const opened = openIdentity(CLIENT_IDENTITY, options, systemRandom);
  if (!opened.ok) return await fail(options, "identity", opened.error);
  const own = opened.value;
  if (own.notice !== undefined) console.error(own.notice);
  if (options.showsFingerprint) {
    await printText(fingerprint(own.identity.publicKey));
    return ExitStatus.ok;
  }
  if (own.file === undefined && options.log === undefined) renounceFiles();
  let server: Address;
  let socket: Deno.DatagramConn;
  try {
    server = await resolveServer(options);
    socket = openSocket(localHost(server.hostname), options.port);
  } catch (error) {
    const { host } = options.server;
    const port = options.port === 0 ? "a UDP port" : `UDP port ${options.port}`;
    const attempt = { failed: `Cannot open ${port}`, host, hostOption: "--server" };
    const { code, message } = socketProblem(error, attempt);
    return await fail(options, code, message);
  }
  return await run(options, { own, secret: found.value, server, socket });
}

async function fail({ isJson }: Options, code: string, message: string): Promise<number> {
  console.error(message);
  if (isJson) await printText(renderJsonProblem(code, message, new Date()));
  return ExitStatus.failure;
}

async function run(options: Options, { own, secret, server, socket }: Resources): Promise<number> {
  const { server: { text: serverName }, id, name, timers, acceptAll } = options;
  const { port } = socket.addr as Deno.NetAddr;
  const { identity, file: identityFile } = own;
  const warn = (message: string): void => app.warn(message);
  const store = openKnownPeers(identityFile, warn);
  const directories = openKnownDirectories(identityFile, warn);
  const trust = new PinnedDirectory({
    store: directories,
    name: directoryName(options.server),
    expected: options.serverKey,
    isLoopback: isLoopback(server.hostname),
  });
  const historyFile = options.keepsHistory ? identityFile : undefined;
  const history = new HistoryFile(historyFile, (message) => app.note(message));
  const isBlocked = (key: Uint8Array): boolean => store.content.isBlocked(toHex(key));
  const self = { id, name, port, identity, isBlocked };
  const modes = { secret, trust, timers, acceptAll, random: systemRandom };
  const client = new Client(clock(), { server, serverName, ...self, ...modes });
  const ownKey = identity.publicKey;
  const memory = new PeerMemory({ store, ownKey, identityFile, acceptAll });
  const app: ClientApp = new ClientApp(options, client, memory, {
    clock,
    date: () => new Date(),
    trust,
    history,
    every(ms, action) {
      const timer = setInterval(action, ms);
      return () => clearInterval(timer);
    },
    printError: (text) => console.error(text),
    openLog: (path) => new AppendedFile(path),
    fileProblem,
  });
  store.load();
  directories.load();
  const driven = drive(client, impair(options, socket), (event) => app.handleEvent(event));
  const stopListening = listenToSignals(app);
  try {
    return await app.run(driven);
  } catch (error) {
    console.error(`Cannot go on: ${errorMessage(error)}`);
    return ExitStatus.failure;
  } finally {
    stopListening();
    await driven.close().catch(() => {});
    const saved = Promise.all([store.settle(), directories.settle(), history.settle()]);
    await Promise.race([saved, sleep(LAST_SAVE_TIMEOUT)]);
  }
}

/** The socket, behind an impaired link where `--chaos` asks for one. */
function impair({ chaos }: Options, socket: Socket): Socket {
  if (chaos === undefined) return socket;
  console.error(describeChaos(chaos));
  const after = (ms: number, action: () => void): void => void setTimeout(action, Math.ceil(ms));
  return new ChaosSocket(socket, chaos, { clock, after });
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function listenToSignals(app: ClientApp): () => void {
  let takenAt = -Infinity;
  /** One Ctrl-C can come twice: from the terminal and from `deno task`. */
  const once = (action: () => void) => (): void => {
    if (clock() - takenAt < SIGNAL_REPEAT_WINDOW) return;
    takenAt = clock();
    action();
  };
  const interrupt = once(() => app.interrupt());
  const stop = once(() => app.stop());
  const resume = (): void => app.resume();
  const signals: readonly [Deno.Signal, () => void][] = Deno.build.os === "windows"
    ? [["SIGINT", interrupt], ["SIGBREAK", stop]]
    : [["SIGINT", interrupt], ["SIGTERM", stop], ["SIGHUP", stop], ["SIGCONT", resume]];
  for (const [signal, listener] of signals) Deno.addSignalListener(signal, listener);
  return () => {
    for (const [signal, listener] of signals) Deno.removeSignalListener(signal, listener);
  };
}

async function resolveServer({ server: { host, port } }: Options): Promise<Address> {
  const bytes = hostToBytes(host);
  return { hostname: bytes === undefined ? await resolveHost(host) : bytesToHost(bytes), port };
}
