import { assert } from "@std/assert";
import { cpuSeconds, isLinux } from "./machine.ts";

Deno.test({
  name: "cpuSeconds() is what a process worked, which is at most what passed on one core",
  ignore: !isLinux,
  fn() {
    const [start, before] = [performance.now(), cpuSeconds(Deno.pid)];
    let worked = 0;
    while (worked < 0.1) worked = cpuSeconds(Deno.pid) - before;
    // Two ticks for rounding; other threads of this process work a little, too.
    assert((performance.now() - start) / 1000 > worked / 2 - 0.02);
  },
});
