/**
 * Stand-in for `@std/cli/parse-args`.
 *
 * What it leaves out: names with dots, `boolean: true`, and the types of names that only `alias` or
 * `collect` mention. Everything else gives the same result, oddities included: a value that is not
 * declared a string and looks like a number becomes one, and `--no-name=value` sets `name`.
 */

/** A name, or several. */
type Names<Name extends string> = Name | readonly Name[];

/** What to make of the arguments. */
export interface ParseOptions<
  Booleans extends string,
  Strings extends string,
  Collected extends string,
  Negatable extends string,
  Defaults extends Record<string, unknown>,
  DoubleDash extends boolean,
> {
  /** Whether what follows `--` goes to `"--"` rather than to `_`. */
  "--"?: DoubleDash;
  /** Other names for an option. */
  alias?: Record<string, Names<string>>;
  /** Options without a value. */
  boolean?: Names<Booleans>;
  /** Options that gather the values of every use. */
  collect?: Names<Collected>;
  /** Values of options that are not given. */
  default?: Defaults;
  /** Options that `--no-…` sets to false. */
  negatable?: Names<Negatable>;
  /** Whether everything after the first argument that is no option goes to `_` as it is. */
  stopEarly?: boolean;
  /** Options whose value stays a string. */
  string?: Names<Strings>;
  /** Called for what is not declared, which is left out where it returns false. */
  unknown?: (arg: string, key?: string, value?: unknown) => unknown;
}

/** The values of the declared options. */
type Values<Booleans extends string, Strings extends string, Collected extends string, Negatable> =
  & { [Name in Exclude<Booleans, Collected>]: boolean }
  & { [Name in Booleans & Collected]: boolean[] }
  & { [Name in Exclude<Strings, Collected>]?: string | (Name extends Negatable ? false : never) }
  & { [Name in Strings & Collected]: string[] | (Name extends Negatable ? false : never) };

/** The same, where a default makes the value sure to be there. */
type WithDefaults<Given, Defaults> =
  & Omit<Given, keyof Defaults>
  & {
    [Name in keyof Defaults]: Name extends keyof Given ? Defaults[Name] | NonNullable<Given[Name]>
      : unknown;
  };

/** The options' values by name, and the other arguments in `_`. */
export type Args<Given, DoubleDash extends boolean> =
  & Record<string, unknown>
  & Given
  & { _: (string | number)[] }
  & (DoubleDash extends true ? { "--": string[] } : Record<never, never>);

type Value = string | number | boolean;

function looksNumeric(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}

/** Reads the arguments as options and others. */
export function parseArgs<
  Booleans extends string = never,
  Strings extends string = never,
  Collected extends string = never,
  Negatable extends string = never,
  Defaults extends Record<string, unknown> = Record<never, never>,
  DoubleDash extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<Booleans, Strings, Collected, Negatable, Defaults, DoubleDash> = {},
): Args<
  WithDefaults<Values<Booleans, Strings, Collected, Negatable>, Defaults>,
  DoubleDash
> {
  const parser = new Parser(options as AnyOptions);
  return parser.parse(args) as ReturnType<
    typeof parseArgs<Booleans, Strings, Collected, Negatable, Defaults, DoubleDash>
  >;
}

type AnyOptions = ParseOptions<string, string, string, string, Record<string, unknown>, boolean>;

class Parser {
  #options: AnyOptions;
  #aliases = new Map<string, Set<string>>();
  #booleans: Set<string>;
  #strings: Set<string>;
  #collected: Set<string>;
  #negatable: Set<string>;
  #result: Record<string, unknown> & { _: (string | number)[] } = { _: [] };

  constructor(options: AnyOptions) {
    this.#options = options;
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const all = [name, ...[others].flat()];
      for (const one of all) this.#aliases.set(one, new Set(all.filter((other) => other !== one)));
    }
    this.#booleans = this.#withAliases(options.boolean);
    this.#strings = this.#withAliases(options.string);
    this.#collected = this.#withAliases(options.collect);
    this.#negatable = this.#withAliases(options.negatable);
  }

  #withAliases(names: Names<string> = []): Set<string> {
    return new Set([names].flat().flatMap((name) => [name, ...this.#aliases.get(name) ?? []]));
  }

  parse(args: readonly string[]): Record<string, unknown> {
    const dashes = args.includes("--") ? args.indexOf("--") : args.length;
    const rest = args.slice(dashes + 1);
    const queue = args.slice(0, dashes);
    for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
      if (/^--./.test(arg)) {
        this.#long(arg, queue);
      } else if (/^-./.test(arg)) {
        this.#short(arg, queue);
      } else {
        if (this.#options.unknown?.(arg) !== false) {
          this.#result._.push(
            this.#strings.has("_") || !looksNumeric(arg) ? arg : Number(arg),
          );
        }
        if (this.#options.stopEarly) this.#result._.push(...queue.splice(0));
      }
    }
    this.#fillIn();
    if (this.#options["--"]) this.#result["--"] = rest;
    else this.#result._.push(...rest);
    return this.#result;
  }

  /** `--name`, `--name value`, `--name=value` or `--no-name`. */
  #long(arg: string, queue: string[]): void {
    const [, no = "", name = "", value] = /^--(no-)?(.+?)(?:=(.*))?$/s.exec(arg) ?? [];
    if (value !== undefined) {
      this.#set(name, this.#booleans.has(name) ? value !== "false" : value, arg);
    } else if (no && this.#negatable.has(name)) {
      this.#set(name, false, arg, true);
    } else {
      const value = this.#takeValue(no + name, queue, (next) => !next.startsWith("-"));
      this.#set(no + name, value, arg);
    }
  }

  /** `-a`, `-a value`, `-a=value`, `-a7` or several letters, of which the last may have a value. */
  #short(arg: string, queue: string[]): void {
    for (let at = 1; at < arg.length - 1; at++) {
      const letter = arg.charAt(at);
      const rest = arg.slice(at + 1);
      const isLetter = /[A-Za-z]/.test(letter);
      const value = isLetter ? /=(.+)/.exec(rest)?.[1] : undefined;
      if (rest === "-") {
        this.#set(letter, rest, arg);
      } else if (rest === "=") {
        return this.#set(letter, "", arg);
      } else if (value !== undefined) {
        return this.#set(letter, value, arg);
      } else if (isLetter && /\d(\.\d*)?(e-?\d+)?$/.test(rest)) {
        return this.#set(letter, rest, arg);
      } else if (at < arg.length - 2 && /^\W/.test(rest)) {
        return this.#set(letter, rest, arg);
      } else {
        this.#set(letter, this.#strings.has(letter) ? "" : true, arg);
      }
    }
    const last = arg.slice(-1);
    if (last === "-") return;
    this.#set(last, this.#takeValue(last, queue, (next) => !/^--?[^-]/.test(next)), arg);
  }

  /** The next argument where it is this option's value; else what stands for "given". */
  #takeValue(name: string, queue: string[], isValue: (next: string) => boolean): Value {
    const next = queue[0];
    if (next && !this.#booleans.has(name) && isValue(next)) return queue.shift()!;
    if (next === "true" || next === "false") return queue.shift() === "true";
    return this.#strings.has(name) ? "" : true;
  }

  #set(name: string, value: Value, arg: string, replace = false): void {
    const declared = this.#booleans.has(name) || this.#strings.has(name) ||
      this.#aliases.has(name) || this.#collected.has(name);
    if (!declared && this.#options.unknown?.(arg, name, value) === false) return;
    if (typeof value === "string" && !this.#strings.has(name) && looksNumeric(value)) {
      value = Number(value);
    }
    for (const key of [name, ...this.#aliases.get(name) ?? []]) {
      const before = this.#result[key];
      if (replace || !this.#collected.has(name)) this.#result[key] = value;
      else if (Array.isArray(before)) before.push(value);
      else this.#result[key] = before ? [before, value] : [value];
    }
  }

  /** Defaults, then false and [] for the options that have neither value nor default. */
  #fillIn(): void {
    for (const [name, value] of Object.entries(this.#options.default ?? {})) {
      if (Object.hasOwn(this.#result, name)) continue;
      for (const key of [name, ...this.#aliases.get(name) ?? []]) this.#result[key] = value;
    }
    for (const name of this.#booleans) {
      if (!Object.hasOwn(this.#result, name)) {
        this.#result[name] = this.#collected.has(name) ? [] : false;
      }
    }
    for (const name of this.#strings) {
      if (!Object.hasOwn(this.#result, name) && this.#collected.has(name)) {
        this.#result[name] = [];
      }
    }
  }
}
