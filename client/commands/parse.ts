/**
 * Lines of input as commands or messages.
 *
 * What a line means:
 *
 * - `/word …` is always a command, and `//text` is the message "/text".
 * - While connected, a line is a command if its first word is one and the rest fits it: "leave" is
 *   a command, "leave it to me" and "log in" are messages. On a typed line, what the rest refers to
 *   must be there as well: "accept that" is a message unless a client called that asks for a
 *   connection. Every other line is a message, and sent exactly as typed.
 * - `@name text` is a message to one of several peers. A name cannot begin with "@"; a message can
 *   begin with "@name" only after `send`. A typed one to nobody who is connected is not sent.
 * - While not connected, every line is a command.
 *
 * @module
 */
import { parseFingerprint } from "../../protocol/crypto/fingerprint.ts";
import { nameProblem, normalName } from "../../protocol/name/name.ts";
import { failure, type Result, success } from "../../protocol/result.ts";
import {
  type Command,
  type CommandName,
  commandNamed,
  COMMANDS,
  type CommandSpec,
  isTypedAlone,
  JSON_FIELDS,
  usage,
} from "./command_table.ts";
import { resolves, sendProblem, type Surroundings } from "./surroundings.ts";
import { parsePeer } from "../peer.ts";
import { shorten } from "../../cli/quote.ts";
import { nearestName } from "../../cli/suggest.ts";

/** The commands that can name a peer. */
type PeerCommandName = typeof PEER_COMMANDS[number];
const PEER_COMMANDS = [
  "connect",
  "accept",
  "reject",
  "switch",
  "terminate",
  "verify",
  "block",
  "trust",
  "unblock",
] as const;

/** The command of a line, undefined for an empty one. */
export type ParsedLine = Result<Command | undefined, LineError>;

/** Why a line is no command. */
export interface LineError {
  readonly message: string;
  /** Whether the line may have been meant as a message. */
  readonly isText: boolean;
  /** Whether a small change makes it a good one. */
  readonly isForMending?: boolean;
  /** The reference of the command, where it has one. */
  readonly ref?: string;
}

/** What a line's meaning depends on. */
export interface ParseContext {
  isConnected: boolean;
  /** Whether a line that is JSON is a command. */
  isJson: boolean;
  /** What a typed line can refer to; undefined for a line of a script. */
  surroundings?: Surroundings;
}

/** Parses a line, without its line end. */
export function parseCommand(line: string, context: ParseContext): ParsedLine {
  if (context.isJson && isJson(line)) return parseJsonCommand(line);
  const { slash = "", word = "", rest } =
    /^\s*(?<slash>\/?)(?<word>\S*)(?:\s(?<rest>.*))?$/s.exec(line)?.groups ?? {};
  if (slash + word === "") return success(undefined);
  if (word.startsWith("/") && slash !== "") {
    return success({ command: "send", text: withoutSlash(line) });
  }
  const isCertain = slash !== "" || !context.isConnected;
  const addressed = word.startsWith("@") ? parseAddressed(word.slice(1), rest) : undefined;
  if (addressed !== undefined && (isCertain || addressed.isName)) {
    return checkAddressed(addressed.parsed, context);
  }
  const spec = commandNamed(word);
  if (spec !== undefined && isCertain) return parseArgument(spec, rest);
  if (!isCertain) return parseUncertain(line, spec, rest, context);
  const advice = context.isConnected ? undefined : "type help, or connect NAME to talk";
  return unknownCommand(slash, word, advice);
}

/** A line while connected: the command, if it fits one in every way, else the message. */
function parseUncertain(
  line: string,
  spec: CommandSpec | undefined,
  rest: string | undefined,
  { surroundings }: ParseContext,
): ParsedLine {
  const message: ParsedLine = success({ command: "send", text: line });
  if (spec === undefined || !fits(spec, rest) || looksLikeMessage(spec, rest)) return message;
  const parsed = parseArgument(spec, rest);
  if (surroundings === undefined) return parsed;
  const isCommand = parsed.ok && parsed.value !== undefined && resolves(parsed.value, surroundings);
  return isCommand ? parsed : message;
}

/** A message to a peer, unless it is typed and the peer is not connected. */
function checkAddressed(parsed: ParsedLine, { surroundings }: ParseContext): ParsedLine {
  const command = parsed.ok ? parsed.value : undefined;
  if (surroundings === undefined || command?.command !== "send") return parsed;
  const problem = command.peer === undefined ? undefined : sendProblem(command.peer, surroundings);
  if (problem === undefined) return parsed;
  return failure({ message: problem, isText: true, isForMending: true });
}

function withoutSlash(line: string): string {
  return line.replace("/", "");
}

function invalid(message: string, isText = false): ParsedLine {
  return failure({ message, isText });
}

/** Whether the rest of a line can be the argument of the command. */
function fits(spec: CommandSpec, rest = ""): boolean {
  const words = rest.split(/\s+/).filter((word) => word !== "");
  switch (spec.argument) {
    case "none":
    case "current":
      return words.length === 0;
    case "peer":
    case "connected":
    case "name":
      return words.length === 1;
    case "connected?":
    case "pattern?":
      return words.length <= 1;
    case "person":
      return words.length === 1 || parseFingerprint(words.join(" ")) !== undefined;
    case "request?":
    case "person?":
      return words.length <= 1 || parseFingerprint(words.join(" ")) !== undefined;
    case "text":
      return words.length > 0;
    case "to":
      return false;
    case "file?":
      return true;
    case "topic?":
      return words.length === 0 || words.length === 1 && topicNamed(words[0]!) !== undefined;
  }
}

/**
 * Whether a line is rather a message, such as "nick me" or "log in": a file name has a "." or a "/", and one
 * with spaces is quoted or begins with its folder.
 */
function looksLikeMessage(spec: CommandSpec, rest = ""): boolean {
  // Any word can be a name.
  if (spec.argument === "name") return true;
  const path = rest.trim();
  if (spec.argument !== "file?" || path === "" || path === "off") return false;
  const isClear = /\s/.test(path)
    ? unquote(path) !== path || /^(?:[~.]|\.\.|[a-z]:)?[\\/]/i.test(path)
    : /[/\\]|\.\w/.test(path);
  return !isClear;
}

/** A path without the quotation marks that a shell would need around it. */
function unquote(path: string): string {
  return /^(["'])(?<inner>.+)\1$/.exec(path)?.groups?.["inner"] ?? path;
}

function topicNamed(word: string): CommandSpec | "keys" | undefined {
  if (word === "keys") return word;
  return commandNamed(word.replace(/^\//, ""));
}

function parseArgument(spec: CommandSpec, rest = ""): ParsedLine {
  const word = rest.trim();
  if (spec.argument === "topic?" && word !== "") {
    const topic = topicNamed(word);
    return topic === undefined ? unknownCommand("", word) : success({ command: "help", topic });
  }
  if (spec.name === "@" || !fits(spec, rest)) return invalid(usageMessage(spec));
  if (spec.name === "send") return success({ command: "send", text: rest });
  if (spec.name === "log") {
    return success(word === "" ? { command: "log" } : { command: "log", file: unquote(word) });
  }
  if (spec.name === "nick") return nickCommand(word);
  if (spec.name === "list") return listCommand(word === "" ? undefined : word);
  if (isPeerCommand(spec.name)) return peerCommand(spec.name, word === "" ? undefined : word);
  return plainCommand(spec.name);
}

/** A command without an argument. */
function plainCommand(
  name: Exclude<CommandName, PeerCommandName | "send" | "list" | "nick" | "log" | "@">,
): ParsedLine {
  return success({ command: name });
}

function listCommand(pattern: string | undefined): ParsedLine {
  return success(pattern === undefined ? { command: "list" } : { command: "list", pattern });
}

function isPeerCommand(name: CommandName): name is PeerCommandName {
  return PEER_COMMANDS.some((each) => each === name);
}

/** Parses `@name text`; `isName`: whether the name can be one. */
function parseAddressed(name: string, text = ""): { parsed: ParsedLine; isName: boolean } {
  const isMissing = name === "" || text.trim() === "";
  const parsed = isMissing ? undefined : parsePeer(name);
  if (parsed === undefined) {
    return { parsed: invalid(usageMessage(commandNamed("@")!)), isName: name !== "" };
  }
  if (!parsed.ok) return { parsed: invalid(`Cannot send: ${parsed.error}`), isName: false };
  return { parsed: success({ command: "send", text, peer: parsed.value }), isName: true };
}

function nickCommand(text: string): ParsedLine {
  const name = normalName(text);
  const problem = nameProblem(name);
  return problem === undefined
    ? success({ command: "nick", name })
    : invalid(`Cannot nick: a name ${problem}`);
}

function peerCommand(name: PeerCommandName, text: string | undefined): ParsedLine {
  if (text === undefined) {
    return needsPeer(name)
      ? invalid(usageMessage(commandNamed(name)!))
      : success({ command: name });
  }
  const takesKey = !["connect", "switch", "terminate", "verify"].includes(name);
  const digits = takesKey ? parseFingerprint(text.replace(/\s+/g, " ")) : undefined;
  const parsed = digits === undefined ? parsePeer(text) : success(digits);
  if (!parsed.ok) return invalid(`Cannot ${name}: ${parsed.error}`);
  return success({ command: name, peer: parsed.value });
}

function needsPeer(name: PeerCommandName): name is "connect" | "switch" | "block" | "trust" {
  return ["connect", "switch", "block", "trust"].includes(name);
}

function usageMessage(spec: CommandSpec): string {
  if (isTypedAlone(spec)) return `${spec.name} takes no words after it`;
  return `Usage: ${usage(spec)} · for example: ${spec.example}`;
}

function unknownCommand(
  slash: string,
  word: string,
  advice = "type help for the commands",
): ParsedLine {
  const words = COMMANDS.filter((spec) => spec.name !== "@");
  const suggestion = nearestName(word, words);
  const hint = suggestion === undefined ? advice : `did you mean "${slash}${suggestion}"?`;
  const isText = slash === "" && suggestion === undefined;
  return invalid(`Unknown command "${slash}${shorten(word)}": ${hint}`, isText);
}

/** How JSON begins that is no object: an error of JSON.parse() for every other line costs too much. */
const JSON_BEGINNING = /^\s*(?:["[\-\d]|(?:true|false|null)\s*$)/;

/** Whether a line is JSON, or is meant to be. */
function isJson(line: string): boolean {
  return /^\s*\{/.test(line) || JSON_BEGINNING.test(line) && parseJson(line).ok;
}

function parseJson(line: string): Result<unknown> {
  try {
    return success(JSON.parse(line));
  } catch {
    return failure(`Cannot parse the line as JSON: "${shorten(line.trim())}"`);
  }
}

function parseJsonCommand(line: string): ParsedLine {
  const json = parseJson(line);
  if (!json.ok) return invalid(json.error);
  const isObject = typeof json.value === "object" && json.value !== null;
  const { ref, ...fields } = (isObject ? json.value : {}) as Record<string, unknown>;
  if (ref !== undefined && typeof ref !== "string") {
    return invalid('Cannot parse the command: expected the field "ref", a string');
  }
  const parsed = parseJsonFields(fields);
  if (ref === undefined) return parsed;
  return parsed.ok
    ? success(parsed.value && { ...parsed.value, ref })
    : failure({ ...parsed.error, ref });
}

function parseJsonFields({ command: name, ...fields }: Record<string, unknown>): ParsedLine {
  const spec = typeof name === "string" ? commandNamed(name) : undefined;
  if (spec === undefined || spec.name === "@") {
    if (typeof name === "string") return unknownCommand("", name);
    return invalid('Cannot parse the command: expected {"command": "…", …}');
  }
  const unknown = Object.keys(fields).find((key) => !JSON_FIELDS[spec.argument].includes(key));
  if (unknown !== undefined) return invalid(`Cannot ${name}: unknown field "${shorten(unknown)}"`);
  const { peer, text, file, pattern, name: newName } = fields;
  if (spec.name === "send") return jsonSend(text, peer);
  if (spec.name === "log") return jsonLog(file);
  if (spec.name === "list") return jsonList(pattern);
  if (spec.name === "nick") {
    return typeof newName === "string"
      ? nickCommand(newName)
      : invalid('Cannot nick: expected the field "name", a string');
  }
  return isPeerCommand(spec.name) ? jsonPeerCommand(spec.name, peer) : plainCommand(spec.name);
}

function jsonList(pattern: unknown): ParsedLine {
  if (pattern === undefined || typeof pattern === "string") return listCommand(pattern);
  return invalid('Cannot list: expected the field "pattern", a string');
}

function jsonLog(file: unknown): ParsedLine {
  if (file === undefined) return success({ command: "log" });
  if (typeof file === "string" && file !== "") return success({ command: "log", file });
  return invalid('Cannot log: expected the field "file", a string');
}

function jsonSend(text: unknown, peer: unknown): ParsedLine {
  if (typeof text !== "string") {
    return invalid('Cannot send: expected the field "text", a string');
  }
  if (peer === undefined) return success({ command: "send", text });
  const parsed = isPeerField(peer) ? parsePeer(String(peer)) : undefined;
  if (parsed === undefined) return invalid(peerFieldMessage("send"));
  if (!parsed.ok) return invalid(`Cannot send: ${parsed.error}`);
  return success({ command: "send", text, peer: parsed.value });
}

function jsonPeerCommand(name: PeerCommandName, peer: unknown): ParsedLine {
  if (peer === undefined && !needsPeer(name)) return success({ command: name });
  return isPeerField(peer) ? peerCommand(name, String(peer)) : invalid(peerFieldMessage(name));
}

function isPeerField(peer: unknown): peer is string | number {
  return typeof peer === "string" || typeof peer === "number" && Number.isInteger(peer);
}

function peerFieldMessage(name: string): string {
  return `Cannot ${name}: expected the field "peer", a client id or a name`;
}
