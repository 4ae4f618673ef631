/**
 * What every test file needs first; `tests/run.ts` preloads this: the ciphers, and the same test
 * sanitizers on every version of Deno.
 *
 * A test fails if an async operation outlives it, which Deno 2.8 and later check only on request. An
 * open resource is no failure: the cipher of a directory's cookies counts as one, and is never
 * finished.
 *
 * @module
 */
import { loadCipher } from "../../protocol/crypto/sodium.ts";

await loadCipher();

const test: typeof Deno.test & {
  /** Since Deno 2.8. */
  sanitizer?: (options: { ops: boolean; resources: boolean }) => void;
} = Deno.test;

if (test.sanitizer !== undefined) {
  test.sanitizer({ ops: true, resources: false });
} else {
  const withoutResources = (
    first: string | Deno.TestDefinition,
    fn?: Deno.TestDefinition["fn"],
  ): void => {
    const definition = typeof first === "string" ? { name: first, fn: fn! } : first;
    test({ sanitizeResources: false, ...definition });
  };
  Object.assign(Deno, { test: withoutResources });
}
