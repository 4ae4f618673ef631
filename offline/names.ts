/**
 * The names that the code imports from JSR, and where they come from.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };

/** Every name, and its stand-in. */
export const STAND_INS: Readonly<Record<string, string>> = {
  "@std/assert": "./offline/assert.ts",
  "@std/cli/parse-args": "./offline/parse_args.ts",
  "@std/cli/unicode-width": "./offline/unicode_width.ts",
  "@std/fmt/bytes": "./offline/bytes.ts",
  "@std/fmt/colors": "./offline/colors.ts",
  "@std/fmt/duration": "./offline/duration.ts",
};

/** The same names in JSR, at the versions that deno.json gives. */
export function fromJsr(): Record<string, string> {
  const names = Object.keys(STAND_INS).map((name): [string, string] => {
    for (const [root, specifier] of Object.entries(config.imports)) {
      if (name === root || name.startsWith(`${root}/`)) {
        return [name, specifier + name.slice(root.length)];
      }
    }
    throw new Error(`Cannot resolve ${name}: deno.json does not import it`);
  });
  return Object.fromEntries(names);
}
