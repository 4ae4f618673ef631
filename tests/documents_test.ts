// What the documents point at is there: files, sections, and the tests that show a claim.
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const DOCUMENTS = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "protocol/README.md",
];
/** A path in the project, as prose names it: `server/` or `tests/x_test.ts`. */
const PATHS = /`((?:client|offline|protocol|server|tests)\/[\w./]*)`/g;
const LINKS = /\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g;

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

/** The anchors of a document's headings, as a forge makes them. */
function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title.toLowerCase().replace(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
  );
}

for (const document of DOCUMENTS) {
  Deno.test(`${document} names only files and sections that exist`, () => {
    const text = read(document);
    // `tests/NAME_test.ts` stands for many.
    const named = [...text.matchAll(PATHS)].map(([, path = ""]) => path)
      .filter((path) => !path.includes("NAME"));
    assertEquals(named.filter((path) => !exists(path)), []);
    for (const [link, path = "", anchor] of text.matchAll(LINKS)) {
      const target = path === "" ? document : new URL(path, new URL(document, ROOT)).href
        .slice(ROOT.href.length);
      assert(exists(target), link);
      if (anchor !== undefined) assert(anchorsOf(target).includes(anchor), link);
    }
  });
}

Deno.test("SECURITY.md names a test for each claim", () => {
  const rows = read("SECURITY.md").split("\n").filter((line) => /^\| [a-z]/.test(line)).slice(1);
  assert(rows.length > 0);
  for (const row of rows) {
    const [, who = "", can = "", cannot = "", shownBy = ""] = row.split("|");
    assert([who, can, cannot].every((cell) => cell.trim() !== ""), row);
    const tests = [...shownBy.matchAll(PATHS)].map(([, path = ""]) => path);
    assert(tests.length > 0 && tests.every((path) => path.endsWith("_test.ts")), row);
  }
});
