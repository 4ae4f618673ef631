/**
 * The command line: the subcommands, `--help` and `--version`.
 *
 * @module
 */
import { type CommandEntry, completions, SHELLS } from "./cli/completions.ts";
import { doctor } from "./client/doctor/main.ts";
import { DOCTOR_OPTIONS } from "./client/doctor/options.ts";
import { client } from "./client/main.ts";
import { OPTIONS as CLIENT_OPTIONS } from "./client/options.ts";
import { columns } from "./cli/help.ts";
import { quote } from "./cli/quote.ts";
import { nearestName } from "./cli/suggest.ts";
import config from "./deno.json" with { type: "json" };
import { VERSION } from "./protocol/wire/frame.ts";
import { serve } from "./server/main.ts";
import { OPTIONS as SERVER_OPTIONS } from "./server/options.ts";

/** The subcommands. */
const COMMANDS: readonly (CommandEntry & { run(args: string[]): number | Promise<number> })[] = [
  {
    name: "serve",
    help: "run a directory, where clients find each other",
    options: SERVER_OPTIONS,
    run: serve,
  },
  {
    name: "client",
    help: "register with a directory, and talk",
    options: CLIENT_OPTIONS,
    run: client,
  },
  {
    name: "doctor",
    help: "find out how a directory is reached from here",
    options: DOCTOR_OPTIONS,
    run: doctor,
  },
  {
    name: "completions",
    help: "print what bash, zsh or fish needs to complete all this",
    options: {},
    words: SHELLS,
    run: printCompletions,
  },
];

const COMPLETIONS_HELP = `Usage: udp-chat completions bash|zsh|fish

Prints a script for the shell, which then completes commands and options:
  bash  source <(udp-chat completions bash)        in ~/.bashrc
  zsh   source <(udp-chat completions zsh)         in ~/.zshrc, after compinit
  fish  udp-chat completions fish | source         in ~/.config/fish/config.fish`;

/** What `udp-chat --help` prints. */
function help(): string {
  return `Chat over UDP: a directory introduces clients, which then talk directly to each other

Usage: udp-chat COMMAND [OPTIONS]

${columns(COMMANDS.map(({ name, help }) => [name, help])).join("\n")}

  udp-chat COMMAND --help   the options of one of them
  udp-chat --version        the versions of the program, the protocol and Deno

To try it, in three terminals:
  udp-chat serve
  udp-chat client --name ana
  udp-chat client --connect ana`;
}

/** Runs `udp-chat completions`; returns the exit status. */
function printCompletions([word, ...rest]: string[]): number {
  if (word === "-h" || word === "--help") {
    console.log(COMPLETIONS_HELP);
    return 0;
  }
  const shell = SHELLS.find((name) => name === word);
  if (shell === undefined || rest.length > 0) {
    const given = [word ?? "nothing", ...rest].join(" ");
    console.error(`Cannot print completions: expected bash, zsh or fish, got ${given}`);
    console.error("Try udp-chat completions --help");
    return 2;
  }
  console.log(completions(shell, COMMANDS));
  return 0;
}

/** Runs the command that the arguments name; returns the exit status. */
async function main([word, ...rest]: string[]): Promise<number> {
  const command = COMMANDS.find(({ name }) => name === word);
  if (command !== undefined) return await command.run(rest);
  switch (word) {
    case "-h":
    case "--help":
      console.log(help());
      return 0;
    case "-V":
    case "--version":
      console.log(`udp-chat ${config.version} (protocol ${VERSION}, Deno ${Deno.version.deno})`);
      return 0;
    case undefined:
      console.error(help());
      return 2;
    default: {
      const nearest = nearestName(word, COMMANDS);
      const hint = nearest === undefined ? "" : `: did you mean "${nearest}"?`;
      console.error(`Unknown command ${quote(word)}${hint}\nTry udp-chat --help`);
      return 2;
    }
  }
}

// Exits rather than ends: a read of standard input that is under way would keep the process alive.
if (import.meta.main) Deno.exit(await main(Deno.args));
