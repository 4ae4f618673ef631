/**
 * The commands: one table, from which parsing, help, usage messages and completion are made.
 *
 * What a line means:
 *
 * - `/word …` is always a command, and `//text` is the message "/text".
 * - While connected, a line is a command if its first word is one and the rest fits it: "leave" is
 *   a command, "leave it to me" a message. Every other line is a message, as it was typed.
 * - While not connected, every line is a command.
 *
 * @module
 */
import { nameProblem } from "../protocol/name.ts";
import type { Peer } from "./event.ts";
import { nearestName } from "./suggest.ts";

/** What a user can ask for. */
export type Command =
  | { command: "connect"; peer: Peer }
  | { command: "accept" | "reject"; peer?: Peer }
  | { command: "send"; text: string }
  | { command: "terminate" | "leave" | "list" }
  | { command: "help"; topic?: CommandSpec };

/** A command's name. */
export type CommandName = Command["command"];

/** What follows a command's name: nothing, a client, perhaps a client, a text, perhaps a command. */
type Argument = "none" | "peer" | "peer?" | "text" | "topic?";

/** A row of the table. */
export interface CommandSpec {
  name: CommandName;
  argument: Argument;
  /** What it does, in one line. */
  help: string;
  example: string;
  /** What else people might type; it is suggested, not taken. */
  alsoKnownAs: readonly string[];
}

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "connect",
    argument: "peer",
    help: "ask another client for a connection",
    example: "connect 2",
    alsoKnownAs: ["call", "open", "dial", "join"],
  },
  {
    name: "accept",
    argument: "peer?",
    help: "accept a Connection Request, the oldest or the named one",
    example: "accept 3",
    alsoKnownAs: ["yes", "answer"],
  },
  {
    name: "reject",
    argument: "peer?",
    help: "reject a Connection Request, the oldest or the named one",
    example: "reject 3",
    alsoKnownAs: ["no", "decline", "deny"],
  },
  {
    name: "send",
    argument: "text",
    help: "send a message; while connected, plain text is sent too",
    example: "send hello",
    alsoKnownAs: ["say", "msg", "message", "tell"],
  },
  {
    name: "terminate",
    argument: "none",
    help: "end the connection",
    example: "terminate",
    alsoKnownAs: ["disconnect", "close", "end", "hangup"],
  },
  {
    name: "leave",
    argument: "none",
    help: "end the connection, tell the directory, and exit",
    example: "leave",
    alsoKnownAs: ["quit", "exit", "bye", "logout"],
  },
  {
    name: "list",
    argument: "none",
    help: "show the active clients",
    example: "list",
    alsoKnownAs: ["who", "ls", "names", "clients"],
  },
  {
    name: "help",
    argument: "topic?",
    help: "show the commands, or one of them",
    example: "help connect",
    alsoKnownAs: ["?", "man", "commands"],
  },
];

/** The largest client id. */
export const CLIENT_ID_MAX = 2 ** 32 - 1;

const ARGUMENT_TEXT: Readonly<Record<Argument, string>> = {
  "none": "",
  "peer": "ID|NAME",
  "peer?": "[ID|NAME]",
  "text": "TEXT",
  "topic?": "[COMMAND]",
};

/** A line as it was understood. */
export type ParsedLine =
  | { kind: "command"; command: Command }
  /** `isText`: the line may have been meant as a message. */
  | { kind: "problem"; message: string; isText: boolean }
  | { kind: "nothing" };

/** What a line's meaning depends on. */
export interface ParseContext {
  isConnected: boolean;
  /** Whether a line may be a JSON object. */
  isJson: boolean;
}

/** Understands a line, which comes without its line end. */
export function parseCommand(line: string, context: ParseContext): ParsedLine {
  if (context.isJson && /^\s*\{/.test(line)) return parseJsonCommand(line);
  const { slash = "", word = "", rest } =
    /^\s*(?<slash>\/?)(?<word>\S*)(?:\s(?<rest>.*))?$/s.exec(line)?.groups ?? {};
  if (slash + word === "") return { kind: "nothing" };
  if (word.startsWith("/") && slash !== "") {
    return command({ command: "send", text: withoutSlash(line) });
  }
  const spec = commandNamed(word);
  const isCertain = slash !== "" || !context.isConnected;
  if (spec !== undefined && (isCertain || fits(spec, rest))) return parseArgument(spec, rest);
  if (!isCertain) return command({ command: "send", text: line });
  return unknownCommand(slash, word);
}

/** The command of that name. */
export function commandNamed(name: string): CommandSpec | undefined {
  return COMMANDS.find((spec) => spec.name === name);
}

/** `connect ID|NAME` */
export function usage(spec: CommandSpec): string {
  return `${spec.name} ${ARGUMENT_TEXT[spec.argument]}`.trimEnd();
}

/** A client as people name it: a number is an id, anything else a name. */
export function parsePeer(text: string): { peer: Peer } | { problem: string } {
  if (/^\d+$/.test(text)) {
    const id = Number(text);
    if (id >= 1 && id <= CLIENT_ID_MAX) return { peer: id };
    return { problem: `expected a client id from 1 to ${CLIENT_ID_MAX}, got "${shorten(text)}"` };
  }
  const problem = nameProblem(text);
  return problem === undefined ? { peer: text } : { problem: `a name ${problem}` };
}

/** A text cut to what an error message may hold. */
export function shorten(text: string, length = 40): string {
  const characters = [...text];
  return characters.length <= length ? text : characters.slice(0, length).join("") + "…";
}

function withoutSlash(line: string): string {
  return line.replace("/", "");
}

function command(command: Command): ParsedLine {
  return { kind: "command", command };
}

function problem(message: string, isText = false): ParsedLine {
  return { kind: "problem", message, isText };
}

/** Whether what follows the command's name is of the right shape. */
function fits(spec: CommandSpec, rest = ""): boolean {
  const words = rest.split(/\s+/).filter((word) => word !== "");
  switch (spec.argument) {
    case "none":
      return words.length === 0;
    case "peer":
      return words.length === 1;
    case "peer?":
      return words.length <= 1;
    case "text":
      return words.length > 0;
    case "topic?":
      return words.length === 0 || words.length === 1 && topicNamed(words[0]!) !== undefined;
  }
}

function topicNamed(word: string): CommandSpec | undefined {
  return commandNamed(word.replace(/^\//, ""));
}

function parseArgument(spec: CommandSpec, rest = ""): ParsedLine {
  const word = rest.trim();
  if (spec.argument === "topic?" && word !== "") {
    const topic = topicNamed(word);
    return topic === undefined ? unknownCommand("", word) : command({ command: "help", topic });
  }
  if (!fits(spec, rest)) return problem(usageMessage(spec));
  switch (spec.name) {
    case "send":
      return command({ command: "send", text: rest });
    case "connect":
    case "accept":
    case "reject":
      return peerCommand(spec.name, word === "" ? undefined : word);
    default:
      return command({ command: spec.name });
  }
}

function peerCommand(name: "connect" | "accept" | "reject", text: string | undefined): ParsedLine {
  if (text === undefined) {
    return name === "connect"
      ? problem(usageMessage(commandNamed(name)!))
      : command({ command: name });
  }
  const parsed = parsePeer(text);
  if ("problem" in parsed) return problem(`Cannot ${name}: ${parsed.problem}`);
  return command({ command: name, peer: parsed.peer });
}

function usageMessage(spec: CommandSpec): string {
  return `Usage: ${usage(spec)} · for example: ${spec.example}`;
}

function unknownCommand(slash: string, word: string): ParsedLine {
  const suggestion = nearestName(word, COMMANDS);
  const hint = suggestion === undefined
    ? "type help for the commands"
    : `did you mean "${slash}${suggestion}"?`;
  const isText = slash === "" && suggestion === undefined;
  return problem(`Unknown command "${slash}${shorten(word)}": ${hint}`, isText);
}

/** The fields that a command has as a JSON object, beside `command`. */
const JSON_FIELDS: Readonly<Record<Argument, readonly string[]>> = {
  "none": [],
  "peer": ["peer"],
  "peer?": ["peer"],
  "text": ["text"],
  "topic?": [],
};

function parseJsonCommand(line: string): ParsedLine {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return problem(`Cannot parse the line as JSON: "${shorten(line.trim())}"`);
  }
  const { command: name, ...fields } = value as Record<string, unknown>;
  const spec = typeof name === "string" ? commandNamed(name) : undefined;
  if (spec === undefined) {
    if (typeof name === "string") return unknownCommand("", name);
    return problem('Cannot parse the command: expected {"command": "…", …}');
  }
  const unknown = Object.keys(fields).find((key) => !JSON_FIELDS[spec.argument].includes(key));
  if (unknown !== undefined) return problem(`Cannot ${name}: unknown field "${shorten(unknown)}"`);
  const { peer, text } = fields;
  switch (spec.name) {
    case "send":
      if (typeof text === "string") return command({ command: "send", text });
      return problem('Cannot send: expected the field "text", a string');
    case "connect":
    case "accept":
    case "reject":
      return jsonPeerCommand(spec.name, peer);
    default:
      return command({ command: spec.name });
  }
}

function jsonPeerCommand(name: "connect" | "accept" | "reject", peer: unknown): ParsedLine {
  if (peer === undefined && name !== "connect") return command({ command: name });
  const isPeer = typeof peer === "string" || typeof peer === "number" && Number.isInteger(peer);
  if (!isPeer) return problem(`Cannot ${name}: expected the field "peer", a client id or a name`);
  return peerCommand(name, String(peer));
}
