/**
 * The help of `udp-chat serve`, made from the table of its options.
 *
 * @module
 */
import { OPTIONS } from "./options.ts";

/** What `--help` prints. */
export function serverHelp(): string {
  const usages = OPTIONS.map(({ name, value }) => {
    const short = name === "help" ? "-h, " : "";
    return `${short}--${name} ${value}`.trimEnd();
  });
  const width = Math.max(...usages.map(({ length }) => length));
  const options = OPTIONS.map(({ help }, index) => `  ${usages[index]!.padEnd(width)}  ${help}`);
  return `Usage: udp-chat serve [OPTIONS]

Runs a directory, where clients register and find each other.

Options:
${options.join("\n")}

A client in the table takes about 220 bytes of memory. The secret has at least
16 bytes.

On a terminal it shows the table, what happens and the totals, redrawn in place.
Elsewhere, and with --plain, it prints the active clients on every join, leave
and expiry, or, where they are more than 200, who came or went and how many they
are. Ctrl-C stops it.

Examples:
  udp-chat serve
  udp-chat serve --host 0.0.0.0 --port 7071
  udp-chat serve --json > clients.log`;
}
