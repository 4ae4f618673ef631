/**
 * Questions as the commands of Redis, and inputs from what it sends.
 *
 * @module
 */
import { PREFIX, type ScriptName } from "./scripts.ts";
import type {
  CommitQuestion,
  Lease,
  LoadQuestion,
  StoreInput,
  StoreQuestion,
  StoreRecord,
} from "./store.ts";

/** A question that is answered, by a script. */
export type ScriptQuestion = Exclude<StoreQuestion, { kind: "send" }>;

/** Where changes and messages are published: channels know no databases, so they name theirs. */
export interface Channels {
  readonly changes: string;
  /** Of what is sent to a directory. */
  messagesTo(directory: number): string;
}

/** The channels of a database. */
export function channelsOf(database: number): Channels {
  return {
    changes: `${PREFIX}${database}:changes`,
    messagesTo: (directory) => `${PREFIX}${database}:to:${directory}`,
  };
}

/** The script that answers a question, and its arguments. */
export function scriptCall(
  question: ScriptQuestion,
  { changes }: Channels,
): { name: ScriptName; args: string[] } {
  const name = question.kind;
  switch (question.kind) {
    case "commit":
      return { name, args: [changes, ...commitArguments(question)] };
    case "renew":
      return { name, args: [`${question.ttl}`, ...question.leases.map(nameOf)] };
    case "due":
      return { name, args: [] };
    case "load":
      return { name, args: [question.cursor === "" ? "0" : question.cursor] };
  }
}

function commitArguments(question: CommitQuestion): string[] {
  const { checks, over, removes, puts, lease, change } = question;
  return [
    change,
    lease === undefined ? "" : nameOf(lease.keys),
    `${lease?.ttl ?? ""}`,
    `${checks.length}`,
    ...checks.flatMap(([key, version]) => [key, `${version}`]),
    `${over.length}`,
    ...over.map(nameOf),
    `${removes.length}`,
    ...removes.map(nameOf),
    `${puts.length}`,
    ...puts.flatMap(({ key, value, ttl }) => [key, value, `${ttl ?? ""}`]),
  ];
}

/** The input that a script's reply is, undefined where it is none: something else writes there, too. */
export function readReply(question: ScriptQuestion, reply: unknown): StoreInput | undefined {
  if (!Array.isArray(reply)) return undefined;
  switch (question.kind) {
    case "commit": {
      const [isDone, last] = [reply[0] === 1, readWhole(reply[1])];
      return last && { kind: "commit", number: question.number, isDone, last: last.value };
    }
    case "renew": {
      const missing = reply.map((index) => question.leases[index]).filter((each) => !!each);
      return { kind: "renew", missing };
    }
    case "due": {
      const [last, ...names] = reply;
      const leases = names.map(readLease).filter((each) => each !== undefined);
      const read = readWhole(last);
      return read && { kind: "due", number: question.number, leases, last: read.value };
    }
    case "load":
      return readPage(question, reply);
  }
}

/** The change in a message of that channel, undefined where it is none. */
export function readChange(message: string): StoreInput | undefined {
  const [, first, second, change] = /^(\d+) (\d+) (.*)$/s.exec(message) ?? [];
  const [number, time] = [readWhole(first), readWhole(second)];
  if (number === undefined || time === undefined || change === undefined) return undefined;
  return { kind: "change", number: number.value, time: time.value, change };
}

function readPage({ number }: LoadQuestion, reply: readonly unknown[]): StoreInput | undefined {
  const [cursor, clock, ...rest] = reply;
  const time = readWhole(clock);
  if (typeof cursor !== "string" || time === undefined) return undefined;
  const records: StoreRecord[] = [];
  for (let i = 0; i + 1 < rest.length; i += 2) {
    const record = readRecord(rest[i], rest[i + 1]);
    if (record !== undefined) records.push(record);
  }
  return { kind: "page", number, records, cursor: cursor === "0" ? "" : cursor, time: time.value };
}

function readRecord(key: unknown, text: unknown): StoreRecord | undefined {
  if (typeof key !== "string" || typeof text !== "string") return undefined;
  const [, digits, value] = /^(\d+) (.*)$/s.exec(text) ?? [];
  const version = readWhole(digits);
  return version && value !== undefined ? { key, version: version.value, value } : undefined;
}

function nameOf(lease: Lease): string {
  return JSON.stringify(lease);
}

function readLease(name: unknown): Lease | undefined {
  try {
    const keys: unknown = JSON.parse(String(name));
    const isLease = Array.isArray(keys) && keys.every((key) => typeof key === "string");
    return isLease ? keys : undefined;
  } catch {
    return undefined;
  }
}

/** A whole number that is exact, in an object because 0 is one. */
function readWhole(text: unknown): { readonly value: number } | undefined {
  if (typeof text !== "string" || !/^\d+$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? { value } : undefined;
}
