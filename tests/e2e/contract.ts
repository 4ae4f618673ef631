/**
 * The contract of `--json`: the fields of every event.
 *
 * It is written from the documentation, not from the code.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { JsonEvent } from "./process.ts";

type Check = (value: unknown) => boolean;
type Fields = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === "string";
const isCount: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
const isId: Check = (value) => isCount(value) && Number(value) >= 1 && Number(value) < 2 ** 32;
const isPort: Check = (value) => isId(value) && Number(value) < 2 ** 16;
const isNumber: Check = (value) =>
  typeof value === "number" && Number.isFinite(value) && value >= 0;
const isBoolean: Check = (value) => typeof value === "boolean";
const isTime: Check = (value) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) &&
  !Number.isNaN(Date.parse(value));
const isKnowledge: Check = (value) => ["same", "new", "changed"].includes(String(value));
const isFingerprint: Check = (value) => /^\d{5}( \d{5}){5}$/.test(String(value));
const isPath: Check = (value) => ["lan", "direct", "carried"].includes(String(value));
const isEnding: Check = (value) => ["local", "peer", "timeout"].includes(String(value));

const address = { host: isText, port: isPort };
/** The name only where the id is not known. */
const idOrName = { peer: optional(isId), name: optional(isText) };
const keyOfClient = { peer: optional(isId), name: isText, fingerprint: isFingerprint };
const tableClient = { id: isId, name: isText, ...address };

const CONTRACT: Readonly<Record<"server" | "client", Readonly<Record<string, Fields>>>> = {
  server: {
    listening: { ...address, fingerprint: isFingerprint },
    joined: { client: hasFields(tableClient) },
    moved: { client: hasFields(tableClient) },
    left: { client: hasFields(tableClient) },
    expired: { client: hasFields(tableClient) },
    table: { clients: isListOf(hasFields({ ...tableClient, since: isTime })) },
    tableSize: { size: isCount },
    totals: {
      ...{ clients: isCount, registrations: isCount, lookUps: isCount, introductions: isCount },
      ...{ carriedDatagrams: isCount, carriedBytes: isCount },
      refused: isListOf(hasFields({ reason: isText, count: isCount })),
      dropped: isListOf(hasFields({ reason: isText, count: isCount })),
    },
    error: { code: isText, message: isText },
  },
  client: {
    registered: {
      ...{ id: isId, name: isText, ...address },
      ...{ server: isText, serverAddress: isText, serverKey: isFingerprint },
    },
    serverQuiet: { server: isText },
    serverLost: { server: isText },
    serverBack: { server: isText },
    serverUnavailable: { server: isText },
    serverMoved: {
      server: isText,
      ...address,
      why: (value) => value === "silent" || value === "unavailable",
    },
    requesting: { peer: isId, attempt: isId, nextInMs: isNumber },
    ringing: { peer: isId },
    unanswered: { ...idOrName, by: (value) => value === "directory" || value === "peer" },
    inactive: idOrName,
    rejected: { peer: isId },
    cancelled: idOrName,
    request: { peer: isId, name: isText },
    requestEnded: { peer: isId, name: isText, why: isText },
    connected: { peer: isId, name: isText, path: isPath },
    path: { peer: isId, kind: isPath, ...address },
    returned: { peer: isId, name: isText, who: (value) => value === "peer" || value === "self" },
    current: { peer: isId, name: isText, why: isText },
    identity: { peer: isId, name: isText, fingerprint: isFingerprint, known: isKnowledge },
    sent: { peer: isId, seq: isCount },
    delivered: { peer: isId, seq: isCount, rttMs: isNumber },
    unconfirmed: { peer: isId, seq: isCount },
    message: { peer: isId, name: isText, seq: isCount, text: isText },
    terminated: { peer: isId, by: isEnding, undelivered: isCount },
    requests: {
      pending: isListOf(hasFields({ id: isId, name: isText })),
      missed: isListOf(hasFields({ id: isId, name: isText, why: isText, agoMs: isCount })),
    },
    list: { clients: isListOf(hasFields({ id: isId, name: isText })) },
    left: { undelivered: isCount, acknowledged: isBoolean },
    error: { code: isText, message: isText },
    fingerprint: { fingerprint: isFingerprint, file: optional(isText) },
    verify: { peer: isId, name: isText, digits: isFingerprint },
    trust: keyOfClient,
    block: keyOfClient,
    unblock: keyOfClient,
    blocked: { clients: isListOf(hasFields(keyOfClient)) },
    reject: { peer: isId, name: isText },
    log: { file: optional(isText) },
    help: { text: isText },
    show: { text: isText },
  },
};

/** A field that may be left out. */
function optional(check: Check): Check {
  return (value) => value === undefined || check(value);
}

function hasFields(fields: Fields): Check {
  return (value) => {
    if (typeof value !== "object" || value === null) return false;
    return Object.keys(value).every((name) => name in fields) &&
      Object.entries(fields).every(([name, check]) =>
        check((value as Record<string, unknown>)[name])
      );
  };
}

function isListOf(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check);
}

/** Checks that each event has exactly its fields, and that the times do not decrease. */
export function assertContract(side: "server" | "client", events: readonly JsonEvent[]): void {
  for (const event of events) {
    const fields = CONTRACT[side][event.event];
    assert(fields !== undefined, `No such event in the contract: ${JSON.stringify(event)}`);
    const common = { event: isText, time: isTime, ref: optional(isText) };
    const isKept = hasFields({ ...common, ...fields })(event);
    assert(isKept, `Not the fields of the contract: ${JSON.stringify(event).slice(0, 500)}`);
  }
  const times = events.map(({ time }) => time);
  assertEquals(times, times.toSorted(), "events are ordered by time");
}

/** The events without the fields that differ from run to run, to compare them. */
export function summary(events: readonly JsonEvent[]): string[] {
  return events.filter(isRepeatable).map(({ event, time: _time, ...fields }) => {
    const shown = Object.entries(fields)
      .filter(([name]) =>
        ![
          "host",
          "port",
          "server",
          "serverAddress",
          "serverKey",
          "rttMs",
          "nextInMs",
          "fingerprint",
        ].includes(name)
      )
      .map(([name, value]) => `${name}=${show(value)}`);
    return [event, ...shown].join(" ");
  });
}

/** On a busy machine a client may request twice before the peer rings. */
function isRepeatable({ event, attempt }: JsonEvent): boolean {
  return event !== "requesting" || attempt === 1;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(" ")}]`;
  if (typeof value === "object" && value !== null && "id" in value) {
    return `${value.id}${"name" in value && value.name !== "" ? `:${value.name}` : ""}`;
  }
  return String(value);
}
