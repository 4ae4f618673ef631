/**
 * The options of a command: a table, from which parsing, help and completions are made.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { failure, type Result, success } from "../protocol/result.ts";
import { quote } from "./quote.ts";
import type { ColorMode } from "./style.ts";
import { nearestName } from "./suggest.ts";

/** A row of the table. */
export interface Option<T = unknown> {
  readonly name: string;
  /** What its value is called in the help; empty for a flag. */
  readonly value: string;
  /** The values that it can have, where they are few. */
  readonly choices?: readonly string[];
  /** What it does, in one line. */
  readonly help: string;
  /** What its value has to be, as error messages say it; empty for a flag. */
  readonly expected: string;
  /** The value where the option is not given. */
  readonly default: T;
  /** The value for what was given; an error is shown after `Cannot parse --name: `. */
  parse(text: string): Result<T>;
}

/** Options by the properties that their values get, in the order of the help. */
export type OptionTable = Readonly<Record<string, Option>>;

/** The values of all options in a table. */
export type OptionValues<Table extends OptionTable> = {
  readonly [Key in keyof Table]: Table[Key] extends Option<infer T> ? T : never;
};

/** An option without a value. */
export function flag(name: string, help: string): Option<boolean> {
  return { name, help, value: "", expected: "", default: false, parse: () => success(true) };
}

/** An option without a value that turns off what is on by default. */
export function offFlag(name: string, help: string): Option<boolean> {
  return { ...flag(name, help), default: true, parse: () => success(false) };
}

/** An option whose value is any text. */
export function text<Default extends string | undefined>(
  row: Omit<Option<string | Default>, "parse">,
): Option<string | Default> {
  return { ...row, parse: success };
}

/** An option whose value is the path of a file. */
export function file(name: string, help: string): Option<string | undefined> {
  return text({ name, help, value: "FILE", expected: "a file", default: undefined });
}

/** An option whose value is a whole number in a range. */
export function integer(
  { min, max, ...row }: Omit<Option<number>, "expected" | "parse"> & { min: number; max: number },
): Option<number> {
  const expected = `${min} to ${max}`;
  return {
    ...row,
    expected,
    parse(text) {
      const number = Number(text);
      const isValid = /^\d+$/.test(text) && number >= min && number <= max;
      return isValid ? success(number) : unexpected(expected, text);
    },
  };
}

/** An option whose value is one of a few words. */
export function choice<Word extends string>(
  row: Pick<Option, "name" | "value" | "help"> & {
    readonly choices: readonly Word[];
    readonly default: NoInfer<Word>;
  },
): Option<Word> {
  const { choices } = row;
  const expected = `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
  return {
    ...row,
    expected,
    parse(text) {
      const word = choices.find((choice) => choice === text);
      return word === undefined ? unexpected(expected, text) : success(word);
    },
  };
}

/** The error for a value that an option cannot have. */
export function unexpected(expected: string, text: string): Result<never> {
  return failure(`expected ${expected}, got ${quote(text)}`);
}

/** `--color`, which every command has that prints colors. */
export const COLOR: Option<ColorMode> = choice({
  name: "color",
  value: "WHEN",
  choices: ["auto", "always", "never"],
  default: "auto",
  help: "auto, always or never; default auto: not with NO_COLOR",
});

const HELP = flag("help", "show this help");

/** All options of a command, with `--help`, which every command has. */
export function optionRows(table: OptionTable): readonly Option[] {
  return [...Object.values(table), HELP];
}

/**
 * The values of the options in the arguments, or "help" where the user asks for it.
 *
 * @param settings the values of options that are not given, in place of their defaults.
 */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  args: readonly string[],
  settings: Partial<OptionValues<Table>> = {},
): Result<OptionValues<Table> | "help"> {
  const rows = optionRows(table);
  const strays: string[] = [];
  const { _: rest, ...given } = parseArgs(joinDashes(rows, args), {
    string: rows.filter(({ value }) => value !== "").map(({ name }) => name),
    boolean: rows.filter(({ value }) => value === "").map(({ name }) => name),
    alias: { help: "h" },
    unknown(arg: string): boolean {
      strays.push(arg);
      return false;
    },
  });
  if (given[HELP.name] === true) return success("help");
  const values: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(table)) {
    const usual = settings[key] ?? option.default;
    const parsed = parseValue(option, given[option.name], usual);
    if (!parsed.ok) return failure(`Cannot parse --${option.name}: ${parsed.error}`);
    values[key] = parsed.value;
  }
  const stray = strays[0] ?? rest[0];
  if (stray !== undefined) return failure(strayMessage(`${stray}`, rows));
  return success(values as OptionValues<Table>);
}

/** The arguments with `--name=-` for `--name -`, which parseArgs() does not take for a value. */
function joinDashes(rows: readonly Option[], args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const before = joined.at(-1);
    const takesValue = rows.some(({ name, value }) => value !== "" && before === `--${name}`);
    if (arg === "-" && takesValue) joined.splice(-1, 1, `${before}=-`);
    else joined.push(arg);
  }
  return joined;
}

function parseValue(option: Option, given: unknown, usual: unknown): Result<unknown> {
  if (given === undefined || given === false) return success(usual);
  if (option.value === "") return option.parse("");
  const isMissing = typeof given !== "string" || given === "";
  return isMissing ? failure(`expected ${option.expected}`) : option.parse(given);
}

function strayMessage(arg: string, rows: readonly Option[]): string {
  if (!/^-./.test(arg)) return `Unexpected argument ${quote(arg)}`;
  const option = arg.replace(/=.*$/s, "");
  const name = option.replace(/^-+/, "");
  const row = rows.find((row) => option === `--${row.name}`);
  // parseArgs() reads `--no-name=value` as the value of `name`.
  if (row !== undefined) return `Cannot parse ${option}: expected no value`;
  const nearest = nearestName(name, rows);
  const hint = nearest === undefined ? "" : `: did you mean "--${nearest}"?`;
  return `Unknown option ${quote(option)}${hint}`;
}
