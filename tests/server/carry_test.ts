import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { CARRIED_SIZE_MAX, HEADER_SIZE } from "../../protocol/wire/frame.ts";
import { CARRIED_PER_CLIENT, CARRIED_PER_SOURCE } from "../../server/limits.ts";
import { Prng } from "../support/random.ts";
import { client, type FakeClient, Stage } from "../support/server_stage.ts";

/** Bytes by which the directory's datagram is shorter than the client's: it has no number and target. */
const SAVED = 8;

function datagram(size: number): Uint8Array {
  return new Prng(size).bytes(size);
}

/** Two clients that have met, and the number of their meeting. */
function pair(stage: Stage, first = 1): { ana: FakeClient; bob: FakeClient; number: bigint } {
  const join = (n: number): FakeClient =>
    stage.join(n, {}, { address: { hostname: `192.0.2.${first}`, port: 5000 + n } });
  const [ana, bob] = [join(first), join(first + 1)];
  return { ana, bob, number: ana.meet(bob).own.number };
}

/** More full datagrams than any limit lets pass. */
const MANY = 1000;

/** Has full datagrams carried until one is not; returns how many were. */
function carryAll(from: FakeClient, number: bigint, to: number): number {
  let carried = 0;
  const sent = datagram(CARRIED_SIZE_MAX);
  while (carried < MANY && from.carry(number, to, sent).length === 1) carried++;
  return carried;
}

Deno.test("Server carries datagrams between two clients that have met, both ways, as they are", () => {
  const stage = new Stage();
  const { ana, bob, number } = pair(stage);
  for (const [from, to] of [[ana, bob], [bob, ana], [ana, bob]] as const) {
    const sent = datagram(100);
    const [notice, ...more] = from.carry(number, to.id, sent);
    assert(notice !== undefined);
    assertEquals(more, [], "the sender is told nothing");
    assertEquals(to.openNotice(notice).frame, { kind: "carried", from: from.id, datagram: sent });
  }
  const { carriedDatagrams, carriedBytes, dropped } = stage.server.totals;
  assertEquals([carriedDatagrams, carriedBytes, dropped], [3, 300, {}]);
});

Deno.test("Server carries what has the size of a datagram, and no more", () => {
  const stage = new Stage();
  const { ana, bob, number } = pair(stage);
  for (const size of [HEADER_SIZE, CARRIED_SIZE_MAX]) {
    const [notice] = ana.carry(number, bob.id, datagram(size));
    assert(notice !== undefined);
    const { frame } = bob.openNotice(notice);
    assert(frame.kind === "carried");
    assertEquals(frame.datagram, datagram(size));
  }
  for (const size of [0, HEADER_SIZE - 1, CARRIED_SIZE_MAX + 1]) {
    assertEquals(ana.carry(number, bob.id, datagram(size)), []);
  }
  assertEquals(stage.server.dropped, { carry: 3 });
});

Deno.test("Server sends nothing larger than the Carry that it came in", () => {
  const stage = new Stage();
  const { ana, bob, number } = pair(stage);
  for (let size = HEADER_SIZE; size <= CARRIED_SIZE_MAX; size += 17) {
    const frame = { kind: "carry", number, to: bob.id, datagram: datagram(size) } as const;
    const bytes = ana.requestBytes(frame);
    const [notice] = stage.give(bytes, ana.address);
    assertEquals(notice?.bytes.length, bytes.length - SAVED);
  }
});

Deno.test("Server carries for a client that has moved, to where it is now", () => {
  const stage = new Stage();
  const { ana, bob, number } = pair(stage);
  bob.address = client(99);
  bob.register({ token: bob.token });
  const [notice] = ana.carry(number, bob.id, datagram(50));
  assert(notice !== undefined);
  assertEquals([notice.to, bob.openNotice(notice).frame.kind], [client(99), "carried"]);
  assertEquals(bob.carry(number, ana.id, datagram(50)).length, 1);
});

Deno.test("Server carries nothing to strangers: a client that was not met, none, oneself", () => {
  const stage = new Stage();
  const { ana, bob, number } = pair(stage);
  const eve = stage.join(3);
  const { answer: alone } = ana.call({ id: ana.id });
  assert(alone?.kind === "meeting");
  const tries: [FakeClient, bigint, number][] = [
    [eve, number, ana.id],
    [eve, 0n, ana.id],
    [ana, number, eve.id],
    [ana, number, ana.id],
    [ana, alone.number, ana.id],
    [ana, number, 0],
    [ana, number, 77],
    [ana, number ^ 1n, bob.id],
  ];
  for (const [from, shown, to] of tries) assertEquals(from.carry(shown, to, datagram(50)), []);
  bob.ask({ kind: "leave" });
  assertEquals(ana.carry(number, bob.id, datagram(50)), []);
  assertEquals(stage.server.dropped, { carry: tries.length + 1 });
  assertEquals(stage.server.totals.carriedBytes, 0);
});

Deno.test("Server carries a burst for one client, then so many bytes a second, and counts the others", () => {
  const stage = new Stage({ lease: 3_600_000 });
  const { ana, bob, number } = pair(stage);
  const { burst, perSecond } = CARRIED_PER_CLIENT;
  assertEquals(carryAll(ana, number, bob.id), Math.floor(burst / CARRIED_SIZE_MAX));
  assertEquals(stage.server.dropped, { carried: 1 });
  // The peer has a limit of its own.
  assertEquals(carryAll(bob, number, ana.id), Math.floor(burst / CARRIED_SIZE_MAX));
  const start = stage.server.totals.carriedBytes;
  for (let second = 0; second < 25; second++) {
    stage.now += 1000;
    carryAll(ana, number, bob.id);
  }
  const carried = stage.server.totals.carriedBytes - start;
  assertLessOrEqual(carried, 25 * perSecond + CARRIED_SIZE_MAX);
  assertLessOrEqual(25 * perSecond - CARRIED_SIZE_MAX, carried);
});

Deno.test("Server carries so much for all clients of one source, and counts the others", () => {
  const stage = new Stage();
  const pairs = Array.from({ length: 12 }, (_, n) => {
    const join = (n: number, source: number): FakeClient =>
      stage.join(n, {}, { address: { hostname: `192.0.2.${source}`, port: 5000 + n } });
    const [ana, bob] = [join(1 + 2 * n, 1), join(2 + 2 * n, 2 + n)];
    return { ana, bob, number: bob.meet(ana).own.number };
  });
  for (const { ana, bob, number } of pairs) carryAll(ana, number, bob.id);
  const { burst } = CARRIED_PER_SOURCE;
  const carried = stage.server.totals.carriedBytes;
  assert(carried > burst - CARRIED_SIZE_MAX && carried <= burst, `${carried}`);
  // Their peers have sources of their own.
  const [{ ana, bob, number }] = pairs as [typeof pairs[0]];
  assert(carryAll(bob, number, ana.id) > 0);
});

Deno.test("Server carries so many bytes a second for all together, and counts the others", () => {
  const relayLimit = 100_000;
  const stage = new Stage({ relayLimit });
  const pairs = [1, 3, 5].map((n) => pair(stage, n));
  const carryForAll = (): number => {
    const before = stage.server.totals.carriedBytes;
    for (const { ana, bob, number } of pairs) carryAll(ana, number, bob.id);
    return stage.server.totals.carriedBytes - before;
  };
  const first = carryForAll();
  assertLessOrEqual(first, relayLimit);
  assertLessOrEqual(relayLimit - CARRIED_SIZE_MAX, first);
  assertEquals(stage.server.dropped, { carried: 3 });
  // The third pair has used nothing of its own.
  stage.now += 500;
  const { ana, bob, number } = pairs[2]!;
  const more = carryAll(ana, number, bob.id) * CARRIED_SIZE_MAX;
  assertLessOrEqual(more, relayLimit / 2 + CARRIED_SIZE_MAX);
  assertLessOrEqual(relayLimit / 2 - CARRIED_SIZE_MAX, more);
});

Deno.test("Server with a relayLimit of 0 makes clients meet, and carries nothing", () => {
  const stage = new Stage({ relayLimit: 0 });
  const { ana, bob, number } = pair(stage);
  assertEquals(ana.carry(number, bob.id, datagram(50)), []);
  assertEquals([stage.server.totals.introductions, stage.server.totals.carriedBytes], [1, 0]);
  assertEquals(stage.server.dropped, { carry: 1 });
});

Deno.test("Server carries nothing that was carried before", () => {
  const stage = new Stage();
  const { ana, bob, number } = pair(stage);
  const frame = { kind: "carry", number, to: bob.id, datagram: datagram(50) } as const;
  const bytes = ana.requestBytes(frame);
  assertEquals(stage.give(bytes, ana.address).length, 1);
  assertEquals(stage.give(bytes, ana.address), []);
  assertEquals(stage.server.dropped, { replay: 1 });
});
