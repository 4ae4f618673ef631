import { assertEquals } from "@std/assert";
import { LimitWatch, REPORT_INTERVAL, WATCH_INTERVAL } from "../../../server/log/limit_watch.ts";
import type { Totals } from "../../../server/totals.ts";
import { NOTHING } from "../screen/nothing.ts";

const NO_ERRORS = { count: 0, last: "" };

function totals(counts: Partial<Pick<Totals, "dropped" | "refused">>): Totals {
  return { ...NOTHING, ...counts };
}

Deno.test("LimitWatch reports a limit at once, then once a minute, with what was dropped since", () => {
  const watch = new LimitWatch();
  const lines: [at: number, message: string][] = [];
  // Ten are dropped each second for two minutes.
  for (let now = 0; now <= 2 * REPORT_INTERVAL; now += WATCH_INTERVAL) {
    const dropped = { strangers: Math.floor(now / 100) };
    for (const { message } of watch.observe(now, totals({ dropped }), NO_ERRORS)) {
      lines.push([now / 1000, message]);
    }
  }
  assertEquals(lines, [
    [1, "Limit reached: strangers: 10 dropped"],
    [61, "Limit reached: strangers: 600 dropped"],
  ]);
});

Deno.test("LimitWatch reports each limit for itself, and nothing that is no limit", () => {
  const watch = new LimitWatch();
  const dropped = { calls: 1, output: 2, forged: 3, secret: 4, size: 5 };
  const refused = { full: 6, sourceFull: 7, nameTaken: 8 };
  const errors = { count: 9, last: "Operation not permitted" };
  const entries = watch.observe(0, totals({ dropped, refused }), errors);
  assertEquals(entries.map(({ level, event, fields }) => [level, event, fields]), [
    ["warn", "full", { reason: "full", count: 6 }],
    ["warn", "full", { reason: "sourceFull", count: 7 }],
    ["warn", "limit", { limit: "calls", count: 1 }],
    ["warn", "limit", { limit: "output", count: 2 }],
    ["warn", "socket", { count: 9 }],
  ]);
  assertEquals(
    entries.at(-1)!.message,
    "Cannot send or receive (9 times): Operation not permitted",
  );
  assertEquals(watch.observe(2 * REPORT_INTERVAL, totals({ dropped, refused }), errors), []);
});
