/**
 * `udp-chat doctor`: runs the doctor on a socket, and prints its findings.
 *
 * @module
 */
import { type Address, hostToBytes, unmapped } from "../../protocol/wire/address.ts";
import { parseOptions } from "../../cli/options.ts";
import { helpText } from "../../cli/help.ts";
import { findSecret } from "../../cli/secret.ts";
import { listenToSignals } from "../../cli/signals.ts";
import {
  clock,
  drive,
  interfaceAddresses,
  isIpv6Only,
  openFirstSocket,
  openSocket,
  type Socket,
  systemRandom,
} from "../../protocol/udp.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { Doctor } from "./doctor.ts";
import { isOnThisMachine, resolveDirectory } from "../directory_addresses.ts";
import type { ServerName } from "../options.ts";
import { type Finding, formatAddresses } from "./findings.ts";
import { DOCTOR_HELP, DOCTOR_OPTIONS, type DoctorOptions } from "./options.ts";
import { renderFinding, renderFindingJson, renderVerdict } from "./render.ts";
import { ExitStatus } from "../exit.ts";
import { fileProblem, SECRET_SOURCES } from "../../cli/files.ts";
import { readSettings } from "../../cli/settings_file.ts";
import { OPTIONS, SETTINGS } from "../options.ts";
import { defaultIdentityFile, inspectIdentity } from "../../cli/identity_file.ts";
import { directoryName, PinnedDirectory } from "../identity/directory_trust.ts";
import { openKnownDirectories } from "../identity/known_keys_file.ts";
import { localHosts } from "../local_host.ts";
import { inspectStdio, onHangup, printText, screenColumns } from "../../cli/tty.ts";

/** Runs the checks; returns the exit status. */
export async function doctor(args: string[]): Promise<number> {
  const settings = readSettings(OPTIONS, SETTINGS);
  const { server } = settings.ok ? settings.value : {};
  const parsed = parseOptions(DOCTOR_OPTIONS, args, server && { server });
  const problem = (message: string): number => {
    console.error(`${message}\nTry udp-chat doctor --help`);
    return ExitStatus.usage;
  };
  if (!parsed.ok) return problem(parsed.error);
  if (parsed.value === "help") {
    await printText(helpText(DOCTOR_HELP));
    return ExitStatus.ok;
  }
  if (!settings.ok) return problem(settings.error);
  const options = parsed.value;
  const found = findSecret(options.secretFile, SECRET_SOURCES);
  if (!found.ok) return problem(found.error);
  return await new DoctorApp(options, found.value).run();
}

/** One run of the checks. */
class DoctorApp {
  readonly #options: DoctorOptions;
  readonly #secret: Uint8Array | undefined;
  readonly #stdio = inspectStdio();
  readonly #verdicts = new Set<Finding["verdict"]>();
  /** The fingerprints of the directories that answered. */
  readonly #keys = new Set<unknown>();
  #printing: Promise<unknown> = Promise.resolve();

  constructor(options: DoctorOptions, secret: Uint8Array | undefined) {
    this.#options = options;
    this.#secret = secret;
  }

  async run(): Promise<number> {
    const status = await this.#runChecks();
    if (!this.#options.isJson) this.#print(renderVerdict(status, this.#verdicts.has("warning")));
    await this.#printing;
    return status;
  }

  async #runChecks(): Promise<ExitStatus> {
    const { server: { all, text }, identity } = this.#options;
    const inspected = inspectIdentity(identity);
    const message = inspected.ok ? inspected.value : inspected.error;
    this.#report({ check: "identity", verdict: inspected.ok ? "ok" : "failed", message });
    let status: ExitStatus = ExitStatus.ok;
    for (const server of all) {
      const next = await this.#checkDirectory(server, all.length > 1 ? server.text : undefined);
      if (status === ExitStatus.ok) status = next;
      if (next === ExitStatus.interrupted) return next;
    }
    if (this.#keys.size > 1) {
      const message = `${text} have different keys: give all of one table the same --identity`;
      this.#report({ check: "key", verdict: "failed", message });
    }
    return status === ExitStatus.ok && this.#verdicts.has("failed") ? ExitStatus.failure : status;
  }

  /** @param title names the directory in each finding, where there are several. */
  async #checkDirectory(server: ServerName, title: string | undefined): Promise<ExitStatus> {
    const { host } = server;
    const report = (finding: Finding): void => this.#reportOf(title, finding);
    let addresses: Address[];
    try {
      addresses = await resolveDirectory(server);
      if (hostToBytes(host) === undefined) {
        const hosts = addresses.map(({ hostname }) => hostname);
        const message = `${host} is ${hosts.join(" and ")}`;
        const fields = { address: hosts[0]!, addresses: hosts.join(" ") };
        report({ check: "host", verdict: "ok", message, fields });
      }
    } catch (error) {
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      const why = code === "ENOTFOUND" ? "no such name" : fileProblem(error);
      const message = `cannot find the host "${host}": ${why}; check --server`;
      report({ check: "host", verdict: "failed", message });
      return ExitStatus.failure;
    }
    let socket: Deno.DatagramConn;
    try {
      socket = openFirstSocket(localHosts(addresses, isIpv6Only()), 0);
    } catch (error) {
      const message = `cannot open a UDP socket: ${fileProblem(error)}`;
      report({ check: "socket", verdict: "failed", message });
      return ExitStatus.failure;
    }
    return await this.#runDoctor(socket, server, addresses, report);
  }

  #reportOf(title: string | undefined, finding: Finding): void {
    const { check, message, fields } = finding;
    if (check === "key" && fields !== undefined) this.#keys.add(fields.fingerprint);
    if (title === undefined) return this.#report(finding);
    this.#report({
      ...finding,
      message: `${title}: ${message}`,
      fields: { server: title, ...fields },
    });
  }

  async #runDoctor(
    socket: Deno.DatagramConn,
    name: ServerName,
    directoryAddresses: readonly Address[],
    report: (finding: Finding) => void,
  ): Promise<ExitStatus> {
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    const { port } = socket.addr as Deno.NetAddr;
    const { serverKey: expected, identity } = this.#options;
    // Only read: what a check finds is not remembered.
    const directories = openKnownDirectories(identity ?? defaultIdentityFile(), () => {});
    directories.load();
    const trust = new PinnedDirectory({
      store: directories,
      names: [directoryName(name)],
      expected,
      isLoopback: isOnThisMachine(directoryAddresses),
    });
    const hosts = interfaceAddresses();
    // A new key: the identity may be in use, and the directory need not learn who asks.
    const machine = new Doctor(clock(), {
      directoryAddresses,
      port,
      identity: makeKeyPair(systemRandom),
      trust,
      secret: this.#secret,
      random: systemRandom,
      isOwnHost: (hostname) => canBind(hostname, 0),
      hasIpv6: hosts.some(isPublicIpv6),
      // Where the system tells no addresses, it may have one.
      hasIpv4: hosts.length === 0 || hosts.some(isRoutedIpv4),
    });
    const refuse = (): void => driven.input(() => machine.handleRefused());
    // An ICMP message does not say which address it is about.
    const onRefused = directoryAddresses.length === 1 ? refuse : (): void => {};
    const observed = observe(socket, onRefused, (to, why) => {
      driven.input(() => machine.handleUnsendable(to, why));
    });
    const driven = drive(machine, observed, (event) => {
      if (event.kind === "finding") report(event.finding);
      else if (event.kind === "done") resolve(event.status);
      // Ports that can be bound are on this machine, and nothing listens there.
      else if (directoryAddresses.every(({ hostname, port }) => canBind(hostname, port))) {
        // Not at once: events come in the middle of an input.
        queueMicrotask(refuse);
      } else if (!this.#options.isJson) {
        console.error(`No good answer from ${formatAddresses(directoryAddresses)} yet: trying on`);
      }
    });
    const interrupt = (): void => driven.input((now) => machine.stop(now));
    const stopListening = listenToSignals({
      SIGINT: interrupt,
      SIGBREAK: interrupt,
      SIGTERM: interrupt,
      SIGQUIT: interrupt,
      SIGHUP: onHangup(interrupt),
    });
    const broken = driven.finished.then(() => ExitStatus.failure, () => ExitStatus.failure);
    const status = await Promise.race([promise, broken]);
    stopListening();
    await driven.close().catch(() => {});
    return status;
  }

  #report(finding: Finding): void {
    this.#verdicts.add(finding.verdict);
    if (this.#options.isJson) return this.#print(renderFindingJson(finding, new Date()));
    const { isScreen, wantsColor } = this.#stdio;
    this.#print(renderFinding(finding, wantsColor, isScreen ? screenColumns() : undefined));
  }

  #print(line: string): void {
    this.#printing = this.#printing.then(() => printText(line));
  }
}

/** The socket, with callbacks for errors that the system reports. */
function observe(
  socket: Deno.DatagramConn,
  onRefused: () => void,
  onUnsendable: (to: Address, why: string) => void,
): Socket {
  return {
    addr: socket.addr,
    close: () => socket.close(),
    receive(buffer) {
      return socket.receive(buffer).catch((error) => {
        // An ICMP "port unreachable", where the system passes it on; Linux does not.
        const { ConnectionRefused, ConnectionReset } = Deno.errors;
        if (error instanceof ConnectionRefused || error instanceof ConnectionReset) onRefused();
        throw error;
      });
    },
    send(bytes, to) {
      return socket.send(bytes, to).catch((error) => {
        onUnsendable(unmapped(to as Deno.NetAddr), fileProblem(error));
        throw error;
      });
    },
  };
}

/** Whether a host is of the range for public IPv6 addresses (RFC 4291, 2.4). */
function isPublicIpv6(hostname: string): boolean {
  const bytes = hostToBytes(hostname);
  return bytes?.length === 16 && bytes[0]! >> 5 === 1;
}

/** Whether a host is an IPv4 address, and neither of loopback nor link-local (RFC 3927). */
function isRoutedIpv4(hostname: string): boolean {
  const bytes = hostToBytes(hostname);
  if (bytes?.length !== 4 || bytes[0] === 127) return false;
  return bytes[0] !== 169 || bytes[1] !== 254;
}

/** Whether a socket can be bound to an address. */
function canBind(hostname: string, port: number): boolean {
  try {
    openSocket(hostname, port).close();
    return true;
  } catch {
    return false;
  }
}
