/**
 * How much the tests that try many inputs try: everything in `deno task test:all`, which sets
 * `UDP_CHAT_TESTS=all`, and a slice otherwise.
 *
 * @module
 */

/** Whether this is the full run. */
export const IS_FULL: boolean = Deno.env.get("UDP_CHAT_TESTS") === "all";

/** A number of seeds, mutations or other inputs for this run. */
export function scaled(full: number, slice: number): number {
  return IS_FULL ? full : slice;
}

/** A count as a test's title shows it. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}
