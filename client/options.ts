/**
 * The options of `udp-chat client`: one table, from which parsing and help are made.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { nameProblem } from "../protocol/directory/name.ts";
import type { TimerMode } from "../protocol/recovery/timer_policy.ts";
import { type Chaos, CHAOS_EXAMPLE, parseChaos } from "./chaos/chaos.ts";
import { CLIENT_ID_MAX, parsePeer, type Peer } from "./peer.ts";
import { quote } from "../cli/quote.ts";
import { nearestName } from "../cli/suggest.ts";

/** The UDP port of a directory that names no other. */
export const SERVER_PORT = 7070;

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
  { name: "server", value: "HOST[:PORT]", help: `the directory; default localhost:${SERVER_PORT}` },
  { name: "id", value: "N", help: "the client id to ask for; default the smallest free one" },
  { name: "name", value: "NAME", help: "a name that others can use instead of the id" },
  { name: "port", value: "P", help: "the UDP port of this client; default any free one" },
  {
    name: "timers",
    value: "MODE",
    choices: ["adaptive", "fixed"],
    help: "adaptive, or fixed: resend after 10 s; default adaptive",
  },
  {
    name: "identity",
    value: "FILE",
    help: "file of your key; default in the configuration folder",
  },
  { name: "ephemeral", value: "", help: "use a new key, keep no file and remember nobody" },
  { name: "fingerprint", value: "", help: "show the fingerprint of your key, and exit" },
  { name: "connect", value: "ID|NAME", help: "connect to this client first" },
  { name: "send", value: "TEXT", help: "with --connect: send this, wait for its delivery, leave" },
  {
    name: "secret",
    value: "FILE",
    help: "the secret of a private directory (or UDP_CHAT_SECRET)",
  },
  { name: "accept-all", value: "", help: "accept Connection Requests without asking" },
  { name: "log", value: "FILE", help: "keep a transcript; JSON lines where it ends in .jsonl" },
  { name: "chaos", value: "LIST", help: "make the line bad on purpose: loss=0.2,delay=50ms,…" },
  { name: "json", value: "", help: "print one JSON object a line, and take JSON commands" },
  {
    name: "color",
    value: "WHEN",
    help: "auto, always or never; default auto: not with NO_COLOR",
    choices: ["auto", "always", "never"],
  },
  { name: "plain", value: "", help: "redraw nothing and color nothing, as for a screen reader" },
  { name: "no-history", value: "", help: "keep no line that you type beyond this run" },
  { name: "help", value: "", help: "show this help" },
];

/** What the user wants, with the defaults filled in. */
export interface Options {
  server: { host: string; port: number };
  /** The directory as the user wrote it. */
  serverName: string;
  /** 0 for any. */
  id: number;
  /** Empty for none. */
  name: string;
  /** 0 for any. */
  port: number;
  timers: TimerMode;
  /** The file of the key; undefined for the one in the configuration folder. */
  identity: string | undefined;
  /** Whether no file is to be read or written. */
  isEphemeral: boolean;
  /** Whether only the fingerprint is wanted. */
  showsFingerprint: boolean;
  connect: Peer | undefined;
  send: string | undefined;
  /** Where the secret of a private directory is. */
  secretFile: string | undefined;
  acceptAll: boolean;
  /** The file of the transcript. */
  log: string | undefined;
  /** How the line is made bad on purpose. */
  chaos: Chaos | undefined;
  isJson: boolean;
  color: ColorMode;
  /** Whether nothing is to be redrawn. */
  isPlain: boolean;
  /** Whether typed lines are kept beyond the run. */
  keepsHistory: boolean;
}

/** Whether to use colors; `auto`: where a terminal shows them, and NO_COLOR is not set. */
export type ColorMode = "auto" | "always" | "never";

/** The options as they were understood. */
export type ParsedOptions =
  | { kind: "run"; options: Options }
  | { kind: "help" }
  | { kind: "problem"; message: string };

/** An option that cannot be understood; caught in {@linkcode parseOptions}. */
export class Problem extends Error {}

/** Understands the arguments behind `udp-chat client`. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  try {
    return parse(args);
  } catch (error) {
    if (error instanceof Problem) return { kind: "problem", message: error.message };
    throw error;
  }
}

function parse(args: readonly string[]): ParsedOptions {
  let stray: string | undefined;
  const given: Record<string, unknown> = parseArgs([...args], {
    string: OPTIONS.filter(({ value }) => value !== "").map(({ name }) => name),
    boolean: OPTIONS.filter(({ value }) => value === "").map(({ name }) => name),
    alias: { help: "h" },
    unknown: (arg: string) => {
      stray ??= arg;
      return false;
    },
  });
  if (given["help"] === true) return { kind: "help" };
  const connect = valueOf(given, "connect", "a client id or a name");
  const send = valueOf(given, "send", 'a text; one that begins with "-" goes as --send=TEXT');
  const serverName = valueOf(given, "server", "HOST[:PORT]") ?? `localhost:${SERVER_PORT}`;
  const options: Options = {
    server: parseServer(serverName),
    serverName,
    id: numberOf(given, "id", CLIENT_ID_MAX),
    name: nameOf(given),
    port: numberOf(given, "port", 65_535),
    timers: timersOf(given),
    identity: valueOf(given, "identity", "a file"),
    isEphemeral: given["ephemeral"] === true,
    showsFingerprint: given["fingerprint"] === true,
    connect: connect === undefined ? undefined : peerOf(connect),
    send,
    secretFile: valueOf(given, "secret", "a file"),
    acceptAll: given["accept-all"] === true,
    log: valueOf(given, "log", "a file"),
    chaos: chaosOf(given),
    isJson: given["json"] === true,
    color: colorOf(given),
    isPlain: given["plain"] === true,
    keepsHistory: given["no-history"] !== true,
  };
  if (stray !== undefined) throw new Problem(strayMessage(stray, OPTIONS));
  if (send !== undefined && connect === undefined) {
    throw new Problem("Cannot use --send without --connect: to whom?");
  }
  if (options.identity !== undefined && options.isEphemeral) {
    throw new Problem("Cannot use --ephemeral with --identity: a file, or none?");
  }
  if (options.log !== undefined && options.isEphemeral) {
    throw new Problem("Cannot use --ephemeral with --log: no file, or one?");
  }
  if (options.isPlain && options.color === "always") {
    throw new Problem("Cannot use --color always with --plain: colors, or none?");
  }
  return { kind: "run", options };
}

export function valueOf(
  given: Record<string, unknown>,
  name: string,
  what: string,
): string | undefined {
  const value = given[name];
  if (value === undefined) return undefined;
  if (typeof value !== "string" || value === "") {
    throw new Problem(`Cannot parse --${name}: expected ${what}`);
  }
  return value;
}

function numberOf(given: Record<string, unknown>, name: string, max: number): number {
  const expected = `1 to ${max}`;
  const value = valueOf(given, name, expected);
  if (value === undefined) return 0;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= 1 && number <= max) return number;
  throw cannotParse(name, expected, value);
}

function nameOf(given: Record<string, unknown>): string {
  const name = valueOf(given, "name", "a name");
  const problem = name === undefined ? undefined : nameProblem(name);
  if (problem === undefined) return name ?? "";
  throw new Problem(`Cannot parse --name: a name ${problem}, got ${quote(name ?? "")}`);
}

function timersOf(given: Record<string, unknown>): TimerMode {
  const value = valueOf(given, "timers", "adaptive or fixed") ?? "adaptive";
  if (value === "adaptive" || value === "fixed") return value;
  throw cannotParse("timers", "adaptive or fixed", value);
}

function colorOf(given: Record<string, unknown>): ColorMode {
  const expected = "auto, always or never";
  const value = valueOf(given, "color", expected) ?? "auto";
  if (value === "auto" || value === "always" || value === "never") return value;
  throw cannotParse("color", expected, value);
}

function peerOf(text: string): Peer {
  const parsed = parsePeer(text);
  if (parsed.ok) return parsed.value;
  throw new Problem(`Cannot parse --connect: ${parsed.error}`);
}

function chaosOf(given: Record<string, unknown>): Chaos | undefined {
  const value = valueOf(given, "chaos", `a list such as ${CHAOS_EXAMPLE}`);
  if (value === undefined) return undefined;
  const parsed = parseChaos(value);
  if (parsed.ok) return parsed.value;
  throw new Problem(`Cannot parse --chaos: ${parsed.error}`);
}

/** `host`, `host:port`, `[::1]:port`, `[::1]` or `::1`. */
export function parseServer(text: string): { host: string; port: number } {
  const match = /^\[(?<v6>[^\[\]]+)\](?::(?<v6Port>.*))?$/.exec(text) ??
    /^(?<bare>[^\[\]\s]*:[^\[\]\s]*:[^\[\]\s]*)$/.exec(text) ??
    /^(?<name>[^\[\]:\s]+)(?::(?<namePort>.*))?$/.exec(text);
  const { v6, v6Port, bare, name, namePort } = match?.groups ?? {};
  const host = v6 ?? bare ?? name;
  if (host === undefined) throw cannotParse("server", "HOST or HOST:PORT", text);
  const port = v6Port ?? namePort;
  if (port === undefined) return { host, port: SERVER_PORT };
  const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535;
  if (!isPort) throw cannotParse("server", "a port from 1 to 65535", port);
  return { host, port: Number(port) };
}

export function strayMessage(arg: string, specs: readonly OptionSpec[]): string {
  if (!/^-./.test(arg)) return `Unexpected argument ${quote(arg)}`;
  const option = arg.replace(/=.*$/s, "");
  const candidates = specs.map(({ name }) => ({ name, alsoKnownAs: [] }));
  const suggestion = nearestName(option.replace(/^-+/, ""), candidates);
  const hint = suggestion === undefined ? "" : `: did you mean "--${suggestion}"?`;
  return `Unknown option ${quote(option)}${hint}`;
}

function cannotParse(name: string, expected: string, value: string): Problem {
  return new Problem(`Cannot parse --${name}: expected ${expected}, got ${quote(value)}`);
}
