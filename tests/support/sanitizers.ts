/**
 * Gives every version of Deno the same test sanitizers; `tests/run.ts` preloads this.
 *
 * A test fails if an async operation outlives it, which Deno 2.8 and later check only on request. An
 * open resource is no failure: the ciphers of node:crypto count as resources, and one that was made
 * for a lost datagram is never finished.
 *
 * @module
 */

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
