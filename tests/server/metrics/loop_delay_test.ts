import { assertEquals } from "@std/assert";
import { LOOP_DELAY_INTERVAL, LoopDelay } from "../../../server/metrics/loop_delay.ts";

Deno.test("LoopDelay counts by how many seconds its timer was late, until it is stopped", () => {
  let now = 0;
  let action: (() => void) | undefined;
  const delay = new LoopDelay({
    clock: () => now,
    after(ms, given) {
      assertEquals(ms, LOOP_DELAY_INTERVAL);
      action = given;
      return () => action = undefined;
    },
  });
  delay.start();
  for (const late of [0, 3, 300, 60_000]) {
    now += LOOP_DELAY_INTERVAL + late;
    action?.();
  }
  const { bounds, counts, sum } = delay.histogram;
  const filled = counts.map((count, index): [number | undefined, number] => [bounds[index], count]);
  assertEquals(filled.filter(([, count]) => count > 0), [
    [0.001, 1],
    [0.005, 1],
    [0.5, 1],
    [undefined, 1],
  ]);
  assertEquals(sum, 60.303);
  delay.stop();
  assertEquals(action, undefined);
});
