import { assertEquals } from "@std/assert";
import {
  choice,
  file,
  flag,
  integer,
  offFlag,
  optionRows,
  parseOptions,
  text,
} from "../../cli/options.ts";

const TABLE = {
  port: integer({
    name: "port",
    value: "PORT",
    min: 1,
    max: 65_535,
    default: 7070,
    help: "a port",
  }),
  host: text({
    name: "host",
    value: "HOST",
    expected: "a host name",
    default: "localhost",
    help: "a host",
  }),
  when: choice<"now" | "later" | "never">({
    name: "when",
    value: "WHEN",
    choices: ["now", "later", "never"],
    default: "later",
    help: "a time",
  }),
  path: file("path", "a file"),
  isJson: flag("json", "JSON"),
  hasLimits: offFlag("no-limits", "no limits"),
};

const DEFAULTS = {
  port: 7070,
  host: "localhost",
  when: "later",
  path: undefined,
  isJson: false,
  hasLimits: true,
} as const;

/** The error for these arguments. */
function errorOf(...args: string[]): string | undefined {
  const parsed = parseOptions(TABLE, args);
  return parsed.ok ? undefined : parsed.error;
}

Deno.test("parseOptions() fills in the defaults", () => {
  assertEquals(parseOptions(TABLE, []), { ok: true, value: DEFAULTS });
});

Deno.test("parseOptions() reads values after a space or an equals sign, the last one of several", () => {
  const args = ["--port", "1", "--port=2", "--host=a=b", "--when", "now", "--json", "--no-limits"];
  assertEquals(parseOptions(TABLE, [...args, "--path", "x y"]), {
    ok: true,
    value: { port: 2, host: "a=b", when: "now", path: "x y", isJson: true, hasLimits: false },
  });
});

Deno.test("parseOptions() returns help before it looks at anything else", () => {
  for (const args of [["--help"], ["-h"], ["--port", "x", "stray", "--help"]]) {
    assertEquals(parseOptions(TABLE, args), { ok: true, value: "help" });
  }
});

Deno.test("parseOptions() reports what a value has to be, and what it was", () => {
  for (const port of ["http", "0", "65536", "1e3", "-1", "7 "]) {
    const error = `Cannot parse --port: expected 1 to 65535, got ${JSON.stringify(port)}`;
    assertEquals(errorOf(`--port=${port}`), error);
  }
  assertEquals(
    errorOf("--when", "soon"),
    'Cannot parse --when: expected now, later or never, got "soon"',
  );
});

Deno.test("parseOptions() reports an option without its value", () => {
  for (const args of [["--host"], ["--host", ""], ["--host", "--json"], ["--host="]]) {
    assertEquals(errorOf(...args), "Cannot parse --host: expected a host name");
  }
});

Deno.test("parseOptions() rejects a value for an option without one", () => {
  assertEquals(errorOf("--no-limits=x"), "Cannot parse --no-limits: expected no value");
});

Deno.test("parseOptions() suggests the nearest name for an unknown option", () => {
  assertEquals(errorOf("--prot", "1"), 'Unknown option "--prot": did you mean "--port"?');
  assertEquals(errorOf("--helo"), 'Unknown option "--helo": did you mean "--help"?');
  assertEquals(errorOf("--frobnicate=3"), 'Unknown option "--frobnicate"');
  assertEquals(errorOf("-x"), 'Unknown option "-x"');
});

Deno.test("parseOptions() rejects arguments that are no options", () => {
  for (const args of [["stray"], ["--", "stray"], ["--json", "stray", "more"]]) {
    assertEquals(errorOf(...args), 'Unexpected argument "stray"');
  }
  assertEquals(errorOf("7"), 'Unexpected argument "7"');
});

Deno.test("optionRows() adds --help to the table", () => {
  const names = optionRows(TABLE).map(({ name }) => name);
  assertEquals(names, ["port", "host", "when", "path", "json", "no-limits", "help"]);
});
