/**
 * A hosts file of a program's own, in which a name has the addresses that the test wants.
 *
 * @module
 */
import type { CommandLine } from "./process.ts";

/** For the names of tests that need one. */
export const HOSTS_FILE = canBindHosts()
  ? { ignore: false, note: "" }
  : { ignore: true, note: " (skipped: it takes root and mount namespaces)" };

function canBindHosts(): boolean {
  try {
    const args = ["--mount", "mount", "--bind", "/etc/hosts", "/etc/hosts"];
    return new Deno.Command("unshare", { args, stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

/** One such file; disposal removes it. */
export class HostsFile implements Disposable {
  readonly #path = Deno.makeTempFileSync({ prefix: "udp-chat-hosts-" });

  constructor(name: string, addresses: readonly string[]) {
    this.write(name, addresses);
  }

  /** Gives the name other addresses, also for the programs that run. */
  write(name: string, addresses: readonly string[]): void {
    const lines = addresses.map((address) => `${address} ${name}\n`);
    Deno.writeTextFileSync(this.#path, lines.join(""));
  }

  /** The command line that runs another one with this file; it needs the variable PATH. */
  wrap({ program, args, isExecutable }: CommandLine): CommandLine {
    const script = 'mount --bind "$0" /etc/hosts && exec "$@"';
    const whole = ["--mount", "sh", "-c", script, this.#path, program, ...args];
    return { program: "unshare", args: whole, isExecutable };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#path);
  }
}
