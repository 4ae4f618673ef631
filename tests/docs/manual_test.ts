// The tables of the manual list what the tables and types of the code list, in the same order.
import { assertEquals } from "@std/assert";
import { optionRows, type OptionTable } from "../../cli/options.ts";
import { COMMANDS, JSON_FIELDS, usage } from "../../client/commands/command_table.ts";
import type { Check } from "../../client/doctor/findings.ts";
import { DOCTOR_OPTIONS, DOCTOR_STATUS_HELP } from "../../client/doctor/options.ts";
import type { AnswerEvent, ClientEvent, ErrorCode } from "../../client/event.ts";
import { EXIT_STATUS_HELP } from "../../client/exit.ts";
import { OPTIONS as CLIENT_OPTIONS, SETTINGS } from "../../client/options.ts";
import { MARKS } from "../../client/output/deliveries.ts";
import { KEYS_HELP } from "../../client/screen/keys.ts";
import { renderJson as renderClientJson } from "../../client/output/json.ts";
import { TABLE_ROWS_MAX } from "../../server/event.ts";
import { formatRate, LIMITS } from "../../server/limits_file.ts";
import type { LogEvent } from "../../server/log/log.ts";
import { directoryMetrics } from "../../server/metrics/metrics.ts";
import { OPTIONS as SERVER_OPTIONS } from "../../server/options.ts";
import { type Output, renderJson as renderServerJson } from "../../server/screen/render.ts";
import config from "../../deno.json" with { type: "json" };
import { DROP_REASONS, REFUSAL_NAMES } from "../../server/totals.ts";
import { IDLE } from "../server/metrics/reading.ts";

type Row = readonly string[];

/** The columns for options in the manual. */
function optionCells(options: OptionTable): Row[] {
  return optionRows(options).map(({ name, value, help }) => [
    `--${name} ${value}`.trimEnd(),
    help,
  ]);
}

/** The rows of the table in a page of `docs/` whose first column has this title, without backticks. */
function readTable(page: string, title: string): Row[] {
  const text = Deno.readTextFileSync(new URL(`../../docs/${page}`, import.meta.url));
  const [, ...lines] = text.slice(text.search(new RegExp(`^\\| ${title} `, "m"))).split("\n");
  const end = lines.findIndex((line) => !line.startsWith("|"));
  return lines.slice(1, end).map((line) =>
    line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.replace(/`|\\(?=\|)/g, "").trim())
  );
}

/** Compares the first columns of a table; what else a row says is for the reader alone. */
function assertTable(page: string, title: string, expected: readonly Row[]): void {
  const columns = expected[0]?.length ?? 0;
  assertEquals(readTable(page, title).map((row) => row.slice(0, columns)), expected);
}

/** The name and the fields of an event that is a line of JSON, as in `joined` and `client: {id}`. */
function eventRow(line: string): Row {
  const { event, time: _, ...fields } = JSON.parse(line);
  return [event, formatFields(fields)];
}

function formatFields(fields: object): string {
  return Object.entries(fields).map(([name, value]) => {
    if (Array.isArray(value)) return `${name}: [{${formatFields(value[0])}}]`;
    return typeof value === "object" ? `${name}: {${formatFields(value)}}` : name;
  }).join(", ");
}

/** An event of each kind, so that a new kind fails the check of types. */
type Samples<Event extends { kind: string }> = {
  [Kind in Event["kind"]]: Event & { kind: Kind };
};

const DATE = new Date(0);
const KEY = new Uint8Array(32);
const ADDRESS = { hostname: "192.0.2.1", port: 7070 };
const PEER = { id: 2, name: "bob", key: KEY };
const BOB = { peer: 2, name: "bob" };

const CLIENT_EVENTS: Samples<ClientEvent> = {
  registered: {
    kind: "registered",
    id: 1,
    name: "ana",
    lostName: "",
    address: ADDRESS,
    server: "localhost",
    serverAddress: ADDRESS,
    serverKey: KEY,
  },
  serverQuiet: { kind: "serverQuiet", server: "localhost", start: undefined },
  serverLost: { kind: "serverLost", server: "localhost" },
  serverBack: { kind: "serverBack", server: "localhost" },
  serverUnavailable: { kind: "serverUnavailable", server: "localhost" },
  serverMoved: {
    kind: "serverMoved",
    server: "localhost",
    address: ADDRESS,
    before: ADDRESS,
    why: "silent",
  },
  requesting: { kind: "requesting", peer: 2, name: "bob", attempt: 1, nextInMs: 10_000 },
  ringing: { kind: "ringing", peer: 2, name: "bob" },
  unanswered: { kind: "unanswered", peer: 2, name: "bob", by: "peer" },
  entry: { kind: "entry" },
  inactive: { kind: "inactive", peer: 2 },
  rejected: { kind: "rejected", peer: 2, name: "bob", reason: 0 },
  cancelled: { kind: "cancelled", peer: 2, name: "bob" },
  request: { kind: "request", peer: 2, name: "bob", key: KEY },
  requestEnded: { kind: "requestEnded", peer: 2, name: "bob", why: "expired" },
  connected: { kind: "connected", peer: 2, name: "bob", key: KEY, hash: KEY, path: "direct" },
  path: { kind: "path", ...BOB, path: "direct", before: "carried", address: ADDRESS },
  returned: { kind: "returned", who: "peer", peer: 2, name: "bob", key: KEY, hash: KEY },
  notReturned: { kind: "notReturned", peer: 2, name: "bob" },
  renewed: { kind: "renewed", peer: 2, hash: KEY },
  current: { kind: "current", peer: 2, name: "bob", why: "chosen" },
  identity: {
    kind: "identity",
    peer: 2,
    name: "bob",
    fingerprint: "",
    known: "new",
    isOwn: false,
    formerName: "",
    lastSeen: undefined,
  },
  sent: { kind: "sent", peer: 2, textSeq: 0 },
  delivered: { kind: "delivered", peer: 2, textSeq: 0, rttMs: 1 },
  unconfirmed: { kind: "unconfirmed", peer: 2, textSeq: 0 },
  message: { kind: "message", peer: 2, name: "bob", textSeq: 0, text: "hello" },
  terminated: { kind: "terminated", peer: 2, name: "bob", by: "local", undelivered: 0 },
  list: { kind: "list", clients: [PEER] },
  requests: {
    kind: "requests",
    pending: [PEER],
    missed: [{ ...PEER, why: "busy", times: 1, agoMs: 0 }],
  },
  left: { kind: "left", undelivered: 0, acknowledged: true },
  error: { kind: "error", code: "usage", message: "" },
};

const EVE = { id: 3, name: "eve", fingerprint: "" };

const ANSWERS: Samples<AnswerEvent> = {
  fingerprint: { kind: "fingerprint", fingerprint: "", file: "identity" },
  verify: { kind: "verify", peer: 2, name: "bob", digits: "" },
  trust: { kind: "trust", client: EVE },
  block: { kind: "block", client: EVE },
  unblock: { kind: "unblock", client: EVE },
  blocked: { kind: "blocked", clients: [EVE] },
  reject: { kind: "reject", peer: 2, name: "bob" },
  log: { kind: "log", file: "chat.txt" },
  help: { kind: "help", text: "" },
  show: { kind: "show", text: "" },
};

const CLIENT = { id: 1, name: "ana", address: ADDRESS, joinedAt: 0 };

const SERVER_EVENTS: Samples<Output> = {
  listening: { kind: "listening", address: ADDRESS, fingerprint: "" },
  joined: { kind: "joined", client: CLIENT },
  moved: { kind: "moved", client: CLIENT },
  left: { kind: "left", client: CLIENT },
  expired: { kind: "expired", client: CLIENT },
  displaced: { kind: "displaced", client: CLIENT },
  table: { kind: "table", size: 1, clients: [CLIENT] },
  totals: {
    kind: "totals",
    totals: {
      ...{ clients: 1, registrations: 1, lookUps: 0, introductions: 0 },
      ...{ carriedDatagrams: 0, carriedBytes: 0, refused: { full: 1 }, dropped: { size: 1 } },
    },
  },
  error: { kind: "error", code: "portInUse", message: "" },
};

const LARGE_TABLE = { kind: "table", size: TABLE_ROWS_MAX + 1, clients: [] } as const;

const ERROR_CODES: Readonly<Record<ErrorCode, true>> = {
  serverTimeout: true,
  serverUnavailable: true,
  refused: true,
  version: true,
  serverKey: true,
  peerKey: true,
  peerTimeout: true,
  notRegistered: true,
  notConnected: true,
  noRequest: true,
  alreadyConnected: true,
  alreadyRequesting: true,
  tooManyConnections: true,
  self: true,
  unknownPeer: true,
  knownPeers: true,
  log: true,
  encoding: true,
  tooLong: true,
  queueFull: true,
  timeout: true,
  usage: true,
};

const CHECKS: Readonly<Record<Check, true>> = {
  identity: true,
  host: true,
  socket: true,
  directory: true,
  version: true,
  key: true,
  address: true,
  roundTrip: true,
  mapping: true,
  ipv6: true,
  calls: true,
  leave: true,
};

Deno.test("the manual lists the options", () => {
  assertTable("client.md", "option", optionCells(CLIENT_OPTIONS));
  assertTable("directory.md", "option", optionCells(SERVER_OPTIONS));
  assertTable("doctor.md", "option", optionCells(DOCTOR_OPTIONS));
});

Deno.test("the manual lists the settings of the configuration file", () => {
  const rows = Object.entries(SETTINGS).map(([key, { option }]) => [
    key,
    `--${CLIENT_OPTIONS[option].name}`,
  ]);
  assertTable("client.md", "setting", rows);
});

Deno.test("the manual lists the commands", () => {
  const rows = COMMANDS.map((spec) => [usage(spec), spec.help, spec.example]);
  assertTable("client.md", "command", rows);
});

Deno.test("the manual lists the fields of commands as JSON", () => {
  const commands = COMMANDS.filter(({ name }) => name !== "@");
  const rows = commands.map(({ name, argument }) => [name, JSON_FIELDS[argument].join(", ")]);
  assertTable("json.md", "command", rows);
});

Deno.test("the manual lists the keys", () => {
  assertTable("client.md", "key   ", KEYS_HELP);
});

Deno.test("the manual lists the marks of messages", () => {
  assertTable("client.md", "mark", Object.values(MARKS).map((mark) => [mark]));
});

Deno.test("the manual lists the exit statuses", () => {
  const rowsOf = (lines: typeof EXIT_STATUS_HELP): Row[] =>
    lines.map(([status, help]) => [`${status}`, help]);
  assertTable("scripts.md", "exit status", rowsOf(EXIT_STATUS_HELP));
  assertTable("doctor.md", "exit status", rowsOf(DOCTOR_STATUS_HELP));
});

Deno.test("the manual lists the events of the client and their fields", () => {
  const lines = Object.values(CLIENT_EVENTS).map((event) => renderClientJson(event, DATE));
  assertTable("json.md", "client event", lines.filter((line) => line !== undefined).map(eventRow));
});

Deno.test("the manual lists the answers of the client and their fields", () => {
  const lines = Object.values(ANSWERS).map((event) => renderClientJson(event, DATE)!);
  assertTable("json.md", "answer", lines.map(eventRow));
});

Deno.test("the manual lists the events of the directory and their fields", () => {
  const lines = [...Object.values(SERVER_EVENTS), LARGE_TABLE].map((event) =>
    renderServerJson(event, { now: 0, toDate: () => DATE })
  );
  assertTable("json.md", "server event", lines.map(eventRow));
});

Deno.test("the manual lists the error codes", () => {
  assertTable("json.md", "error code", Object.keys(ERROR_CODES).map((code) => [code]));
});

Deno.test("the manual lists the doctor's checks", () => {
  assertTable("doctor.md", "check", Object.keys(CHECKS).map((check) => [check]));
});

Deno.test("the manual lists the limits of the directory's file", () => {
  const rows = Object.values(LIMITS).map((limit) => [
    ...[limit.name, formatRate(limit.default), limit.help],
  ]);
  assertTable("directory.md", "limit", rows);
});

Deno.test("the manual lists the events of the directory's log", () => {
  const events: Readonly<Record<LogEvent, true>> = {
    started: true,
    metrics: true,
    stopping: true,
    stopped: true,
    failed: true,
    reloaded: true,
    notReloaded: true,
    identity: true,
    addresses: true,
    output: true,
    full: true,
    limit: true,
    socket: true,
    storeUp: true,
    storeDown: true,
    otherSettings: true,
    client: true,
  };
  assertTable("directory.md", "log event", Object.keys(events).map((event) => [event]));
});

Deno.test("the manual lists the metrics of the directory, and why it refuses", () => {
  const metrics = directoryMetrics(IDLE);
  assertTable("directory.md", "metric", metrics.map(({ name, type }) => [name, type]));
  assertTable("directory.md", "refusal", REFUSAL_NAMES.map((reason) => [reason]));
});

Deno.test("the manual lists what the directory's count of dropped datagrams is made of", () => {
  assertTable("directory.md", "reason", DROP_REASONS.map((reason) => [reason]));
});

Deno.test("the manual installs a clone with the permissions of the executable", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/install.md", import.meta.url));
  const [install = ""] = /^deno install (?:.*\\\r?\n)*/m.exec(page) ?? [];
  const allowed = (command: string): string[] => command.match(/--allow-\S+/g) ?? [];
  assertEquals(allowed(install), allowed(config.tasks.compile.command));
});
