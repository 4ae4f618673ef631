/**
 * The help of the commands that users type while the client runs.
 *
 * @module
 */
import { columns } from "../../cli/help.ts";
import { MARKS } from "../output/deliveries.ts";
import { KEYS_HELP } from "../screen/keys.ts";
import { COMMANDS, type CommandSpec, isTypedAlone, usage } from "./command_table.ts";

/** The answer to the command `help`, to `help COMMAND`, or to `help keys`. */
export function commandHelp(topic?: CommandSpec | "keys"): string {
  if (topic === "keys") return columns(KEYS_HELP).join("\n");
  if (topic !== undefined) {
    const lines = [`  ${usage(topic)}`, `      ${topic.help}`];
    if (!isTypedAlone(topic)) lines.push(`      for example: ${topic.example}`);
    return lines.join("\n");
  }
  return [
    ...columns(commandRows()),
    "  While connected, a line is a command after a slash, or if all of it is one " +
    "and what it names is here. //text sends /text, and send @2 sends @2.",
    `  Your messages: ${MARKS.sent} sent, ${MARKS.delivered} delivered, ` +
    `${MARKS.unconfirmed} unconfirmed after 5 s, ${MARKS.lost} not delivered.`,
    "  Keys: Up and Down recall lines, Tab completes, Ctrl-C leaves. More: help keys",
  ].join("\n");
}

/** A row for each command: how it is typed, and what it does. */
export function commandRows(): [usage: string, help: string][] {
  return COMMANDS.map((spec) => [usage(spec), spec.help]);
}
