/**
 * Lines of input as commands or messages.
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
import { parseFingerprint } from "../protocol/fingerprint.ts";
import { nameProblem } from "../protocol/name.ts";
import {
  type Command,
  commandNamed,
  COMMANDS,
  type CommandSpec,
  JSON_FIELDS,
  usage,
} from "./command_table.ts";
import type { Peer } from "./event.ts";
import { nearestName } from "./suggest.ts";

/** The largest client id. */
export const CLIENT_ID_MAX = 2 ** 32 - 1;

/** The commands that can name somebody. */
type PeerCommandName = "connect" | "accept" | "reject" | "block" | "unblock";

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
    case "person":
      return words.length === 1 || parseFingerprint(words.join(" ")) !== undefined;
    case "person?":
      return words.length <= 1 || parseFingerprint(words.join(" ")) !== undefined;
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
    case "block":
    case "unblock":
      return peerCommand(spec.name, word === "" ? undefined : word);
    default:
      return command({ command: spec.name });
  }
}

function peerCommand(name: PeerCommandName, text: string | undefined): ParsedLine {
  if (text === undefined) {
    return name === "connect" || name === "block"
      ? problem(usageMessage(commandNamed(name)!))
      : command({ command: name });
  }
  const isPerson = name === "block" || name === "unblock";
  const digits = isPerson ? parseFingerprint(text.replace(/\s+/g, " ")) : undefined;
  const parsed = digits === undefined ? parsePeer(text) : { peer: digits };
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
    case "block":
    case "unblock":
      return jsonPeerCommand(spec.name, peer);
    default:
      return command({ command: spec.name });
  }
}

function jsonPeerCommand(name: PeerCommandName, peer: unknown): ParsedLine {
  const isNeeded = name === "connect" || name === "block";
  if (peer === undefined && !isNeeded) return command({ command: name });
  const isPeer = typeof peer === "string" || typeof peer === "number" && Number.isInteger(peer);
  if (!isPeer) return problem(`Cannot ${name}: expected the field "peer", a client id or a name`);
  return peerCommand(name, String(peer));
}
