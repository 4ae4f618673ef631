// Holds the sources to the rules of CONTRIBUTING.md: what may import and touch what, and the drawings
// of folders and their imports.
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
/** Everything at the top level; a new entry needs a reason. */
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
  // What makes the archives of a release, and templates of what installs them.
  "release",
  "server",
  "tests",
];

/** What each folder may import besides its own files. */
const MAY_IMPORT: Record<string, string[]> = {
  // --version shows the versions of the program and of the protocol.
  "main.ts": ["server", "client", "cli", "protocol", "deno.json"],
  server: ["cli", "protocol", "@std", "node:crypto"],
  client: ["cli", "protocol", "@std"],
  // Only the type of a result.
  cli: ["protocol/result.ts", "@std"],
  // Nothing from @std: users of the library, and `deno lint`, need no import map.
  protocol: ["node:crypto", "node:buffer"],
};

/** Files that may import more than the rest of their folder. */
const ALSO_IMPORTS: Record<string, string[]> = {
  "protocol/udp.ts": ["node:dns"],
  // The AEAD and HMAC; nothing else of it is used.
  "protocol/crypto/sodium.ts": ["libsodium"],
  // The static key of a client or a directory, and the checksum of its file.
  "cli/identity.ts": ["node:crypto", "protocol/crypto/x25519.ts"],
  // The others need paths in the form of the system.
  "cli/identity_file.ts": ["node:path", "protocol/crypto/x25519.ts", "protocol/machine.ts"],
  "cli/settings_file.ts": ["node:path"],
  "client/identity/known_keys_file.ts": ["node:path"],
  "client/identity/run_file.ts": ["node:crypto", "node:path"],
  "client/screen/history_file.ts": ["node:path"],
  "client/screen/terminal.ts": ["node:readline", "node:process", "node:stream"],
  "cli/files.ts": ["node:path"],
  "cli/tty.ts": ["node:process"],
  "server/store/redis_store.ts": ["@redis/client"],
  // The version of the program.
  "server/metrics/open_metrics.ts": ["deno.json"],
};

/** The only sources of the clock, timers and randomness; all other files get them as arguments. */
const CLOCK_TIMERS_RANDOMNESS = [
  "protocol/udp.ts",
  "server/main.ts",
  "client/main.ts",
  "client/doctor/main.ts",
  // Timers only: of a connection, and until the next one.
  "server/store/redis_store.ts",
];

/** The files that use the terminal. */
const TERMINAL = ["client/screen/terminal.ts", "cli/tty.ts", "server/screen/terminal.ts"];

/** Forbidden to all other files; the import rules cover node:…. */
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

/** Removes comments. The look-behind keeps a `//` inside a string, as in an address. */
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

/** The specifiers of all imports, dynamic ones included, and of `export … from`. */
function importsOf(source: Source): string[] {
  const pattern = /\b(?:from|import)\s*\(?\s*(["'])(.+?)\1/g;
  return [...source.code.matchAll(pattern)].map((match) => match[2] ?? "");
}

/** What a specifier names: a path from the root, `@std`, or the specifier itself. */
function target(source: Source, specifier: string): string {
  if (specifier.startsWith("@std/")) return "@std";
  if (specifier.startsWith("node:")) return specifier.split("/")[0] ?? "";
  if (!specifier.startsWith(".")) return specifier;
  return new URL(specifier, new URL(source.path, ROOT)).href.slice(ROOT.href.length);
}

/** The sources that match a pattern and are not allowed to. */
function touching(pattern: RegExp, allowed: string[]): string[] {
  return program
    .filter((source) => !allowed.includes(source.path) && pattern.test(source.code))
    .map((source) => `${source.path}: ${pattern.exec(source.code)?.[0]}`);
}

Deno.test("imports point one way: main, then server or client, then cli and protocol", () => {
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

Deno.test("only udp.ts, redis_store.ts and the main.ts files touch the clock, timers and randomness", () => {
  for (const pattern of [CLOCK, TIMER, RANDOMNESS]) {
    assertEquals(touching(pattern, CLOCK_TIMERS_RANDOMNESS), []);
  }
});

Deno.test("only the files of the socket, files, signals, terminals and metrics, and main.ts files touch the system", () => {
  const allowed = [
    ...CLOCK_TIMERS_RANDOMNESS,
    ...TERMINAL,
    "cli/environment.ts",
    "cli/files.ts",
    "cli/signals.ts",
    "server/metrics/listener.ts",
    "server/metrics/open_metrics.ts",
    "main.ts",
  ];
  assertEquals(touching(SYSTEM, allowed), []);
});

Deno.test("only the terminal files and the main.ts files touch stdin and stdout", () => {
  assertEquals(touching(STDIN_STDOUT, [...TERMINAL, "server/main.ts", "main.ts"]), []);
});

Deno.test("only files.ts and udp.ts touch the file system", () => {
  assertEquals(touching(FILES, ["cli/files.ts", "protocol/udp.ts"]), []);
});

Deno.test("the top level holds only what is listed here", () => {
  const ignored = Deno.readTextFileSync(new URL(".gitignore", ROOT)).split("\n")
    .map((line) => line.replaceAll("/", "")).filter((line) => line !== "");
  const isIgnored = (name: string): boolean =>
    ignored.some((rule) => rule.endsWith("*") ? name.startsWith(rule.slice(0, -1)) : name === rule);
  const unexpected = [...Deno.readDirSync(ROOT)].map((entry) => entry.name)
    .filter((name) => !TOP_LEVEL.includes(name) && !isIgnored(name));
  assertEquals(unexpected, []);
});

/** Files without a box in the drawings: they only export what other files define. */
const NOT_DRAWN = ["protocol/mod.ts"];

/** Circles between boxes that still exist; a circle that is gone leaves this list. */
const KNOWN_CIRCLES: string[] = [];

/** Which boxes each box imports from. */
type Arrows = Map<string, Set<string>>;

/** A mermaid flowchart of the files and folders in one folder. */
interface Drawing {
  /** As in `protocol/`; the root is `./`. */
  folder: string;
  /** The paths, from the root, that each box stands for; that of a folder ends with a slash. */
  boxes: Map<string, string[]>;
  arrows: Arrows;
}

/**
 * Parses a flowchart: a comment with the folder, boxes such as `base["fifo.ts, wire/"]`, and one line
 * for all arrows of a box, such as `udp --> machine & wire`.
 */
function parseDrawing(chart: string): Drawing {
  const drawing: Drawing = { folder: "", boxes: new Map(), arrows: new Map() };
  const { boxes, arrows } = drawing;
  for (const line of chart.split("\n").map((line) => line.trim())) {
    const { folder, box = "", label, from = "", to } =
      /^%% (?<folder>\S+)$|^(?<box>\w+)\["(?<label>.+)"\]$|^(?<from>\w+) --> (?<to>.+)$/.exec(line)
        ?.groups ?? {};
    if (folder !== undefined) drawing.folder = folder;
    else if (label !== undefined) {
      const root = drawing.folder.replace("./", "");
      boxes.set(box, label.split(", ").map((item) => root + item));
    } else if (to !== undefined && !arrows.has(from)) arrows.set(from, new Set(to.split(" & ")));
    else if (line !== "" && line !== "flowchart TD") throw new Error(`Cannot parse "${line}"`);
  }
  return drawing;
}

const DRAWINGS = [
  ...Deno.readTextFileSync(new URL("CONTRIBUTING.md", ROOT)).matchAll(/^```mermaid\n(.*?)^```$/gms),
].map(([, chart = ""]) => parseDrawing(chart));

/** The sources that a drawing is about. */
function sourcesOf({ folder }: Drawing): Source[] {
  return program.filter(({ path }) =>
    (folder === "./" || path.startsWith(folder)) && !NOT_DRAWN.includes(path)
  );
}

function standsFor(item: string, path: string): boolean {
  return item.endsWith("/") ? path.startsWith(item) : path === item;
}

function boxOf({ boxes }: Drawing, path: string): string | undefined {
  return [...boxes.keys()].find((box) => boxes.get(box)?.some((item) => standsFor(item, path)));
}

/** The arrows that the imports make. */
function actualArrows(drawing: Drawing): Arrows {
  const arrows: Arrows = new Map();
  for (const source of sourcesOf(drawing)) {
    const from = boxOf(drawing, source.path);
    for (const specifier of importsOf(source)) {
      const to = boxOf(drawing, target(source, specifier));
      if (from === undefined || to === undefined || from === to) continue;
      arrows.set(from, (arrows.get(from) ?? new Set()).add(to));
    }
  }
  return arrows;
}

/** What to change in a drawing for one box, undefined for nothing. */
function correction(box: string, drawn?: Set<string>, actual?: Set<string>): string | undefined {
  const format = (to?: Set<string>): string | undefined =>
    to && `"${box} --> ${[...to].toSorted().join(" & ")}"`;
  const [before, after] = [format(drawn), format(actual)];
  if (before === after) return undefined;
  if (before === undefined) return `add ${after}`;
  return after === undefined ? `remove ${before}` : `change ${before} to ${after}`;
}

/** The boxes that a box imports from, directly or through others. */
function reach(arrows: Arrows, box: string, reached = new Set<string>()): Set<string> {
  for (const next of arrows.get(box) ?? []) {
    if (!reached.has(next)) reach(arrows, next, reached.add(next));
  }
  return reached;
}

/** The sets of boxes that import from each other, as `folder/: box, box`. */
function circlesOf({ folder }: Drawing, arrows: Arrows): string[] {
  const circles = [...arrows.keys()].filter((box) => reach(arrows, box).has(box)).map((box) =>
    [...reach(arrows, box)].filter((other) => reach(arrows, other).has(box))
  );
  return [...new Set(circles.map((boxes) => `${folder}: ${boxes.toSorted().join(", ")}`))];
}

Deno.test("CONTRIBUTING.md draws the root and each folder that has folders", () => {
  const parts = program.map(({ path }) => path.split("/")).filter(({ length }) => length > 2);
  const expected = new Set(["./", ...parts.map(([folder]) => `${folder}/`)]);
  assertEquals(new Set(DRAWINGS.map(({ folder }) => folder)), expected);
});

for (const drawing of DRAWINGS) {
  const { folder, boxes } = drawing;

  Deno.test(`the drawing of ${folder} has each file or its folder in a box`, () => {
    const paths = sourcesOf(drawing).map(({ path }) => path);
    assertEquals(paths.filter((path) => boxOf(drawing, path) === undefined), []);
    const isGone = (item: string): boolean => !paths.some((path) => standsFor(item, path));
    assertEquals([...boxes.values()].flat().filter(isGone), []);
  });

  Deno.test(`the arrows in the drawing of ${folder} are the imports`, () => {
    const actual = actualArrows(drawing);
    const wrong = [...new Set([...drawing.arrows.keys(), ...actual.keys()])]
      .map((box) => correction(box, drawing.arrows.get(box), actual.get(box)))
      .filter((line) => line !== undefined);
    assertEquals(wrong, []);
  });
}

Deno.test("the imports between boxes form no circles but the known ones", () => {
  const circles = DRAWINGS.flatMap((drawing) => circlesOf(drawing, actualArrows(drawing)));
  assertEquals(circles.toSorted(), KNOWN_CIRCLES);
});
