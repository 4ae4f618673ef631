/**
 * Loads many test files into one module: the short run has a module for each large folder, so that
 * all files of it share a worker, the code that they import, and what the compiler learned of it.
 * With a worker for each file, the start and the slow first calls took half of the time.
 *
 * @module
 */

const TESTS = new URL("../", import.meta.url);
/** The folders that have a module of their own here; those that take longest first. */
export const FOLDERS: readonly string[] = ["stories", "protocol", "server", "client", "sim"];
/** What `tests/run.ts` names itself, or leaves out; and what has no tests. */
const LEFT_OUT = ["e2e", "protocol/crypto/seal_test.ts", "short"];

/** Loads the test files of a folder of `tests/`. */
export async function loadFolder(folder: string): Promise<void> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, TESTS))) {
    await loadEntry(`${folder}/${name}`, isDirectory);
  }
}

/** Loads all other test files. */
export async function loadRest(): Promise<void> {
  for (const { name, isDirectory } of Deno.readDirSync(TESTS)) {
    if (!FOLDERS.includes(name)) await loadEntry(name, isDirectory);
  }
}

async function loadEntry(path: string, isFolder: boolean): Promise<void> {
  if (LEFT_OUT.includes(path)) return;
  if (isFolder) await loadFolder(path);
  else if (path.endsWith("_test.ts")) await import(`${new URL(path, TESTS)}`);
}
