import { assert, assertEquals } from "@std/assert";
import { TAG_SIZE } from "../../../protocol/crypto/aead.ts";
import { ACK_DATAGRAMS_MAX, ACK_REPEAT } from "../../../protocol/connection/acknowledger.ts";
import {
  ACCEPT_TRIES,
  CONNECTION_KEEPALIVE,
  CONNECTION_TIMEOUT,
  FLUSH_TIMEOUT,
  LINGER,
} from "../../../protocol/connection/connection.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { DatagramType, type Frame } from "../../../protocol/wire/frame.ts";
import { encodeSealed } from "../../../protocol/session/handshake.ts";
import { ACK_HOLD } from "../../../protocol/recovery/rtt.ts";
import {
  ConnectionHarness,
  message,
  PEER,
  termination,
  terminationAck,
} from "../../support/connection_harness.ts";

const OTHER_ADDRESS: Address = { hostname: "192.0.2.9", port: 9 };

/** An Ack without ranges. */
function ack(cumulativeSeq: number, largestPacket = 0, delay = 0, packetBitmap = 0): Frame {
  return { kind: "ack", cumulativeSeq, largestPacket, delay, packetBitmap, ranges: [] };
}

Deno.test("Connection of the requester starts with an Ack", () => {
  const harness = new ConnectionHarness();
  const [first, ...more] = harness.sent();
  assertEquals(first?.header, { type: DatagramType.Connection, connection: 22, packet: 0 });
  assertEquals(first?.frames, [ack(0)]);
  assertEquals(more, []);
});

Deno.test("Connection of the requester acknowledges an Accept that comes again", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  assert(
    harness.handle(harness.sealEarly({ kind: "connectionAccept", messageTwo: harness.messageTwo })),
  );
  assertEquals(harness.sentKinds(), ["ack"]);
});

Deno.test("Connection of the responder sends the Accept a few times for each Request", () => {
  const harness = new ConnectionHarness("responder");
  const [first] = harness.sent();
  assertEquals(first?.header, { type: DatagramType.Handshake, connection: 22, packet: 0 });
  assertEquals(first?.frames, [{ kind: "connectionAccept", messageTwo: harness.messageTwo }]);
  for (const wait of [1000, 2000]) {
    harness.wait(wait - 1);
    assertEquals(harness.sentKinds(), []);
    harness.wait(1);
    assertEquals(harness.sentKinds(), ["connectionAccept"]);
  }
  assertEquals(ACCEPT_TRIES, 3);
  harness.wait(9000);
  assertEquals(harness.sentKinds(), []);
  harness.connection.repeatAccept(OTHER_ADDRESS);
  assertEquals(harness.sent().map(({ to, frames }) => [to, frames[0]?.kind]), [
    [OTHER_ADDRESS, "connectionAccept"],
  ]);
  harness.wait(1000);
  assertEquals(harness.sentKinds(), ["connectionAccept"]);
});

Deno.test("Connection of the responder sends no Accept after a Connection datagram", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  harness.deliver(ack(0));
  harness.connection.repeatAccept(PEER);
  harness.wait(10_000);
  assert(!harness.sentKinds().includes("connectionAccept"));
});

Deno.test("Connection of the responder ends when its request is cancelled, unless it was confirmed", () => {
  const harness = new ConnectionHarness("responder");
  harness.sent();
  const [one, two] = [harness.sealEarly(termination()), harness.sealEarly(termination())];
  assert(harness.handle(one));
  const [answer] = harness.sent();
  assertEquals(answer?.header.type, DatagramType.Handshake);
  assertEquals(answer?.frames, [{ kind: "connectionTerminationAck", sender: 1, finalSeq: 0 }]);
  assertEquals(harness.events(), [{ kind: "terminated", by: "peer", undelivered: 0 }]);
  // The peer did not receive the answer.
  assert(harness.handle(two));
  assertEquals(harness.sentKinds(), ["connectionTerminationAck"]);
  const confirmed = new ConnectionHarness("responder");
  confirmed.sent();
  confirmed.deliver(ack(0));
  confirmed.handle(confirmed.sealEarly(termination()));
  assertEquals([confirmed.sent(), confirmed.events()], [[], []]);
});

Deno.test("Connection takes each datagram once, and none that is altered or sealed with other keys", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  const bytes = harness.seal(message(0));
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << (at % 8);
    const { early, seals } = harness.connection.keys;
    const { highest } = seals.opener;
    const packet = new DataView(altered.buffer).getUint32(12);
    assertEquals(
      harness.connection.handleDatagram(harness.now, altered, packet, PEER),
      false,
      `${at}`,
    );
    assertEquals([seals.opener.highest, early.opener.highest], [highest, -1]);
  }
  const { early, seals } = harness.peer;
  const { Connection: type } = DatagramType;
  assertEquals(harness.handle(encodeSealed(type, 11, early.sealer, [message(0)])), false);
  assertEquals(
    harness.handle(encodeSealed(DatagramType.Handshake, 11, seals.sealer, [termination()])),
    false,
  );
  // A reflected datagram.
  const own = harness.connection.keys.seals.sealer;
  assertEquals(harness.handle(encodeSealed(type, 11, own, [message(0)])), false);
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

Deno.test("Connection answers every datagram with a Message, a late duplicate too, by one Ack", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.now += 100;
  harness.deliver(message(0), message(1));
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(2, 1)]]);
  // A copy right after the Message: the Ack is under way.
  harness.wait(ACK_REPEAT - 1);
  harness.deliver(message(0));
  assertEquals([harness.sent(), harness.connection.nextTimeout()], [
    [],
    harness.now + CONNECTION_KEEPALIVE,
  ]);
  harness.wait(1);
  harness.deliver(message(0));
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(2, 3, 0, 3)]]);
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
  // The newest datagram came 2 ms ago.
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(3, 3, 20, 3)]]);
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

Deno.test("Connection acknowledges every eighth datagram at once", () => {
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

Deno.test("Connection packs what is due into the fewest datagrams", () => {
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
  harness.connection.send("x".repeat(1000));
  const [only, ...more] = harness.sent();
  assertEquals(more, []);
  assertEquals(only?.frames.map(({ kind }) => kind), ["ack", "message"]);
});

Deno.test("Connection sends a keepalive after 10 s of silence, and again each 10 s", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  for (let times = 1; times < 6; times++) {
    assertEquals(harness.connection.nextTimeout(), harness.now + CONNECTION_KEEPALIVE);
    harness.wait(CONNECTION_KEEPALIVE);
    assertEquals(harness.sentKinds(), ["connectionKeepalive"]);
  }
  harness.deliver(ack(0));
  assertEquals(harness.connection.nextTimeout(), harness.now + CONNECTION_KEEPALIVE);
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

Deno.test("Connection sends no Termination before everything is acknowledged", () => {
  const harness = new ConnectionHarness();
  harness.connection.send("hi");
  harness.sent();
  harness.connection.terminate(harness.now);
  assertEquals([harness.connection.state, harness.sentKinds()], ["draining", []]);
  assertEquals(harness.connection.send("late"), undefined);
  harness.deliver(ack(1));
  assertEquals(harness.connection.state, "terminating");
  const [{ frames } = { frames: [] }] = harness.sent();
  assertEquals(frames.at(-1), {
    kind: "connectionTermination",
    sender: 1,
    connection: 11,
    finalSeq: 1,
  });
});

Deno.test("Connection that terminates waits for all up to the final seq of the Termination Ack", () => {
  const harness = new ConnectionHarness();
  harness.connection.terminate(harness.now);
  harness.sent();
  harness.deliver(terminationAck(2));
  assertEquals(harness.connection.state, "terminating");
  harness.wait(5000);
  // The Termination is acknowledged, and not sent again.
  assertEquals(harness.sentKinds(), []);
  harness.deliver(message(1));
  assertEquals(harness.connection.state, "terminating");
  harness.deliver(message(0));
  assertEquals(harness.events(), [
    { kind: "message", textSeq: 0, text: "text 0" },
    { kind: "message", textSeq: 1, text: "text 1" },
    { kind: "terminated", by: "local", undelivered: 0 },
  ]);
});

Deno.test("Connection that terminates does not wait longer than 30 s for a final seq", () => {
  const harness = new ConnectionHarness();
  harness.connection.terminate(harness.now);
  harness.sent();
  harness.deliver(terminationAck(0xffff_ffff));
  harness.wait(FLUSH_TIMEOUT - 1);
  assertEquals(harness.events(), []);
  harness.wait(1);
  assertEquals(harness.events(), [{ kind: "terminated", by: "local", undelivered: 0 }]);
});

Deno.test("Connection ignores a Termination Ack when it did not terminate", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.deliver(terminationAck());
  assertEquals([harness.connection.state, harness.events(), harness.sent()], ["open", [], []]);
});

Deno.test("Connection acknowledges a Termination, each time it comes", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  for (let times = 0; times < 3; times++) {
    harness.deliver(termination());
    assertEquals(harness.sentKinds(), ["connectionTerminationAck"]);
  }
  assertEquals(harness.events(), [{ kind: "terminated", by: "peer", undelivered: 0 }]);
});

Deno.test("Connection that ended acknowledges repeats for 30 s, then is gone", () => {
  const harness = new ConnectionHarness();
  harness.deliver(message(0));
  harness.deliver(termination());
  harness.sent();
  harness.events();
  harness.wait(LINGER - 1);
  // A Message that was not shown is not acknowledged either.
  harness.deliver(message(0), message(1), { kind: "connectionKeepalive" });
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(1, 3, 0, 3)]]);
  assertEquals([harness.events(), harness.connection.state], [[], "closed"]);
  harness.wait(1);
  assertEquals(harness.handle(harness.seal(termination())), false);
  assertEquals([harness.sent(), harness.connection.state], [[], "gone"]);
  assertEquals(harness.connection.nextTimeout(), undefined);
});

Deno.test("Connection reports nothing after its end", () => {
  const harness = new ConnectionHarness("requester", "fixed");
  harness.connection.send("one");
  harness.sent();
  harness.events();
  harness.connection.abandon(harness.now, "peer");
  assertEquals(harness.events(), [{ kind: "terminated", by: "peer", undelivered: 1 }]);
  harness.wait(6000);
  harness.deliver(ack(1));
  harness.connection.abandon(harness.now, "local");
  harness.connection.terminate(harness.now);
  assertEquals([harness.events(), harness.sent()], [[], []]);
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

Deno.test("Connection ignores frames of other datagrams, and acks and seqs out of range", () => {
  const harness = new ConnectionHarness();
  harness.sent();
  harness.deliver(
    { kind: "leaveAck", nonce: 1n },
    { kind: "ringing", responder: 2 },
    { kind: "connectionReject", responder: 2, reason: 1 },
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
  assertEquals(harness.sent().map(({ frames }) => frames), [[ack(0, 1)]]);
});
