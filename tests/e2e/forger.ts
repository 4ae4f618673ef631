/**
 * A sender of datagrams with a forged source address: a Python script with a raw socket.
 *
 * @module
 */
import { toHex } from "../support/hex.ts";

/** Sends RATE datagrams a second to 127.0.0.1 until its input ends, then prints how many. */
const SCRIPT = `
import select, socket, struct, sys, time
rate, to, host, port, data = sys.argv[1:]
data = bytes.fromhex(data)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
addresses = socket.inet_aton(host) + socket.inet_aton("127.0.0.1")
udp = struct.pack("!HHHH", int(port), int(to), 8 + len(data), 0) + data
packet = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses + udp
start, sent, ended = time.monotonic(), 0, False
while not ended:
    due = min(int((time.monotonic() - start) * float(rate)), sent + 1000)
    while sent < due:
        try:
            raw.sendto(packet, ("127.0.0.1", 0))
        except OSError:
            pass
        sent += 1
    ended = select.select([sys.stdin], [], [], 0.001)[0]
print(sent)
`;

const reason = reasonToSkip();

/** For the names of tests that forge source addresses. */
export const FORGER = reason === undefined
  ? { ignore: false, note: "" }
  : { ignore: true, note: ` (skipped: ${reason})` };

function reasonToSkip(): string | undefined {
  if (Deno.build.os !== "linux") return "forges source addresses, for which it needs Linux";
  if (output("id", ["-u"]) !== "0") return "forges source addresses, which takes root";
  return output("python3", ["-V"]) === undefined ? "python3 is not installed" : undefined;
}

/** What a command prints; undefined where there is no such command. */
function output(command: string, args: readonly string[]): string | undefined {
  try {
    const { stdout } = new Deno.Command(command, { args: [...args], stderr: "null" }).outputSync();
    return new TextDecoder().decode(stdout).trim();
  } catch {
    return undefined;
  }
}

/** A flood of one datagram. */
export interface Flood {
  /** Datagrams a second; what the machine can do is the limit. */
  readonly rate: number;
  /** The port on 127.0.0.1 that they go to. */
  readonly to: number;
  /** Where they seem to come from. */
  readonly from: { readonly hostname: string; readonly port: number };
  readonly bytes: Uint8Array;
}

/** A flood that runs until it is stopped. */
export class Forger implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #start = performance.now();

  constructor({ rate, to, from: { hostname, port }, bytes }: Flood) {
    this.#child = new Deno.Command("python3", {
      args: ["-c", SCRIPT, `${rate}`, `${to}`, hostname, `${port}`, toHex(bytes)],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
  }

  /** Ends it; returns how many datagrams it sent a second. */
  async stop(): Promise<number> {
    const seconds = (performance.now() - this.#start) / 1_000;
    await this.#child.stdin.close();
    const { stdout } = await this.#child.output();
    return Number(new TextDecoder().decode(stdout)) / seconds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#child.status;
    await this.#child.stdin.close().catch(() => {});
    await this.#child.stdout.cancel().catch(() => {});
  }
}
