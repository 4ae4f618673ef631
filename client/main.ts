/**
 * `udp-chat client`: runs a client on a socket, with its user or script.
 *
 * @module
 */
import type { Address } from "../protocol/wire/address.ts";
import { fingerprint } from "../protocol/crypto/fingerprint.ts";
import { helpText } from "../cli/help.ts";
import { findSecret } from "../cli/secret.ts";
import { listenToSignals } from "../cli/signals.ts";
import {
  clock,
  type Drive,
  drive,
  isIpv6Only,
  openFirstSocket,
  type Socket,
  systemRandom,
} from "../protocol/udp.ts";
import { describeChaos } from "./chaos/chaos.ts";
import { ChaosSocket } from "./chaos/chaos_socket.ts";
import { Client } from "./client.ts";
import { DirectoryNames, isOnThisMachine } from "./directory_addresses.ts";
import { DirectoryFinder } from "./directory_finder.ts";
import { usualName, wantedNames } from "./default_name.ts";
import { TEXT_INPUT_MAX, textToSend } from "./commands/text_to_send.ts";
import type { ErrorEvent } from "./event.ts";
import { ExitStatus, statusOfError } from "./exit.ts";
import { CLIENT_HELP } from "./help.ts";
import { errorMessage, socketProblem } from "../cli/errors.ts";
import {
  AppendedFile,
  fileProblem,
  listFolder,
  renounceFiles,
  SECRET_SOURCES,
} from "../cli/files.ts";
import { readSettings } from "../cli/settings_file.ts";
import { currentUser } from "../cli/environment.ts";
import { HistoryFile } from "./screen/history_file.ts";
import { CLIENT_IDENTITY, type OpenedIdentity, openIdentity } from "../cli/identity_file.ts";
import { renderJsonProblem } from "./output/json.ts";
import { localAddresses } from "./local_addresses.ts";
import { localHosts } from "./local_host.ts";
import { OPTIONS, type Options, parseClientOptions, type ServerName, SETTINGS } from "./options.ts";
import { CLAIM_PATIENCE, openRunFile, type RunFile, type RunStart } from "./identity/run_file.ts";
import { PeerMemory } from "./identity/peer_memory.ts";
import { directoryName, PinnedDirectory } from "./identity/directory_trust.ts";
import { openKnownDirectories, openKnownPeers } from "./identity/known_keys_file.ts";
import { ClientApp, stdioFor } from "./app.ts";
import { watchSending } from "./sending_watch.ts";
import type { ClientOptions, Run } from "./view.ts";
import { isUnderTaskRunner, onHangup, printText, readInput } from "../cli/tty.ts";
import { type Result, success } from "../protocol/result.ts";

/** Milliseconds in which several signals count as one under a task runner, which repeats them. */
const SIGNAL_REPEAT_WINDOW = 300;
/** Milliseconds to wait at the end for files that another process has locked. */
const LAST_SAVE_TIMEOUT = 2000;

/** What a client is started with, beside the options. */
interface Resources {
  readonly own: OpenedIdentity;
  /** The name in the configuration file, empty for none. */
  readonly configuredName: string;
  readonly secret: Uint8Array | undefined;
  readonly directories: DirectoryNames<ServerName>;
  readonly directoryAddresses: readonly Address[];
  /** Whether a socket at `::` serves IPv6 alone. */
  readonly hasOnlyIpv6: boolean;
  readonly socket: Deno.DatagramConn;
}

/** Runs a client until it has left; returns the exit status. */
export async function client(args: string[]): Promise<number> {
  const settings = readSettings(OPTIONS, SETTINGS);
  const parsed = parseClientOptions(args, settings);
  if (!parsed.ok) {
    console.error(`${parsed.error}\nTry udp-chat client --help`);
    return ExitStatus.usage;
  }
  if (parsed.value === "help") {
    await printText(helpText(CLIENT_HELP));
    return ExitStatus.ok;
  }
  const completed = await readTextToSend(parsed.value);
  if (!completed.ok) {
    const { code, message } = completed.error;
    return await fail(parsed.value, code, message, statusOfError(code, true));
  }
  const options = completed.value;
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
  const hasOnlyIpv6 = isIpv6Only();
  const directories = new DirectoryNames(options.server.all);
  let directoryAddresses: Address[];
  let socket: Deno.DatagramConn;
  try {
    directoryAddresses = await directories.resolve();
    socket = openFirstSocket(localHosts(directoryAddresses, hasOnlyIpv6), options.port);
  } catch (error) {
    const { host } = options.server.all[0]!;
    const port = options.port === 0 ? "a UDP port" : `UDP port ${options.port}`;
    const attempt = { failed: `Cannot open ${port}`, host, hostOption: "--server" };
    const { code, message } = socketProblem(error, attempt);
    return await fail(options, code, message);
  }
  for (const { host } of directories.missing) {
    console.error(`Cannot find the host "${host}" now: trying the others of --server`);
  }
  const configuredName = settings.ok ? settings.value.name ?? "" : "";
  const secret = found.value;
  const resources = {
    own,
    configuredName,
    secret,
    directories,
    directoryAddresses,
    hasOnlyIpv6,
    socket,
  };
  return await run(options, resources);
}

async function fail(
  { isJson }: Options,
  code: string,
  message: string,
  status: ExitStatus = ExitStatus.failure,
): Promise<number> {
  console.error(message);
  if (isJson) await printText(renderJsonProblem(code, message, new Date()));
  return status;
}

/** The options with the text that `--send -` reads from standard input. */
async function readTextToSend(options: Options): Promise<Result<Options, ErrorEvent>> {
  if (options.send !== "-") return success(options);
  const text = textToSend(await readInput(TEXT_INPUT_MAX));
  return text.ok ? success({ ...options, send: text.value }) : text;
}

async function run(options: Options, resources: Resources): Promise<number> {
  const { own, secret, directoryAddresses, hasOnlyIpv6, socket } = resources;
  const { server: { text: serverName }, id, timers, acceptAll } = options;
  const bound = socket.addr as Deno.NetAddr;
  const { identity, file: identityFile } = own;
  const warn = (message: string): void => app.warn(message);
  const store = openKnownPeers(identityFile, warn);
  const known = openKnownDirectories(identityFile, warn);
  const trust = new PinnedDirectory({
    store: known,
    names: options.server.all.map(directoryName),
    expected: options.serverKey,
    isLoopback: isOnThisMachine(directoryAddresses),
  });
  const historyFile = options.keepsHistory ? identityFile : undefined;
  const history = new HistoryFile(historyFile, (message) => app.note(message));
  const { isTyped: isAttended } = stdioFor(options);
  const ownKey = identity.publicKey;
  const { connect: peer, key } = options;
  const expected = peer === undefined || key === undefined ? undefined : { peer, fingerprint: key };
  const memory = new PeerMemory({
    store,
    ownKey,
    identityFile,
    acceptAll,
    expected,
    isAttended,
  });
  const isBlocked = (key: Uint8Array): boolean => memory.isBlocked(key);
  const isKnown = (key: Uint8Array): boolean => memory.isKnown(key);
  const isTrustedPeer: ClientOptions["isTrustedPeer"] = (...peer) => memory.isTrusted(...peer);
  const usual = usualName(resources.configuredName, isAttended ? currentUser() : undefined);
  const start = { server: serverName, id, name: options.name || usual };
  const runFile = await claimRun(own, start, (why) => app.note(why));
  const names = wantedNames(options.name, usual, runFile?.former?.name);
  const self = { id, ...names, port: bound.port, identity, isBlocked, isKnown, isTrustedPeer };
  const formerRun = options.send === undefined ? runFile?.former : withoutConversations(runFile);
  const local = { localAddresses: () => localAddresses(bound, hasOnlyIpv6), random: systemRandom };
  const modes = {
    secret,
    trust,
    timers,
    isAttended,
    acceptAll,
    holdsTexts: true,
    formerRun,
    ...local,
  };
  const client = new Client(clock(), { directoryAddresses, serverName, ...self, ...modes });
  const app: ClientApp = new ClientApp(options, client, memory, {
    clock,
    date: () => new Date(),
    trust,
    history,
    runFile,
    every,
    printError: (text) => console.error(text),
    listFolder,
    openLog: (path) => new AppendedFile(path),
    fileProblem,
  });
  store.load();
  known.load();
  const watched = watchSending(impair(options, socket), clock, {
    note: (message) => app.note(message),
    noteTrouble: (message) => app.noteTrouble(message),
  });
  const finder = new DirectoryFinder({
    addresses: directoryAddresses,
    resolve: () => resources.directories.resolve(),
    every,
    onMoved: (addresses) => driven.input((now) => client.moveDirectory(now, addresses)),
  });
  const driven: Drive = drive(client, watched, (event) => {
    finder.handle(event);
    app.handleEvent(event);
  });
  const stopListening = handleSignals(app);
  try {
    return await app.run(driven);
  } catch (error) {
    console.error(`Cannot go on: ${errorMessage(error)}`);
    return ExitStatus.failure;
  } finally {
    stopListening();
    finder.close();
    await driven.close().catch(() => {});
    const files = [store, known, history];
    const saved = Promise.all(files.map((file) => file.settle()));
    await Promise.race([saved, sleep(LAST_SAVE_TIMEOUT)]);
    for (const file of files) file.saveNow();
  }
}

/** The file that brings this client back as itself where it is killed; without one, reports why. */
async function claimRun(
  { identity: { publicKey }, file }: OpenedIdentity,
  start: Omit<RunStart, "publicKey">,
  onProblem: (message: string) => void,
): Promise<RunFile | undefined> {
  if (file === undefined) return undefined;
  const patience = (): Promise<void> => sleep(CLAIM_PATIENCE);
  const run = await openRunFile(file, { ...start, publicKey }, patience, onProblem);
  if (run.ok) return run.value;
  console.error(`This client will not come back as itself after a crash: ${run.error}`);
  return undefined;
}

/** What a run without a user continues: it says what it has to say, and leaves. */
function withoutConversations(runFile: RunFile | undefined): Run | undefined {
  return runFile?.former && { ...runFile.former, conversations: [] };
}

/** The socket, behind an impaired link where `--chaos` asks for one. */
function impair({ chaos }: Options, socket: Socket): Socket {
  if (chaos === undefined) return socket;
  console.error(describeChaos(chaos));
  const after = (ms: number, action: () => void): void => void setTimeout(action, Math.ceil(ms));
  return new ChaosSocket(socket, chaos, { clock, after });
}

function every(ms: number, action: () => void): () => void {
  const timer = setInterval(action, ms);
  return () => clearInterval(timer);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function handleSignals(app: ClientApp): () => void {
  let takenAt = -Infinity;
  const window = isUnderTaskRunner() ? SIGNAL_REPEAT_WINDOW : 0;
  /** One Ctrl-C can come twice: from the terminal and from `deno task`. */
  const once = (action: () => void) => (): void => {
    if (clock() - takenAt < window) return;
    takenAt = clock();
    action();
  };
  const interrupt = once(() => app.interrupt());
  const stop = once(() => app.stop());
  // The hangup is not once(): a terminal that closes sends two, which must not hasten the leave.
  return listenToSignals({
    SIGINT: interrupt,
    SIGBREAK: stop,
    SIGTERM: stop,
    SIGQUIT: stop,
    SIGHUP: onHangup(() => app.leave()),
    SIGCONT: () => app.resume(),
  });
}
