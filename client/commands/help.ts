/**
 * Help, made from the tables of commands, options and exit statuses.
 *
 * @module
 */
import { COMMANDS, type CommandSpec, usage } from "./command_table.ts";
import { EXIT_STATUS_HELP } from "../exit.ts";
import { MARKS } from "../output/deliveries.ts";
import { OPTIONS, type OptionSpec } from "../options.ts";

const EXAMPLES: readonly (readonly [string, string])[] = [
  ["udp-chat client --name ana", "register, then talk"],
  ["udp-chat client --connect ana", "register and call ana"],
  ['udp-chat client --connect 2 --send "hi"', "send one message"],
  ["udp-chat client --json < commands", "for programs"],
];

/** The help of the command line. */
export function clientHelp(): string {
  return [
    "Usage: udp-chat client [OPTIONS]",
    "",
    "Registers with a directory, and talks to other clients directly, over UDP.",
    "",
    "Options:",
    ...columns(OPTIONS.map((option) => [optionUsage(option), option.help])),
    "",
    "Commands, typed or from a pipe or file:",
    ...commandRows(),
    "",
    'With --json a line may be an object: {"command":"send","peer":2,"text":"hello"}.',
    "Ctrl-C drops a paste, cancels a Connection Request, else leaves; a second one",
    "leaves at once. Ctrl-Z stops the client, fg brings it back.",
    "The end of the input terminates and leaves.",
    "",
    "Exit status:",
    ...columns(EXIT_STATUS_HELP.map(([status, help]) => [`${status}`, help])),
    "",
    "Examples:",
    ...columns(EXAMPLES),
  ].join("\n");
}

/** The answer to the command `help`, or to `help COMMAND`. */
export function commandHelp(topic?: CommandSpec): string {
  if (topic !== undefined) {
    return [
      `  ${usage(topic)}`,
      `      ${topic.help}`,
      `      for example: ${topic.example}`,
    ].join("\n");
  }
  return [
    ...commandRows(),
    "  While connected, any other line is sent as it is.",
    "  A command may begin with a slash; //text sends /text, and send @2 sends @2.",
    `  Your messages: ${MARKS.sent} sent, ${MARKS.delivered} delivered, ` +
    `${MARKS.unconfirmed} unconfirmed after 5 s, ${MARKS.lost} not delivered.`,
  ].join("\n");
}

function commandRows(): string[] {
  return columns(COMMANDS.map((spec) => [usage(spec), spec.help]));
}

/** `-h, --help`, `--name NAME` */
export function optionUsage({ name, value }: OptionSpec): string {
  const short = name === "help" ? "-h, " : "";
  return `${short}--${name} ${value}`.trimEnd();
}

/** Rows of two columns, indented. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
