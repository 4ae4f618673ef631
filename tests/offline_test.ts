// The values are those of the packages in JSR. The names are the public ones, so the same tests
// check the real packages where JSR can be reached, and the stand-ins in offline/ elsewhere.
import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  AssertionError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertStringIncludes,
  assertThrows,
  fail,
} from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";
import { unicodeWidth } from "@std/cli/unicode-width";
import { format as formatBytes } from "@std/fmt/bytes";
import * as colors from "@std/fmt/colors";
import { format as formatDuration } from "@std/fmt/duration";

Deno.test("parseArgs() reads declared options in every spelling", () => {
  const options = {
    string: ["server", "port"],
    boolean: ["json", "help"],
    alias: { help: "h", port: "p" },
  } as const;
  const empty = { _: [], json: false, help: false, h: false };
  assertEquals(parseArgs([], options), empty);
  const given = { ...empty, port: "7071", p: "7071" };
  for (
    const args of [["--port", "7071"], ["--port=7071"], ["-p", "7071"], ["-p=7071"], ["-p7071"]]
  ) {
    assertEquals(parseArgs(args, options), given);
  }
  assertEquals(parseArgs(["-h", "--json"], options), { ...empty, help: true, h: true, json: true });
  assertEquals(parseArgs(["-hp", "7071"], options), { ...given, help: true, h: true });
});

Deno.test("parseArgs() gives a string option without a value the empty string", () => {
  assertEquals(parseArgs(["--str"], { string: "str" }).str, "");
  assertEquals(parseArgs(["--str", "--other"], { string: "str" }).str, "");
  assertEquals(parseArgs(["--str="], { string: "str" }).str, "");
  assertEquals(parseArgs(["-s="], { string: "s" }).s, "");
  assertEquals(parseArgs(["-s", "-"], { string: "s" }), { s: "-", _: [] });
});

Deno.test("parseArgs() lets only true or false follow a boolean option", () => {
  const options = { boolean: ["t", "verbose"], default: { verbose: true } } as const;
  assertEquals(parseArgs(["--verbose", "false", "moo", "-t", "true"], options), {
    verbose: false,
    t: true,
    _: ["moo"],
  });
  assertEquals(parseArgs(["--verbose=false"], options).verbose, false);
});

Deno.test("parseArgs() makes numbers of what is not declared a string", () => {
  assertEquals(parseArgs(["-x", "1234", "789"], { string: "y" }), { x: 1234, _: [789] });
  assertEquals(parseArgs(["--hex=0xdeadbeef", "10f"]), { hex: 0xdeadbeef, _: ["10f"] });
  assertEquals(parseArgs(["0b11", "1E3", ".5", "+1", " 2 "])._, [3, 1000, 0.5, 1, 2]);
  assertEquals(parseArgs(["1e999", " ", "0x"])._, ["1e999", " ", "0x"]);
  assertEquals<unknown>(parseArgs(["0042"], { string: "_" })._, ["0042"]);
});

Deno.test("parseArgs() takes the last value, or collects them all", () => {
  assertEquals(parseArgs(["-v", "a", "-v", "b"], { string: "v" }).v, "b");
  const options = { string: ["send"], collect: ["send"], alias: { send: "s" } } as const;
  assertEquals(parseArgs(["--send", "a", "-s", "b"], options).send, ["a", "b"]);
  assertEquals(parseArgs([], options).send, []);
});

Deno.test("parseArgs() negates only what is negatable", () => {
  const options = { boolean: ["foo"], negatable: ["foo"] } as const;
  assertEquals(parseArgs(["--foo", "--no-foo"], options), { foo: false, _: [] });
  assertEquals(parseArgs(["--no-foo", "--foo"], options), { foo: true, _: [] });
  assertEquals(parseArgs(["--no-moo"], options), { "no-moo": true, foo: false, _: [] });
  assertEquals(parseArgs(["--no-moo=x"], options), { moo: "x", foo: false, _: [] });
});

Deno.test("parseArgs() uses defaults for an option and its aliases", () => {
  const options = {
    string: ["host"],
    default: { host: "localhost" },
    alias: { host: "H" },
  } as const;
  const host: string = parseArgs([], options).host;
  assertEquals(host, "localhost");
  assertEquals(parseArgs([], options)["H"], "localhost");
  assertEquals(parseArgs(["-H", "::1"], options).host, "::1");
});

Deno.test("parseArgs() keeps what follows a double dash as it is", () => {
  const args = ["--name", "John", "before", "--", "--after", "7"];
  assertEquals(parseArgs(args), { name: "John", _: ["before", "--after", "7"] });
  const rest: string[] = parseArgs(args, { "--": true })["--"];
  assertEquals(rest, ["--after", "7"]);
});

Deno.test("parseArgs() stops at the first other argument if asked to", () => {
  assertEquals(parseArgs(["--aaa", "bbb", "ccc", "--ddd"], { stopEarly: true }), {
    aaa: "bbb",
    _: ["ccc", "--ddd"],
  });
});

Deno.test("parseArgs() asks about what is not declared", () => {
  const asked: unknown[][] = [];
  const options = {
    string: ["h"],
    alias: { h: "herp" },
    unknown: (arg: string, key?: string, value?: unknown): boolean => {
      asked.push([arg, key, value]);
      return false;
    },
  } as const;
  assertEquals(parseArgs(["--herp", "hello", "-d", "moon", "cow", "--bad"], options), {
    herp: "hello",
    h: "hello",
    _: [],
  });
  assertEquals(asked, [["-d", "d", "moon"], ["cow", undefined, undefined], ["--bad", "bad", true]]);
  const collected = parseArgs(["--to", "a", "--to="], { collect: ["to"], unknown: () => false });
  assertEquals<unknown>(collected, { to: ["a", ""], _: [] });
});

Deno.test("unicodeWidth() counts columns", () => {
  const widths: Record<string, number> = {
    "hello world": 11,
    "天地玄黃宇宙洪荒": 16,
    "ｆｕｌｌｗｉｄｔｈ": 18,
    "голубой": 7,
    "á": 1,
    "a\u0301": 1,
    "👩": 2,
    "👩\u200d🔬": 4,
    "\0\n\r\t\x1b\x7f\x80\x9f": 0,
    "": 0,
  };
  for (const [text, width] of Object.entries(widths)) assertEquals(unicodeWidth(text), width, text);
});

Deno.test("colors wrap the text in their codes unless NO_COLOR is set", () => {
  const before = colors.getColorEnabled();
  assertEquals(before, !Deno.noColor);
  const codes = [
    [colors.bold, 1, 22],
    [colors.dim, 2, 22],
    [colors.red, 31, 39],
    [colors.green, 32, 39],
    [colors.yellow, 33, 39],
    [colors.cyan, 36, 39],
  ] as const;
  colors.setColorEnabled(true);
  for (const [color, open, close] of codes) {
    const expected = Deno.noColor ? "foo bar" : `\x1b[${open}mfoo bar\x1b[${close}m`;
    assertEquals(color("foo bar"), expected);
  }
  const nested = colors.red(`a${colors.green("b")}c`);
  assertEquals(nested, Deno.noColor ? "abc" : "\x1b[31ma\x1b[32mb\x1b[31mc\x1b[39m");
  colors.setColorEnabled(false);
  assertEquals(colors.red("foo bar"), "foo bar");
  colors.setColorEnabled(before);
});

Deno.test("duration.format() shows each unit", () => {
  const durations: [ms: number, all: string, withoutZeros: string][] = [
    [0, "0d 0h 0m 0s 0ms 0µs 0ns", ""],
    [99_674, "0d 0h 1m 39s 674ms 0µs 0ns", "1m 39s 674ms"],
    [-1, "0d 0h 0m 0s 1ms 0µs 0ns", "1ms"],
    [86_400_000 * 400 + 3_600_000, "400d 1h 0m 0s 0ms 0µs 0ns", "400d 1h"],
    [0.25, "0d 0h 0m 0s 0ms 250µs 0ns", "250µs"],
    [1.0000009, "0d 0h 0m 0s 1ms 0µs 0ns", "1ms"],
    [12.345678, "0d 0h 0m 0s 12ms 345µs 678ns", "12ms 345µs 678ns"],
    [0.99999999, "0d 0h 0m 0s 0ms 0µs 0ns", ""],
  ];
  for (const [ms, all, withoutZeros] of durations) {
    assertEquals(formatDuration(ms), all);
    assertEquals(formatDuration(ms, { style: "narrow", ignoreZero: true }), withoutZeros);
  }
});

Deno.test("bytes.format() shows three digits in decimal or binary units", () => {
  const sizes: [bytes: number, decimal: string, binary: string][] = [
    [0, "0 B", "0 B"],
    [0.5, "0.5 B", "0.5 B"],
    [999, "999 B", "999 B"],
    [1000, "1 kB", "1000 B"],
    [1024, "1.02 kB", "1 kiB"],
    [65_536, "65.5 kB", "64 kiB"],
    [-1_048_576, "-1.05 MB", "-1 MiB"],
    [2 ** 50, "1.13 PB", "1 PiB"],
    [1e30, "1000000 YB", "827000 YiB"],
  ];
  for (const [bytes, decimal, binary] of sizes) {
    assertEquals(formatBytes(bytes), decimal);
    assertEquals(formatBytes(bytes, { binary: true }), binary);
  }
  assertThrows(() => formatBytes(NaN), TypeError, "Expected a finite number, got number: NaN");
});

/** Runs an assertion that has to fail. */
function fails(run: () => void, words = ""): void {
  let thrown: unknown;
  try {
    run();
  } catch (error) {
    thrown = error;
  }
  if (!(thrown instanceof AssertionError)) throw new Error(`Expected a failure, got ${thrown}`);
  if (!thrown.message.includes(words)) throw new Error(`Expected "${words}": ${thrown.message}`);
}

Deno.test("assertEquals() compares in depth", () => {
  assertEquals({ a: [1, new Map([[1, new Set(["x"])]])] }, {
    a: [1, new Map([[1, new Set(["x"])]])],
  });
  assertEquals(new Uint8Array([1, 2]), new Uint8Array([1, 2]));
  assertEquals(NaN, NaN);
  assertNotEquals(new Uint8Array([1, 2]), new Uint8Array([1, 3]));
  fails(() => assertEquals<unknown>({ a: undefined }, {}), "Values are not equal");
  fails(() => assertEquals<unknown>([1], ["1"], "the note"), "the note");
  fails(() => assertEquals(new Date(0), new Date(1)));
  fails(() => assertNotEquals({ a: 1 }, { a: 1 }, "the note"), "the note");
});

Deno.test("assertions on one value or two", () => {
  assert(1);
  assertFalse("");
  assertStringIncludes("hello", "ell");
  assertMatch("hello", /l+o$/);
  assertGreater(2, 1);
  assertGreaterOrEqual(2, 2);
  assertLess(1, 2);
  assertLessOrEqual(2, 2);
  fails(() => assert(0, "the note"), "the note");
  fails(() => assertFalse(1, "the note"), "the note");
  fails(() => assertStringIncludes("hello", "elk", "the note"), "the note");
  fails(() => assertMatch("hello", /^x/, "the note"), "the note");
  fails(() => assertGreater(1, 1, "the note"), "the note");
  fails(() => assertGreaterOrEqual(1, 2, "the note"), "the note");
  fails(() => assertLess(1, 1, "the note"), "the note");
  fails(() => assertLessOrEqual(2, 1, "the note"), "the note");
  fails(() => fail("the note"), "Failed assertion: the note");
});

Deno.test("assertThrows() checks the class and the words, and returns the error", () => {
  const error = new RangeError("too far");
  const thrower = (): never => {
    throw error;
  };
  assert(assertThrows(thrower) === error);
  assert(assertThrows(thrower, RangeError, "far") === error);
  fails(() => assertThrows(thrower, TypeError));
  fails(() => assertThrows(thrower, Error, "near", "the note"), "the note");
  fails(() => assertThrows(() => {}), "Expected function to throw");
});
