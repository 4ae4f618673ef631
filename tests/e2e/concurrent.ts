/**
 * Runs tests that wait in real time concurrently, so that they take as long as the longest one.
 *
 * @module
 */

/** One of the tests. */
export interface Case {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: () => Promise<void>;
}

/** Registers one test whose cases are concurrent steps. */
export function testConcurrently(name: string, cases: readonly Case[]): void {
  // The sanitizers would blame a step for what other steps still have open.
  const sanitizers = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  Deno.test(name, async (t) => {
    await Promise.all(cases.map((each) => t.step({ ...each, ...sanitizers })));
  });
}
