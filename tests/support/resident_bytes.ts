/**
 * How much memory this process has.
 *
 * @module
 */

/** Bytes of memory that are in use, in a process that runs with `--expose-gc`. */
export function residentBytes(): number {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  gc?.();
  const { rss, heapTotal, heapUsed } = Deno.memoryUsage();
  // What the heap has in reserve is nobody's.
  return rss - (heapTotal - heapUsed);
}
