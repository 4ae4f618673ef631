/**
 * Completion of the draft: commands, and clients that were seen.
 *
 * @module
 */
import { BoundedMap } from "../../protocol/bounded_map.ts";
import { nameKey, nameProblem } from "../../protocol/name/name.ts";
import { cleanText } from "../../cli/text.ts";
import { commandNamed, COMMANDS } from "./command_table.ts";
import type { ClientEvent } from "../event.ts";
import type { Named, Surroundings } from "./surroundings.ts";

/** Clients that are remembered; beyond that, the oldest is forgotten. */
const SEEN_CLIENTS_MAX = 1000;

/** The clients that were seen: in lists, as peers, or by a Connection Request of either side. */
export class SeenClients {
  readonly #names = new BoundedMap<number, string>(SEEN_CLIENTS_MAX);

  /** Takes an event of the client. */
  handle(event: ClientEvent): void {
    if (event.kind === "list") {
      for (const { id, name } of event.clients.slice(0, SEEN_CLIENTS_MAX)) {
        this.#names.set(id, name);
      }
    } else if (
      event.kind === "requesting" || event.kind === "request" || event.kind === "connected"
    ) {
      this.#names.set(event.peer, event.name);
    }
  }

  /** All of them, the latest last. */
  list(): { id: number; name: string }[] {
    return Array.from(this.#names, ([id, name]) => ({ id, name }));
  }
}

/** What a draft is completed with. */
export interface CompletionContext extends Surroundings {
  isConnected: boolean;
  /** The names in a folder; those of folders end with a slash. */
  listFolder(path: string): readonly string[];
}

/** The words that can complete the end of a line, and the part of it that they replace. */
export function complete(
  line: string,
  context: CompletionContext,
): [words: string[], replaced: string] {
  const { slash = "", name = "", space, rest = "" } =
    /^(?<slash>\/?)(?<name>\S*)(?:(?<space>\s+)(?<rest>.*))?$/s.exec(line)?.groups ?? {};
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
  if (commandNamed(name)?.argument === "file?") {
    return completePath(rest, context);
  }
  const last = /\S*$/.exec(rest)?.[0] ?? "";
  if (last.startsWith("@")) return completeMention(last, context);
  return [last === rest ? matching(argumentsOf(name, context), last) : [], last];
}

/** A client that is named in a message, as `@bob`. */
function completeMention(typed: string, context: CompletionContext): [string[], string] {
  const clients = [...context.connected, ...context.clients];
  const names = clientWords(clients).names.map((name) => `@${name}`);
  return [names.filter((word) => startsLike(word, typed)), typed];
}

/** The last part of a path; hidden files only after a dot. */
function completePath(typed: string, { listFolder }: CompletionContext): [string[], string] {
  const [, folder = "", last = ""] = /^(.*[\\/])?([^\\/]*)$/.exec(typed) ?? [];
  const names = listFolder(folder === "" ? "." : folder).filter((name) =>
    name.startsWith(last) && (last !== "" || !name.startsWith(".")) && cleanText(name) === name
  );
  return [names, last];
}

/** The words that begin like the typed one: names, and ids where a number is typed. */
function matching({ names, ids }: Words, typed: string): string[] {
  const words = /^[/@]*\d/.test(typed) ? [...names, ...ids] : names;
  return [...new Set(words)].filter((word) => startsLike(word, typed));
}

/** The peers that a message can be sent to, as `@bob `. */
function completeAddressed(
  typed: string,
  slash: string,
  context: CompletionContext,
): [string[], string] {
  const { names, ids } = clientWords(context.connected);
  const marked = (words: readonly string[]): string[] => words.map((word) => `${slash}@${word} `);
  return [matching({ names: marked(names), ids: marked(ids) }, typed), typed];
}

function needsArgument(name: string): boolean {
  const argument = commandNamed(name)?.argument ?? "none";
  return argument !== "none" && !argument.endsWith("?");
}

/** Words for clients. */
interface Words {
  /** Their names, and the ids of those without one. */
  readonly names: readonly string[];
  readonly ids: readonly string[];
}

function argumentsOf(name: string, context: CompletionContext): Words {
  switch (commandNamed(name)?.argument) {
    case "peer":
    case "person":
    case "pattern?":
      return clientWords(context.clients);
    case "request?":
      return clientWords(context.requests);
    case "connected":
    case "connected?":
      return clientWords(context.connected);
    case "person?":
      return { names: context.blocked, ids: [] };
    case "topic?":
      return { names: [...COMMANDS.map((spec) => spec.name), "keys"], ids: [] };
    default:
      return { names: [], ids: [] };
  }
}

function clientWords(clients: readonly Named[]): Words {
  // An invalid name could do anything to the terminal.
  const isNamed = ({ name }: Named): boolean => nameProblem(name) === undefined;
  const idOf = ({ id }: Named): string => `${id}`;
  const names = clients.filter(isNamed).map(({ name }) => name);
  const nameless = clients.filter((client) => !isNamed(client)).map(idOf);
  return { names: [...new Set([...names, ...nameless])], ids: [...new Set(clients.map(idOf))] };
}

function startsLike(word: string, beginning: string): boolean {
  return nameKey(word).startsWith(nameKey(beginning));
}
