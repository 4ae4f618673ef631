/**
 * What directories that share a table keep in their store, and tell each other, as text.
 *
 * A client has three records in one lease: what is known of it, its address and its name. The last two
 * hold nothing: that they exist keeps others from the address and the name.
 *
 * @module
 */
import { fromHex, toHex } from "../../cli/hex.ts";
import { nameKey, nameProblem } from "../../protocol/name/name.ts";
import { ENDPOINT_SIZE } from "../../protocol/wire/endpoint_bytes.ts";
import { PUBLIC_KEY_SIZE } from "../../protocol/wire/frame.ts";
import type { Lease } from "../store/store.ts";
import { TOKEN_SECRET_SIZE } from "./entries.ts";
import type { ChangeKind, SharedKeys, SharedSettings } from "./table.ts";

/** Bytes of a session key that tell it from others. */
export const SESSION_MARK_SIZE = 8;
/** Bytes in the keys that all directories make codes with. */
export const SHARED_KEY_SIZE = 32;

/** What is known of a client. */
export interface ClientRecord {
  readonly id: number;
  readonly tokenSecret: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Empty for none. */
  readonly name: string;
  /** The address that its datagrams come from, as in `endpoint_bytes.ts`. */
  readonly endpoint: Uint8Array;
  /** That of the other family, undefined for none. */
  readonly otherEndpoint: Uint8Array | undefined;
  /** On the store's clock. */
  readonly joinedAt: number;
  /** The directory that it is registered with. */
  readonly directory: number;
  /** The first bytes of the key of its session. */
  readonly session: Uint8Array;
}

/** The keys that all directories make codes with. */
export interface KeysRecord extends SharedKeys {
  /** The time slot of the current one, on the store's clock; see `timed_mac.ts`. */
  readonly slot: number;
}

/** A name that is kept for its key. */
export interface HeldNameRecord {
  readonly name: string;
  readonly publicKey: Uint8Array;
  /** What the address of its client counts as. */
  readonly source: string;
  /** On the store's clock. */
  readonly until: number;
}

/** What a change means. */
export interface Change {
  /** The ids of clients that are gone, and why. */
  readonly gone?: readonly (readonly [id: number, kind: ChangeKind])[];
  /** A lease that is over: whoever has a client with it removes that. */
  readonly over?: Lease;
  /** A client that came or changed. */
  readonly client?: ClientRecord;
  readonly keys?: KeysRecord;
}

/** The record of the keys. */
export const KEYS_KEY = "keys";

/** The record of a client. */
export function clientKey(id: number): string {
  return `client:${id}`;
}

/** The record of a name that is kept. */
export function heldNameKey(name: string): string {
  return `held:${nameKey(name)}`;
}

/** The record of a session that has ended. */
export function spentKey(session: Uint8Array): string {
  return `spent:${toHex(session.subarray(0, SESSION_MARK_SIZE))}`;
}

/** The records of a client: that of what is known of it first. */
export function leaseOf(id: number, endpoint: Uint8Array, name: string): Lease {
  const keys = [clientKey(id), `address:${toHex(endpoint)}`];
  return name === "" ? keys : [...keys, `name:${nameKey(name)}`];
}

/** The id of the client whose lease it is, undefined where it is of none. */
export function idOfLease([first = ""]: Lease): number | undefined {
  const id = /^client:(\d{1,10})$/.exec(first)?.[1];
  return id === undefined ? undefined : Number(id);
}

/** Which kind of record a key names, and what follows in it. */
export function parseKey(key: string): [kind: string, rest: string] {
  const at = key.indexOf(":");
  return at < 0 ? [key, ""] : [key.slice(0, at), key.slice(at + 1)];
}

/** A client as text. */
export function encodeClient(client: ClientRecord): string {
  return JSON.stringify(clientToJson(client));
}

/** A client from text; undefined where it is none. */
export function decodeClient(text: string): ClientRecord | undefined {
  return clientFromJson(parse(text));
}

/** Keys as text. */
export function encodeKeys(keys: KeysRecord): string {
  return JSON.stringify(keysToJson(keys));
}

/** Keys from text; undefined where it has none. */
export function decodeKeys(text: string): KeysRecord | undefined {
  return keysFromJson(parse(text));
}

/** A name as text. */
export function encodeHeldName({ name, publicKey, source, until }: HeldNameRecord): string {
  return JSON.stringify({ name, key: toHex(publicKey), source, until });
}

/** A name from text; undefined where it is none. */
export function decodeHeldName(text: string): HeldNameRecord | undefined {
  const { name, key, source, until } = parse(text);
  const publicKey = bytesFrom(key, PUBLIC_KEY_SIZE);
  const isValid = isName(name) && publicKey !== undefined && typeof source === "string" &&
    isNumber(until);
  return isValid ? { name, publicKey, source, until } : undefined;
}

/** A change as text. */
export function encodeChange({ gone, over, client, keys }: Change): string {
  return JSON.stringify({
    gone,
    over,
    client: client && clientToJson(client),
    keys: keys && keysToJson(keys),
  });
}

/** A change from text. What is wrong in it is left out. */
export function decodeChange(text: string): Change {
  const { gone, over, client, keys } = parse(text);
  const [clientRecord, keysRecord] = [clientFromJson(client), keysFromJson(keys)];
  return {
    gone: Array.isArray(gone) ? gone.filter(isGone) : [],
    ...isLease(over) && { over },
    ...clientRecord && { client: clientRecord },
    ...keysRecord && { keys: keysRecord },
  };
}

/** A frame for a client of another directory, as text; `bytes` are those of the frame. */
export function encodeMessage(id: number, bytes: Uint8Array): string {
  return `${id} ${btoa(String.fromCharCode(...bytes))}`;
}

/** The client that a frame is for, and its bytes; undefined where the text is none. */
export function decodeMessage(text: string): [id: number, bytes: Uint8Array] | undefined {
  const [, id, encoded] = /^(\d{1,10}) ([A-Za-z0-9+/]{0,2000}={0,2})$/.exec(text) ?? [];
  if (id === undefined || encoded === undefined || encoded.length % 4 !== 0) return undefined;
  return [Number(id), Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0))];
}

type Json = Readonly<Record<string, unknown>>;

function clientToJson(client: ClientRecord): Json {
  const { id, name, joinedAt, directory, otherEndpoint } = client;
  return {
    id,
    name,
    key: toHex(client.publicKey),
    token: toHex(client.tokenSecret),
    at: toHex(client.endpoint),
    also: otherEndpoint && toHex(otherEndpoint),
    joinedAt,
    directory,
    session: toHex(client.session),
  };
}

function clientFromJson(json: unknown): ClientRecord | undefined {
  if (!isObject(json)) return undefined;
  const { id, name, joinedAt, directory } = json;
  const publicKey = bytesFrom(json.key, PUBLIC_KEY_SIZE);
  const tokenSecret = bytesFrom(json.token, TOKEN_SECRET_SIZE);
  const endpoint = bytesFrom(json.at, ENDPOINT_SIZE);
  const otherEndpoint = bytesFrom(json.also, ENDPOINT_SIZE);
  const session = bytesFrom(json.session, SESSION_MARK_SIZE);
  const isWhole = isId(id) && (name === "" || isName(name)) && isNumber(joinedAt) &&
    isId(directory) && publicKey && tokenSecret && endpoint && session;
  if (!isWhole) return undefined;
  const [of, at] = [{ id, name, joinedAt, directory }, { endpoint, otherEndpoint }];
  return { ...of, ...at, publicKey, tokenSecret, session };
}

function keysToJson({ current, previous, slot, settings }: KeysRecord): Json {
  const key = settings && toHex(settings.publicKey);
  const shared = settings && { ...settings, publicKey: undefined, key };
  return { current: toHex(current), previous: toHex(previous), slot, settings: shared };
}

function keysFromJson(json: unknown): KeysRecord | undefined {
  if (!isObject(json)) return undefined;
  const { slot } = json;
  const current = bytesFrom(json.current, SHARED_KEY_SIZE);
  const previous = bytesFrom(json.previous, SHARED_KEY_SIZE);
  if (current === undefined || previous === undefined || !isNumber(slot)) return undefined;
  const settings = settingsFromJson(json.settings);
  return { current, previous, slot, ...settings && { settings } };
}

function settingsFromJson(json: unknown): SharedSettings | undefined {
  if (!isObject(json)) return undefined;
  const { maxClients, maxPerSource, lease, nameHold } = json;
  const publicKey = bytesFrom(json.key, PUBLIC_KEY_SIZE);
  const isWhole = isNumber(maxClients) && isNumber(lease) && isNumber(nameHold) &&
    (maxPerSource === undefined || isNumber(maxPerSource));
  if (!isWhole || publicKey === undefined) return undefined;
  return {
    publicKey,
    maxClients,
    lease,
    nameHold,
    ...maxPerSource !== undefined && { maxPerSource },
  };
}

function parse(text: string): Json {
  try {
    const json: unknown = JSON.parse(text);
    return isObject(json) ? json : {};
  } catch {
    return {};
  }
}

function isObject(json: unknown): json is Json {
  return typeof json === "object" && json !== null;
}

function bytesFrom(json: unknown, size: number): Uint8Array | undefined {
  return typeof json === "string" ? fromHex(json, size) : undefined;
}

function isNumber(json: unknown): json is number {
  return Number.isSafeInteger(json);
}

function isId(json: unknown): json is number {
  return isNumber(json) && json > 0 && json <= 0xffff_ffff;
}

function isName(json: unknown): json is string {
  return typeof json === "string" && nameProblem(json) === undefined;
}

function isLease(json: unknown): json is Lease {
  return Array.isArray(json) && json.every((key) => typeof key === "string");
}

const GONE_KINDS: readonly unknown[] = ["left", "expired", "displaced"] satisfies ChangeKind[];

function isGone(json: unknown): json is [number, ChangeKind] {
  return Array.isArray(json) && isId(json[0]) && GONE_KINDS.includes(json[1]);
}
