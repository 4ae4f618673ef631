/**
 * Completion of the draft: commands, and clients that were seen.
 *
 * @module
 */
import { nameKey, nameProblem } from "../../protocol/directory/name.ts";
import { commandNamed, COMMANDS } from "./command_table.ts";
import type { ClientEvent } from "../event.ts";

/** Clients that are remembered; beyond that, the oldest is forgotten. */
const SEEN_CLIENTS_MAX = 1000;

/** The clients that were seen: in lists, as peers, or by their Connection Requests. */
export class SeenClients {
  readonly #names = new Map<number, string>();

  /** Takes an event of the client. */
  handle(event: ClientEvent): void {
    if (event.kind === "list") {
      for (const { id, name } of event.clients.slice(0, SEEN_CLIENTS_MAX)) this.#add(id, name);
    } else if (event.kind === "request" || event.kind === "connected") {
      this.#add(event.peer, event.name);
    }
  }

  /** All of them, the latest last. */
  list(): { id: number; name: string }[] {
    return Array.from(this.#names, ([id, name]) => ({ id, name }));
  }

  #add(id: number, name: string): void {
    this.#names.delete(id);
    this.#names.set(id, name);
    const [oldest] = this.#names.keys();
    if (this.#names.size > SEEN_CLIENTS_MAX && oldest !== undefined) this.#names.delete(oldest);
  }
}

/** What a draft is completed with. */
export interface CompletionContext {
  isConnected: boolean;
  /** The clients that were seen. */
  clients: readonly { id: number; name: string }[];
  /** The connected peers. */
  connected: readonly { id: number; name: string }[];
  /** The clients with a pending Connection Request. */
  requests: readonly { id: number; name: string }[];
  /** Names or fingerprints of the blocked peers. */
  blocked: readonly string[];
}

/** The words that can complete the end of a line, and the part of it that they replace. */
export function complete(
  line: string,
  context: CompletionContext,
): [words: string[], replaced: string] {
  const { slash = "", name = "", space, last = "" } =
    /^(?<slash>\/?)(?<name>\S*)(?:(?<space>\s+)(?<last>\S*))?$/.exec(line)?.groups ??
      { name: line };
  if (space === undefined) {
    // While connected, the line may become a message: only a slash makes it a command.
    if (context.isConnected && slash === "" && name === "") return [[], ""];
    if (name.startsWith("@")) return completeAddressed(slash + name, slash, context);
    const words = COMMANDS.map((spec) => slash + spec.name).filter((word) =>
      word.startsWith(slash + name)
    );
    return [
      words.filter((word) => !word.endsWith("@"))
        .map((word) => needsArgument(word.slice(slash.length)) ? `${word} ` : word),
      slash + name,
    ];
  }
  return [argumentsOf(name, context).filter((word) => startsLike(word, last)), last];
}

/** The peers that a message can be sent to, as `@bob `. */
function completeAddressed(
  typed: string,
  slash: string,
  context: CompletionContext,
): [string[], string] {
  const words = clientWords(context.connected).map((word) => `${slash}@${word} `);
  return [words.filter((word) => startsLike(word, typed)), typed];
}

function needsArgument(name: string): boolean {
  const argument = commandNamed(name)?.argument ?? "none";
  return argument !== "none" && !argument.endsWith("?");
}

function argumentsOf(name: string, context: CompletionContext): string[] {
  switch (commandNamed(name)?.argument) {
    case "peer":
    case "person":
      return clientWords(context.clients);
    case "request?":
      return clientWords(context.requests);
    case "connected":
    case "connected?":
      return clientWords(context.connected);
    case "person?":
      return [...context.blocked];
    case "topic?":
      return COMMANDS.map((spec) => spec.name);
    default:
      return [];
  }
}

function clientWords(clients: readonly { id: number; name: string }[]): string[] {
  // An invalid name could do anything to the terminal.
  const words = clients.flatMap(({ id, name }) =>
    nameProblem(name) === undefined ? [name, `${id}`] : [`${id}`]
  );
  return [...new Set(words)];
}

function startsLike(word: string, beginning: string): boolean {
  return nameKey(word).startsWith(nameKey(beginning));
}
