import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { OUTPUT_MAX } from "../../server/answer_queue.ts";
import { TABLE_BURST, TABLE_ROWS_PER_SECOND } from "../../server/event.ts";
import { seedFromEnv, withSeed } from "../support/random.ts";
import { formatCount, scaled } from "../support/scale.ts";
import {
  assertNoEffect,
  client,
  decoded,
  FakeClient,
  LEASE,
  REQUESTS,
  Stage,
} from "../support/server_stage.ts";
import { IS_SHARED, ownTimeout } from "../support/new_server.ts";

const ALL_REQUESTS: readonly Frame[] = [...REQUESTS, { kind: "leave" }];

/** A Request that is sealed under no key that the directory has. */
function forgedRequest(id: number, size: number): Uint8Array {
  const bytes = new Uint8Array(16 + size).fill(0xa5);
  bytes.set(encodeDatagram({ type: DatagramType.Request, session: id, packet: 7 }, []));
  return bytes;
}

Deno.test("Server answers Unknown to a Request that is forged, or from another address", () => {
  const stage = new Stage();
  const ana = stage.join(1, { name: "ana" });
  const eve = stage.join(2);
  stage.takeEvents();
  stage.now += 10_000;
  const table = [...stage.server.table().clients];
  // Under the key of another client, under the right key from elsewhere, and for nobody.
  for (const frame of ALL_REQUESTS) {
    const { registered, address } = eve;
    eve.registered = ana.registered;
    eve.address = ana.address;
    assertEquals(eve.ask(frame), { kind: "unknown" });
    eve.registered = { ...ana.registered!, id: 99 };
    assertEquals(eve.ask(frame), { kind: "unknown" });
    Object.assign(eve, { registered, address });
    ana.address = client(9);
    assertEquals(ana.ask(frame), { kind: "unknown" });
    ana.address = client(1);
    const good = ana.requestBytes(frame);
    for (const at of [15, 16, good.length - 1]) {
      assertEquals(ana.send(good.with(at, good[at]! ^ 1))?.kind, "unknown", `byte ${at}`);
    }
  }
  assertEquals(stage.server.dropped, { unknown: 10, forged: 20 });
  assertEquals([...stage.server.table().clients], table);
  assertEquals(stage.takeEvents(), []);
  stage.now += LEASE - 10_000;
  stage.server.handleTimeout(stage.now);
  assertEquals(stage.takeEvents(), ["expired 1 40001", "expired 2 40002", "table"]);
});

Deno.test("Server answers Unknown with the header of the Request, and Challenge with no more bytes", () => {
  const stage = new Stage();
  for (const size of [0, 15, 16, 1184]) {
    const request = forgedRequest(5, size);
    const [answer, ...more] = stage.deliver(request, client(1));
    assertEquals([answer!.length, answer![3], more.length], [16, DatagramType.Unknown, 0]);
    assertEquals(decoded(answer!).header, { type: DatagramType.Unknown, session: 5, packet: 7 });
  }
  const ana = new FakeClient(stage, 1);
  const [challenge] = stage.deliver(ana.firstBytes(), client(1));
  assertEquals(challenge!.length, ana.firstBytes().length);
});

const FORGED = scaled(100_000, 5_000);

Deno.test(`Server keeps nothing for ${formatCount(FORGED)} Registers from forged addresses`, () => {
  withSeed(seedFromEnv(), (prng) => {
    const stage = new Stage();
    const ana = new FakeClient(stage, 1);
    ana.begin();
    const kinds = [ana.firstBytes(), ana.registerBytes({ name: "ana" })];
    const cookieAt = 16 + 3 + 8;
    for (let i = 0; i < FORGED; i++) {
      const hostname = [10, prng.int(256), prng.int(256), prng.int(256)].join(".");
      const from = { hostname, port: 1 + prng.int(65_535) };
      const request = prng.pick(kinds).slice();
      if (prng.chance(0.5)) request.set(prng.bytes(16), cookieAt);
      stage.now += 0.1;
      const sent = stage.deliver(request, from);
      assertEquals(sent.length, 1);
      assertLessOrEqual(sent[0]!.length, request.length);
    }
    assertEquals(stage.server.table().size, 0);
    assertEquals(stage.takeEvents(), []);
    assertEquals(ownTimeout(stage.server), undefined);
  });
});

Deno.test("Server answers another version with its own, and never an answer", () => {
  const stage = new Stage();
  const bytes = encodeDatagram({ type: DatagramType.Request, session: 5, packet: 6 }, []).slice();
  bytes[2] = 9;
  const [answer, ...more] = stage.deliver(bytes, client(1));
  assertEquals(more, []);
  assertEquals(answer, bytes.with(2, 1).with(3, DatagramType.Version));
  assertLessOrEqual(answer!.length, bytes.length);
  bytes[3] = DatagramType.Version;
  assertEquals(stage.deliver(bytes, client(1)), []);
  assertEquals(stage.deliver(answer!, client(1)), []);
  assertEquals(stage.server.dropped, { version: 2, type: 1 });
});

Deno.test("Server drops and counts datagrams that are no requests", () => {
  const stage = new Stage();
  const good = new FakeClient(stage, 1).firstBytes();
  const bad = [
    new Uint8Array(15),
    new Uint8Array(1201),
    good.with(0, 0),
    good.with(3, 77),
    good.with(8, 0xff),
    good.with(18, 200),
    good.subarray(0, good.length - 1),
    // Not Credentials, but a frame of the same size that is skipped, or that is for others.
    good.with(16, 0x7f),
    good.with(16, 0),
    ...[
      DatagramType.Challenge,
      DatagramType.Answer,
      DatagramType.Initiation,
      DatagramType.Response,
      DatagramType.Cookie,
      DatagramType.Packet,
      DatagramType.Unknown,
      DatagramType.Version,
    ].map((type) => encodeDatagram({ type, session: 1, packet: 0 }, [])),
  ];
  for (const bytes of bad) assertNoEffect(stage, () => new FakeClient(stage, 1).send(bytes));
  assertEquals(stage.server.dropped, {
    size: 2,
    magic: 1,
    type: 2,
    packet: 1,
    frame: 2,
    notRequest: 9,
  });
});

Deno.test("Server bounds the answers that wait to be sent", () => {
  const stage = new Stage();
  const excess = 10;
  const ana = new FakeClient(stage, 1);
  for (let n = 0; n < OUTPUT_MAX + excess; n++) {
    stage.server.handleDatagram(stage.now, ana.firstBytes(), client(1));
  }
  assertEquals(stage.takeSent().length, OUTPUT_MAX);
  assertEquals(stage.server.dropped, { output: excess });
  ana.begin();
});

Deno.test("Server does not overwrite an answer that is being sent", () => {
  const stage = new Stage();
  const ana = stage.join(1);
  const bytes: Uint8Array[] = [];
  const kinds = [
    new FakeClient(stage, 3).firstBytes(),
    ana.requestBytes({ kind: "list", after: 0 }),
  ];
  for (const each of [...kinds, forgedRequest(77, 16)]) {
    stage.server.handleDatagram(stage.now, each, client(1));
    bytes.push(stage.server.pollTransmit()!.bytes);
  }
  const before = bytes.map((each) => each.slice());
  for (let n = 2; n <= OUTPUT_MAX + 10; n++) {
    stage.server.handleDatagram(stage.now, new FakeClient(stage, n).firstBytes(), client(n));
    stage.server.handleDatagram(stage.now, ana.requestBytes({ kind: "leaseKeepalive" }), client(1));
    stage.server.handleDatagram(stage.now, forgedRequest(n, 0), client(n));
  }
  assertEquals(bytes.at(-1), before.at(-1));
});

Deno.test("Server reports one table after many expiries", () => {
  const count = scaled(1000, 300);
  const stage = new Stage({ hasSourceLimits: false });
  for (let n = 1; n <= count; n++) stage.join(n);
  stage.takeEvents();
  stage.now += LEASE;
  stage.server.handleTimeout(stage.now);
  const events = stage.takeEvents();
  assertEquals(events.at(-1), "table");
  const tables = events.filter((event) => event.startsWith("table"));
  // With a store, that of the joins, which waits for its turn, comes before the expiries are made.
  assertEquals(tables.length, IS_SHARED ? 2 : 1);
  assertEquals(events.length, count + tables.length);
});

Deno.test("Server reports large tables at a bounded rate, and always the last one", () => {
  const count = scaled(3000, 1000);
  const stage = new Stage({ hasSourceLimits: false });
  let rows = 0;
  let last = "";
  const take = () => {
    for (const event of stage.takeEvents()) {
      if (!event.startsWith("table")) continue;
      last = event;
      rows += event.split(" ").length - 1;
    }
  };
  const start = stage.now;
  for (let n = 1; n <= count; n++) {
    stage.join(n);
    take();
  }
  assertLessOrEqual(rows, TABLE_BURST + count);
  while (!last.endsWith(` ${count}`)) {
    stage.now = stage.server.nextTimeout()!;
    stage.server.handleTimeout(stage.now);
    take();
  }
  assertLessOrEqual(stage.now - start, (TABLE_BURST + count) / TABLE_ROWS_PER_SECOND * 1000);
  if (!IS_SHARED) assertEquals(stage.server.nextTimeout(), start + LEASE);
});

Deno.test("Server neither throws nor registers for random and damaged datagrams", () => {
  withSeed(seedFromEnv(), (prng) => {
    const stage = new Stage();
    const ana = stage.join(1, { name: "ana" });
    const eve = new FakeClient(stage, 2);
    eve.begin();
    const known = [
      eve.firstBytes(),
      eve.registerBytes({ name: "eve" }),
      ...REQUESTS.map((frame) => ana.requestBytes(frame)),
    ];
    for (let i = 0; i < 20_000; i++) {
      stage.now += prng.int(3);
      const isRandom = prng.chance(0.2);
      const before = isRandom ? prng.bytes(prng.int(DATAGRAM_SIZE_MAX + 10)) : prng.pick(known);
      const bytes = before.slice();
      for (let flips = 1 + prng.int(3); flips > 0 && bytes.length > 0; flips--) {
        bytes[prng.int(bytes.length)]! ^= 1 + prng.int(255);
      }
      if (bytes.every((byte, at) => byte === before[at])) continue;
      const from = prng.pick([client(1), client(2)]);
      const size = stage.deliver(bytes, from).reduce((sum, { length }) => sum + length, 0);
      assertLessOrEqual(size, bytes.length);
      assertEquals(stage.server.table().size, 1);
    }
    assertEquals(stage.takeEvents(), ["joined 1 40001", "table 1"]);
    assert(stage.server.dropped.forged! > 1000);
  });
});

Deno.test("Server neither answers nor counts a Punch, which keeps a mapping alive", () => {
  const stage = new Stage();
  const header = { type: DatagramType.Punch, session: 0, packet: 0 };
  const bytes = encodeDatagram(header, [{ kind: "punch", number: 0n }]);
  assertEquals(stage.deliver(bytes, client(1)), []);
  assertEquals([stage.server.dropped, stage.takeEvents()], [{}, []]);
});
