// Directories that share a table: stories, and random ones with a store that fails.
import { assert, assertEquals } from "@std/assert";
import { RefusalReason } from "../../../protocol/wire/frame.ts";
import { encodeChange } from "../../../server/table/client_record.ts";
import { RESTORING_MAX } from "../../../server/table/restoring.ts";
import { PENDING_TIMEOUT } from "../../../server/table/pending_registers.ts";
import {
  RENEWAL_TIME,
  SETTLE_TIME,
  WAITING_INPUTS_MAX,
} from "../../../server/table/shared_table.ts";
import { NO_SLOT } from "../../../server/table/table.ts";
import { Prng, seedFromEnv } from "../../support/random.ts";
import { scaled } from "../../support/scale.ts";
import { LEASE, SharedStage, TableUser } from "./shared_stage.ts";

function twoDirectories(): SharedStage {
  return new SharedStage(new Prng(1), 2);
}

function user(stage: SharedStage, n: number, name = ""): TableUser {
  return new TableUser(stage, n, name, 40_000 + n);
}

Deno.test("SharedTable: a client of one directory is in the table of the other, which reports it", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  user(stage, 1, "ana").register(here!);
  stage.run(0);
  user(stage, 2).register(there!);
  stage.run(0);
  assertEquals(stage.assertSame(), ["1 ana 40001", "2  40002"]);
  for (const { events } of stage.directories) assertEquals(events, ["joined 1 ana", "joined 2"]);
  const slot = there!.table.findName("ANA");
  assertEquals([there!.table.isHere(slot), here!.table.isHere(slot)], [false, true]);
});

Deno.test("SharedTable: names and ids are unique among directories that ask at the same time", () => {
  const stage = twoDirectories();
  stage.delayMax = 50;
  const users = Array.from(
    { length: 40 },
    (_, n) => user(stage, n + 1, n < 20 ? `u${n}` : `u${n - 20}`),
  );
  for (const [n, each] of users.entries()) each.register(stage.directories[n % 2]!);
  stage.run(2_000);
  assertEquals(stage.assertSame().length, 20);
  const refusals = users.map(({ refusal }) => refusal).filter((each) => each !== undefined);
  assertEquals(refusals, Array.from({ length: 20 }, () => RefusalReason.nameTaken));
});

Deno.test("SharedTable: with its token a client moves to another directory, under its id and name", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  const ana = user(stage, 1, "ana");
  ana.register(here!);
  stage.run(0);
  ana.register(there!);
  stage.run(0);
  assertEquals([ana.home, ana.id, ana.refusal], [there, 1, undefined]);
  const slot = here!.table.find(1);
  assertEquals([here!.table.isHere(slot), there!.table.isHere(slot)], [false, true]);
  assertEquals(stage.assertSame(), ["1 ana 40001"]);
  assertEquals(here!.events, ["joined 1 ana"]);
});

Deno.test("SharedTable: who leaves is gone everywhere, and the name is kept everywhere", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  const ana = user(stage, 1, "ana");
  ana.register(here!);
  stage.run(0);
  ana.leave();
  stage.run(0);
  assertEquals(stage.assertSame(), []);
  assertEquals(there!.events, ["joined 1 ana", "left 1 ana"]);
  for (const at of [...stage.directories, stage.start()]) {
    stage.run(0);
    const eve = user(stage, 2, "ana");
    eve.register(at);
    stage.run(0);
    assertEquals(eve.refusal, RefusalReason.nameHeld);
  }
  ana.register(there!);
  stage.run(0);
  assertEquals(ana.refusal, undefined);
});

Deno.test("SharedTable: a bounded number of inputs waits while no answers can be sent", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  user(stage, 1, "ana").register(here!);
  stage.run(0);
  const { lastChange: last, table } = there!;
  there!.isFull = true;
  for (let n = 1; n <= WAITING_INPUTS_MAX + 1; n++) {
    assertEquals(there!.events, ["joined 1 ana"]);
    const change = encodeChange(n === 1 ? { gone: [[1, "left"]] } : {});
    table.handleStore(stage.now, { kind: "change", number: last + n, time: stage.now, change });
  }
  assertEquals(there!.events, ["joined 1 ana", "left 1 ana"]);
});

Deno.test("SharedTable: a lease ends everywhere, also where its directory is gone", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  const [ana, bob] = [user(stage, 1, "ana"), user(stage, 2, "bob")];
  ana.register(here!);
  stage.run(0);
  bob.register(there!);
  stage.run(0);
  stage.restart(here!);
  for (let i = 0; i < 6; i++) {
    stage.run(10_000);
    bob.keepAlive();
  }
  assertEquals(stage.assertSame(), ["2 bob 40002"]);
  assert(there!.events.includes("expired 1 ana"));
});

Deno.test("SharedTable: a Register that was granted at one directory is a replay at another", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  user(stage, 1).register(here!);
  stage.run(0);
  const key = here!.table.entries.sessionKey(here!.table.find(1));
  for (const at of [there!, stage.start()]) {
    stage.run(0);
    assertEquals(at.table.isReplay(key), true);
  }
  assertEquals(here!.table.isReplay(key), false);
});

Deno.test("SharedTable: a Register that comes to two directories at once is granted at one", () => {
  const stage = twoDirectories();
  stage.delayMax = 20;
  const ana = user(stage, 1, "ana");
  const sessionKey = stage.prng.bytes(32);
  for (const directory of stage.directories) ana.register(directory, 0, sessionKey);
  stage.run(PENDING_TIMEOUT);
  assertEquals([stage.assertSame(), ana.grants], [["1 ana 40001"], 1]);
  for (const { events } of stage.directories) assertEquals(events, ["joined 1 ana"]);
});

Deno.test("SharedTable: while the store is down nothing is granted, and no lease ends", () => {
  const stage = twoDirectories();
  const [here] = stage.directories;
  const ana = user(stage, 1, "ana");
  ana.register(here!);
  stage.run(0);
  for (const each of stage.directories) each.disconnect();
  assertEquals(here!.table.isAvailable, false);
  for (let i = 0; i < 20; i++) {
    stage.run(10_000);
    ana.keepAlive();
    assertEquals(ana.home, here);
  }
  const bob = user(stage, 2);
  bob.register(here!);
  assertEquals(bob.refusal, RefusalReason.unavailable);
  for (const each of stage.directories) each.connect();
  stage.run(RENEWAL_TIME + 5_000);
  assertEquals(stage.assertSame(), ["1 ana 40001"]);
  for (const { events } of stage.directories) assertEquals(events, ["joined 1 ana"]);
});

Deno.test("SharedTable: a store that falls silent counts as down, and as up when it answers", () => {
  const stage = twoDirectories();
  const [here] = stage.directories;
  here!.disconnect(false);
  stage.run(10_000);
  assertEquals(here!.table.isAvailable, false);
  here!.connect();
  stage.run(2_000);
  assertEquals(here!.table.isAvailable, true);
});

Deno.test("SharedTable: a store that was emptied has all clients again, under their ids", () => {
  const stage = twoDirectories();
  const users = Array.from({ length: 30 }, (_, n) => user(stage, n + 1, `u${n}`));
  for (const [n, each] of users.entries()) {
    each.register(stage.directories[n % 2]!);
    stage.run(0);
  }
  const before = stage.assertSame();
  const events = stage.directories.map((each) => each.events.length);
  stage.store.forget();
  stage.run(1_000 + SETTLE_TIME + 1_000);
  assertEquals(stage.assertSame(), before);
  // Nobody saw anybody go or come.
  assertEquals(stage.directories.map((each) => each.events.length), events);
  for (const each of users) each.keepAlive();
  assertEquals(users.filter(({ home }) => home === undefined), []);
});

Deno.test("SharedTable: a Register that is granted while all is loaded again is not lost", () => {
  const stage = twoDirectories();
  const [here] = stage.directories;
  user(stage, 1).register(here!);
  stage.run(100);
  stage.store.forget();
  const bob = user(stage, 2);
  bob.register(here!);
  stage.run(100);
  assertEquals([bob.refusal, bob.home, bob.id], [undefined, here, 2]);
  stage.run(SETTLE_TIME + 1_000);
  assertEquals(stage.assertSame(), ["1  40001", "2  40002"]);
});

Deno.test("SharedTable: whoever brings back many clients to a slow store has the time for it", () => {
  const stage = new SharedStage(new Prng(1), 2, { maxClients: 2_000, pageLength: 1000 });
  const [here, there] = stage.directories;
  for (let n = 1; n <= 3 * RESTORING_MAX; n++) user(stage, n).register(there!);
  stage.run(0);
  const before = stage.assertSame();
  const events = here!.events.length;
  stage.delayMax = 900;
  stage.store.forget();
  stage.run(20_000);
  assertEquals(stage.assertSame(), before);
  assertEquals(here!.events.length, events);
});

Deno.test("SharedTable: nobody is taken for gone while all is loaded again", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  user(stage, 1).register(there!);
  stage.run(0);
  there!.disconnect();
  stage.store.forget();
  stage.run(1_000);
  assertEquals(here!.table.isAvailable, false);
  stage.run(SETTLE_TIME - 400);
  stage.delayMax = 300;
  here!.disconnect(false);
  here!.connect();
  there!.connect();
  stage.run(5_000);
  assertEquals(stage.assertSame(), ["1  40001"]);
  assertEquals(here!.events, ["joined 1"]);
});

Deno.test("SharedTable: what nobody brings back after the store was emptied is gone", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  user(stage, 1).register(here!);
  stage.run(0);
  stage.restart(here!);
  stage.store.forget();
  stage.run(10_000);
  assertEquals(stage.assertSame(), []);
  assertEquals(there!.events, ["joined 1", "expired 1"]);
});

Deno.test("SharedTable: a Register for which the store is too slow is refused, and leaves nothing", () => {
  const stage = new SharedStage(new Prng(1), 1);
  const [here] = stage.directories;
  const ana = user(stage, 1, "ana");
  ana.register(here!);
  here!.disconnect(false);
  stage.run(4_000);
  assertEquals(ana.refusal, RefusalReason.unavailable);
  here!.connect();
  stage.run(5_000);
  assertEquals(stage.assertSame(), []);
  ana.register(here!);
  stage.run(0);
  assertEquals([ana.refusal, ana.id], [undefined, 1]);
});

Deno.test("SharedTable: a move for which the store is too slow costs nobody the id, or the entry", () => {
  for (const comesAgain of [true, false]) {
    const stage = twoDirectories();
    const [here, there] = stage.directories;
    const ana = user(stage, 1, "ana");
    ana.register(here!);
    stage.run(0);
    stage.delay = () => 2_000;
    ana.register(there!);
    stage.run(PENDING_TIMEOUT);
    assertEquals(ana.refusal, RefusalReason.unavailable);
    stage.run(10_000);
    stage.delay = () => 0;
    stage.run(10_000);
    assertEquals(stage.assertSame(), ["1 ana 40001"]);
    const bob = user(stage, 2, "bob");
    bob.register(there!);
    stage.run(0);
    assertEquals(bob.id, 2);
    ana.home = undefined;
    if (comesAgain) ana.register(here!, 1);
    for (let i = 0; i < 3; i++) {
      stage.run(LEASE / 2);
      for (const each of [ana, bob]) each.keepAlive();
    }
    const all = comesAgain ? ["1 ana 40001", "2 bob 40002"] : ["2 bob 40002"];
    assertEquals([stage.assertSame(), ana.refusal === undefined], [all, comesAgain]);
  }
});

for (const isNoticed of [true, false]) {
  const what = isNoticed ? "is down" : "has fallen silent";
  Deno.test(`SharedTable: who leaves while the store ${what} is gone when it is back`, () => {
    const stage = twoDirectories();
    const [here] = stage.directories;
    const ana = user(stage, 1, "ana");
    ana.register(here!);
    stage.run(0);
    here!.disconnect(isNoticed);
    ana.leave();
    stage.run(100);
    here!.connect();
    stage.run(1_000);
    assertEquals(stage.assertSame(), []);
  });
}

Deno.test("SharedTable: a frame for a client of another directory reaches that, and goes no further", () => {
  const stage = new SharedStage(new Prng(1), 3);
  const [here, there, third] = stage.directories;
  user(stage, 1).register(here!);
  stage.run(0);
  user(stage, 2).register(there!);
  stage.run(0);
  const frame = { kind: "carried", from: 1, datagram: new Uint8Array(32).fill(7) } as const;
  const slot = here!.table.find(2);
  assertEquals(here!.table.send(slot, frame), true);
  stage.run(0);
  assertEquals(there!.frames, [frame]);
  // Its client is at a third directory by now: at most one hop.
  assertEquals(here!.table.send(slot, frame), true);
  const bob = user(stage, 2);
  Object.assign(bob, { id: 2, token: there!.table.entries.token(there!.table.find(2)) });
  bob.register(third!);
  stage.run(0);
  assertEquals([there!.frames.length, third!.frames.length], [1, 0]);
  assertEquals(here!.table.send(NO_SLOT + 1, frame), false);
});

Deno.test("SharedTable: all directories make codes with the same keys, new ones in each time slot", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  stage.run(0);
  const before = here!.keys!;
  assertEquals(there!.keys, before);
  stage.run(30_000);
  assertEquals(here!.keys!.previous, before.current);
  assertEquals(there!.keys, here!.keys);
});

Deno.test("SharedTable: an address of the other family that is told again changes nothing", () => {
  const stage = twoDirectories();
  const [here, there] = stage.directories;
  const ana = user(stage, 1);
  ana.register(here!);
  stage.run(0);
  ana.tellOther(1);
  stage.run(0);
  const { lastChange } = there!;
  ana.tellOther(1);
  stage.run(0);
  assertEquals(there!.lastChange, lastChange);
  ana.tellOther(2);
  stage.run(0);
  assertEquals(there!.lastChange, lastChange + 1);
  stage.assertSame();
});

Deno.test("SharedTable: an address of the other family that did not reach the store is told anew", () => {
  const stage = twoDirectories();
  const [here] = stage.directories;
  const ana = user(stage, 1);
  ana.register(here!);
  stage.run(0);
  here!.disconnect();
  ana.tellOther(1);
  here!.connect();
  stage.run(0);
  stage.assertSame();
  ana.tellOther(1);
  stage.run(0);
  stage.assertSame();
  const slot = stage.directories[1]!.table.find(1);
  assert(stage.directories[1]!.table.entries.otherEndpoint(slot) !== undefined);
});

const SEEDS = scaled(1_000, 8);

Deno.test(`SharedTable: a store that fails loses no client and doubles none: ${SEEDS} seeds`, () => {
  const first = seedFromEnv();
  for (let i = 0; i < SEEDS; i++) {
    try {
      playRandom(new Prng(first + i));
    } catch (error) {
      throw new Error(`With UDP_CHAT_SEED=${first + i}: ${error}`, { cause: error });
    }
  }
});

/** Lets clients come and go while anything fails; then all is well, and the tables are the same. */
function playRandom(prng: Prng): void {
  const places = { maxClients: 12 + prng.int(30), maxPerSource: prng.pick([undefined, 6, 15]) };
  const stage = new SharedStage(prng, 1 + prng.int(3), places);
  stage.delayMax = prng.int(200);
  stage.repeats = prng.chance(0.5) ? 0.1 : 0;
  const users = Array.from({ length: 25 }, (_, n) => {
    const port = 40_000 + prng.int(20);
    return new TableUser(stage, n + 1, randomName(prng), port, `192.0.2.${prng.int(4)}`);
  });
  for (let step = 0; step < 150; step++) {
    playStep(stage, prng, users);
    stage.run(prng.chance(0.1) ? prng.int(60_000) : prng.int(2_000));
    if (prng.chance(0.2)) { for (const each of users) each.keepAlive(); }
    stage.assertServedOnce();
  }
  for (const each of stage.directories) each.connect();
  for (let i = 0; i < 12; i++) {
    stage.run(10_000);
    for (const each of users) each.keepAlive();
  }
  stage.run(3_000);
  stage.assertSame();
  for (const { home, id, port } of users) {
    if (home === undefined) continue;
    assert(home.table.isHere(home.table.find(id)), `${id} is not where it is registered`);
    for (const { table } of stage.directories) {
      assertEquals(table.entries.client(table.find(id)).address.port, port);
    }
  }
}

function playStep(stage: SharedStage, prng: Prng, users: readonly TableUser[]): void {
  const each = prng.pick(users);
  const directory = prng.pick(stage.directories);
  const what = prng.next();
  if (what < 0.42) each.register(directory, prng.chance(0.5) ? each.id : prng.int(15));
  else if (what < 0.72) each.keepAlive();
  else if (what < 0.80) each.leave();
  else if (what < 0.83) each.port = 40_000 + prng.int(20);
  else if (what < 0.85) each.name = randomName(prng);
  else if (what < 0.88) each.tellOther(prng.int(3));
  else if (what < 0.91) directory.disconnect(prng.chance(0.5));
  else if (what < 0.95) directory.connect();
  else if (what < 0.96) stage.store.forget();
  else if (what < 0.97) stage.restart(directory);
}

function randomName(prng: Prng): string {
  return prng.chance(0.7) ? `n${prng.int(12)}` : "";
}
