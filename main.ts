/**
 * The command line: the subcommands, `--help` and `--version`.
 *
 * @module
 */
import { type CommandEntry, completions, SHELLS } from "./cli/completions.ts";
import { doctor } from "./client/doctor/main.ts";
import { DOCTOR_HELP, DOCTOR_OPTIONS } from "./client/doctor/options.ts";
import { CLIENT_HELP } from "./client/help.ts";
import { client } from "./client/main.ts";
import { OPTIONS as CLIENT_OPTIONS } from "./client/options.ts";
import { type Help, helpText, optionSection, section } from "./cli/help.ts";
import { manPage } from "./cli/man.ts";
import { quote } from "./cli/quote.ts";
import { nearestName } from "./cli/suggest.ts";
import { printText } from "./cli/tty.ts";
import config from "./deno.json" with { type: "json" };
import { VERSION } from "./protocol/wire/frame.ts";
import { serve } from "./server/main.ts";
import { OPTIONS as SERVER_OPTIONS, SERVER_HELP } from "./server/options.ts";

/** A subcommand. */
export interface Subcommand extends CommandEntry {
  /** Returns the exit status. */
  run(args: string[]): number | Promise<number>;
}

const COMPLETIONS_HELP: Help = {
  usage: `udp-chat completions ${SHELLS.join("|")}`,
  blocks: [
    "Prints a script for the shell, which then completes commands and options.",
    optionSection({}),
    section("Where it goes", [
      ["source <(udp-chat completions bash)", "in ~/.bashrc"],
      ["source <(udp-chat completions zsh)", "in ~/.zshrc, after compinit"],
      ["udp-chat completions fish | source", "in ~/.config/fish/config.fish"],
      ["udp-chat completions powershell | Out-String | Invoke-Expression", "in $PROFILE"],
    ]),
  ],
};

/** What is said of each subcommand that has a page of its own in the manual. */
const HELPS: Readonly<Record<string, Help>> = {
  serve: SERVER_HELP,
  client: CLIENT_HELP,
  doctor: DOCTOR_HELP,
  completions: COMPLETIONS_HELP,
};

const MAN_HELP: Help = {
  usage: `udp-chat man [${Object.keys(HELPS).join("|")}]`,
  blocks: [
    "Prints a page of the manual, in roff: of the program, or of one of its commands.",
    optionSection({}),
    section("Examples", [
      ["udp-chat man client | man -l -", "show a page"],
      ["udp-chat man > /usr/local/share/man/man1/udp-chat.1", "install one"],
    ]),
  ],
};

/** The subcommands. */
export const COMMANDS: readonly Subcommand[] = [
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
    help: "print what a shell needs to complete all this",
    options: {},
    words: SHELLS,
    run: printCompletions,
  },
  {
    name: "man",
    help: "print a page of the manual",
    options: {},
    words: Object.keys(HELPS),
    run: printManPage,
  },
];

const PROGRAM = "udp-chat";
const SUMMARY = "chat over UDP, from terminal to terminal";

const HELP: Help = {
  usage: "udp-chat COMMAND [OPTIONS]",
  blocks: [
    "Chat over UDP: a directory introduces clients, which then talk directly to each\nother.",
    section("Commands", COMMANDS.map(({ name, help }) => [name, help])),
    section("Options", [
      ["-h, --help", "show this help; after a command, that of the command"],
      ["-V, --version", "show the versions of the program, the protocol and Deno"],
    ]),
    section("To try it, in three terminals", [
      ["udp-chat serve", "the directory"],
      ["udp-chat client --name ana", "somebody to talk to"],
      ["udp-chat client --connect ana", "call her"],
    ]),
  ],
};

/** Whether a subcommand without options is asked for its help. */
function isHelp(word: string | undefined): boolean {
  return word === "-h" || word === "--help";
}

/** Prints what was asked for; returns the exit status. */
async function print(text: string): Promise<number> {
  const problem = await printText(text);
  if (problem === undefined) return 0;
  console.error(`Cannot print: ${problem}`);
  return 1;
}

/** Reports words that a subcommand does not take; returns the exit status. */
function rejectWords(
  command: string,
  task: string,
  expected: readonly string[],
  words: readonly string[],
): number {
  const given = words.length === 0 ? "nothing" : quote(words.join(" "));
  const all = `${expected.slice(0, -1).join(", ")} or ${expected.at(-1)}`;
  console.error(`Cannot print ${task}: expected ${all}, got ${given}`);
  console.error(`Try udp-chat ${command} --help`);
  return 2;
}

/** Runs `udp-chat completions`; returns the exit status. */
async function printCompletions(words: string[]): Promise<number> {
  if (isHelp(words[0])) return await print(helpText(COMPLETIONS_HELP));
  const shell = SHELLS.find((name) => name === words[0]);
  if (shell === undefined || words.length > 1) {
    return rejectWords("completions", "completions", SHELLS, words);
  }
  return await print(completions(shell, COMMANDS));
}

/** Runs `udp-chat man`; returns the exit status. */
async function printManPage(words: string[]): Promise<number> {
  if (isHelp(words[0])) return await print(helpText(MAN_HELP));
  const [word] = words;
  const page = manPages().get(word === undefined ? PROGRAM : pageName(word));
  if (page === undefined || words.length > 1) {
    return rejectWords("man", "the page", Object.keys(HELPS), words);
  }
  return await print(page.trimEnd());
}

/** All pages of the manual, by their names. */
export function manPages(): Map<string, string> {
  const { version } = config;
  const names = [PROGRAM, ...Object.keys(HELPS).map(pageName)];
  const page = (name: string, summary: string, help: Help): [string, string] => {
    const seeAlso = names.filter((other) => other !== name);
    return [name, manPage({ name, summary, help, version, seeAlso })];
  };
  const pages = COMMANDS.flatMap(({ name, help: summary }) => {
    const help = HELPS[name];
    return help === undefined ? [] : [page(pageName(name), summary, help)];
  });
  return new Map([page(PROGRAM, SUMMARY, HELP), ...pages]);
}

function pageName(command: string): string {
  return `${PROGRAM}-${command}`;
}

/** Runs the command that the arguments name; returns the exit status. */
async function main([word, ...rest]: string[]): Promise<number> {
  const command = COMMANDS.find(({ name }) => name === word);
  if (command !== undefined) return await command.run(rest);
  switch (word) {
    case "-h":
    case "--help":
      return await print(helpText(HELP));
    case "-V":
    case "--version":
      return await print(
        `udp-chat ${config.version} (protocol ${VERSION}, Deno ${Deno.version.deno})`,
      );
    case undefined:
      console.error(helpText(HELP));
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
