/**
 * The options of `udp-chat client`.
 *
 * @module
 */
import { parseHostPort } from "../cli/host_port.ts";
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
  text,
  unexpected,
} from "../cli/options.ts";
import { quote } from "../cli/quote.ts";
import type { Settings, SettingTable } from "../cli/settings.ts";
import { parseFingerprint } from "../protocol/crypto/fingerprint.ts";
import { nameProblem, normalName } from "../protocol/name/name.ts";
import type { TimerMode } from "../protocol/recovery/timer_policy.ts";
import { failure, type Result, success } from "../protocol/result.ts";
import { HOST_ADDRESSES_MAX } from "../protocol/udp.ts";
import { type Chaos, CHAOS_EXAMPLE, parseChaos } from "./chaos/chaos.ts";
import { SERVER_PORT } from "./directory_addresses.ts";
import { CLIENT_ID_MAX, parsePeer, type Peer } from "./peer.ts";

/** Where one directory is. */
export interface ServerName {
  readonly host: string;
  readonly port: number;
  /** Both as the user wrote them. */
  readonly text: string;
}

/** One directory, or several that share a table. */
export interface ServerNames {
  readonly all: readonly ServerName[];
  /** All as the user wrote them. */
  readonly text: string;
}

/** The most directories in `--server`: more addresses are not used. */
const SERVERS_MAX = HOST_ADDRESSES_MAX;

/** The longest time that an option can have, in seconds: a day. */
const SECONDS_MAX = 86_400;

const SERVER_DEFAULT = `localhost:${SERVER_PORT}`;

const SERVER: Option<ServerNames> = {
  name: "server",
  value: "HOST[:PORT],…",
  expected: "HOST[:PORT]",
  default: {
    all: [{ host: "localhost", port: SERVER_PORT, text: SERVER_DEFAULT }],
    text: SERVER_DEFAULT,
  },
  parse: parseServers,
  help: `the directory, or several; default ${SERVER_DEFAULT}`,
};

const SERVER_KEY: Option<string | undefined> = {
  name: "server-key",
  value: "FINGERPRINT",
  expected: "a fingerprint of 30 digits, as serve shows it",
  default: undefined,
  parse: parseKey,
  help: "the directory's key; default the one seen first",
};

const KEY: Option<string | undefined> = {
  name: "key",
  value: "FINGERPRINT",
  expected: "a fingerprint of 30 digits, as the peer's fingerprint command shows it",
  default: undefined,
  parse: parseKey,
  help: "with --connect: the peer's key; default the known one",
};

const CONNECT: Option<Peer | undefined> = {
  name: "connect",
  value: "ID|NAME",
  expected: "a client id or a name",
  default: undefined,
  parse: parsePeer,
  help: "connect to this client first",
};

const CHAOS: Option<Chaos | undefined> = {
  name: "chaos",
  value: "LIST",
  expected: `a list such as ${CHAOS_EXAMPLE}`,
  default: undefined,
  parse: parseChaos,
  help: "make the line bad on purpose: loss=0.2,delay=50ms,…",
};

/** The smallest unit of the clock in front of each line. */
export type TimeUnit = "minutes" | "seconds";

/** All options, in the order of the help. */
export const OPTIONS = {
  server: SERVER,
  serverKey: SERVER_KEY,
  /** 0 for any. */
  id: integer({
    name: "id",
    value: "N",
    min: 1,
    max: CLIENT_ID_MAX,
    default: 0,
    help: "the client id to ask for; default the smallest free one",
  }),
  name: {
    name: "name",
    value: "NAME",
    expected: "a name",
    default: "",
    parse: parseName,
    help: "your name; default on a terminal: that of your login",
  },
  /** 0 for any. */
  port: integer({
    name: "port",
    value: "P",
    min: 1,
    max: 65_535,
    default: 0,
    help: "the UDP port of this client; default any free one",
  }),
  timers: choice<TimerMode>({
    name: "timers",
    value: "MODE",
    choices: ["adaptive", "fixed"],
    default: "adaptive",
    help: "adaptive, or fixed: resend after 10 s; default adaptive",
  }),
  identity: file("identity", "file of your key; default in the configuration folder"),
  isEphemeral: flag("ephemeral", "use a new key, keep no file and remember nobody"),
  showsFingerprint: flag("fingerprint", "show the fingerprint of your key, and exit"),
  connect: CONNECT,
  key: KEY,
  send: text({
    name: "send",
    value: "TEXT",
    expected: 'a text; one that begins with "-" goes as --send=TEXT',
    default: undefined,
    help: "with --connect: send this, or what - reads, and leave",
  }),
  /** In seconds; 0 for no wait. */
  waitReply: seconds("wait-reply", "with --send: print the next message, then leave"),
  /** In seconds; 0 for none. */
  timeout: seconds("timeout", "how long a call may ring, and each step of a script take"),
  secretFile: file("secret", "the secret of a private directory (or UDP_CHAT_SECRET)"),
  acceptAll: flag("accept-all", "accept Connection Requests without asking"),
  log: file("log", "keep a transcript; JSON lines where it ends in .jsonl"),
  chaos: CHAOS,
  isJson: flag("json", "print one JSON object a line, and take JSON commands"),
  color: COLOR,
  time: choice<TimeUnit>({
    name: "time",
    value: "UNIT",
    choices: ["minutes", "seconds"],
    default: "minutes",
    help: "the clock of each line: minutes or seconds",
  }),
  isPlain: flag("plain", "redraw nothing and color nothing, as for a screen reader"),
  notifies: offFlag("no-notify", "no notifications on the desktop; the bell still rings"),
  keepsHistory: offFlag("no-history", "keep no line that you type beyond this run"),
} satisfies OptionTable;

/** The values of the {@linkcode OPTIONS}. */
export type Options = OptionValues<typeof OPTIONS>;

/** The keys of the configuration file. */
export const SETTINGS = {
  server: { option: "server" },
  name: { option: "name" },
  color: { option: "color", variable: "NO_COLOR" },
  time: { option: "time" },
  notify: { option: "notifies" },
} satisfies SettingTable<typeof OPTIONS>;

/** What the configuration file sets. */
export type ClientSettings = Settings<typeof OPTIONS>;

/**
 * Parses the arguments after `udp-chat client`.
 *
 * @param settings of the configuration file; its name is none that the user asks for at this start.
 */
export function parseClientOptions(
  args: readonly string[],
  settings: Result<ClientSettings> = success({}),
): Result<Options | "help"> {
  const usual = settings.ok ? { ...settings.value, name: "" } : {};
  const parsed = parseOptions(OPTIONS, args, usual);
  if (!parsed.ok || parsed.value === "help") return parsed;
  if (!settings.ok) return settings;
  const { send, connect, key, identity, isEphemeral, log, isPlain, color } = parsed.value;
  if (parsed.value.waitReply !== 0 && send === undefined) {
    return failure("Cannot use --wait-reply without --send: a reply to what?");
  }
  if (send !== undefined && connect === undefined) {
    return failure("Cannot use --send without --connect: it says which peer to send to");
  }
  if (key !== undefined && connect === undefined) {
    return failure("Cannot use --key without --connect: whose?");
  }
  if (identity !== undefined && isEphemeral) {
    return failure("Cannot use --ephemeral with --identity: a file, or none?");
  }
  if (log !== undefined && isEphemeral) {
    return failure("Cannot use --ephemeral with --log: no file, or one?");
  }
  if (isPlain && color === "always") {
    return failure("Cannot use --color always with --plain: colors, or none?");
  }
  return parsed;
}

/** An option whose value is a time in seconds, 0 where it is not given. */
function seconds(name: string, help: string): Option<number> {
  return integer({ name, help, value: "SECONDS", min: 1, max: SECONDS_MAX, default: 0 });
}

function parseKey(text: string): Result<string> {
  const digits = parseFingerprint(text);
  return digits === undefined ? unexpected("a fingerprint of 30 digits", text) : success(digits);
}

function parseName(text: string): Result<string> {
  const name = normalName(text);
  const problem = nameProblem(name);
  return problem === undefined ? success(name) : failure(`a name ${problem}, got ${quote(text)}`);
}

function parseServers(text: string): Result<ServerNames> {
  const all: ServerName[] = [];
  for (const part of text.split(",")) {
    const parsed = parseServer(part.trim());
    if (!parsed.ok) return parsed;
    all.push(parsed.value);
  }
  return all.length > SERVERS_MAX
    ? unexpected(`at most ${SERVERS_MAX} directories`, text)
    : success({ all, text });
}

function parseServer(text: string): Result<ServerName> {
  const parsed = parseHostPort(text, { expected: "HOST or HOST:PORT", portMin: 1 });
  if (!parsed.ok) return parsed;
  const { host, port = SERVER_PORT } = parsed.value;
  return success({ host, port, text });
}
