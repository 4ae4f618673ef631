/**
 * How users name a peer, and which client that is.
 *
 * @module
 */
import type { Target } from "../protocol/connection/outgoing_requests.ts";
import { fingerprint, parseFingerprint } from "../protocol/crypto/fingerprint.ts";
import { nameKey, nameProblem, normalName } from "../protocol/name/name.ts";
import { failure, type Result, success } from "../protocol/result.ts";
import { shorten } from "../cli/quote.ts";

/** A client id, or a name where only that is known; a fingerprint where a command takes one. */
export type Peer = number | string;

/** The largest client id. */
export const CLIENT_ID_MAX = 2 ** 32 - 1;

/** Reads a peer as users type it: a number is a client id, anything else a name. */
export function parsePeer(text: string): Result<Peer> {
  if (/^\d+$/.test(text)) {
    const id = Number(text);
    if (id >= 1 && id <= CLIENT_ID_MAX) return success(id);
    return failure(`expected a client id from 1 to ${CLIENT_ID_MAX}, got "${shorten(text)}"`);
  }
  const name = normalName(text);
  const problem = nameProblem(name);
  return problem === undefined ? success(name) : failure(`a name ${problem}`);
}

/** What the directory is asked for a peer. */
export function targetOf(peer: Peer): Target {
  return typeof peer === "number" ? { id: peer, name: "" } : { id: 0, name: peer };
}

/** The peer that the directory was asked for. */
export function peerOf({ id, name }: Target): Peer {
  return id === 0 ? name : id;
}

/** Whether a client id or name refers to the client with this id and name. */
export function matchesIdOrName(peer: Peer, id: number, name: string): boolean {
  return typeof peer === "number" ? peer === id : name !== "" && nameKey(peer) === nameKey(name);
}

/** Whether an id, name or fingerprint refers to the client with this id, name and static key. */
export function matchesClient(peer: Peer, id: number, name: string, key: Uint8Array): boolean {
  const digits = typeof peer === "string" ? parseFingerprint(peer) : undefined;
  return digits === undefined ? matchesIdOrName(peer, id, name) : digits === fingerprint(key);
}

/** Whether the client with this id and name is one that a pattern means: part of a name, or an id. */
export function matchesPattern(pattern: string, id: number, name: string): boolean {
  if (pattern === `${id}`) return true;
  const key = nameKey(name);
  let at = 0;
  // What is between the stars occurs in this order.
  return nameKey(pattern).split("*").every((part) => {
    const found = key.indexOf(part, at);
    at = found + part.length;
    return found >= 0;
  });
}

/** `bob`, or `client 2` where no name is known; or the fingerprint. */
export function peerWords(peer: Peer, name = ""): string {
  return typeof peer === "number" ? name || `client ${peer}` : peer;
}

/** The same at the beginning of a sentence: `Client 2`. */
export function subject(id: number, name: string): string {
  return name || `Client ${id}`;
}
