// Directories that share a table in which there is no room, or not the same room for each.
import { assert, assertEquals } from "@std/assert";
import { RefusalReason } from "../../../protocol/wire/frame.ts";
import { Prng } from "../../support/random.ts";
import { LEASE, SharedStage, TableUser } from "./shared_stage.ts";

function user(stage: SharedStage, n: number, hostname?: string): TableUser {
  return new TableUser(stage, n, `u${n}`, 40_000 + n, hostname);
}

Deno.test("SharedTable: a lease that a directory without room for its client ends is over for all", () => {
  const stage = new SharedStage(new Prng(1), 1, { maxClients: 1 });
  const [there, third] = [stage.start({ maxClients: 3 }), stage.start({ maxClients: 3 })];
  stage.run(0);
  for (const n of [1, 2]) {
    user(stage, n).register(third);
    stage.run(0);
  }
  assertEquals(stage.directories.map(({ table }) => table.size), [1, 2, 2]);
  stage.restart(third);
  stage.run(LEASE + 5_000);
  assertEquals(stage.assertSame(), []);
  assert(there.events.includes("expired 2 u2"));
});

Deno.test("SharedTable: of two clients that come to two directories for one place, one has it", () => {
  const stage = new SharedStage(new Prng(1), 2, { maxClients: 2 });
  user(stage, 1).register(stage.directories[0]!);
  stage.run(0);
  stage.delayMax = 20;
  const both = [user(stage, 2), user(stage, 3)];
  for (const [at, each] of both.entries()) each.register(stage.directories[at]!, each.n);
  stage.run(1_000);
  assertEquals(both.map(({ refusal }) => refusal).toSorted(), [RefusalReason.full, undefined]);
  // The other one left nothing in the store.
  stage.start({ maxClients: 10 });
  stage.run(1_000);
  assertEquals(stage.assertSame().length, 2);
});

Deno.test("SharedTable: directories may let in one too many of a source, and go on", () => {
  const stage = new SharedStage(new Prng(1), 2, { maxClients: 5, maxPerSource: 2 });
  stage.delayMax = 20;
  for (const [at, directory] of [...stage.directories, ...stage.directories].entries()) {
    user(stage, 1 + at).register(directory, 1 + at);
  }
  stage.run(1_000);
  assertEquals(stage.assertSame().length, 4);
  const others = [5, 6, 7].map((n) => user(stage, n, `192.0.2.${n}`));
  for (const each of others) {
    each.register(stage.directories[0]!);
    stage.run(1_000);
  }
  assertEquals(others.map(({ refusal }) => refusal), [undefined, undefined, undefined]);
  assertEquals(stage.assertSame().length, 5);
});
