/**
 * Who is known: the keys and names of the clients that the user talked with or blocked, as text.
 *
 * The file has a line for each key, with five fields, one space between two:
 *
 * ```
 * # udp-chat known_peers 1
 * 8520f009…4eeaa9b4e6a 2026-01-02T09:05:07Z 2026-03-04T10:20:30Z known bob
 * de9edb7d…4f2bcf882b4f - - blocked eve
 * ```
 *
 * 1. the static public key: 32 bytes in hexadecimal
 * 2. when a connection with this key was accepted first, in UTC; `-` for never
 * 3. when one was accepted last; `-` for never
 * 4. `known`, or `blocked` where its requests do not ring
 * 5. the name that it had last; left out, with its space, where it had none
 *
 * The first line names the format and its version. Other lines that begin with `#`, and lines that
 * cannot be understood, are kept as they are.
 *
 * @module
 */
import { nameKey, nameProblem } from "../../protocol/directory/name.ts";
import { KEY_SIZE } from "../../protocol/crypto/x25519.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import { fromHex } from "./hex.ts";

/** Keys that are remembered; beyond them the one that was seen least lately is forgotten. */
export const KNOWN_PEERS_MAX = 5000;
/** Bytes in the largest file that is read. */
export const KNOWN_PEERS_SIZE_MAX = 4 * 1024 * 1024;

const TITLE = "# udp-chat known_peers";
const VERSION = "1";

/** What is remembered of a key. */
export interface KnownPeer {
  /** In hexadecimal. */
  readonly key: string;
  /** The name that it had last, empty for none. */
  readonly name: string;
  /** When it was met first and last, in ISO 8601; undefined for one that was only blocked. */
  readonly firstSeen: string | undefined;
  readonly lastSeen: string | undefined;
  readonly isBlocked: boolean;
}

/** What is known of a key that uses a name. */
export type Recognition =
  /** The key was met before; `formerName`: under that name. */
  | { known: "same"; formerName: string }
  | { known: "new" }
  /** The name was another key's when that was met last. */
  | { known: "changed"; lastSeen: string };

/** The content of a file. */
export interface ParsedKnownPeers {
  readonly peers: KnownPeers;
  /** The numbers of the lines that cannot be parsed. */
  readonly badLines: readonly number[];
}

/** Everybody that is remembered. */
export class KnownPeers {
  /** By key, the one that was met last at the end. */
  readonly #peers = new Map<string, KnownPeer>();
  /** Comments, and lines that cannot be understood. */
  readonly #keptLines: string[] = [];

  /** Parses the text of a file; fails for one of another version, which must not be overwritten. */
  static parse(text: string): Result<ParsedKnownPeers> {
    const peers = new KnownPeers();
    const badLines: number[] = [];
    for (const [index, row] of text.split("\n").entries()) {
      const line = row.replace(/\r$/, "");
      const version = index === 0 ? /^# udp-chat known_peers (\S+)$/.exec(line)?.[1] : undefined;
      if (version !== undefined && version !== VERSION) {
        return failure(`it is of version ${version}`);
      }
      if (line === "" || version !== undefined) continue;
      const peer = line.startsWith("#") ? undefined : parseLine(line);
      if (peer !== undefined) peers.#merge(peer);
      else peers.#keptLines.push(line);
      if (peer === undefined && !line.startsWith("#")) badLines.push(index + 1);
    }
    return success({ peers, badLines });
  }

  /** The text of the file. */
  format(): string {
    const lines = Array.from(this.#peers.values(), formatLine);
    return [`${TITLE} ${VERSION}`, ...this.#keptLines, ...lines, ""].join("\n");
  }

  /** All of them. */
  list(): KnownPeer[] {
    return [...this.#peers.values()];
  }

  /** What is known of a key that uses this name. */
  recognise(key: string, name: string): Recognition {
    const peer = this.#peers.get(key);
    const isMet = peer?.lastSeen !== undefined;
    if (isMet && isSameName(peer.name, name)) return { known: "same", formerName: peer.name };
    let lastSeen: string | undefined;
    for (const other of this.#peers.values()) {
      if (other.key === key || other.lastSeen === undefined) continue;
      if (name === "" || !isSameName(other.name, name)) continue;
      if (lastSeen === undefined || other.lastSeen > lastSeen) lastSeen = other.lastSeen;
    }
    if (lastSeen !== undefined) return { known: "changed", lastSeen };
    return isMet ? { known: "same", formerName: peer.name } : { known: "new" };
  }

  /** Whether a connection with this key was accepted before. */
  isMet(key: string): boolean {
    return this.#peers.get(key)?.lastSeen !== undefined;
  }

  /** Notes that a connection with this key was accepted. */
  meet(key: string, name: string, date: Date): void {
    const lastSeen = formatDate(date);
    const before = this.#peers.get(key);
    const isBlocked = before?.isBlocked ?? false;
    const firstSeen = before?.firstSeen ?? lastSeen;
    this.#put({ key, name: goodName(name), firstSeen, lastSeen, isBlocked });
  }

  /** Whether this key's requests are not to ring. */
  isBlocked(key: string): boolean {
    return this.#peers.get(key)?.isBlocked ?? false;
  }

  /** Keeps this key's requests from ringing. */
  block(key: string, name: string): void {
    const met = this.#peers.get(key) ??
      { key, name: goodName(name), firstSeen: undefined, lastSeen: undefined };
    this.#put({ ...met, isBlocked: true });
  }

  /** Lets this key's requests ring again. */
  unblock(key: string): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    if (peer.lastSeen === undefined) this.#peers.delete(key);
    else this.#peers.set(key, { ...peer, isBlocked: false });
  }

  #put(peer: KnownPeer): void {
    this.#peers.delete(peer.key);
    this.#peers.set(peer.key, peer);
    if (this.#peers.size > KNOWN_PEERS_MAX) this.#forgetOne(peer.key);
  }

  /** Blocked keys go last: whoever shows up with many keys must not get a block undone. */
  #forgetOne(newest: string): void {
    let oldest: KnownPeer | undefined;
    for (const peer of this.#peers.values()) {
      if (peer.key === newest) continue;
      if (oldest === undefined || isForgottenBefore(peer, oldest)) oldest = peer;
    }
    if (oldest !== undefined) this.#peers.delete(oldest.key);
  }

  /** Takes a line; two for one key may come from an editor. */
  #merge(peer: KnownPeer): void {
    this.#put({ ...peer, isBlocked: peer.isBlocked || this.isBlocked(peer.key) });
  }
}

function isForgottenBefore(one: KnownPeer, other: KnownPeer): boolean {
  if (one.isBlocked !== other.isBlocked) return !one.isBlocked;
  return (one.lastSeen ?? "") < (other.lastSeen ?? "");
}

/** Whether two names are the same; having none is a name here. */
export function isSameName(one: string, other: string): boolean {
  return nameKey(one) === nameKey(other);
}

const LINE =
  /^(?<key>\S+) (?<firstSeen>\S+) (?<lastSeen>\S+) (?<state>known|blocked)(?: (?<name>\S+))?$/;

function parseLine(line: string): KnownPeer | undefined {
  const { key = "", firstSeen, lastSeen, state, name = "" } = LINE.exec(line)?.groups ?? {};
  if (firstSeen === undefined || lastSeen === undefined) return undefined;
  if (fromHex(key, KEY_SIZE) === undefined) return undefined;
  if (name !== "" && nameProblem(name) !== undefined) return undefined;
  const isBlocked = state === "blocked";
  if (firstSeen === "-" && lastSeen === "-" && isBlocked) {
    return { key, name, firstSeen: undefined, lastSeen: undefined, isBlocked };
  }
  return isDate(firstSeen) && isDate(lastSeen)
    ? { key, name, firstSeen, lastSeen, isBlocked }
    : undefined;
}

function formatLine({ key, name, firstSeen, lastSeen, isBlocked }: KnownPeer): string {
  const fields = [key, firstSeen ?? "-", lastSeen ?? "-", isBlocked ? "blocked" : "known", name];
  return fields.join(" ").trimEnd();
}

function isDate(text: string): boolean {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text) && !Number.isNaN(Date.parse(text));
}

function formatDate(date: Date): string {
  return date.toISOString().replace(/\.\d+Z$/, "Z");
}

/** The name, or none where it is not a good one: it comes from the network. */
function goodName(name: string): string {
  return name !== "" && nameProblem(name) === undefined ? name : "";
}
