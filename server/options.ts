/**
 * The options of `udp-chat serve`.
 *
 * @module
 */
import { parseHostPort } from "../cli/host_port.ts";
import { type Help, optionSection, section } from "../cli/help.ts";
import {
  choice,
  COLOR,
  file,
  flag,
  integer,
  offFlag,
  type Option,
  type OptionTable,
  type OptionValues,
  parseOptions,
  unexpected,
} from "../cli/options.ts";
import { failure, type Result, success } from "../protocol/result.ts";
import { parseStoreUrl, type StoreUrl } from "./store/store_url.ts";
import { CARRIED_IN_TOTAL, CLIENTS_PER_SOURCE, NAME_HOLD_DAYS } from "./limits.ts";

/** The UDP port that a directory listens on by default. */
export const PORT_DEFAULT = 7070;
/** Bytes that are carried a second for all clients together, unless told otherwise. */
const RELAY_LIMIT_DEFAULT = CARRIED_IN_TOTAL;
/** The most that `--relay-limit` takes. */
const RELAY_LIMIT_MAX = 1_000_000_000;
/** The most that `--max-clients` takes: their keepalives come to 67,000 datagrams a second. */
const MAX_CLIENTS_MAX = 1_000_000;

/** The most days that `--name-hold` takes. */
const NAME_HOLD_MAX = 3650;

/** How the log is written. */
export type LogFormat = "text" | "json";
/** What is logged: this, and what is graver. */
export type LogLevel = "error" | "warn" | "info" | "debug";

const LOG_FORMAT: Option<LogFormat> = choice<LogFormat>({
  name: "log-format",
  value: "FORMAT",
  choices: ["text", "json"],
  default: "text",
  help: "of the log on standard error: text or json; default text",
});

const LOG_LEVEL: Option<LogLevel> = choice<LogLevel>({
  name: "log-level",
  value: "LEVEL",
  choices: ["error", "warn", "info", "debug"],
  default: "warn",
  help: "error, warn, info or debug, which logs each client",
});

/** Where metrics are served. */
export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

const METRICS: Option<MetricsAddress | undefined> = {
  name: "metrics",
  value: "HOST:PORT",
  expected: "HOST:PORT",
  default: undefined,
  parse: parseMetrics,
  help: "serve metrics for Prometheus there, by HTTP; default not",
};

const STORE: Option<StoreUrl | undefined> = {
  name: "store",
  value: "URL",
  expected: "redis://HOST:PORT or rediss://HOST:PORT",
  default: undefined,
  parse: parseStoreUrl,
  help: "share the table on Redis or Valkey (or UDP_CHAT_STORE)",
};

/** All options, in the order of the help. */
export const OPTIONS = {
  host: {
    name: "host",
    value: "HOST",
    expected: "a host name or an IP address",
    default: "127.0.0.1",
    help: "where to listen, :: or 0.0.0.0 for all; default 127.0.0.1",
    // Also as an IPv6 address stands before a port.
    parse: (value) => success(/^\[([^\[\]]+)\]$/.exec(value)?.[1] ?? value),
  } satisfies Option<string>,
  port: integer({
    name: "port",
    value: "PORT",
    min: 0,
    max: 65_535,
    default: PORT_DEFAULT,
    help: `UDP port, 0 for any free one; default ${PORT_DEFAULT}`,
  }),
  maxClients: integer({
    name: "max-clients",
    value: "N",
    min: 1,
    max: MAX_CLIENTS_MAX,
    default: 10_000,
    help: `clients in the table, at most ${MAX_CLIENTS_MAX}; default 10000`,
  }),
  maxPerSource: integer({
    name: "max-per-source",
    value: "N",
    min: 1,
    max: MAX_CLIENTS_MAX,
    default: CLIENTS_PER_SOURCE,
    help: `of them at one IPv4 address or IPv6 /64; default ${CLIENTS_PER_SOURCE}`,
  }),
  leaseSeconds: integer({
    name: "lease",
    value: "SECONDS",
    min: 1,
    max: 3600,
    default: 45,
    help: "how long a client that fell silent stays; default 45",
  }),
  nameHoldDays: integer({
    name: "name-hold",
    value: "DAYS",
    min: 0,
    max: NAME_HOLD_MAX,
    default: NAME_HOLD_DAYS,
    help: "how long a name stays its key's after it left; default 7",
  }),
  identity: file("identity", "file of its key; default in the configuration folder"),
  isEphemeral: flag("ephemeral", "use a new key, and keep no file"),
  secretFile: file("secret", "only for clients with this secret (or UDP_CHAT_SECRET)"),
  limitsFile: file("limits", "limits that differ from the defaults; see the manual"),
  hasSourceLimits: offFlag(
    "no-source-limits",
    "one address may have and ask as much as all",
  ),
  isRelay: offFlag("no-relay", "introduce clients, but carry nothing between them"),
  relayLimit: integer({
    name: "relay-limit",
    value: "BYTES",
    min: 1,
    max: RELAY_LIMIT_MAX,
    default: RELAY_LIMIT_DEFAULT,
    help: `bytes a second that it carries in all; default ${RELAY_LIMIT_DEFAULT}`,
  }),
  store: STORE,
  metrics: METRICS,
  logFormat: LOG_FORMAT,
  logLevel: LOG_LEVEL,
  isJson: flag("json", "print one JSON object a line"),
  isPlain: flag("plain", "redraw nothing and color nothing: only add lines"),
  color: COLOR,
  isQuiet: flag("quiet", "print only where it listens, and errors"),
} satisfies OptionTable;

/** The values of the {@linkcode OPTIONS}. */
export type Options = OptionValues<typeof OPTIONS>;

/** Parses the arguments after `udp-chat serve`. */
export function parseServerOptions(args: readonly string[]): Result<Options | "help"> {
  const parsed = parseOptions(OPTIONS, args);
  if (!parsed.ok || parsed.value === "help") return parsed;
  if (parsed.value.identity !== undefined && parsed.value.isEphemeral) {
    return failure("Cannot use --ephemeral with --identity: a file, or none?");
  }
  if (parsed.value.isPlain && parsed.value.color === "always") {
    return failure("Cannot use --color always with --plain: colors, or none?");
  }
  if (!parsed.value.hasSourceLimits && parsed.value.maxPerSource !== CLIENTS_PER_SOURCE) {
    return failure("Cannot use --max-per-source with --no-source-limits: so many, or any number?");
  }
  if (!parsed.value.isRelay && parsed.value.relayLimit !== RELAY_LIMIT_DEFAULT) {
    return failure("Cannot use --relay-limit with --no-relay: carry so much, or nothing?");
  }
  return parsed;
}

/** The help of `udp-chat serve`. */
export const SERVER_HELP: Help = {
  usage: "udp-chat serve [OPTIONS]",
  blocks: [
    "Runs a directory, where clients register and find each other. It introduces them\n" +
    "and, where they have no way to each other, carries what they say, sealed.",
    optionSection(OPTIONS),
    "Clients remember the directory's key when they first register, and refuse\n" +
    "another. The secret has at least 16 bytes. A client in the table takes about 250\n" +
    "bytes of memory.",
    "SIGHUP has the directory read its files of limits and of the secret again, where\n" +
    "no terminal is attached; not on Windows.",
    "On a terminal it shows the table, what happens and the totals, redrawn in place.\n" +
    "Elsewhere, and with --plain, it prints the active clients on every join, leave\n" +
    "and expiry, or, where they are more than 200, who came or went and how many they\n" +
    "are. Ctrl-C stops it.",
    section("Examples", [
      ["udp-chat serve", "for this machine"],
      ["udp-chat serve --host :: --port 7071", "for all, at another port"],
      ["udp-chat serve --json > clients.log", "for programs"],
    ]),
  ],
};

function parseMetrics(text: string): Result<MetricsAddress> {
  const parsed = parseHostPort(text, { expected: "HOST:PORT", portMin: 0 });
  if (!parsed.ok) return parsed;
  const { host, port } = parsed.value;
  return port === undefined ? unexpected("HOST:PORT", text) : success({ host, port });
}
