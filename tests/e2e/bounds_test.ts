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

Deno.test({
  name: `memory does not grow between the 60,000th and the 140,000th message${LINUX.note}`,
  ignore: LINUX.ignore,
  async fn() {
    await using stage = new Stage();
    const server = await stage.serve();
    const [ana, bob] = await connectedPair(stage, server);
    // Long enough that retained messages would exceed what the garbage collector leaves.
    const textOf = (index: number): string => `message ${index} `.padEnd(500, "and so on ");
    const memoryAt = async (count: number): Promise<number[]> => {
      while (sent < count) {
        await ana.type(...Array.from({ length: 1000 }, () => textOf(sent++)));
      }
      await bob.waitForEvent("message", { seq: count - 1 }, 120_000);
      return await Promise.all([ana, bob].map(({ pid }) => memory(pid)));
    };
    let sent = 0;
    // By then the heap has the size that it takes at this rate.
    const early = await memoryAt(60_000);
    const late = await memoryAt(140_000);
    for (const [index, name] of ["ana", "bob"].entries()) {
      const grown = late[index]! - early[index]!;
      assertLess(grown, 48, `${name} grew by ${grown} MiB, to ${late[index]} MiB`);
    }
    const texts = bob.events().filter(({ event }) => event === "message").map(({ text }) => text);
    assertEquals(texts.length, 140_000);
    assert(texts.every((text, index) => text === textOf(index)), "in order");
  },
});
