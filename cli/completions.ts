/**
 * Scripts with which shells complete commands, options and their values.
 *
 * @module
 */
import { flag, type Option, optionRows, type OptionTable } from "./options.ts";

/** The shells that there is a script for. */
export const SHELLS = ["bash", "zsh", "fish", "powershell"] as const;
/** One of the {@linkcode SHELLS}. */
export type Shell = typeof SHELLS[number];

/** A command of the program. */
export interface CommandEntry {
  readonly name: string;
  /** What it does, in one line. */
  readonly help: string;
  readonly options: OptionTable;
  /** The arguments that may follow it, beside options. */
  readonly words?: readonly string[];
}

const GLOBAL_OPTIONS: readonly Option[] = [
  flag("help", "show the commands"),
  flag("version", "show the versions of the program, the protocol and Deno"),
];

/** The script for a shell. */
export function completions(shell: Shell, commands: readonly CommandEntry[]): string {
  switch (shell) {
    case "bash":
      return bash(commands);
    case "zsh":
      return zsh(commands);
    case "fish":
      return fish(commands);
    case "powershell":
      return powershell(commands);
  }
}

function isFile({ value }: Option): boolean {
  return value === "FILE";
}

/** An option as it is typed; `help` has a short form. */
function typed({ name }: Option): string {
  return name === "help" ? "-h --help" : `--${name}`;
}

/** The text in single quotes, for bash and zsh. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** One name a line, so that names may hold spaces. */
const FILES_IN_BASH = "IFS=$'\\n'; compopt -o filenames 2>/dev/null; " +
  'COMPREPLY=($(compgen -f -- "$cur"))';

function bash(commands: readonly CommandEntry[]): string {
  const first = [...commands.map(({ name }) => name), ...GLOBAL_OPTIONS.map(typed)].join(" ");
  const valued = (command: CommandEntry): string[] =>
    optionRows(command.options).filter(({ value }) => value !== "").map((option) => {
      const choices = option.choices ?? [];
      const reply = isFile(option)
        ? FILES_IN_BASH
        : choices.length > 0
        ? `COMPREPLY=($(compgen -W '${choices.join(" ")}' -- "$cur"))`
        : "";
      return `    ${command.name}:--${option.name}) ${reply}${reply === "" ? "" : "; "}return ;;`;
    });
  return [
    "# bash completion of udp-chat",
    "_udp_chat() {",
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=""',
    "  local command=${COMP_WORDS[1]} IFS=$' \\t\\n'",
    "  COMPREPLY=()",
    "  # Of --option=value, bash makes three words.",
    '  if [[ $cur == "=" ]]; then cur=""',
    '  elif [[ $prev == "=" ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi',
    "  if ((COMP_CWORD == 1)); then",
    `    COMPREPLY=($(compgen -W '${first}' -- "$cur"))`,
    "    return",
    "  fi",
    "  case $command:$prev in",
    ...commands.flatMap(valued),
    "  esac",
    "  case $command in",
    ...commands.map(({ name, options, words = [] }) =>
      `    ${name}) words='${[...words, ...optionRows(options).map(typed)].join(" ")}' ;;`
    ),
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$cur"))',
    "}",
    "complete -F _udp_chat udp-chat",
  ].join("\n");
}

function zsh(commands: readonly CommandEntry[]): string {
  const spec = (option: Option): string => {
    const help = option.help.replace(/[\\[\]]/g, "\\$&");
    const choices = option.choices ?? [];
    const action = isFile(option) ? "_files" : choices.length > 0 ? `(${choices.join(" ")})` : " ";
    const value = option.value === ""
      ? ""
      : `:${option.value.replaceAll(":", "\\:").toLowerCase()}:${action}`;
    if (option.name === "help") return `'(-h --help)'{-h,--help}${quoted(`[${help}]`)}`;
    return quoted(`--${option.name}${option.value === "" ? "" : "="}[${help}]${value}`);
  };
  return [
    "#compdef udp-chat",
    "_udp_chat() {",
    "  local -a commands=(",
    ...commands.map(({ name, help }) => `    ${quoted(`${name}:${help.replaceAll(":", "\\:")}`)}`),
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    if [[ $PREFIX == -* ]]; then",
    `      _arguments ${GLOBAL_OPTIONS.map(spec).join(" ")}`,
    "    else",
    "      _describe command commands",
    "    fi",
    "    return",
    "  fi",
    "  local command=$words[2]",
    "  shift words",
    "  (( CURRENT-- ))",
    "  case $command in",
    ...commands.flatMap(({ name, options, words }) => [
      `    ${name})`,
      "      _arguments \\",
      ...optionRows(options).map((option) => `        ${spec(option)} \\`),
      words === undefined
        ? "        && return"
        : `        ${quoted(`1:word:(${words.join(" ")})`)}`,
      "      ;;",
    ]),
    "  esac",
    "}",
    'if [[ $funcstack[1] == _udp_chat ]]; then _udp_chat "$@"; else compdef _udp_chat udp-chat; fi',
  ].join("\n");
}

function fish(commands: readonly CommandEntry[]): string {
  const text = (help: string): string => `'${help.replace(/[\\']/g, "\\$&")}'`;
  const option = (condition: string, spec: Option): string => {
    const choices = spec.choices ?? [];
    const short = spec.name === "help" ? "-s h " : "";
    const value = spec.value === ""
      ? ""
      : isFile(spec)
      ? " -r -F"
      : choices.length > 0
      ? ` -x -a '${choices.join(" ")}'`
      : " -x";
    return `complete -c udp-chat -n ${condition} ${short}-l ${spec.name}${value} -d ${
      text(spec.help)
    }`;
  };
  return [
    "# fish completion of udp-chat",
    "complete -c udp-chat -f",
    ...commands.map(({ name, help }) =>
      `complete -c udp-chat -n __fish_use_subcommand -a ${name} -d ${text(help)}`
    ),
    ...GLOBAL_OPTIONS.map((spec) => option("__fish_use_subcommand", spec)),
    ...commands.flatMap(({ name, options, words = [] }) => {
      const condition = `'__fish_seen_subcommand_from ${name}'`;
      const follows = words.length === 0
        ? []
        : [`complete -c udp-chat -n ${condition} -a '${words.join(" ")}'`];
      return [...follows, ...optionRows(options).map((spec) => option(condition, spec))];
    }),
  ].join("\n");
}

function powershell(commands: readonly CommandEntry[]): string {
  const text = (help: string): string => `'${help.replaceAll("'", "''")}'`;
  const rows = (name: string, entries: readonly (readonly [string, string])[]): string[] => [
    `    '${name}' = [ordered]@{`,
    ...entries.map(([word, help]) => `      '${word}' = ${text(help)}`),
    "    }",
  ];
  const options = (table: readonly Option[]): [string, string][] =>
    table.map(({ name, help }) => [`--${name}`, help]);
  const first = [
    ...commands.map(({ name, help }) => [name, help] as const),
    ...options(GLOBAL_OPTIONS),
  ];
  const valued = commands.flatMap(({ name, options }) =>
    optionRows(options).filter(({ value }) => value !== "").map((option) =>
      [`${name} --${option.name}`, option] as const
    )
  );
  return [
    "# PowerShell completion of udp-chat",
    "Register-ArgumentCompleter -Native -CommandName udp-chat -ScriptBlock {",
    "  param($wordToComplete, $commandAst, $cursorPosition)",
    "  # What may follow, by the command that was typed; '' before there is one.",
    "  $follow = @{",
    ...rows("", first),
    ...commands.flatMap(({ name, options: table, words = [] }) =>
      rows(name, [...words.map((word) => [word, word] as const), ...options(optionRows(table))])
    ),
    "  }",
    "  # The values of options; of those that are not named here nothing is known.",
    "  $values = @{",
    ...valued.map(([key, { choices = [] }]) =>
      `    '${key}' = @(${choices.map((choice) => `'${choice}'`).join(", ")})`
    ),
    "  }",
    "  $typed = @($commandAst.CommandElements |",
    "    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |",
    "    ForEach-Object { $_.Extent.Text })",
    "  $command = if ($typed.Count -gt 1) { $typed[1] } else { '' }",
    '  $key = "$command $($typed[-1])"',
    "  if ($values.ContainsKey($key)) {",
    "    # Of a value without choices, PowerShell completes the name of a file.",
    '    $values[$key] | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {',
    "      [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)",
    "    }",
    "    return",
    "  }",
    "  if (-not $follow.ContainsKey($command)) { return }",
    "  $words = $follow[$command]",
    '  $words.Keys | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {',
    "    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $words[$_])",
    "  }",
    "}",
  ].join("\n");
}
