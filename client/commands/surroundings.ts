/**
 * What a typed line can refer to, and whether it does.
 *
 * @module
 */
import { parseFingerprint } from "../../protocol/crypto/fingerprint.ts";
import { matchesIdOrName, matchesPattern, type Peer, peerWords } from "../peer.ts";
import type { Command } from "./command_table.ts";

/** A client with its name, empty if it has none. */
export interface Named {
  readonly id: number;
  readonly name: string;
}

/** What a typed line can refer to. */
export interface Surroundings {
  /** The clients that were seen. */
  readonly clients: readonly Named[];
  /** The connected peers. */
  readonly connected: readonly Named[];
  /** The clients with a pending Connection Request. */
  readonly requests: readonly Named[];
  /** Names of peers that were met in this run or before it. */
  readonly met: readonly string[];
  /** Names or fingerprints of the blocked peers. */
  readonly blocked: readonly string[];
  /** Whether a transcript is kept. */
  readonly isLogging: boolean;
}

/** Whether what a command refers to is there; if not, its words were rather meant as a message. */
export function resolves(command: Command, surroundings: Surroundings): boolean {
  const { clients, connected, requests, met, isLogging } = surroundings;
  switch (command.command) {
    case "accept":
    case "reject":
      if (command.peer === undefined) return requests.length > 0;
      return isFingerprint(command.peer) || isAmong(command.peer, requests);
    case "switch":
    case "terminate":
      return command.peer === undefined || isAmong(command.peer, connected);
    case "connect":
    case "block":
    case "trust":
      // Only the directory knows every id; and no number is a word.
      return typeof command.peer === "number" || isFingerprint(command.peer) ||
        isAmong(command.peer, [...clients, ...connected, ...requests]) ||
        isNamed(command.peer, met);
    case "unblock":
      return command.peer === undefined || typeof command.peer === "number" ||
        isFingerprint(command.peer) || isNamed(command.peer, surroundings.blocked);
    case "list": {
      const { pattern } = command;
      return pattern === undefined ||
        clients.some(({ id, name }) => matchesPattern(pattern, id, name));
    }
    case "log":
      return command.file !== "off" || isLogging;
    default:
      return true;
  }
}

/** Why nothing can be sent to this peer, undefined if it is connected. */
export function sendProblem(
  to: Peer,
  { clients, connected, met }: Surroundings,
): string | undefined {
  if (isAmong(to, connected)) return undefined;
  const who = peerWords(to, clients.find(({ id }) => id === to)?.name);
  const isSeen = typeof to === "number" || isAmong(to, clients) || isNamed(to, met);
  return isSeen
    ? `Not sent: you are not connected with ${who} · connect ${to} calls`
    : `Not sent: nobody called ${who} is connected with you · send @${to} … sends it as it is`;
}

function isFingerprint(peer: Peer): boolean {
  return typeof peer === "string" && parseFingerprint(peer) !== undefined;
}

function isAmong(peer: Peer, clients: readonly Named[]): boolean {
  return clients.some(({ id, name }) => matchesIdOrName(peer, id, name));
}

function isNamed(peer: Peer, names: readonly string[]): boolean {
  return names.some((name) => matchesIdOrName(peer, 0, name));
}
