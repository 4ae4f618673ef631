/**
 * Completion of the line being typed: commands, and the clients that were seen.
 *
 * @module
 */
import { nameKey, nameProblem } from "../../protocol/directory/name.ts";
import { commandNamed, COMMANDS } from "./command_table.ts";
import type { ClientEvent } from "../event.ts";

/** Clients that are remembered. */
const KNOWN_CLIENTS_MAX = 1000;

/** The clients that were seen: in lists, as peers, or because they requested a connection. */
export class KnownClients {
  readonly #names = new Map<number, string>();

  /** Takes an event of the client. */
  handle(event: ClientEvent): void {
    if (event.kind === "list") {
      for (const { id, name } of event.clients.slice(0, KNOWN_CLIENTS_MAX)) this.#add(id, name);
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
    if (this.#names.size > KNOWN_CLIENTS_MAX && oldest !== undefined) this.#names.delete(oldest);
  }
}

/** What the completion of a line knows. */
export interface Known {
  isConnected: boolean;
  /** Ids and names of clients that were seen. */
  clients: readonly { id: number; name: string }[];
  /** Those with whom one is connected. */
  connected: readonly { id: number; name: string }[];
  /** Those whose Connection Request is pending. */
  requests: readonly { id: number; name: string }[];
  /** What names those who are blocked. */
  blocked: readonly string[];
}

/** The words that may stand at the end of `line`, and what of it they would replace. */
export function complete(line: string, known: Known): [words: string[], replaced: string] {
  const { slash = "", name = "", space, last = "" } =
    /^(?<slash>\/?)(?<name>\S*)(?:(?<space>\s+)(?<last>\S*))?$/.exec(line)?.groups ??
      { name: line };
  if (space === undefined) {
    // While connected a message may be beginning: only a slash says that it is a command.
    if (known.isConnected && slash === "" && name === "") return [[], ""];
    if (name.startsWith("@")) return completeAddressed(slash + name, slash, known);
    const words = COMMANDS.map((spec) => slash + spec.name).filter((word) =>
      word.startsWith(slash + name)
    );
    return [
      words.filter((word) => !word.endsWith("@"))
        .map((word) => needsArgument(word.slice(slash.length)) ? `${word} ` : word),
      slash + name,
    ];
  }
  return [argumentsOf(name, known).filter((word) => startsLike(word, last)), last];
}

/** The clients that a message can be sent to, as `@bob `. */
function completeAddressed(typed: string, slash: string, known: Known): [string[], string] {
  const words = clientWords(known.connected).map((word) => `${slash}@${word} `);
  return [words.filter((word) => startsLike(word, typed)), typed];
}

function needsArgument(name: string): boolean {
  const argument = commandNamed(name)?.argument ?? "none";
  return argument !== "none" && !argument.endsWith("?");
}

function argumentsOf(name: string, known: Known): string[] {
  switch (commandNamed(name)?.argument) {
    case "peer":
    case "person":
      return clientWords(known.clients);
    case "request?":
      return clientWords(known.requests);
    case "connected":
    case "connected?":
      return clientWords(known.connected);
    case "person?":
      return [...known.blocked];
    case "topic?":
      return COMMANDS.map((spec) => spec.name);
    default:
      return [];
  }
}

function clientWords(clients: readonly { id: number; name: string }[]): string[] {
  // A name that is none could do anything to the terminal.
  const words = clients.flatMap(({ id, name }) =>
    nameProblem(name) === undefined ? [name, `${id}`] : [`${id}`]
  );
  return [...new Set(words)];
}

function startsLike(word: string, beginning: string): boolean {
  return nameKey(word).startsWith(nameKey(beginning));
}
