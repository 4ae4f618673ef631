/**
 * Whom the user has to do with: tells keys that are known from new ones, and keeps some from ringing.
 *
 * Pure: events, commands and the date go in, events and words come out; what is to be remembered goes
 * through a {@linkcode PeerStore}.
 *
 * @module
 */
import {
  fingerprint,
  parseFingerprint,
  shortAuthenticationString,
} from "../../protocol/crypto/fingerprint.ts";
import type { ClientEvent, IdentityEvent } from "../event.ts";
import { type Peer, peerWords } from "../peer.ts";
import { fromHex, toHex } from "./hex.ts";
import { isSameName, type KnownPeers } from "./known_peers.ts";
import { label } from "../output/words.ts";

/** Clients of this run whose keys are remembered, to be named by id. */
export const SEEN_CLIENTS_MAX = 1000;

/** Where the known peers are kept. */
export interface PeerStore {
  /** As they are now. */
  readonly peers: KnownPeers;
  /** Changes them, here at once and in the file soon. */
  change(change: (peers: KnownPeers) => void): void;
}

/** What the answers to commands depend on. */
export interface PeerMemoryOptions {
  readonly store: PeerStore;
  /** This client's own static public key. */
  readonly ownKey: Uint8Array;
  /** The file that its private key is kept in, undefined for none. */
  readonly identityFile: string | undefined;
  /** Whether requests are accepted without asking the user. */
  readonly acceptAll: boolean;
}

/** The answer to a command: lines for people, or a failure. */
export type Answer =
  /** `blocked`: the key that is blocked from now on. */
  | { kind: "note"; lines: readonly string[]; blocked?: string }
  | { kind: "error"; code: "unknownPeer" | "notConnected"; message: string };

/** Somebody with a key. */
interface Person {
  readonly id: number | undefined;
  readonly name: string;
  /** In hexadecimal. */
  readonly key: string;
}

/** What one client remembers of others. */
export class PeerMemory {
  readonly #options: PeerMemoryOptions;
  readonly #ownKey: string;
  /** By client id, the latest last. */
  readonly #seen = new Map<number, Person>();
  /** By client id, those with whom this one is connected. */
  readonly #connected = new Map<number, Person & { hash: Uint8Array }>();
  /** The client that this one asks for a connection. */
  #requested: number | undefined;

  constructor(options: PeerMemoryOptions) {
    this.#options = options;
    this.#ownKey = toHex(options.ownKey);
  }

  /** The static public key of this client. */
  get ownKey(): Uint8Array {
    return this.#options.ownKey;
  }

  /** Takes an event of the client; returns whose key it is about, where it is about one. */
  handle(event: ClientEvent, date: Date): IdentityEvent | undefined {
    switch (event.kind) {
      case "requesting":
        this.#requested = event.peer;
        return undefined;
      case "terminated":
        this.#connected.delete(event.peer);
        return undefined;
      case "request":
        return this.#see(event.peer, event.name, event.key);
      case "connected": {
        const identity = this.#see(event.peer, event.name, event.key);
        const { peer: id, name, hash } = event;
        const key = toHex(event.key);
        this.#connected.set(id, { id, name, key, hash });
        this.#meet(id, key, name, date);
        return identity;
      }
      default:
        return undefined;
    }
  }

  /** Whose Connection Request is pending, among those that have this key. */
  hasKey(id: number, key: string): boolean {
    return this.#seen.get(id)?.key === key;
  }

  /** What can be typed for those who are blocked: names, or fingerprints where they have none. */
  blockedWords(): string[] {
    const words = this.#blocked().map(({ name, key }) => name || printOf(key).replaceAll(" ", "-"));
    return [...new Set(words)];
  }

  /** This client's own fingerprint. */
  ownFingerprint(): Answer {
    const { identityFile } = this.#options;
    const where = identityFile === undefined ? "for this run only" : `kept in ${identityFile}`;
    return note(`Your fingerprint: ${printOf(this.#ownKey)} · ${where}`);
  }

  /** The short authentication string of the connection with the client `peer`. */
  verify(peer: number | undefined): Answer {
    const connected = peer === undefined ? undefined : this.#connected.get(peer);
    if (connected === undefined) {
      return { kind: "error", code: "notConnected", message: "Not connected: nothing to verify" };
    }
    const name = nameOf(connected);
    return note(
      `Verify: ${shortAuthenticationString(connected.hash)}`,
      `Ask ${name}, by voice or face to face, to type verify: other digits mean that somebody listens`,
    );
  }

  /** Keeps somebody's requests from ringing. */
  block(whom: Peer): Answer {
    const person = this.#find(whom);
    if ("kind" in person) return person;
    const name = nameOf(person);
    if (person.key === this.#ownKey) return unknown(`Cannot block ${name}: that is your own key`);
    if (this.#options.store.peers.isBlocked(person.key)) return note(`${name} is blocked already`);
    this.#options.store.change((peers) => peers.block(person.key, person.name));
    const lines = [`Blocked ${name}: requests with the key ${printOf(person.key)} ring no more`];
    for (const { id, key } of this.#connected.values()) {
      if (key === person.key) lines.push(`You are still connected: type terminate ${id}`);
    }
    return { kind: "note", lines, blocked: person.key };
  }

  /** Lets somebody's requests ring again; without a word, tells who is blocked. */
  unblock(whom: Peer | undefined): Answer {
    const blocked = this.#blocked();
    if (whom === undefined) {
      const rows = blocked.map((person) => `${printOf(person.key)}  ${person.name}`.trimEnd());
      return note(rows.length === 0 ? "Nobody is blocked" : `Blocked: ${rows.length}`, ...rows);
    }
    const seen = typeof whom === "number" ? this.#seen.get(whom) : undefined;
    const found = blocked.filter(({ key, name }) =>
      typeof whom === "number" ? key === seen?.key : isCalled(whom, key, name)
    );
    const [person] = found;
    const text = peerWords(whom);
    if (person === undefined) return unknown(`Cannot unblock ${text}: not blocked`);
    if (found.length > 1) return ambiguous("unblock", text, found);
    this.#options.store.change((peers) => peers.unblock(person.key));
    return note(`Unblocked ${nameOf(person)}: requests ring again`);
  }

  #see(id: number, name: string, publicKey: Uint8Array): IdentityEvent {
    const key = toHex(publicKey);
    this.#seen.delete(id);
    this.#seen.set(id, { id, name, key });
    const [oldest] = this.#seen.keys();
    if (this.#seen.size > SEEN_CLIENTS_MAX && oldest !== undefined) this.#seen.delete(oldest);
    const isOwn = key === this.#ownKey;
    const recognition = isOwn
      ? { known: "same" as const, formerName: name }
      : this.#options.store.peers.recognise(key, name);
    const isRenamed = recognition.known === "same" && !isSameName(recognition.formerName, name);
    return {
      kind: "identity",
      peer: id,
      name,
      fingerprint: fingerprint(publicKey),
      known: recognition.known,
      isOwn,
      formerName: isRenamed ? recognition.formerName : "",
      lastSeen: recognition.known === "changed" ? new Date(recognition.lastSeen) : undefined,
    };
  }

  /** Remembers a key that the user wants to talk with: not whoever comes where all are accepted. */
  #meet(id: number, key: string, name: string, date: Date): void {
    const isRequested = this.#requested === id;
    if (isRequested) this.#requested = undefined;
    const { store, acceptAll } = this.#options;
    const isWanted = !acceptAll || isRequested || store.peers.isMet(key);
    if (isWanted && key !== this.#ownKey) store.change((peers) => peers.meet(key, name, date));
  }

  #blocked(): Person[] {
    return this.#options.store.peers.list().filter(({ isBlocked }) => isBlocked)
      .map(({ key, name }) => ({ id: undefined, key, name }));
  }

  /** Who is meant: of those who came in this run the latest, else of those who are known. */
  #find(whom: Peer): Person | Extract<Answer, { kind: "error" }> {
    const seen = [...this.#seen.values()].reverse().find(({ id, key, name }) =>
      typeof whom === "number" ? id === whom : isCalled(whom, key, name)
    );
    if (seen !== undefined) return seen;
    const text = peerWords(whom);
    if (typeof whom === "number") {
      return unknown(`Cannot block ${text}: its key is not known, because it has not called yet`);
    }
    const found = this.#options.store.peers.list().filter(({ key, name }) =>
      isCalled(whom, key, name)
    );
    const [peer] = found;
    if (peer === undefined) {
      return unknown(`Cannot block ${text}: nobody whom you met has that name or fingerprint`);
    }
    if (found.length > 1) return ambiguous("block", text, found);
    return { id: undefined, key: peer.key, name: peer.name };
  }
}

/** Whether a key with this name is what the user calls so: by its name or its fingerprint. */
function isCalled(text: string, key: string, name: string): boolean {
  const digits = parseFingerprint(text);
  return digits === undefined ? name !== "" && isSameName(text, name) : digits === printOf(key);
}

/** The fingerprint of a key in hexadecimal. */
export function printOf(key: string): string {
  return fingerprint(fromHex(key, key.length / 2) ?? new Uint8Array());
}

function nameOf({ id, name }: Person): string {
  return id === undefined && name === "" ? "that client" : label(id ?? 0, name);
}

function note(...lines: string[]): Answer {
  return { kind: "note", lines };
}

function unknown(message: string): Extract<Answer, { kind: "error" }> {
  return { kind: "error", code: "unknownPeer", message };
}

function ambiguous(
  command: "block" | "unblock",
  text: string,
  found: readonly { key: string }[],
): Extract<Answer, { kind: "error" }> {
  const prints = found.map(({ key }) => printOf(key)).join(", ");
  return unknown(
    `Cannot ${command} ${text}: that is more than one; name the fingerprint: ${prints}`,
  );
}
