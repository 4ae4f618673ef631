/**
 * `udp-chat doctor`: puts the doctor on a socket, and prints what it finds.
 *
 * @module
 */
import { type Address, bytesToHost, hostToBytes } from "../protocol/address.ts";
import { findSecret } from "../protocol/secret.ts";
import {
  clock,
  drive,
  openSocket,
  resolveHost,
  secretSources,
  type Socket,
  systemRandom,
} from "../protocol/udp.ts";
import { KEY_SIZE } from "../protocol/x25519.ts";
import { Doctor } from "./doctor.ts";
import type { Finding } from "./doctor_findings.ts";
import { doctorHelp, type DoctorSettings, parseDoctorOptions } from "./doctor_options.ts";
import { renderFinding, renderFindingJson, renderVerdict } from "./doctor_render.ts";
import { ExitStatus } from "./exit.ts";
import { fileProblem } from "./files.ts";
import { inspectIdentity } from "./identity_file.ts";
import { localHost } from "./local_host.ts";
import { printText } from "./tty.ts";

/** Runs the checks; returns the exit status. */
export async function doctor(args: string[]): Promise<number> {
  const parsed = parseDoctorOptions(args);
  if (parsed.kind === "help") {
    await printText(doctorHelp());
    return ExitStatus.ok;
  }
  const problem = (message: string): number => {
    console.error(`${message}\nTry udp-chat doctor --help`);
    return ExitStatus.usage;
  };
  if (parsed.kind === "problem") return problem(parsed.message);
  const { options } = parsed;
  const found = findSecret(options.secretFile, secretSources);
  if (!found.ok) return problem(found.message);
  return await new Examination(options, found.secret).run();
}

/** One run of the checks. */
class Examination {
  readonly #options: DoctorSettings;
  readonly #secret: Uint8Array | undefined;
  #printing = Promise.resolve();
  #hasFailed = false;

  constructor(options: DoctorSettings, secret: Uint8Array | undefined) {
    this.#options = options;
    this.#secret = secret;
  }

  async run(): Promise<number> {
    const status = await this.#examine();
    if (!this.#options.isJson) this.#print(renderVerdict(status));
    await this.#printing;
    return status;
  }

  async #examine(): Promise<ExitStatus> {
    const { server: { host, port }, identity } = this.#options;
    const { isSound, message } = inspectIdentity(identity);
    this.#find({ check: "identity", verdict: isSound ? "ok" : "failed", message });
    let server: Address;
    try {
      const bytes = hostToBytes(host);
      const hostname = bytes === undefined ? await resolveHost(host) : bytesToHost(bytes);
      server = { hostname, port };
      if (bytes === undefined) {
        const fields = { address: hostname };
        this.#find({ check: "host", verdict: "ok", message: `${host} is ${hostname}`, fields });
      }
    } catch (error) {
      const message = `cannot find the host "${host}": ${fileProblem(error)}; check --server`;
      this.#find({ check: "host", verdict: "failed", message });
      return ExitStatus.failure;
    }
    let socket: Deno.DatagramConn;
    try {
      socket = openSocket(localHost(server.hostname), 0);
    } catch (error) {
      const message = `cannot open a UDP socket: ${fileProblem(error)}`;
      this.#find({ check: "socket", verdict: "failed", message });
      return ExitStatus.failure;
    }
    const status = await this.#consult(socket, server);
    return status === ExitStatus.ok && this.#hasFailed ? ExitStatus.failure : status;
  }

  async #consult(socket: Deno.DatagramConn, server: Address): Promise<ExitStatus> {
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    const { port } = socket.addr as Deno.NetAddr;
    // A key for this once: the own one may be in use, and who asks is nobody's concern.
    const machine = new Doctor(clock(), {
      server,
      port,
      publicKey: systemRandom(KEY_SIZE),
      secret: this.#secret,
      random: systemRandom,
      isOwnHost: (hostname) => bindingProblem(hostname, 0) === undefined,
    });
    const refuse = (): void => driven.input(() => machine.handleRefused());
    const observed = observe(socket, refuse, (why) => {
      driven.input(() => machine.handleUnsendable(why));
    });
    const driven = drive(machine, observed, (event) => {
      if (event.kind === "finding") this.#find(event.finding);
      else if (event.kind === "done") resolve(event.status);
      // Where the port can be had, it is of this machine, and nobody listens there.
      else if (bindingProblem(server.hostname, server.port) === undefined) {
        // Not at once: events come from the middle of inputs.
        queueMicrotask(refuse);
      }
    });
    const interrupt = (): void => driven.input((now) => machine.stop(now));
    Deno.addSignalListener("SIGINT", interrupt);
    const broken = driven.finished.then(() => ExitStatus.failure, () => ExitStatus.failure);
    const status = await Promise.race([promise, broken]);
    Deno.removeSignalListener("SIGINT", interrupt);
    await driven.close().catch(() => {});
    return status;
  }

  #find(finding: Finding): void {
    this.#hasFailed ||= finding.verdict === "failed";
    this.#print(
      this.#options.isJson ? renderFindingJson(finding, new Date()) : renderFinding(finding),
    );
  }

  #print(line: string): void {
    this.#printing = this.#printing.then(() => printText(line));
  }
}

/** The socket, with a look at what the system says of the datagrams. */
function observe(
  socket: Deno.DatagramConn,
  onRefused: () => void,
  onUnsendable: (why: string) => void,
): Socket {
  return {
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
        onUnsendable(fileProblem(error));
        throw error;
      });
    },
  };
}

/** Why no socket can be had at an address, undefined where it can. */
function bindingProblem(hostname: string, port: number): unknown {
  try {
    openSocket(hostname, port).close();
    return undefined;
  } catch (error) {
    return error;
  }
}
