/**
 * Two hosts and a directory in network namespaces, with NATs between: a laboratory that the script
 * builds which the environment variable UDP_CHAT_NAT_LAB names.
 *
 * @module
 */
import type { CommandLine } from "./process.ts";

/** The hosts that programs run on. */
export type Host = "directory" | "a" | "b";

/** Those of the addresses of the directory's host that Linux answers from. */
export const DIRECTORY = { ipv4: "203.0.113.10", ipv6: "2001:db8:d::11" } as const;

const SCRIPT = Deno.env.get("UDP_CHAT_NAT_LAB") ?? "";
const reason = reasonToSkip();

/** For the names of tests that need the laboratory. */
export const NAT_LAB = reason === undefined
  ? { ignore: false, note: "" }
  : { ignore: true, note: ` (skipped: ${reason})` };

function reasonToSkip(): string | undefined {
  if (SCRIPT === "") return "UDP_CHAT_NAT_LAB names no script";
  if (!isFile(SCRIPT)) return `${SCRIPT} is no file`;
  for (const [command, ...args] of [["ip", "-V"], ["nft", "-v"], ["python3", "-V"]] as const) {
    if (output(command, args) === undefined) return `${command} is not installed`;
  }
  if (output("id", ["-u"])?.trim() !== "0") return "it takes root";
  return output("unshare", ["--net", "true"]) === undefined
    ? "no network namespaces can be made here"
    : undefined;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** What a command prints; undefined where it fails or does not exist. */
function output(command: string, args: readonly string[]): string | undefined {
  try {
    const { success, stdout } = new Deno.Command(command, { args: [...args], stderr: "null" })
      .outputSync();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined;
  }
}

/** Of the networks in which it is the host that gets another address: in which families. */
const MOVES: Readonly<Record<string, "-4" | "-6">> = {
  ...{ "firewall": "-4", "v6": "-6", "dual": "-6" },
  ...{ "lan": "-4", "lan-hairpin": "-4", "subnets": "-4" },
};

/** What happens to a datagram between the networks. */
export interface Line {
  /** Milliseconds that it takes, each way. */
  readonly ms: number;
  /** The share that is lost. */
  readonly loss: number;
}

/** A laboratory that is built; one at a time in a process. */
export class NatLab implements AsyncDisposable {
  /** Variables for the script and for what it runs. */
  readonly env: Readonly<Record<string, string>> = {
    NAT_LAB: `e2e-${Deno.pid}`,
    PATH: Deno.env.get("PATH") ?? "",
  };

  readonly #topology: string;

  private constructor(topology: string) {
    this.#topology = topology;
  }

  /** Builds a topology. */
  static async build(topology: string, { ms, loss }: Line): Promise<NatLab> {
    const lab = new NatLab(topology);
    await lab.#run("up", topology, `${ms}`, `${loss}`);
    return lab;
  }

  /** The command line that runs another one on a host. */
  wrap(host: string, { program, args, isExecutable }: CommandLine): CommandLine {
    return { program: SCRIPT, args: ["exec", host, program, ...args], isExecutable };
  }

  /**
   * Gives that side another address: its outermost router, which gets new mappings, or, where there is
   * no NAT, and in a local network, the host.
   */
  async changeAddress(side: "a" | "b"): Promise<void> {
    const [a = "", b = a] = this.#topology.split("+");
    const kind = side === "a" ? a : b;
    const family = MOVES[kind];
    if (family !== undefined) await this.#moveHost(side, family);
    if (family === undefined || kind === "dual") await this.#run("rebind", side);
  }

  async #moveHost(side: "a" | "b", family: "-4" | "-6"): Promise<void> {
    const ip = (...args: string[]): Promise<string> =>
      this.#run("exec", side, "ip", family, ...args);
    const on = ["dev", "eth0"];
    const [{ addr_info: [{ local, prefixlen }] }] = JSON.parse(
      await ip("-j", "addr", "show", ...on, "scope", "global"),
    );
    const [{ gateway }] = JSON.parse(await ip("-j", "route", "show", "default"));
    await ip("addr", "del", `${local}/${prefixlen}`, ...on);
    await ip("addr", "add", `${addressAfter(local)}/${prefixlen}`, ...on);
    await ip("route", "replace", "default", "via", gateway);
  }

  /** Ends what runs in it, and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("down");
  }

  async #run(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command(SCRIPT, { args, env: this.env })
      .output();
    if (!success) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}

function addressAfter(address: string): string {
  const [, network, last] = /^(.*[.:])(\w+)$/.exec(address)!;
  const radix = address.includes(":") ? 16 : 10;
  return network + (parseInt(last!, radix) + 1).toString(radix);
}
