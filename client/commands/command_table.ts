/**
 * The commands: one table for parsing, help, usage messages and completion.
 *
 * @module
 */
import type { Peer } from "../peer.ts";

/** A command of the user. */
export type Command = CommandAlone & {
  /** What the program that gave it as JSON calls it; it is in every event that the command causes. */
  ref?: string;
};

/** A command without its reference. */
type CommandAlone =
  | { command: "connect"; peer: Peer }
  | { command: "accept" | "reject"; peer?: Peer }
  /** Without `peer`: on the current connection. */
  | { command: "send"; text: string; peer?: Peer }
  | { command: "switch"; peer: Peer }
  | { command: "terminate"; peer?: Peer }
  | { command: "list"; pattern?: string }
  | { command: "verify"; peer?: Peer }
  | { command: "leave" | "requests" | "show" | "fingerprint" }
  /** `peer` may be a fingerprint, as parseFingerprint() returns it. */
  | { command: "block" | "trust"; peer: Peer }
  | { command: "unblock"; peer?: Peer }
  | { command: "nick"; name: string }
  /** Without `file`: show where the transcript is; `off`: end it. */
  | { command: "log"; file?: string }
  | { command: "help"; topic?: CommandSpec | "keys" };

/** The name of a command; `@`, directly followed by a client, is another way to `send`. */
export type CommandName = Command["command"] | "@";

/**
 * The argument of a command, optional with `?`. `peer`: an active client; `request`: one with a
 * pending request; `connected`: a connected one; `current`: the same, but only as JSON; `person`: one
 * that may have left; `to`: a connected one and a text; `name`: one that this client may have;
 * `topic`: a command, or the keys; `pattern`: part of a name.
 */
type Argument =
  | "none"
  | "peer"
  | "request?"
  | "connected"
  | "connected?"
  | "current"
  | "person"
  | "person?"
  | "text"
  | "to"
  | "name"
  | "file?"
  | "topic?"
  | "pattern?";

/** A row of the table. */
export interface CommandSpec {
  name: CommandName;
  argument: Argument;
  /** What it does, in one line. */
  help: string;
  example: string;
  /** Words of other programs for it; each is answered with a suggestion. */
  alsoKnownAs: readonly string[];
}

/** All commands, in the order of the help. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "connect",
    argument: "peer",
    help: "ask another client for a connection",
    example: "connect bob",
    alsoKnownAs: ["call", "open", "dial", "join"],
  },
  {
    name: "accept",
    argument: "request?",
    help: "accept a Connection Request, the oldest or the named one",
    example: "accept carol",
    alsoKnownAs: ["yes", "answer"],
  },
  {
    name: "reject",
    argument: "request?",
    help: "reject a Connection Request, the oldest or the named one",
    example: "reject carol",
    alsoKnownAs: ["no", "decline", "deny"],
  },
  {
    name: "requests",
    argument: "none",
    help: "show the requests that wait, and those that you missed",
    example: "requests",
    alsoKnownAs: ["missed", "calls", "pending"],
  },
  {
    name: "send",
    argument: "text",
    help: "send a message; while connected, plain text is sent too",
    example: "send hello",
    alsoKnownAs: ["say", "msg", "message", "tell"],
  },
  {
    name: "@",
    argument: "to",
    help: "send it to one of several, the current one or not",
    example: "@bob hello",
    alsoKnownAs: [],
  },
  {
    name: "switch",
    argument: "connected",
    help: "make another connection the current one",
    example: "switch bob",
    alsoKnownAs: ["query", "goto", "window", "focus"],
  },
  {
    name: "terminate",
    argument: "connected?",
    help: "end the connection, the current or the named one",
    example: "terminate bob",
    alsoKnownAs: ["disconnect", "close", "end", "hangup"],
  },
  {
    name: "leave",
    argument: "none",
    help: "end all connections, tell the directory, and exit",
    example: "leave",
    alsoKnownAs: ["quit", "exit", "bye", "logout"],
  },
  {
    name: "list",
    argument: "pattern?",
    help: "show the active clients, all or by part of the name",
    example: "list bo",
    alsoKnownAs: ["who", "ls", "names", "clients"],
  },
  {
    name: "show",
    argument: "none",
    help: "show the whole of the last message that was cut",
    example: "show",
    alsoKnownAs: ["more", "all", "cat", "less"],
  },
  {
    name: "fingerprint",
    argument: "none",
    help: "show the fingerprint of your own key",
    example: "fingerprint",
    alsoKnownAs: ["key", "whoami", "identity"],
  },
  {
    name: "verify",
    argument: "current",
    help: "show the digits that both ends of a connection must see",
    example: "verify",
    alsoKnownAs: ["sas", "authenticate", "compare"],
  },
  {
    name: "trust",
    argument: "person",
    help: "trust the new key of somebody, and send what waits for it",
    example: "trust ana",
    alsoKnownAs: ["believe", "confirm", "pin"],
  },
  {
    name: "block",
    argument: "person",
    help: "let requests of an id, name or fingerprint ring no more",
    example: "block eve",
    alsoKnownAs: ["ignore", "mute", "ban"],
  },
  {
    name: "unblock",
    argument: "person?",
    help: "let them ring again; alone, show who is blocked",
    example: "unblock eve",
    alsoKnownAs: ["unignore", "unmute", "unban", "blocked"],
  },
  {
    name: "nick",
    argument: "name",
    help: "take another name; while connected, type /nick",
    example: "nick ana",
    alsoKnownAs: ["rename", "alias"],
  },
  {
    name: "log",
    argument: "file?",
    help: "keep a transcript in a file, or show where; off ends it",
    example: "log chat.txt",
    alsoKnownAs: ["transcript", "record", "save"],
  },
  {
    name: "help",
    argument: "topic?",
    help: "show the commands, one of them, or the keys",
    example: "help connect",
    alsoKnownAs: ["?", "man", "commands"],
  },
];

const ARGUMENT_TEXT: Readonly<Record<Argument, string>> = {
  "none": "",
  "peer": "ID|NAME",
  "request?": "[ID|NAME]",
  "connected": "ID|NAME",
  "connected?": "[ID|NAME]",
  "current": "",
  "person": "WHO",
  "person?": "[WHO]",
  "text": "TEXT",
  "to": "ID|NAME TEXT",
  "name": "NAME",
  "file?": "[FILE|off]",
  "topic?": "[COMMAND|keys]",
  "pattern?": "[PATTERN]",
};

/** The fields of a command as a JSON object, beside `command`. */
export const JSON_FIELDS: Readonly<Record<Argument, readonly string[]>> = {
  "none": [],
  "peer": ["peer"],
  "request?": ["peer"],
  "connected": ["peer"],
  "connected?": ["peer"],
  "current": ["peer"],
  "person": ["peer"],
  "person?": ["peer"],
  "text": ["text", "peer"],
  "to": [],
  "name": ["name"],
  "file?": ["file"],
  "topic?": [],
  "pattern?": ["pattern"],
};

/** The command of this name. */
export function commandNamed(name: string): CommandSpec | undefined {
  return COMMANDS.find((spec) => spec.name === name);
}

/** Whether a user types nothing after it. */
export function isTypedAlone(spec: CommandSpec): boolean {
  return ARGUMENT_TEXT[spec.argument] === "";
}

/** `connect ID|NAME` */
export function usage(spec: CommandSpec): string {
  if (spec.name === "@") return `@${ARGUMENT_TEXT[spec.argument]}`;
  return `${spec.name} ${ARGUMENT_TEXT[spec.argument]}`.trimEnd();
}
