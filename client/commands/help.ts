/**
 * The help of the commands that users type while the client runs.
 *
 * @module
 */
import { columns } from "../../cli/help.ts";
import { MARKS } from "../output/deliveries.ts";
import { COMMANDS, type CommandSpec, usage } from "./command_table.ts";

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
    ...columns(commandRows()),
    "  While connected, any other line is sent as it is.",
    "  A command may begin with a slash; //text sends /text, and send @2 sends @2.",
    `  Your messages: ${MARKS.sent} sent, ${MARKS.delivered} delivered, ` +
    `${MARKS.unconfirmed} unconfirmed after 5 s, ${MARKS.lost} not delivered.`,
  ].join("\n");
}

/** A row for each command: how it is typed, and what it does. */
export function commandRows(): [usage: string, help: string][] {
  return COMMANDS.map((spec) => [usage(spec), spec.help]);
}
