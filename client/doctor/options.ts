/**
 * The options of `udp-chat doctor`.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { columns, optionUsage } from "../commands/help.ts";
import {
  type OptionSpec,
  parseServer,
  Problem,
  SERVER_PORT,
  strayMessage,
  valueOf,
} from "../options.ts";

/** All options, in the order of the help. */
export const DOCTOR_OPTIONS: readonly OptionSpec[] = [
  { name: "server", value: "HOST[:PORT]", help: `the directory; default localhost:${SERVER_PORT}` },
  {
    name: "identity",
    value: "FILE",
    help: "file of your key; default in the configuration folder",
  },
  {
    name: "secret",
    value: "FILE",
    help: "the secret of a private directory (or UDP_CHAT_SECRET)",
  },
  { name: "json", value: "", help: "print one JSON object a line" },
  { name: "help", value: "", help: "show this help" },
];

/** What the user wants, with the defaults filled in. */
export interface DoctorSettings {
  server: { host: string; port: number };
  /** The file of the key; undefined for the one in the configuration folder. */
  identity: string | undefined;
  secretFile: string | undefined;
  isJson: boolean;
}

/** The options as they were understood. */
export type ParsedDoctorOptions =
  | { kind: "run"; options: DoctorSettings }
  | { kind: "help" }
  | { kind: "problem"; message: string };

/** Understands the arguments behind `udp-chat doctor`. */
export function parseDoctorOptions(args: readonly string[]): ParsedDoctorOptions {
  try {
    return parse(args);
  } catch (error) {
    if (error instanceof Problem) return { kind: "problem", message: error.message };
    throw error;
  }
}

function parse(args: readonly string[]): ParsedDoctorOptions {
  let stray: string | undefined;
  const given: Record<string, unknown> = parseArgs([...args], {
    string: DOCTOR_OPTIONS.filter(({ value }) => value !== "").map(({ name }) => name),
    boolean: DOCTOR_OPTIONS.filter(({ value }) => value === "").map(({ name }) => name),
    alias: { help: "h" },
    unknown: (arg: string) => {
      stray ??= arg;
      return false;
    },
  });
  if (given["help"] === true) return { kind: "help" };
  if (stray !== undefined) throw new Problem(strayMessage(stray, DOCTOR_OPTIONS));
  const server = valueOf(given, "server", "HOST[:PORT]") ?? `localhost:${SERVER_PORT}`;
  const options = {
    server: parseServer(server),
    identity: valueOf(given, "identity", "a file"),
    secretFile: valueOf(given, "secret", "a file"),
    isJson: given["json"] === true,
  };
  return { kind: "run", options };
}

/** The help of the command line. */
export function doctorHelp(): string {
  return [
    "Usage: udp-chat doctor [OPTIONS]",
    "",
    "Finds out how the directory is reached from here: registers without a name,",
    "measures, and leaves again. A line for each check: ok, warning or failed.",
    "",
    "Options:",
    ...columns(DOCTOR_OPTIONS.map((option) => [optionUsage(option), option.help])),
    "",
    "Exit status:",
    ...columns([
      ["0", "all well, or nothing worse than a warning"],
      ["1", "a check failed"],
      ["2", "wrong usage"],
      ["3", "the directory did not answer"],
    ]),
    "",
    "Examples:",
    ...columns([
      ["udp-chat doctor", "the directory on this machine"],
      ["udp-chat doctor --server chat.example", "one elsewhere"],
    ]),
  ].join("\n");
}
