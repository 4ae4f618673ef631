// What the program costs: processor time when idle, and memory in a long conversation.
import { assert, assertEquals, assertLess } from "@std/assert";
import { LINUX, memory, processorTime } from "./proc.ts";
import { connectedPair, Stage } from "./process.ts";

Deno.test({
  name: `idle, a directory and connected clients use under 1% of a processor${LINUX.note}`,
  ignore: LINUX.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    const pair = await connectedPair(stage, server);
    const pids = [server.program, ...pair].map(({ pid }) => pid);
    const before = await Promise.all(pids.map(processorTime));
    const start = performance.now();
    // This is no wait for something to happen, but the time over which nothing may.
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    const elapsed = performance.now() - start;
    const after = await Promise.all(pids.map(processorTime));
    for (const [index, name] of ["directory", "ana", "bob"].entries()) {
      const share = (after[index]! - before[index]!) / elapsed;
      assertLess(share, 0.01, `${name}: ${(100 * share).toFixed(2)} % of a processor`);
    }
  },
});

/** MiB that a process may grow by while 80 MB of texts pass: with them, it would grow by as much. */
const GROWTH_MAX = 48;

Deno.test({
  name: `memory does not grow with the messages${LINUX.note}`,
  ignore: LINUX.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    const [ana, bob] = await connectedPair(stage, server);
    // Long enough that retained messages would exceed what the garbage collector leaves.
    const textOf = (index: number): string => `message ${index} `.padEnd(1000, "and so on ");
    const memoryAt = async (count: number): Promise<number[]> => {
      while (sent < count) {
        await ana.type(...Array.from({ length: 1000 }, () => textOf(sent++)));
      }
      await bob.waitForEvent("message", { seq: count - 1 }, 120_000);
      return await Promise.all([ana, bob].map(({ pid }) => memory(pid)));
    };
    let sent = 0;
    // By then the heap has the size that it takes at this rate; on a busy machine it may grow once more.
    const memories = [await memoryAt(60_000)];
    let grown = Infinity;
    while (grown >= GROWTH_MAX && memories.length < 4) {
      const before = memories.at(-1)!;
      const now = await memoryAt(sent + 80_000);
      memories.push(now);
      grown = Math.max(...now.map((each, index) => each - before[index]!));
    }
    assertLess(grown, GROWTH_MAX, `MiB of ana and bob: ${memories.join(" · ")}`);
    const texts = bob.events().filter(({ event }) => event === "message").map(({ text }) => text);
    assertEquals(texts.length, sent);
    assert(texts.every((text, index) => text === textOf(index)), "in order");
  },
});
