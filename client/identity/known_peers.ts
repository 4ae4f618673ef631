/**
 * Known peers: the keys and names of the clients that the user talked with or blocked, as text.
 *
 * The file is one of `known_keys.ts`:
 *
 * ```
 * # udp-chat known_peers 1
 * 8520f009…4eeaa9b4e6a 2026-01-02T09:05:07Z 2026-03-04T10:20:30Z known bob
 * de9edb7d…4f2bcf882b4f - - blocked eve
 * ```
 *
 * The dates are those of the first and the last connection. A key is `known`; `untrusted` where it
 * came under a name that another key has, until the user trusts one of the two; or `blocked` where
 * its requests do not ring. The name is its last one.
 *
 * @module
 */
import { skeleton } from "../../protocol/name/look_alike.ts";
import { goodName, nameKey } from "../../protocol/name/name.ts";
import { type Result, success } from "../../protocol/result.ts";
import { formatDate, formatKeyLines, type KeyLine, parseKeyLines } from "./known_keys.ts";

/** Keys that are remembered; beyond that, the least recently seen one is forgotten. */
export const KNOWN_PEERS_MAX = 5000;

const TITLE = "udp-chat known_peers";

/** What is remembered of a key. */
export interface KnownPeer {
  /** In hexadecimal. */
  readonly key: string;
  /** Its last name, empty for none. */
  readonly name: string;
  /** When it was first and last connected, in ISO 8601; undefined for one that was only blocked. */
  readonly firstSeen: string | undefined;
  readonly lastSeen: string | undefined;
  readonly isBlocked: boolean;
  /** Whether it came under the name of another key, and was not trusted. */
  readonly isUntrusted: boolean;
}

/** What is known of a key and a name that it uses. */
export type Recognition =
  /** The key is known, by the name `formerName`. */
  | { known: "same"; formerName: string }
  | { known: "new" }
  /** Another key had the name, or `similarName`, which looks the same, and was last connected then. */
  | { known: "changed"; similarName?: string; lastSeen: string };

/** The content of a file. */
export interface ParsedKnownPeers {
  readonly content: KnownPeers;
  /** The numbers of the lines that cannot be parsed. */
  readonly badLines: readonly number[];
}

/** All keys that are remembered. */
export class KnownPeers {
  /** By key, the most recent one last. */
  readonly #peers = new Map<string, KnownPeer>();
  /** By name. */
  readonly #skeletons = new Map<string, string>();
  /** Comments, and lines that cannot be parsed. */
  #keptLines: readonly string[] = [];

  /** Parses the text of a file; fails for one of another version, which must not be overwritten. */
  static parse(text: string): Result<ParsedKnownPeers> {
    const parsed = parseKeyLines(text, TITLE, toPeer);
    if (!parsed.ok) return parsed;
    const { entries, keptLines, badLines } = parsed.value;
    const peers = new KnownPeers();
    peers.#keptLines = keptLines;
    for (const peer of entries) peers.#merge(peer);
    return success({ content: peers, badLines });
  }

  /** Makes the text of the file. */
  format(): string {
    return formatKeyLines(TITLE, this.#keptLines, Array.from(this.#peers.values(), toLine));
  }

  /** All of them. */
  list(): KnownPeer[] {
    return [...this.#peers.values()];
  }

  /** Compares a key and the name that it uses with the known ones. */
  recognize(key: string, name: string): Recognition {
    const peer = this.#peers.get(key);
    const isKnown = peer !== undefined && isTrusted(peer);
    if (isKnown && isSameName(peer.name, name)) return { known: "same", formerName: peer.name };
    const other = name === "" ? undefined : this.#latestLike(key, name);
    if (other?.lastSeen !== undefined) {
      const changed = { known: "changed" as const, lastSeen: other.lastSeen };
      return isSameName(other.name, name) ? changed : { ...changed, similarName: other.name };
    }
    return isKnown ? { known: "same", formerName: peer.name } : { known: "new" };
  }

  /** The peer with another key and a name that is or looks the same: of several, the last seen. */
  #latestLike(key: string, name: string): KnownPeer | undefined {
    const [wanted, looks] = [nameKey(name), skeleton(name)];
    let latest: KnownPeer | undefined;
    for (const peer of this.#peers.values()) {
      if (peer.key === key || peer.lastSeen === undefined || peer.isUntrusted) continue;
      if (peer.name === "") continue;
      if (nameKey(peer.name) !== wanted && this.#skeletonOf(peer.name) !== looks) continue;
      if (peer.lastSeen > (latest?.lastSeen ?? "")) latest = peer;
    }
    return latest;
  }

  /** The skeleton of a remembered name, which takes long to make. */
  #skeletonOf(name: string): string {
    let made = this.#skeletons.get(name);
    if (made !== undefined) return made;
    if (this.#skeletons.size >= KNOWN_PEERS_MAX) this.#skeletons.clear();
    made = skeleton(name);
    this.#skeletons.set(name, made);
    return made;
  }

  /** Whether a connection with this key was accepted before; a key may be blocked without that. */
  isKnown(key: string): boolean {
    const peer = this.#peers.get(key);
    return peer !== undefined && isTrusted(peer);
  }

  /** Records that a connection with this key was accepted. */
  recordConnection(key: string, name: string, date: Date): void {
    const lastSeen = formatDate(date);
    const before = this.#peers.get(key);
    const isBlocked = before?.isBlocked ?? false;
    const firstSeen = before?.firstSeen ?? lastSeen;
    this.#put({ key, name: goodName(name), firstSeen, lastSeen, isBlocked, isUntrusted: false });
  }

  /** Records a connection with a key that came under the name of another: both are kept. */
  recordUntrusted(key: string, name: string, date: Date): void {
    const lastSeen = formatDate(date);
    const before = this.#peers.get(key);
    // It keeps the name that it is trusted by, and a block.
    if (before !== undefined && (before.isBlocked || isTrusted(before))) return;
    const firstSeen = before?.firstSeen ?? lastSeen;
    const states = { isBlocked: false, isUntrusted: true };
    this.#put({ key, name: goodName(name), firstSeen, lastSeen, ...states });
  }

  /** Trusts a key under these names; the other keys that have one of them are forgotten. */
  trust(key: string, names: readonly string[], date: Date): void {
    const given = names.filter((name) => goodName(name) !== "");
    for (const peer of [...this.#peers.values()]) {
      const isRival = peer.key !== key && given.some((name) => isSameName(peer.name, name));
      if (isRival) this.#forget(peer);
    }
    this.recordConnection(key, given[0] ?? "", date);
  }

  /** Whether this key is blocked. */
  isBlocked(key: string): boolean {
    return this.#peers.get(key)?.isBlocked ?? false;
  }

  /** Blocks this key: its requests do not ring. */
  block(key: string, name: string): void {
    const before = this.#peers.get(key);
    const known = before !== undefined && isTrusted(before) ? before : undefined;
    const { firstSeen, lastSeen } = { firstSeen: undefined, lastSeen: undefined, ...known };
    const named = before?.name ?? goodName(name);
    this.#put({ key, name: named, firstSeen, lastSeen, isBlocked: true, isUntrusted: false });
  }

  /** Unblocks this key. */
  unblock(key: string): void {
    const peer = this.#peers.get(key);
    if (peer === undefined) return;
    if (peer.lastSeen === undefined) this.#peers.delete(key);
    else this.#peers.set(key, { ...peer, isBlocked: false });
  }

  /** Forgets that a key was met; a block stays. */
  #forget(peer: KnownPeer): void {
    if (!peer.isBlocked) this.#peers.delete(peer.key);
    else this.#peers.set(peer.key, { ...peer, firstSeen: undefined, lastSeen: undefined });
  }

  #put(peer: KnownPeer): void {
    this.#peers.delete(peer.key);
    this.#peers.set(peer.key, peer);
    if (this.#peers.size > KNOWN_PEERS_MAX) this.#forgetOne(peer.key);
  }

  /**
   * Untrusted keys go first, and blocked ones last: a client that uses many keys must not get others
   * forgotten, or a block undone.
   */
  #forgetOne(newest: string): void {
    let oldest: KnownPeer | undefined;
    for (const peer of this.#peers.values()) {
      if (peer.key === newest) continue;
      if (oldest === undefined || isForgottenBefore(peer, oldest)) oldest = peer;
    }
    if (oldest !== undefined) this.#peers.delete(oldest.key);
  }

  /** Adds the peer of a line; a file that was edited may have two lines for one key. */
  #merge(peer: KnownPeer): void {
    this.#put({ ...peer, isBlocked: peer.isBlocked || this.isBlocked(peer.key) });
  }
}

function isForgottenBefore(one: KnownPeer, other: KnownPeer): boolean {
  if (one.isBlocked !== other.isBlocked) return !one.isBlocked;
  if (one.isUntrusted !== other.isUntrusted) return one.isUntrusted;
  return (one.lastSeen ?? "") < (other.lastSeen ?? "");
}

/** Whether the user talked with the owner of this key, and not under the name of another. */
function isTrusted({ lastSeen, isUntrusted }: KnownPeer): boolean {
  return lastSeen !== undefined && !isUntrusted;
}

/** Whether two names are the same; so are two empty ones. */
export function isSameName(one: string, other: string): boolean {
  return nameKey(one) === nameKey(other);
}

function toPeer({ key, firstSeen, lastSeen, state, name }: KeyLine): KnownPeer | undefined {
  const isBlocked = state === "blocked";
  const isUntrusted = state === "untrusted";
  const isMet = (state === "known" || isUntrusted) && lastSeen !== undefined;
  if (!isBlocked && !isMet) return undefined;
  if (/^\d+$/.test(name)) return undefined;
  // A name that an earlier version allowed must not make its owner a stranger.
  return { key, name: goodName(name), firstSeen, lastSeen, isBlocked, isUntrusted };
}

function toLine({ isBlocked, isUntrusted, ...peer }: KnownPeer): KeyLine {
  return { ...peer, state: isBlocked ? "blocked" : isUntrusted ? "untrusted" : "known" };
}
