/**
 * The options of `udp-chat serve`: what they mean, and how they are understood.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";

/** The UDP port of a directory that is told no other. */
export const PORT_DEFAULT = 7070;
/** The most that `--max-clients` takes: their keepalives come to 67,000 datagrams a second. */
const MAX_CLIENTS_MAX = 1_000_000;
/** The longest lease, in seconds. */
const LEASE_MAX = 3600;

/** A row of the table. */
export interface OptionSpec {
  name: string;
  /** What its value is called, empty for an option without a value. */
  value: string;
  /** The values that it can have, where they are few. */
  choices?: readonly string[];
  /** What it does, in one line. */
  help: string;
}

/** All options, in the order of the help. */
export const OPTIONS: readonly OptionSpec[] = [
  { name: "host", value: "HOST", help: "address to listen on, 0.0.0.0 for all (127.0.0.1)" },
  { name: "port", value: "PORT", help: `UDP port, 0 for any free one (${PORT_DEFAULT})` },
  {
    name: "max-clients",
    value: "N",
    help: `clients in the table, at most ${MAX_CLIENTS_MAX} (10000)`,
  },
  { name: "lease", value: "SECONDS", help: "how long a client that fell silent stays (45)" },
  {
    name: "secret",
    value: "FILE",
    help: "only for clients with the same secret (or UDP_CHAT_SECRET)",
  },
  {
    name: "no-source-limits",
    value: "",
    help: "one address may register and ask as often as all",
  },
  { name: "json", value: "", help: "print one JSON object a line" },
  { name: "plain", value: "", help: "redraw nothing and color nothing: only add lines" },
  {
    name: "color",
    value: "WHEN",
    choices: ["auto", "always", "never"],
    help: "auto, always or never; auto: not with NO_COLOR",
  },
  { name: "quiet", value: "", help: "print only where it listens, and errors" },
  { name: "help", value: "", help: "show this help" },
];

/** Whether to use colors; `auto`: where a terminal shows them, and NO_COLOR is not set. */
export type ColorMode = "auto" | "always" | "never";

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
  /** Whether nothing is to be redrawn. */
  isPlain: boolean;
  color: ColorMode;
  isQuiet: boolean;
  isHelp: boolean;
}

/** The options, or what is wrong with them. */
export function parseOptions(args: readonly string[]): Options | string {
  let problem: string | undefined;
  const parsed = parseArgs([...args], {
    string: ["host", "port", "max-clients", "lease", "secret", "color"],
    boolean: ["no-source-limits", "json", "plain", "quiet", "help"],
    alias: { help: "h" },
    default: {
      host: "127.0.0.1",
      port: `${PORT_DEFAULT}`,
      "max-clients": "10000",
      lease: "45",
      color: "auto",
    },
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
  function color(): ColorMode {
    const text = String(parsed.color);
    if (text === "always" || text === "never" || text === "auto") return text;
    problem ??= `Cannot parse --color: expected auto, always or never, got "${text}"`;
    return "auto";
  }
  const options: Options = {
    host: String(parsed.host),
    port: number("port", 0, 65535),
    maxClients: number("max-clients", 1, MAX_CLIENTS_MAX),
    lease: 1000 * number("lease", 1, LEASE_MAX),
    secretFile: parsed.secret,
    hasSourceLimits: !parsed["no-source-limits"],
    isJson: parsed.json,
    isPlain: parsed.plain,
    color: color(),
    isQuiet: parsed.quiet,
    isHelp: parsed.help,
  };
  if (options.host === "") {
    problem ??= 'Cannot parse --host: expected a host name or an IP address, got ""';
  }
  if (options.isPlain && options.color === "always") {
    problem ??= "Cannot use --color always with --plain: colors, or none?";
  }
  if (options.secretFile === "") problem ??= "Cannot parse --secret: expected a file";
  if (parsed._.length > 0) {
    problem ??= `Cannot parse the options: unexpected argument "${parsed._[0]}"`;
  }
  return problem ?? options;
}
