/**
 * What this client remembers of its peers: which keys are known, and which are blocked.
 *
 * Pure: events, commands and the date go in, events and lines come out; what outlives the run is
 * kept in a {@linkcode PeerStore}.
 *
 * @module
 */
import { BoundedMap } from "../../protocol/bounded_map.ts";
import {
  fingerprint,
  parseFingerprint,
  shortAuthenticationString,
} from "../../protocol/crypto/fingerprint.ts";
import { KEY_SIZE } from "../../protocol/crypto/x25519.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import {
  type AnswerEvent,
  type ClientEvent,
  type ErrorEvent,
  errorEvent,
  type IdentityEvent,
  type KeyOfClient,
} from "../event.ts";
import { label, typedAs } from "../output/words.ts";
import { type Peer, peerWords } from "../peer.ts";
import { fromHex, toHex } from "../../cli/hex.ts";
import { isSameName, type KnownPeer, type KnownPeers, type Recognition } from "./known_peers.ts";

/** Clients of this run whose keys are remembered, to be named by id. */
export const SEEN_CLIENTS_MAX = 1000;

/** Keeps the known peers. */
export interface PeerStore {
  /** Their current state. */
  readonly content: KnownPeers;
  /** Changes them: in memory at once, in the file soon. */
  change(change: (peers: KnownPeers) => void): void;
}

/** What a {@linkcode PeerMemory} is created with. */
export interface PeerMemoryOptions {
  readonly store: PeerStore;
  /** The static public key of this client. */
  readonly ownKey: Uint8Array;
  /** The file with the private key, undefined where it is in no file. */
  readonly identityFile: string | undefined;
  /** Whether requests are accepted without asking the user. */
  readonly acceptAll: boolean;
  /** Whom `--connect` names, and the fingerprint of `--key`; undefined without that. */
  readonly expected?: { readonly peer: Peer; readonly fingerprint: string } | undefined;
  /** Whether a person types the commands. */
  readonly isAttended: boolean;
}

/** The answer to a command. */
export interface Answer {
  /** For people. */
  readonly lines: readonly string[];
  /** For programs. */
  readonly event: AnswerEvent;
  /** The key, in hexadecimal, that the command blocked. */
  readonly blocked?: string;
  /** Whether the command trusted a key. */
  readonly hasTrusted?: true;
}

/** A client with a key. */
interface KeyOwner {
  /** The client id in this run, undefined where it is not known. */
  readonly id: number | undefined;
  readonly name: string;
  /** The name that this client called it by, empty for none. */
  readonly calledAs: string;
  /** In hexadecimal. */
  readonly key: string;
}

/** How a connection came to be. */
interface NewConnection {
  /** Whether its key is not trusted. */
  readonly isHeld: boolean;
  /** Whether this client called. */
  readonly isCalled: boolean;
  readonly date: Date;
}

/** The peers that one client remembers. */
export class PeerMemory {
  readonly #options: PeerMemoryOptions;
  readonly #ownKey: string;
  /** By client id, the latest last. */
  readonly #seen = new BoundedMap<number, KeyOwner>(SEEN_CLIENTS_MAX);
  /** The connected peers by client id. */
  readonly #connected = new Map<number, KeyOwner & { id: number; hash: Uint8Array }>();
  /** The keys that the user trusted in this run. */
  readonly #trusted = new Set<string>();

  constructor(options: PeerMemoryOptions) {
    this.#options = options;
    this.#ownKey = toHex(options.ownKey);
  }

  /** The static public key of this client. */
  get ownKey(): Uint8Array {
    return this.#options.ownKey;
  }

  /** Takes an event of the client; returns the identity of the peer where the event has its key. */
  handle(event: ClientEvent, date: Date): IdentityEvent | undefined {
    switch (event.kind) {
      case "terminated":
        this.#connected.delete(event.peer);
        return undefined;
      case "request":
        return this.#identify(event.peer, event.name, event.key);
      case "returned":
      case "renewed": {
        const connected = this.#connected.get(event.peer);
        if (connected !== undefined) connected.hash = event.hash;
        return undefined;
      }
      case "connected": {
        const { peer: id, name, hash, isHeld = false } = event;
        const calledAs = nameIn(event.calledAs);
        const identity = this.#identify(id, name, event.key, calledAs);
        const owner = { id, name, calledAs, key: toHex(event.key) };
        this.#connected.set(id, { ...owner, hash });
        this.#remember(owner, { isHeld, isCalled: event.calledAs !== undefined, date });
        return identity;
      }
      default:
        return undefined;
    }
  }

  /** Whether requests with this key do not ring. */
  isBlocked(key: Uint8Array): boolean {
    return this.#options.store.content.isBlocked(toHex(key));
  }

  /** Whether the user has talked with the owner of this key, or it is the user's own. */
  isKnown(publicKey: Uint8Array): boolean {
    const key = toHex(publicKey);
    return key === this.#ownKey || this.#options.store.content.isKnown(key);
  }

  /** See `ClientOptions`. */
  isTrusted(publicKey: Uint8Array, name: string, calledAs: Peer | undefined): boolean {
    const key = toHex(publicKey);
    if (key === this.#ownKey || this.#isNamed(key) || this.#trusted.has(key)) return true;
    const { expected } = this.#options;
    if (expected !== undefined && calledAs === expected.peer) return false;
    return this.#recognize(key, name, nameIn(calledAs)).known !== "changed";
  }

  /** Whether the client with this id was last seen with this key, in hexadecimal. */
  hasKey(id: number, key: string): boolean {
    return this.#seen.get(id)?.key === key;
  }

  /** The names of the peers that the user talked with or blocked. */
  names(): string[] {
    const names = this.#options.store.content.list().map(({ name }) => name);
    return [...new Set(names)].filter((name) => name !== "");
  }

  /** What a user can type for the blocked peers: names, or fingerprints where they have none. */
  blockedWords(): string[] {
    const words = this.#blocked().map(({ name, key }) =>
      name || fingerprintOf(key).replaceAll(" ", "-")
    );
    return [...new Set(words)];
  }

  /** Shows the fingerprint of this client's key. */
  ownFingerprint(): Answer {
    const { identityFile } = this.#options;
    const where = identityFile === undefined ? "for this run only" : `kept in ${identityFile}`;
    const fingerprint = fingerprintOf(this.#ownKey);
    const file = identityFile === undefined ? {} : { file: identityFile };
    return {
      lines: [`Your fingerprint: ${fingerprint} · ${where}`],
      event: { kind: "fingerprint", fingerprint, ...file },
    };
  }

  /** Shows the short authentication string of the connection with `peer`. */
  verify(peer: number | undefined): Result<Answer, ErrorEvent> {
    const connected = peer === undefined ? undefined : this.#connected.get(peer);
    if (connected === undefined) {
      return failure(errorEvent("notConnected", "Not connected: nothing to verify"));
    }
    const name = nameOf(connected);
    const digits = shortAuthenticationString(connected.hash);
    return answer(
      { kind: "verify", peer: connected.id, name: connected.name, digits },
      `Verify: ${digits}`,
      `Ask ${name}, by voice or face to face, to type verify: other digits mean that somebody listens`,
    );
  }

  /** Blocks a peer: its requests do not ring from now on. */
  block(peer: Peer): Result<Answer, ErrorEvent> {
    const found = this.#find(peer);
    if (!found.ok) return found;
    const { value: owner } = found;
    const name = nameOf(owner);
    if (owner.key === this.#ownKey) return unknown(`Cannot block ${name}: that is your own key`);
    if (this.#options.store.content.isBlocked(owner.key)) {
      return answer({ kind: "block", client: keyOf(owner) }, `${name} is blocked already`);
    }
    this.#options.store.change((peers) => peers.block(owner.key, owner.name));
    const lines = [
      `Blocked ${name}: requests with the key ${fingerprintOf(owner.key)} ring no more`,
    ];
    for (const { id = 0, name, key } of this.#connected.values()) {
      if (key !== owner.key) continue;
      lines.push(`You are still connected: type terminate ${typedAs(id, name)}`);
    }
    const event = { kind: "block", client: keyOf(owner) } as const;
    return success({ lines, event, blocked: owner.key });
  }

  /** Trusts the key of a peer that came under the name of another key, which is forgotten. */
  trust(peer: Peer, date: Date): Result<Answer, ErrorEvent> {
    const text = peerWords(peer);
    const isByKey = typeof peer === "string" && parseFingerprint(peer) !== undefined;
    if (!this.#options.isAttended && !isByKey) {
      return unknown(`Cannot trust ${text}: a script has to name the fingerprint`);
    }
    const found = this.#untrusted().filter((owner) => matchesOwner(peer, owner));
    const [owner] = found;
    if (owner === undefined) {
      return unknown(`Cannot trust ${text}: no new key came under that name`);
    }
    if (found.length > 1) return ambiguous("trust", text, found);
    const { key, name, calledAs } = owner;
    this.#trusted.add(key);
    this.#options.store.change((peers) => peers.trust(key, [calledAs, name], date));
    const lines = [
      `Trusted ${nameOf(owner)}: key ${fingerprintOf(key)} · the key before is forgotten`,
    ];
    const event = { kind: "trust", client: keyOf(owner) } as const;
    return success({ lines, event, hasTrusted: true });
  }

  /** Unblocks a peer; without one, shows all that are blocked. */
  unblock(peer: Peer | undefined): Result<Answer, ErrorEvent> {
    const blocked = this.#blocked();
    if (peer === undefined) {
      const rows = blocked.map(({ key, name }) => `${fingerprintOf(key)}  ${name}`.trimEnd());
      const title = rows.length === 0 ? "Nobody is blocked" : `Blocked: ${rows.length}`;
      return answer({ kind: "blocked", clients: blocked.map(keyOf) }, title, ...rows);
    }
    const seen = typeof peer === "number" ? this.#seen.get(peer) : undefined;
    const found = blocked.filter(({ key, name }) =>
      typeof peer === "number" ? key === seen?.key : matchesKeyOrName(peer, key, name)
    );
    const [owner] = found;
    const text = peerWords(peer);
    if (owner === undefined) return unknown(`Cannot unblock ${text}: not blocked`);
    if (found.length > 1) return ambiguous("unblock", text, found);
    this.#options.store.change((peers) => peers.unblock(owner.key));
    const event = { kind: "unblock", client: keyOf(owner) } as const;
    return answer(event, `Unblocked ${nameOf(owner)}: requests ring again`);
  }

  #identify(id: number, name: string, publicKey: Uint8Array, calledAs = ""): IdentityEvent {
    const key = toHex(publicKey);
    this.#seen.set(id, { id, name, calledAs, key });
    const isOwn = key === this.#ownKey;
    const recognition = isOwn
      ? { known: "same" as const, formerName: name }
      : this.#recognize(key, name, calledAs);
    const { similarName } = { similarName: undefined, ...recognition };
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
      ...(similarName === undefined ? {} : { similarName }),
    };
  }

  /** Compares a key with what is known, under the name that it tells and the one it was called by. */
  #recognize(key: string, name: string, calledAs: string): Recognition {
    const { content } = this.#options.store;
    const told = content.recognize(key, name);
    if (told.known === "changed" || calledAs === "") return told;
    const called = content.recognize(key, calledAs);
    return called.known === "changed" ? called : told;
  }

  /** Keeps the key of a new connection, unless it was accepted without the user's consent. */
  #remember({ key, name, calledAs }: KeyOwner, { isHeld, isCalled, date }: NewConnection): void {
    const { store, acceptAll } = this.#options;
    if (key === this.#ownKey) return;
    if (isHeld) return store.change((peers) => peers.recordUntrusted(key, name || calledAs, date));
    if (this.#isNamed(key)) {
      return store.change((peers) => peers.trust(key, [calledAs, name], date));
    }
    const isWanted = !acceptAll || isCalled || store.content.isKnown(key);
    if (isWanted) store.change((peers) => peers.recordConnection(key, name || calledAs, date));
  }

  /** Whether `--key` names it. */
  #isNamed(key: string): boolean {
    return this.#options.expected?.fingerprint === fingerprintOf(key);
  }

  /** The owners of keys under the names of others: those of this run, and those in the file. */
  #untrusted(): KeyOwner[] {
    const { content } = this.#options.store;
    const kept = content.list().filter(({ isUntrusted }) => isUntrusted).map(ownerOf);
    const seen = [...this.#seen.values()].filter(({ key, name, calledAs }) =>
      !this.isTrusted(fromHex(key, KEY_SIZE)!, name, calledAs)
    );
    return [...new Map([...kept, ...seen].map((owner) => [owner.key, owner])).values()];
  }

  #blocked(): KeyOwner[] {
    return this.#options.store.content.list().filter(({ isBlocked }) => isBlocked)
      .map(ownerOf);
  }

  /** The owner of the key to block: the latest that matches in this run, else a known peer. */
  #find(peer: Peer): Result<KeyOwner, ErrorEvent> {
    const seen = [...this.#seen.values()].reverse().find(({ id, key, name }) =>
      typeof peer === "number" ? id === peer : matchesKeyOrName(peer, key, name)
    );
    if (seen !== undefined) return success(seen);
    const text = peerWords(peer);
    if (typeof peer === "number") {
      return unknown(`Cannot block ${text}: its key is not known, because it has not called yet`);
    }
    const found = this.#options.store.content.list().filter(({ key, name }) =>
      matchesKeyOrName(peer, key, name)
    );
    const [known] = found;
    if (known === undefined) {
      return unknown(`Cannot block ${text}: no peer that you met has that name or fingerprint`);
    }
    if (found.length > 1) return ambiguous("block", text, found);
    return success(ownerOf(known));
  }
}

/** The owner of a key in the file. */
function ownerOf({ key, name }: KnownPeer): KeyOwner {
  return { id: undefined, key, name, calledAs: "" };
}

/** The name that a client was called by, empty where that was its id. */
function nameIn(peer: Peer | undefined): string {
  return typeof peer === "string" ? peer : "";
}

/** Whether an id, a fingerprint or a name refers to the owner of a key. */
function matchesOwner(peer: Peer, { id, key, name, calledAs }: KeyOwner): boolean {
  if (typeof peer === "number") return peer === id;
  return matchesKeyOrName(peer, key, name) || matchesKeyOrName(peer, key, calledAs);
}

/** Whether a fingerprint or a name refers to a key, in hexadecimal, with this name. */
function matchesKeyOrName(text: string, key: string, name: string): boolean {
  const digits = parseFingerprint(text);
  return digits === undefined
    ? name !== "" && isSameName(text, name)
    : digits === fingerprintOf(key);
}

/** The fingerprint of a key in hexadecimal. */
export function fingerprintOf(key: string): string {
  return fingerprint(fromHex(key, key.length / 2) ?? new Uint8Array());
}

function nameOf({ id, name, calledAs }: KeyOwner): string {
  if (name === "" && calledAs !== "") return label(id ?? 0, calledAs);
  return id === undefined && name === "" ? "that client" : label(id ?? 0, name);
}

function answer(event: AnswerEvent, ...lines: string[]): { ok: true; value: Answer } {
  return success({ lines, event });
}

/** The key of a client, for programs. */
function keyOf({ id, name, key }: KeyOwner): KeyOfClient {
  return { id, name, fingerprint: fingerprintOf(key) };
}

function unknown(message: string): { ok: false; error: ErrorEvent } {
  return failure(errorEvent("unknownPeer", message));
}

function ambiguous(
  command: "block" | "trust" | "unblock",
  text: string,
  found: readonly { key: string }[],
): { ok: false; error: ErrorEvent } {
  const fingerprints = found.map(({ key }) => fingerprintOf(key)).join(", ");
  return unknown(
    `Cannot ${command} ${text}: that is more than one; name the fingerprint: ${fingerprints}`,
  );
}
