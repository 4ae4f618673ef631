/**
 * How much the tests that try many inputs try: everything in `deno task test:all`, which sets
 * `UDP_CHAT_TESTS=all`, and a slice otherwise. `UDP_CHAT_SHARE=0.25` makes everything a quarter of it,
 * another one each time: what the gate has the time for.
 *
 * @module
 */

/** Whether this is the full run, or a share of it. */
export const IS_FULL: boolean = Deno.env.get("UDP_CHAT_TESTS") === "all";

/** The share of everything that the full run tries. */
export const SHARE: number = shareFromEnv();

function shareFromEnv(): number {
  const text = Deno.env.get("UDP_CHAT_SHARE") || "1";
  const share = Number(text);
  if (share > 0 && share <= 1) return share;
  throw new Error(`Cannot use UDP_CHAT_SHARE: expected more than 0, and 1 at most, got "${text}"`);
}

/** A number of seeds, mutations or other inputs for this run. */
export function scaled(full: number, slice: number): number {
  return IS_FULL ? Math.max(slice, Math.round(full * SHARE)) : slice;
}

/**
 * All of these variants of one test; in the short run only as many of them, evenly spread, the first
 * of which the seed chooses.
 */
export function sampled<Variant>(
  all: readonly Variant[],
  slice: number,
  seed = 0,
): readonly Variant[] {
  if (IS_FULL || all.length <= slice) return all;
  const step = all.length / slice;
  const first = seed / 2 ** 32 * step;
  return Array.from({ length: slice }, (_, index) => all[Math.floor(first + index * step)]!);
}

/** A count as a test's title shows it. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}
