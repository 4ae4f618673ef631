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

  private constructor() {}

  /** Builds a topology. */
  static async build(topology: string, { ms, loss }: Line): Promise<NatLab> {
    const lab = new NatLab();
    await lab.#run("up", topology, `${ms}`, `${loss}`);
    return lab;
  }

  /** The command line that runs another one on a host. */
  wrap(host: string, { program, args, isExecutable }: CommandLine): CommandLine {
    return { program: SCRIPT, args: ["exec", host, program, ...args], isExecutable };
  }

  /** Gives the outermost router of that side another public address, and so new mappings. */
  async rebind(side: "a" | "b"): Promise<void> {
    await this.#run("rebind", side);
  }

  /** Ends what runs in it, and removes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("down");
  }

  async #run(...args: string[]): Promise<void> {
    const { success, stderr } = await new Deno.Command(SCRIPT, { args, env: this.env }).output();
    if (!success) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}
