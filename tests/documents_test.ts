// The files, sections, tests and tasks that the documents name exist.
import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);
const DOCUMENTS = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  ...[...Deno.readDirSync(new URL("docs", ROOT))].map(({ name }) => `docs/${name}`)
    .filter((path) => path.endsWith(".md")).toSorted(),
  "protocol/README.md",
  "tests/bench/README.md",
];
/** A path from the root in backticks: `server/` or `tests/x_test.ts`. */
const PATHS = /`((?:cli|client|docs|offline|protocol|release|server|tests)\/[\w./]*)`/g;
const LINKS = /\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g;
const TASKS = /\bdeno(?:@[\d.]+)? task ([a-z][a-z:]*)/g;

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What the group of a pattern matches in a text. */
function find(pattern: RegExp, text: string): string[] {
  return [...text.matchAll(pattern)].map(([, found = ""]) => found);
}

/** The anchors of a document's headings, as a forge makes them. */
function anchorsOf(path: string): string[] {
  return find(/^#+ (.*)$/gm, read(path)).map((title) =>
    title.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
  );
}

for (const document of DOCUMENTS) {
  Deno.test(`${document} names only files, sections and tasks that exist`, () => {
    const text = read(document);
    assertEquals(find(PATHS, text).filter((path) => !exists(path)), []);
    assertEquals(find(TASKS, text).filter((task) => !Object.hasOwn(config.tasks, task)), []);
    for (const [link, path = "", anchor] of text.matchAll(LINKS)) {
      const target = path === ""
        ? document
        : new URL(path, new URL(document, ROOT)).href.slice(ROOT.href.length);
      assert(exists(target), link);
      if (anchor !== undefined) assert(anchorsOf(target).includes(anchor), link);
    }
  });
}

Deno.test("SECURITY.md names the tests of each claim", () => {
  const rows = read("SECURITY.md").split("\n")
    .filter((line) => /^\| [a-z]/.test(line) && !/^\| who /.test(line));
  assert(rows.length > 0);
  for (const row of rows) {
    const cells = row.split("|").slice(1, -1);
    assert(cells.length >= 3 && cells.every((cell) => cell.trim() !== ""), row);
    const shownBy = cells.at(-1)!;
    const tests = find(PATHS, shownBy);
    assert(tests.length > 0 && tests.every((path) => path.endsWith("_test.ts")), row);
  }
});
