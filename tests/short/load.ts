/**
 * Loads many test files into one module: the short run has a module for each large folder, so that
 * all files of it share a worker, the code that they import, and what the compiler learned of it.
 * With a worker for each file, the start and the slow first calls took half of the time.
 *
 * @module
 */

const TESTS = new URL("../", import.meta.url);
/** The folders that have a module of their own here. */
const FOLDERS = ["client", "protocol", "server", "sim", "stories"];
/** What is no part of the short run, or is no folder of tests. */
const LEFT_OUT = ["e2e", "short"];

/** Loads the test files of a folder of `tests/`. */
export async function loadFolder(name: string): Promise<void> {
  await loadFrom(new URL(`${name}/`, TESTS), []);
}

/** Loads all other test files. */
export async function loadRest(): Promise<void> {
  await loadFrom(TESTS, [...FOLDERS, ...LEFT_OUT]);
}

async function loadFrom(folder: URL, leftOut: readonly string[]): Promise<void> {
  const entries = [...Deno.readDirSync(folder)].filter(({ name }) => !leftOut.includes(name));
  for (const { name, isDirectory } of entries) {
    if (isDirectory) await loadFrom(new URL(`${name}/`, folder), []);
    else if (name.endsWith("_test.ts")) await import(`${new URL(name, folder)}`);
  }
}
