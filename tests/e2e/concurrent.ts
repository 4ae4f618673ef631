/**
 * Tests that wait for real time, run at once so that their waits add up to one.
 *
 * @module
 */

/** A test of a group. */
export interface Case {
  readonly name: string;
  readonly ignore?: boolean;
  readonly fn: () => Promise<void>;
}

/** Makes one test whose cases are steps that run at the same time. */
export function testAtOnce(name: string, cases: readonly Case[]): void {
  // The sanitizers would blame each step for what the others have open at its end.
  const sanitizers = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  Deno.test(name, async (t) => {
    await Promise.all(cases.map((each) => t.step({ ...each, ...sanitizers })));
  });
}
