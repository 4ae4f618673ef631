/**
 * The options of `udp-chat serve`: what they mean, and how they are understood.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

/** The most that `--max-clients` takes: their keepalives come to 67,000 datagrams a second. */
const MAX_CLIENTS_MAX = 1_000_000;
/** The longest lease, in seconds. */
const LEASE_MAX = 3600;
/** What `--help` prints. */
export const HELP = `Run a directory, where clients register and find each other

Usage: udp-chat serve [options]

  --host HOST        address to listen on (127.0.0.1: this machine only; 0.0.0.0: all)
  --port PORT        UDP port, 0 for any free one (7070)
  --max-clients N    clients in the table, at most 1000000; each that is there takes about
                     450 bytes of memory (10000)
  --lease SECONDS    how long a client that fell silent stays in the table, 1 to 3600 (45)
  --secret FILE      a private directory: only for clients with the same secret, a file of
                     at least 16 bytes; or the environment variable UDP_CHAT_SECRET
  --no-source-limits one address may register and ask as often as all together may
  --json             print one JSON object a line
  --quiet            print only where it listens, and errors
  -h, --help         print this

Prints the active clients on every join, leave and expiry, or, where they are more than
200, who came or went and how many there are. Ctrl-C stops it.

Examples:
  udp-chat serve
  udp-chat serve --host 0.0.0.0 --port 7071
  udp-chat serve --json > clients.log`;

/** The options of `udp-chat serve`. */
export interface Options {
  host: string;
  port: number;
  maxClients: number;
  /** Milliseconds. */
  lease: number;
  /** Where the secret of a private directory is. */
  secretFile: string | undefined;
  /** Whether a single source is limited, and not only all together. */
  hasSourceLimits: boolean;
  isJson: boolean;
  isQuiet: boolean;
  isHelp: boolean;
}

/** The options, or what is wrong with them. */
export function parseOptions(args: readonly string[]): Options | string {
  let problem: string | undefined;
  const parsed = parseArgs([...args], {
    string: ["host", "port", "max-clients", "lease", "secret"],
    boolean: ["no-source-limits", "json", "quiet", "help"],
    alias: { help: "h" },
    default: { host: "127.0.0.1", port: "7070", "max-clients": "10000", lease: "45" },
    unknown(arg: string): boolean {
      problem ??= arg.startsWith("-")
        ? `Cannot parse the options: unknown option ${arg}`
        : `Cannot parse the options: unexpected argument "${arg}"`;
      return false;
    },
  });
  function number(name: "port" | "max-clients" | "lease", min: number, max: number): number {
    const text = String(parsed[name]);
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      problem ??= `Cannot parse --${name}: expected ${min} to ${max}, got "${text}"`;
    }
    return value;
  }
  const options: Options = {
    host: String(parsed.host),
    port: number("port", 0, 65535),
    maxClients: number("max-clients", 1, MAX_CLIENTS_MAX),
    lease: 1000 * number("lease", 1, LEASE_MAX),
    secretFile: parsed.secret,
    hasSourceLimits: !parsed["no-source-limits"],
    isJson: parsed.json,
    isQuiet: parsed.quiet,
    isHelp: parsed.help,
  };
  if (options.host === "") {
    problem ??= 'Cannot parse --host: expected a host name or an IP address, got ""';
  }
  if (options.secretFile === "") problem ??= "Cannot parse --secret: expected a file";
  if (parsed._.length > 0) {
    problem ??= `Cannot parse the options: unexpected argument "${parsed._[0]}"`;
  }
  return problem ?? options;
}
