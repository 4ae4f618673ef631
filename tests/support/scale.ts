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

/** All of these variants of one test, or as many of them, evenly spread, in the short run. */
export function sampled<Variant>(all: readonly Variant[], slice: number): readonly Variant[] {
  const step = IS_FULL ? 1 : Math.max(1, (all.length - 1) / (slice - 1));
  const count = Math.min(all.length, 1 + Math.round((all.length - 1) / step));
  return Array.from({ length: count }, (_, index) => all[Math.round(index * step)]!);
}

/** A count as a test's title shows it. */
export function formatCount(count: number): string {
  return count.toLocaleString("en");
}
