/**
 * What an endpoint reports, as events for the user.
 *
 * @module
 */
import type { Connection } from "../../protocol/connection/connection.ts";
import type { ConnectionEvent } from "../../protocol/connection/connection_event.ts";
import type { RequestEvent } from "../../protocol/connection/request_event.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import type { EndpointEvent } from "../../protocol/endpoint.ts";
import {
  aboutDirectories,
  directoriesAt,
  isOnThisMachine,
  oneDirectory,
  startCommand,
} from "../directory_addresses.ts";
import { type ListEntry, RefusalReason, VERSION } from "../../protocol/wire/frame.ts";
import { type ClientEvent, type ErrorEvent, errorEvent } from "../event.ts";
import { matchesPattern, type Peer, peerOf, peerWords, subject } from "../peer.ts";
import type { ClientOptions } from "../view.ts";
import { alreadyConnected, alreadyRequesting } from "./choice.ts";

type DirectoryEvent = Extract<
  EndpointEvent,
  {
    kind:
      | "registered"
      | "entry"
      | "lost"
      | "back"
      | "moved"
      | "refused"
      | "nameRefused"
      | "otherVersion"
      | "otherKey"
      | "registrationTimeout"
      | "registrationUnavailable"
      | "listTimeout"
      | "listUnavailable";
  }
>;
type RequestFailed = Extract<RequestEvent, { kind: "requestFailed" }>;

/** The event for what a connection reports. */
export function connectionEvent(
  event: ConnectionEvent & { connection: Connection },
): ClientEvent {
  const { remote: peer, remoteName: name } = event.connection.ids;
  switch (event.kind) {
    // There are many of these: written out, which is faster.
    case "message":
      return { kind: "message", textSeq: event.textSeq, text: event.text, peer, name };
    case "sent":
      return { kind: "sent", textSeq: event.textSeq, peer };
    case "delivered":
      return { kind: "delivered", textSeq: event.textSeq, rttMs: event.rttMs, peer };
    case "unconfirmed":
      return { kind: "unconfirmed", textSeq: event.textSeq, peer };
    case "returned": {
      const { remoteKey: key, handshakeHash: hash } = event.connection;
      return { kind: "returned", peer, name, key, hash, who: "peer" };
    }
    case "path": {
      const { path, before, address } = event;
      return { kind: "path", peer, name, path, before, address };
    }
    case "renewed":
      return { kind: "renewed", peer, hash: event.connection.handshakeHash };
    case "terminated":
      return { kind: "terminated", peer, name, by: event.by, undelivered: event.undelivered };
  }
}

/** What only some `connected` events have. */
export function connectedDetails(
  calledAs: Peer | undefined,
  isHeld: boolean,
  isAside: boolean,
): Pick<Extract<ClientEvent, { kind: "connected" }>, "calledAs" | "isHeld" | "isAside"> {
  return {
    ...calledAs !== undefined && { calledAs },
    ...isHeld && { isHeld },
    ...isAside && { isAside },
  };
}

/** The event for a connection whose peer has another key than the trusted one. */
export function untrustedEvent(peer: Peer, key: Uint8Array, isAttended: boolean): ClientEvent {
  const who = peerWords(peer);
  const digits = fingerprint(key);
  const message = isAttended
    ? `Nothing is sent to ${who} before you type trust ${peer}: what you type waits until then`
    : `Nothing is sent to ${who}: the key ${digits} is not the trusted one · if it is ${who}'s ` +
      `new one, name it with --key ${digits.replaceAll(" ", "-")}`;
  return errorEvent("peerKey", message, { calledAs: peer });
}

/** The event for a list of which the user wants those that match a pattern. */
export function listEvent(all: readonly ListEntry[], pattern: string | undefined): ClientEvent {
  if (pattern === undefined) return { kind: "list", clients: all };
  const clients = all.filter(({ id, name }) => matchesPattern(pattern, id, name));
  return { kind: "list", clients, pattern, total: all.length };
}

/** The event for a request of this client that came to nothing. */
export function failureEvent(
  { target, peer, name, failure }: RequestFailed,
  { serverName }: ClientOptions,
): ClientEvent {
  const id = peer ?? target.id;
  const wanted: Peer = peer ?? peerOf(target);
  const of = { calledAs: peerOf(target) };
  switch (failure.why) {
    case "inactive":
      return { kind: "inactive", peer: wanted };
    case "rejected":
      return { kind: "rejected", peer: id, name, reason: failure.reason };
    case "cancelled":
      return { kind: "cancelled", peer: wanted, name };
    case "directoryTimeout":
      return errorEvent("serverTimeout", noAnswer(serverName), of);
    case "directoryUnavailable":
      return unavailableEvent(serverName, of);
    case "peerTimeout":
      return errorEvent("peerTimeout", `${subject(id, name)} does not answer`, of);
    case "otherVersion": {
      const versions = `speaks version ${failure.version}, this client ${VERSION}`;
      return errorEvent("version", `${subject(id, name)} ${versions}`, of);
    }
    case "self":
      return errorEvent("self", "That is you", of);
    case "alreadyConnected":
      return { ...alreadyConnected(id, name), of };
    case "alreadyRequesting":
      return { ...alreadyRequesting(id, name), of };
    case "weakKey": {
      const message = `${subject(id, name)} has a key that nobody can talk to`;
      return errorEvent("peerTimeout", message, of);
    }
  }
}

/** The event for what the directory does, or fails to do. */
export function directoryEvent(event: DirectoryEvent, options: ClientOptions): ClientEvent {
  const { serverName } = options;
  switch (event.kind) {
    case "registered": {
      const { id, name, lostName, seenAt: address } = event;
      const { directoryKey: serverKey, directoryAddress: serverAddress } = event;
      const directory = { server: serverName, serverAddress, serverKey };
      return { kind: "registered", id, name, lostName, address, ...directory };
    }
    case "entry":
      return event;
    case "lost":
      return { kind: "serverLost", server: serverName };
    case "back":
      return { kind: "serverBack", server: serverName };
    case "moved": {
      const { why, from: before, to: address } = event;
      return { kind: "serverMoved", server: serverName, address, before, why };
    }
    case "refused":
      return event.reason === RefusalReason.unavailable
        ? unavailableEvent(serverName)
        : errorEvent("refused", refusal(event.reason, options));
    case "nameRefused":
      if (event.reason === RefusalReason.unavailable) return unavailableEvent(serverName, "nick");
      return event.reason === undefined
        ? errorEvent("serverTimeout", noAnswer(serverName), "nick")
        : errorEvent("refused", refusal(event.reason, { ...options, name: event.name }), "nick");
    case "otherVersion":
      return errorEvent(
        "version",
        `The directory speaks version ${event.version}, this client ${VERSION}`,
      );
    case "otherKey":
      return errorEvent(
        "serverKey",
        `${oneDirectory(serverName)} ${options.trust.refusal(event.directoryKey)}`,
      );
    case "registrationTimeout":
      return blockedEvent(options);
    case "registrationUnavailable":
      return { kind: "serverUnavailable", server: serverName };
    case "listTimeout":
      return errorEvent("serverTimeout", noAnswer(serverName), "list");
    case "listUnavailable":
      return unavailableEvent(serverName, "list");
  }
}

/** The event for a first registration that nothing at all came back to yet. */
export function silentEvent({ directoryAddresses, serverName }: ClientOptions): ClientEvent {
  return { kind: "serverQuiet", server: serverName, start: startCommand(directoryAddresses) };
}

/** The event for a first registration that nothing came back to. */
export function blockedEvent(options: ClientOptions): ClientEvent {
  const { directoryAddresses, serverName, secret } = options;
  const why = isOnThisMachine(directoryAddresses)
    ? "no directory runs there"
    : "UDP does not get out of this network, or no directory runs there";
  const what = secret === undefined
    ? "or it is private and needs --secret"
    : "or its secret is another";
  const start = startCommand(directoryAddresses) ?? "udp-chat serve";
  const advice = `${start} starts one, --server names another`;
  return errorEvent(
    "serverTimeout",
    `Nothing comes back from the ${directoriesAt(serverName)}: ${why}, ${what} · ${advice}`,
  );
}

function unavailableEvent(serverName: string, of?: ErrorEvent["of"]): ErrorEvent {
  const message = `The ${directoriesAt(serverName)} cannot answer now · try again in a moment`;
  return errorEvent("serverUnavailable", message, of);
}

function noAnswer(serverName: string): string {
  return `No answer from the ${directoriesAt(serverName)}`;
}

function refusal(reason: number, { id, name, serverName }: ClientOptions): string {
  const lease = "if that was you, it is free again in less than a minute";
  switch (reason) {
    case RefusalReason.idTaken:
      return `Client id ${id} is taken; ${lease}`;
    case RefusalReason.nameTaken:
      return `The name "${name}" is taken; ${lease}`;
    case RefusalReason.ownEntry: {
      const what = name === "" ? `Client id ${id}` : `"${name}"`;
      return `${what} belongs to another client of yours that is running · choose another` +
        "; if it was killed, its lease ends in less than a minute";
    }
    case RefusalReason.nameHeld:
      return `That name is ${name}'s: the ${directoriesAt(serverName)} ` +
        `${serverName.includes(",") ? "keep" : "keeps"} it for another key, ` +
        "also while its client is away · choose another, or use the identity that had it";
    case RefusalReason.full:
      return aboutDirectories(serverName, "is full", "are full");
    case RefusalReason.sourceFull:
      return `${aboutDirectories(serverName, "has", "have")} ` +
        "no place for more clients at this address";
    case RefusalReason.badName:
      return `The directory does not allow the name "${name}"`;
    default:
      return `${aboutDirectories(serverName, "refuses", "refuse")} to register this client`;
  }
}
