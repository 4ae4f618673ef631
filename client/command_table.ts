/**
 * The commands: one table, from which parsing, help, usage messages and completion are made.
 *
 * @module
 */
import type { Peer } from "./event.ts";

/** What a user can ask for. */
export type Command =
  | { command: "connect"; peer: Peer }
  | { command: "accept" | "reject"; peer?: Peer }
  | { command: "send"; text: string }
  | { command: "terminate" | "leave" | "list" | "fingerprint" | "verify" }
  /** `peer` may be a fingerprint, as parseFingerprint() gives it. */
  | { command: "block"; peer: Peer }
  | { command: "unblock"; peer?: Peer }
  | { command: "help"; topic?: CommandSpec };

/** A command's name. */
export type CommandName = Command["command"];

/**
 * What follows a command's name: nothing, a client, somebody that may have left (perhaps: `?`), a text,
 * perhaps a command.
 */
type Argument = "none" | "peer" | "peer?" | "person" | "person?" | "text" | "topic?";

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
    name: "fingerprint",
    argument: "none",
    help: "show the fingerprint of your own key",
    example: "fingerprint",
    alsoKnownAs: ["key", "whoami", "identity"],
  },
  {
    name: "verify",
    argument: "none",
    help: "show the digits that both ends of the connection must see",
    example: "verify",
    alsoKnownAs: ["sas", "authenticate", "compare"],
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
    name: "help",
    argument: "topic?",
    help: "show the commands, or one of them",
    example: "help connect",
    alsoKnownAs: ["?", "man", "commands"],
  },
];

const ARGUMENT_TEXT: Readonly<Record<Argument, string>> = {
  "none": "",
  "peer": "ID|NAME",
  "peer?": "[ID|NAME]",
  "person": "WHO",
  "person?": "[WHO]",
  "text": "TEXT",
  "topic?": "[COMMAND]",
};

/** The fields that a command has as a JSON object, beside `command`. */
export const JSON_FIELDS: Readonly<Record<Argument, readonly string[]>> = {
  "none": [],
  "peer": ["peer"],
  "peer?": ["peer"],
  "person": ["peer"],
  "person?": ["peer"],
  "text": ["text"],
  "topic?": [],
};

/** The command of that name. */
export function commandNamed(name: string): CommandSpec | undefined {
  return COMMANDS.find((spec) => spec.name === name);
}

/** `connect ID|NAME` */
export function usage(spec: CommandSpec): string {
  return `${spec.name} ${ARGUMENT_TEXT[spec.argument]}`.trimEnd();
}
