// Keeps the rules of CONTRIBUTING.md on what may import and touch what, by reading the sources.
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
/** The whole top level; a new entry needs a reason. */
const TOP_LEVEL = [
  ".ci",
  ".git",
  ".gitattributes",
  ".github",
  ".gitignore",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "LICENSE",
  "README.md",
  "SECURITY.md",
  "cli",
  "client",
  "deno.json",
  "docs",
  "main.ts",
  "offline",
  "protocol",
  "server",
  "tests",
];

/** What else each folder may import from, beside itself. */
const MAY_IMPORT: Record<string, string[]> = {
  // The version of the program, and that of the protocol, are shown by --version.
  "main.ts": ["server", "client", "cli", "protocol", "deno.json"],
  server: ["cli", "protocol", "@std", "node:crypto"],
  client: ["cli", "protocol", "@std"],
  // Of the protocol only the type of a result.
  cli: ["protocol/result.ts", "@std"],
  // Nothing from @std: whoever uses the protocol as a library, and `deno lint`, need no import map.
  protocol: ["node:crypto", "node:buffer"],
};

/** Files that may import more of Node than their folder. */
const ALSO_IMPORTS: Record<string, string[]> = {
  "protocol/udp.ts": ["node:dns"],
  // The checksum of the identity, and paths as the system writes them.
  "client/identity/identity.ts": ["node:crypto"],
  "client/identity/identity_file.ts": ["node:path"],
  "client/identity/peers_file.ts": ["node:path"],
  "client/screen/history_file.ts": ["node:path"],
  "client/screen/terminal.ts": ["node:readline", "node:process", "node:stream"],
  "cli/files.ts": ["node:path"],
  "cli/tty.ts": ["node:process"],
};

/** The clock, timers and randomness are passed in; these files are where they come from. */
const CLOCK_TIMERS_RANDOMNESS = [
  "protocol/udp.ts",
  "server/main.ts",
  "client/main.ts",
  "client/doctor/main.ts",
];

/** The line editor of the client and the screen of the directory, on what the system has. */
const TERMINAL = ["client/screen/terminal.ts", "cli/tty.ts", "server/screen/terminal.ts"];

/** What nobody else may name; import rules for node:… do the rest. */
const CLOCK = /\b(?:Date\.now|new Date\(\)|Date\(\)|performance\.|Temporal\.Now|process\.hrtime)/;
const TIMER = /\b(?:set|clear)(?:Timeout|Interval|Immediate)\b|\bAbortSignal\.timeout\b/;
const RANDOMNESS =
  /\bMath\.random\b|\b(?:getRandomValues|random(?:Bytes|Fill|FillSync|Int|UUID)|generateKeyPair(?:Sync)?)\b/;
const STDIN_STDOUT =
  /\b(?:Deno|process)\.(?:stdin|stdout)\b|\bDeno\.consoleSize\b|\bconsole\.(?!error\b|warn\b)/;
const FILES =
  /\bDeno\.(?:open|read|write|make|mkdir|remove(?:Sync)?\b|rename|link|symlink|l?stat|realPath|copyFile|chmod)|node:fs/;
const SYSTEM = /\bDeno\.|\bconsole\.|\bglobalThis\b|\bfetch\(|\bnew Worker\b/;

interface Source {
  /** From the root, with forward slashes. */
  path: string;
  /** Without comments, so that prose may name what code may not. */
  code: string;
}

/** Blanks out comments. A `//` inside a string, as in an address, is kept by the look-behind. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(?<![:"'`\\])\/\/.*$/gm, "");
}

function readSource(path: string): Source {
  const text = Deno.readTextFileSync(new URL(path, ROOT));
  return { path, code: withoutComments(text) };
}

function readFolder(folder: string): Source[] {
  return [...Deno.readDirSync(new URL(folder, ROOT))].flatMap((entry) => {
    const path = folder + entry.name;
    if (entry.isDirectory) return readFolder(`${path}/`);
    return entry.name.endsWith(".ts") ? [readSource(path)] : [];
  });
}

const program = ["server/", "client/", "cli/", "protocol/"].flatMap(readFolder);
program.push(readSource("main.ts"));

/** Every specifier of an import, an export from, or a dynamic import. */
function importsOf(source: Source): string[] {
  const pattern = /\b(?:from|import)\s*\(?\s*(["'])(.+?)\1/g;
  return [...source.code.matchAll(pattern)].map((match) => match[2] ?? "");
}

/** Where a specifier leads: a file as a path from the root, `@std`, or the specifier itself. */
function target(source: Source, specifier: string): string {
  if (specifier.startsWith("@std/")) return "@std";
  if (specifier.startsWith("node:")) return specifier.split("/")[0] ?? "";
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, new URL(source.path, ROOT)).href.slice(ROOT.href.length);
}

/** Paths of the sources, other than those allowed, whose code matches. */
function touching(pattern: RegExp, allowed: string[]): string[] {
  return program
    .filter((source) => !allowed.includes(source.path) && pattern.test(source.code))
    .map((source) => `${source.path}: ${pattern.exec(source.code)?.[0]}`);
}

Deno.test("imports point one way: main, server or client, protocol", () => {
  const wrong: string[] = [];
  for (const source of program) {
    const own = source.path.split("/")[0] ?? "";
    const allowed = [own, ...MAY_IMPORT[own] ?? [], ...ALSO_IMPORTS[source.path] ?? []];
    for (const specifier of importsOf(source)) {
      const to = target(source, specifier);
      const isAllowed = allowed.includes(to) || allowed.includes(to.split("/")[0] ?? "");
      if (!isAllowed) wrong.push(`${source.path}: ${specifier}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("only udp.ts and the main.ts files touch the clock, timers and randomness", () => {
  for (const pattern of [CLOCK, TIMER, RANDOMNESS]) {
    assertEquals(touching(pattern, CLOCK_TIMERS_RANDOMNESS), []);
  }
});

Deno.test("only udp.ts, files.ts, the terminal's and the main.ts files touch the system", () => {
  const allowed = [...CLOCK_TIMERS_RANDOMNESS, ...TERMINAL, "cli/files.ts", "main.ts"];
  assertEquals(touching(SYSTEM, allowed), []);
});

Deno.test("only the terminals and tty.ts touch stdin and stdout", () => {
  assertEquals(touching(STDIN_STDOUT, [...TERMINAL, "server/main.ts", "main.ts"]), []);
});

Deno.test("beside the protocol's edge only files.ts touches the file system", () => {
  assertEquals(touching(FILES, ["cli/files.ts", "protocol/udp.ts"]), []);
});

Deno.test("the top level holds nothing unexpected", () => {
  const ignored = Deno.readTextFileSync(new URL(".gitignore", ROOT)).split("\n")
    .map((line) => line.replaceAll("/", "")).filter((line) => line !== "");
  const isIgnored = (name: string): boolean =>
    ignored.some((rule) => rule.endsWith("*") ? name.startsWith(rule.slice(0, -1)) : name === rule);
  const unexpected = [...Deno.readDirSync(ROOT)].map((entry) => entry.name)
    .filter((name) => !TOP_LEVEL.includes(name) && !isIgnored(name));
  assertEquals(unexpected, []);
});
