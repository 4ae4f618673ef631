import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { decodeDatagram, encodeDatagram } from "../../protocol/wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Listing,
} from "../../protocol/wire/frame.ts";
import { TABLE_BURST, TABLE_ROWS_PER_SECOND } from "../../server/event.ts";
import { OUTPUT_MAX } from "../../server/answer_queue.ts";
import { seedFromEnv, withSeed } from "../support/random.ts";
import {
  client,
  framesOf,
  LEASE,
  registerFrame,
  requestBytes,
  Stage,
  ZERO,
} from "../support/server_stage.ts";

/** The smallest request of each kind that a stranger can send. */
function strangersRequests(token: Uint8Array): (Frame & { nonce: bigint })[] {
  return [
    registerFrame(1, { token }),
    { kind: "leaseKeepalive", nonce: 2n, token },
    { kind: "lookUp", nonce: 3n, token, id: 1, name: "" },
    { kind: "lookUp", nonce: 4n, token, id: 0, name: "ana" },
    { kind: "list", nonce: 5n, token, after: 0 },
    { kind: "leave", nonce: 6n, token },
  ];
}

Deno.test("Server changes nothing for a forged token or another address", () => {
  const stage = new Stage();
  const { token } = stage.join(1, { name: "ana" });
  const forged = token.slice();
  forged[15]! ^= 1;
  stage.takeEvents();
  const timeout = stage.server.nextTimeout();
  const attempts = [[forged, client(1)], [forged, client(2)], [token, client(2)]] as const;
  for (const [shown, from] of attempts) {
    for (const request of strangersRequests(shown)) {
      // A Leave needs the token only.
      if (request.kind === "leave" && shown === token) continue;
      const answer = stage.ask(request, from);
      if (request.kind === "register") assertEquals(answer.kind, "challenge");
      else if (request.kind === "leave") assertEquals(answer.kind, "leaveAck");
      else assertEquals(answer, { kind: "refused", nonce: request.nonce, reason: 5 });
    }
  }
  stage.now = timeout! - 1;
  stage.server.handleTimeout(stage.now);
  assertEquals(stage.takeEvents(), []);
  assertEquals(stage.server.table().size, 1);
  stage.now = timeout!;
  stage.server.handleTimeout(stage.now);
  assertEquals(stage.takeEvents(), ["expired 1 40001", "table"]);
});

Deno.test("Server accepts a Leave with the token from another address", () => {
  const stage = new Stage();
  const { token } = stage.join(1, { name: "ana" });
  stage.takeEvents();
  assertEquals(stage.ask({ kind: "leave", nonce: 1n, token }, client(2)).kind, "leaveAck");
  assertEquals(stage.takeEvents(), ["left 1 40001", "table"]);
});

Deno.test("Server answers a stranger with no more bytes than it sent", () => {
  const stage = new Stage();
  stage.join(1, { name: "ana" });
  const requests = strangersRequests(ZERO);
  for (const request of requests) {
    for (let count = 1; count <= 60; count++) {
      const frames = Array<Frame>(count).fill(request);
      let bytes: Uint8Array;
      try {
        bytes = requestBytes(frames);
      } catch {
        break;
      }
      stage.now += 1000;
      const sent = stage.deliver(bytes, client(2));
      assertEquals(sent.flatMap(framesOf).length, count);
      const size = sent.reduce((sum, { length }) => sum + length, 0);
      assertLessOrEqual(size, bytes.length, `${count} times ${request.kind}`);
    }
  }
  const mixed = requestBytes(requests);
  assertLessOrEqual(stage.deliver(mixed, client(2))[0]!.length, mixed.length);
});

Deno.test("Server keeps nothing for 100,000 Registers from forged addresses", () => {
  withSeed(seedFromEnv(), (prng) => {
    const stage = new Stage();
    for (let i = 0; i < 100_000; i++) {
      const hostname = [10, prng.int(256), prng.int(256), prng.int(256)].join(".");
      const from = { hostname, port: 1 + prng.int(65_535) };
      const cookie = prng.chance(0.5) ? ZERO : prng.bytes(16);
      const name = prng.pick(["", "ana", "x".repeat(32)]);
      const request = requestBytes([registerFrame(prng.int(100), { cookie, name })]);
      stage.now += 0.1;
      const sent = stage.deliver(request, from);
      assertEquals(sent.length, 1);
      assertLessOrEqual(sent[0]!.length, request.length);
    }
    assertEquals(stage.server.table().size, 0);
    assertEquals(stage.takeEvents(), []);
    assertEquals(stage.server.nextTimeout(), undefined);
  });
});

Deno.test("Server answers another version with its own, and never an answer", () => {
  const stage = new Stage();
  const bytes = requestBytes([]);
  bytes[2] = 9;
  bytes[7] = 5;
  bytes[15] = 6;
  const [answer, ...more] = stage.deliver(bytes, client(1));
  const decoded = decodeDatagram(answer!);
  assert(decoded.ok && more.length === 0);
  assertEquals(decoded.value.header, { type: DatagramType.Version, connection: 5, packet: 6 });
  assertLessOrEqual(answer!.length, bytes.length);
  bytes[3] = DatagramType.Version;
  assertEquals(stage.deliver(bytes, client(1)), []);
  assertEquals(stage.deliver(answer!, client(1)), []);
  assertEquals(stage.server.dropped, { version: 2, notRequest: 1 });
});

Deno.test("Server drops and counts datagrams that are no requests", () => {
  const stage = new Stage();
  const good = requestBytes([registerFrame(1)]);
  const changed = (at: number, value: number) => {
    const bytes = good.slice();
    bytes[at] = value;
    return bytes;
  };
  const bad = [
    new Uint8Array(15),
    new Uint8Array(1201),
    changed(0, 0),
    changed(3, 77),
    changed(18, 200),
    good.subarray(0, good.length - 1),
    encodeDatagram({ type: DatagramType.Connection, connection: 1, packet: 0 }, []),
    encodeDatagram({ type: DatagramType.Answer, connection: 0, packet: 0 }, []),
  ];
  for (const bytes of bad) assertEquals(stage.deliver(bytes, client(1)), []);
  assertEquals(stage.server.dropped, { size: 2, magic: 1, type: 1, frame: 2, notRequest: 2 });
});

Deno.test("Server handles the other frames of a Request with stray ones", () => {
  const stage = new Stage();
  const stray: Frame = { kind: "connectionKeepalive" };
  const bytes = requestBytes([stray, registerFrame(1), stray]);
  bytes[16] = 0x7f;
  assertEquals(stage.deliver(bytes, client(1)).flatMap(framesOf).map(({ kind }) => kind), [
    "challenge",
  ]);
  assertEquals(stage.server.dropped, { strayFrame: 2 });
});

Deno.test("Server splits answers that do not fit into one datagram", () => {
  const stage = new Stage({ hasSourceLimits: false });
  let { token } = stage.join(1);
  for (let n = 2; n <= 400; n++) token = stage.join(n).token;
  const lists = [0, 100, 399].map((after): Frame => ({ kind: "list", nonce: 9n, token, after }));
  const answers = stage.askAll(lists, client(400)) as Listing[];
  assertEquals(answers.map(({ clients }) => clients[0]!.id), [1, 101, 400]);
});

Deno.test("Server bounds the answers that wait to be sent", () => {
  const stage = new Stage();
  const excess = 10;
  for (let n = 0; n < OUTPUT_MAX + excess; n++) {
    stage.server.handleDatagram(stage.now, requestBytes([registerFrame(n)]), client(1));
  }
  assertEquals(stage.takeSent().length, OUTPUT_MAX);
  assertEquals(stage.server.dropped, { output: excess });
  assertEquals(stage.ask(registerFrame(1), client(1)).kind, "challenge");
});

Deno.test("Server does not overwrite an answer that is being sent", () => {
  const stage = new Stage();
  stage.server.handleDatagram(stage.now, requestBytes([registerFrame(1)]), client(1));
  const { bytes } = stage.server.pollTransmit()!;
  const before = bytes.slice();
  for (let n = 2; n <= OUTPUT_MAX + 10; n++) {
    stage.server.handleDatagram(stage.now, requestBytes([registerFrame(n)]), client(n));
  }
  assertEquals(bytes, before);
});

Deno.test("Server reports one table after many expiries", () => {
  const stage = new Stage({ hasSourceLimits: false });
  for (let n = 1; n <= 1000; n++) stage.join(n);
  stage.takeEvents();
  stage.now += LEASE;
  stage.server.handleTimeout(stage.now);
  const events = stage.takeEvents();
  assertEquals(events.length, 1001);
  assertEquals(events.at(-1), "table");
});

Deno.test("Server reports large tables at a bounded rate, and always the last one", () => {
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
  for (let n = 1; n <= 3000; n++) {
    stage.join(n);
    take();
  }
  assertLessOrEqual(rows, TABLE_BURST + 3000);
  while (!last.endsWith(" 3000")) {
    stage.now = stage.server.nextTimeout()!;
    stage.server.handleTimeout(stage.now);
    take();
  }
  assertLessOrEqual(stage.now - start, (TABLE_BURST + 3000) / TABLE_ROWS_PER_SECOND * 1000);
  assertEquals(stage.server.nextTimeout(), start + LEASE);
});

Deno.test("Server neither throws nor registers for random and damaged datagrams", () => {
  withSeed(seedFromEnv(), (prng) => {
    const stage = new Stage();
    const { token } = stage.join(1, { name: "ana" });
    // Two bits in two bytes are wrong, so that no single mutation corrects it.
    const forged = token.map((byte, index) => index > 12 ? byte ^ 0x81 : byte);
    for (let i = 0; i < 20_000; i++) {
      stage.now += prng.int(3);
      const bytes = prng.chance(0.2)
        ? prng.bytes(prng.int(DATAGRAM_SIZE_MAX + 10))
        : requestBytes(strangersRequests(prng.chance(0.5) ? forged : ZERO)).slice();
      for (let flips = prng.int(4); flips > 0 && bytes.length > 0; flips--) {
        bytes[prng.int(bytes.length)] = prng.int(256);
      }
      const size = stage.deliver(bytes, client(2)).reduce((sum, { length }) => sum + length, 0);
      assertLessOrEqual(size, bytes.length);
      assertEquals(stage.server.table().size, 1);
    }
  });
});
