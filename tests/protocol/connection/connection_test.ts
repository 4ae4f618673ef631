import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { ACK_DATAGRAMS_MAX, ACK_REPEAT } from "../../../protocol/connection/acknowledger.ts";
import {
  CONNECTION_KEEPALIVE,
  CONNECTION_PROBE_INTERVAL,
  CONNECTION_TIMEOUT,
} from "../../../protocol/connection/silence.ts";
import { PATH_MTU_MIN } from "../../../protocol/recovery/path_mtu.ts";
import { ACK_HOLD } from "../../../protocol/recovery/rtt.ts";
import {
  DatagramType,
  FRAGMENT_SIZE_MAX,
  type Frame,
  NAMED_PACKET_SIZE,
  TAG_SIZE,
} from "../../../protocol/wire/frame.ts";
import {
  ConnectionHarness,
  IDS,
  message,
  PEER,
  termination,
  terminationAck,
} from "../../support/connection_harness.ts";

/** As the requester sends it again. */
const REQUEST: Frame = {
  kind: "connectionRequest",
  request: 5,
  requester: IDS.remote,
  responder: IDS.local,
  name: IDS.remoteName,
};
const ACCEPT: Frame = { kind: "connectionAccept", responder: 1, flags: 0, name: "ana" };

/** An Ack without ranges. */
function ack(cumulativeSeq: number, largestPacket = 0, delay = 0, packetBitmap = 0): Frame {
  return { kind: "ack", cumulativeSeq, largestPacket, delay, packetBitmap, ranges: [] };
}

Deno.test("Connection of the requester starts with an Ack", () => {
  const harness = new ConnectionHarness();
  const [first, ...more] = harness.sent();
  const { localId: session } = harness.peer.session;
  assertEquals(first?.header, { type: DatagramType.Packet, session, packet: 0 });
  assertEquals(first?.frames, [ack(0)]);
  assertEquals(more, []);
});

Deno.test("Connection of the requester acknowledges each Accept that comes again", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  for (let times = 0; times < 3; times++) {
    harness.deliver({ ...ACCEPT, responder: IDS.remote });
    assertEquals(harness.sentKinds(), ["ack"]);
  }
});

Deno.test("Connection of the responder sends the Accept until it is confirmed, at last every 10 s", () => {
  const harness = new ConnectionHarness("responder");
  const [first] = harness.sent();
  assertEquals(first?.frames, [ACCEPT]);
  assertEquals(first?.bytes.length, NAMED_PACKET_SIZE);
  // The requester's answer to the Response came within the same millisecond.
  for (const wait of [50, 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]) {
    harness.wait(wait - 1);
    assertEquals(harness.sentKinds(), []);
    harness.wait(1);
    assertEquals(harness.sentKinds(), ["connectionAccept"]);
  }
  harness.deliver(ack(0));
  assertEquals(harness.advance(CONNECTION_KEEPALIVE - 1), []);
});

Deno.test("Connection of the responder sends nothing earlier than 10 s after the Accept, with fixed timers", () => {
  const harness = new ConnectionHarness("responder", "fixed");
  assertEquals(harness.sentKinds(), ["connectionAccept"]);
  harness.wait(9999);
  assertEquals(harness.sentKinds(), []);
  harness.wait(1);
  assertEquals(harness.sentKinds(), ["connectionAccept"]);
});

Deno.test("Connection of the responder sends the Accept at once for each Request that comes again", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  for (let times = 0; times < 3; times++) {
    harness.deliver(REQUEST);
    assertEquals(harness.sent().map(({ to, frames }) => [to, frames]), [[PEER, [ACCEPT]]]);
  }
});

Deno.test("Connection is confirmed by an Ack, a Message, a Connection Keepalive or a Termination", () => {
  for (const frame of [ack(0), message(0), { kind: "connectionKeepalive" }, termination()]) {
    const harness = new ConnectionHarness("responder");
    harness.sent();
    assertEquals(harness.connection.isConfirmed, false);
    harness.deliver(frame as Frame);
    assertEquals(harness.connection.isConfirmed, true);
    harness.deliver(REQUEST);
    harness.sent();
    assert(!harness.advance(30_000).some(({ frames }) => frames[0]?.kind === "connectionAccept"));
  }
});

Deno.test("Connection is not confirmed by anything else: none shows that the Accept came", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  const others: Frame[] = [
    REQUEST,
    { kind: "ringing", responder: IDS.remote },
    { kind: "connectionReject", responder: IDS.remote, reason: 1 },
    { kind: "pathChallenge", nonce: 1n },
    { kind: "pathResponse", nonce: 1n },
    terminationAck(),
    message(0, "not me", 0, 3),
  ];
  for (const frame of others) harness.deliver(frame);
  assertEquals(harness.connection.isConfirmed, false);
});

Deno.test("Connection takes each packet once, and none that is altered or sealed with other keys", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  const bytes = harness.seal(message(0));
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << (at % 8);
    // The session id is for whoever finds the connection.
    if (at < 4 || at >= 8) assertEquals(harness.handle(altered), false, `${at}`);
  }
  const other = new ConnectionHarness("responder");
  assertEquals(harness.handle(other.seal(message(0))), false);
  // A reflected packet.
  const own = harness.connection.session.encode(message(0, "hi", 0, IDS.local)).slice();
  assertEquals(harness.handle(own), false);
  assertEquals([harness.sent(), harness.events()], [[], []]);
  assertEquals([harness.handle(bytes), harness.handle(bytes)], [true, false]);
  assertEquals(harness.events().length, 1);
});

Deno.test("Connection counts its packets, a retransmission being a new one", () => {
  const harness = new ConnectionHarness();
  harness.connection.send("hi");
  const packets = harness.sent().map(({ header }) => header.packet);
  harness.wait(1000);
  packets.push(...harness.sent().map(({ header }) => header.packet));
  harness.deliver(message(0));
  packets.push(...harness.sent().map(({ header }) => header.packet));
  assertEquals(packets, [0, 1, 2]);
});

Deno.test("Connection of the responder sends only the Accept before it is confirmed", () => {
  const harness = new ConnectionHarness("responder");
  harness.connection.send("hi");
  assertEquals(harness.sentKinds(), ["connectionAccept"]);
  harness.deliver(ack(0));
  assertEquals(harness.sentKinds(), ["message"]);
});

Deno.test("Connection answers every packet with a Message, a late duplicate too, by one Ack", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.now += 100;
  harness.deliver(message(0), message(1));
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(2, 0, 0, 1)]]);
  // A copy right after the Message: the Ack is under way.
  harness.wait(ACK_REPEAT - 1);
  harness.deliver(message(0));
  assertEquals([harness.sent(), harness.connection.nextTimeout()], [
    [],
    harness.now + CONNECTION_KEEPALIVE,
  ]);
  harness.wait(1);
  harness.deliver(message(0));
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(2, 2, 0, 7)]]);
  assertEquals(harness.events().length, 2);
});

Deno.test("Connection delays an Ack for a few ms, but not the first after a pause", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  const sent = [0, 1, 2].map((seq) => {
    harness.deliver(message(seq));
    harness.wait(1);
    return harness.sentKinds();
  });
  assertEquals(sent, [["ack"], [], []]);
  assertEquals(harness.connection.nextTimeout(), harness.now + ACK_HOLD - 2);
  harness.wait(ACK_HOLD - 2);
  // The largest packet came 2 ms ago.
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(3, 2, 20, 7)]]);
  harness.wait(ACK_HOLD);
  harness.deliver(message(3));
  assertEquals(harness.sentKinds(), ["ack"]);
});

Deno.test("Connection sends an Ack along with a Message", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.deliver(message(0));
  harness.sent();
  harness.deliver(message(1));
  assertEquals(harness.sentKinds(), []);
  harness.connection.send("hi");
  assertEquals(harness.sentKinds(), ["ack", "message"]);
  harness.wait(ACK_HOLD);
  assertEquals(harness.sentKinds(), []);
});

Deno.test("Connection acknowledges at once what is out of order, and what fills a gap", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  for (const seq of [0, 2, 3, 1]) {
    harness.deliver(message(seq));
    assertEquals(harness.sentKinds(), ["ack"], `${seq}`);
  }
  const [late, early] = [harness.seal(message(4)), harness.seal(message(5))];
  harness.handle(early);
  assertEquals(harness.sentKinds(), ["ack"]);
  harness.handle(late);
  assertEquals(harness.sentKinds(), ["ack"]);
});

Deno.test("Connection acknowledges every eighth packet at once", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.deliver(message(0));
  harness.sent();
  for (let seq = 1; seq <= 2 * ACK_DATAGRAMS_MAX; seq++) {
    harness.deliver(message(seq));
    assertEquals(harness.sentKinds(), seq % ACK_DATAGRAMS_MAX === 0 ? ["ack"] : []);
  }
});

Deno.test("Connection drops a Message that names another sender, without an Ack", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.deliver(message(0, "not me", 0, 3));
  assertEquals([harness.sent(), harness.events()], [[], []]);
});

Deno.test("Connection packs what is due into the fewest packets", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  for (let index = 0; index < 100; index++) harness.connection.send(`${index}`.padStart(18, "."));
  harness.deliver(message(0));
  const sent = harness.sent().filter(({ frames }) => frames[0]?.kind !== "pathChallenge");
  // 30 bytes each, with the frame's header and fields.
  assertEquals(sent.length, Math.ceil(100 * 30 / (1200 - 16 - TAG_SIZE - 18)));
  assertEquals(sent[0]?.frames[0]?.kind, "ack");
});

Deno.test("Connection has room for the longest Message with the largest Ack", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  for (let seq = 2; seq < 80; seq += 2) harness.deliver(message(seq));
  harness.connection.send("x".repeat(FRAGMENT_SIZE_MAX));
  const [only, ...more] = harness.sent();
  assertEquals(more, []);
  assertEquals(only?.frames.map(({ kind }) => kind), ["ack", "message"]);
  assertLessOrEqual(only!.bytes.length, PATH_MTU_MIN, "also on the narrowest path");
});

Deno.test("Connection sends a keepalive after 10 s of silence, and again each second until something comes", () => {
  for (const timers of ["adaptive", "fixed"] as const) {
    const harness = new ConnectionHarness("requester", timers);
    harness.sent();
    assertEquals(harness.connection.nextTimeout(), harness.now + CONNECTION_KEEPALIVE);
    harness.wait(CONNECTION_KEEPALIVE);
    for (let times = 1; times < 6; times++) {
      assertEquals(harness.sentKinds(), ["connectionKeepalive"]);
      assertEquals(harness.connection.nextTimeout(), harness.now + CONNECTION_PROBE_INTERVAL);
      harness.wait(CONNECTION_PROBE_INTERVAL);
    }
    harness.sent();
    harness.deliver({ kind: "pathResponse", nonce: 1n });
    assertEquals(harness.connection.nextTimeout(), harness.now + CONNECTION_KEEPALIVE);
  }
});

Deno.test("Connection of the responder sends no keepalive before it is confirmed", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  const kinds = harness.advance(CONNECTION_TIMEOUT - 1).flatMap(({ frames }) => frames)
    .map(({ kind }) => kind);
  assertEquals([...new Set(kinds)], ["connectionAccept"]);
});

Deno.test("Connection answers a keepalive by an Ack, at once, and a closed one does, too", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  const keepalive: Frame = { kind: "connectionKeepalive" };
  harness.deliver(keepalive);
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(0, 0, 0, 1)]]);
  harness.deliver({ kind: "pathResponse", nonce: 1n });
  harness.now += 2;
  harness.deliver(keepalive);
  // The one in between asked for nothing, but it came.
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(0, 2, 0, 7)]]);
  harness.connection.abandon(harness.now, "local");
  harness.deliver(keepalive);
  assertEquals(harness.sentKinds(), ["ack"]);
});

Deno.test("Connection ends after 60 s of silence", () => {
  const harness = new ConnectionHarness();
  harness.connection.send("hi");
  harness.sent();
  harness.wait(CONNECTION_TIMEOUT - 1);
  harness.events();
  assertEquals(harness.connection.state, "open");
  harness.wait(1);
  assertEquals(harness.events(), [{ kind: "terminated", by: "timeout", undelivered: 1 }]);
  assertEquals(harness.sent(), []);
});

Deno.test("Connection does nothing on a spurious timeout", () => {
  const harness = new ConnectionHarness();
  harness.connection.send("hi");
  harness.sent();
  harness.events();
  const before = harness.connection.nextTimeout();
  for (let times = 0; times < 100; times++) harness.connection.handleTimeout(harness.now);
  assertEquals([harness.sent(), harness.events(), harness.connection.nextTimeout()], [
    [],
    [],
    before,
  ]);
});

Deno.test("Connection ignores frames that are for others, and acks and seqs out of range", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.deliver(
    { kind: "leaveAck" },
    { kind: "ringing", responder: 2 },
    { kind: "connectionReject", responder: 3, reason: 1 },
    {
      kind: "ack",
      cumulativeSeq: 0xffff_ffff,
      largestPacket: 0,
      delay: 0,
      packetBitmap: 0,
      ranges: [{ first: 9, last: 3 }],
    },
    message(0xffff_ffff),
  );
  assertEquals([harness.connection.state, harness.events()], ["open", []]);
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(0, 0, 0, 1)]]);
});
