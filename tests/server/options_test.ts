import { assertEquals } from "@std/assert";
import { type Options, parseOptions } from "../../server/options.ts";

function parsed(...args: string[]): Options {
  const options = parseOptions(args);
  if (typeof options === "string") throw new Error(options);
  return options;
}

Deno.test("parseOptions() of the server: how it shows things", () => {
  assertEquals([parsed().color, parsed().isPlain], ["auto", false]);
  assertEquals(parsed("--color", "never").color, "never");
  assertEquals(parsed("--color=auto", "--plain").isPlain, true);
  assertEquals(
    parseOptions(["--color=always", "--plain"]),
    "Cannot use --color always with --plain: colors, or none?",
  );
  assertEquals(
    parseOptions(["--color", "blue"]),
    'Cannot parse --color: expected auto, always or never, got "blue"',
  );
});
