/**
 * The configuration file: one setting a line, each the value of an option where that is not given.
 *
 * ```
 * # udp-chat: the client
 * server chat.example:7071
 * name ana
 * ```
 *
 * @module
 */
import { failure, type Result, success } from "../protocol/result.ts";
import type { Option, OptionTable, OptionValues } from "./options.ts";
import { quote } from "./quote.ts";
import { nearestName } from "./suggest.ts";

/** A key of the file. */
export interface Setting<Table extends OptionTable> {
  /** The option that it sets; that of a flag is `on` or `off`. */
  readonly option: keyof Table & string;
  /** The environment variable that decides in place of the file, where it is set. */
  readonly variable?: string;
}

/** Settings by their keys in the file. */
export type SettingTable<Table extends OptionTable> = Readonly<Record<string, Setting<Table>>>;

/** The values that a file sets. */
export type Settings<Table extends OptionTable> = Partial<OptionValues<Table>>;

/**
 * Reads the text of the file; an error begins with the number of its line.
 *
 * @param isSet whether an environment variable is set.
 */
export function parseSettings<Table extends OptionTable>(
  options: Table,
  settings: SettingTable<Table>,
  text: string,
  isSet: (variable: string) => boolean,
): Result<Settings<Table>> {
  const values: Record<string, unknown> = {};
  const lineOf = new Map<string, number>();
  for (const [index, line] of text.split("\n").entries()) {
    const [, key = "", value = ""] = /^(\S+)\s*(.*)$/s.exec(line.trim()) ?? [];
    if (key === "" || key.startsWith("#")) continue;
    const wrong = (problem: string): Result<never> => failure(`line ${index + 1}: ${problem}`);
    const setting = Object.hasOwn(settings, key) ? settings[key] : undefined;
    if (setting === undefined) return wrong(unknownKey(key, settings));
    const before = lineOf.get(key);
    if (before !== undefined) return wrong(`${key} is set in line ${before}, too`);
    lineOf.set(key, index + 1);
    const parsed = parseSetting(options[setting.option]!, value);
    if (!parsed.ok) return wrong(`cannot parse ${key}: ${parsed.error}`);
    const isOverridden = setting.variable !== undefined && isSet(setting.variable);
    if (!isOverridden) values[setting.option] = parsed.value;
  }
  return success(values as Settings<Table>);
}

function parseSetting(option: Option, value: string): Result<unknown> {
  const isFlag = option.value === "";
  if (isFlag && value !== "on" && value !== "off") {
    return failure(`expected on or off, got ${quote(value)}`);
  }
  if (isFlag) return success(value === "on");
  return value === "" ? failure(`expected ${option.expected}`) : option.parse(value);
}

function unknownKey(key: string, settings: object): string {
  const nearest = nearestName(key, Object.keys(settings).map((name) => ({ name })));
  const hint = nearest === undefined ? "" : `: did you mean "${nearest}"?`;
  return `unknown key ${quote(key)}${hint}`;
}
