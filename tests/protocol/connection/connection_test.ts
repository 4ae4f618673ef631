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
import { DatagramType, type Frame } from "../../../protocol/wire/frame.ts";
import { encodeSealed } from "../../../protocol/session/handshake.ts";
import { ACK_HOLD } from "../../../protocol/recovery/rtt.ts";
import {
  ELSEWHERE,
  End,
  FINAL,
  FINAL_ACK,
  MESSAGE_TWO,
  PEER,
} from "../../support/connection_end.ts";

function ack(next: number, heard = 0, delay = 0, arrived = 0): Frame {
  return {
    kind: "ack",
    cumulativeSeq: next,
    largestPacket: heard,
    delay,
    packetBitmap: arrived,
    ranges: [],
  };
}

function message(seq: number, text = `text ${seq}`, sender = 2): Frame {
  return { kind: "message", seq, sender, flags: 0, text };
}

Deno.test("Connection of the requester starts with an Ack", () => {
  const end = new End();
  const [first, ...more] = end.sent();
  assertEquals(first?.header, { type: DatagramType.Connection, connection: 22, packet: 0 });
  assertEquals(first?.frames, [{
    kind: "ack",
    cumulativeSeq: 0,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  }]);
  assertEquals(more, []);
});

Deno.test("Connection of the requester acknowledges an Accept that comes again", () => {
  const end = new End();
  end.sent();
  assert(end.take(end.sayEarly({ kind: "connectionAccept", messageTwo: MESSAGE_TWO })));
  assertEquals(end.sentKinds(), ["ack"]);
});

Deno.test("Connection of the responder sends the Accept a few times for each Request", () => {
  const end = new End({ isResponder: true });
  const [first] = end.sent();
  assertEquals(first?.header, { type: DatagramType.Handshake, connection: 22, packet: 0 });
  assertEquals(first?.frames, [{ kind: "connectionAccept", messageTwo: MESSAGE_TWO }]);
  for (const wait of [1000, 2000]) {
    end.wait(wait - 1);
    assertEquals(end.sentKinds(), []);
    end.wait(1);
    assertEquals(end.sentKinds(), ["connectionAccept"]);
  }
  assertEquals(ACCEPT_TRIES, 3);
  end.wait(9000);
  assertEquals(end.sentKinds(), []);
  end.connection.repeatAccept(ELSEWHERE);
  assertEquals(end.sent().map(({ to, frames }) => [to, frames[0]?.kind]), [
    [ELSEWHERE, "connectionAccept"],
  ]);
  end.wait(1000);
  assertEquals(end.sentKinds(), ["connectionAccept"]);
});

Deno.test("Connection of the responder sends no Accept after a Connection datagram", () => {
  const end = new End({ isResponder: true });
  end.sent();
  end.hear({
    kind: "ack",
    cumulativeSeq: 0,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  });
  end.connection.repeatAccept(PEER);
  end.wait(10_000);
  assert(!end.sentKinds().includes("connectionAccept"));
});

Deno.test("Connection of the responder ends when its request is cancelled, unless it was confirmed", () => {
  const end = new End({ isResponder: true });
  end.sent();
  const [one, two] = [end.sayEarly(FINAL), end.sayEarly(FINAL)];
  assert(end.take(one));
  const [answer] = end.sent();
  assertEquals(answer?.header.type, DatagramType.Handshake);
  assertEquals(answer?.frames, [{ kind: "connectionTerminationAck", sender: 1, finalSeq: 0 }]);
  assertEquals(end.told(), [{ kind: "terminated", by: "peer", undelivered: 0 }]);
  // The other did not get the answer.
  assert(end.take(two));
  assertEquals(end.sentKinds(), ["connectionTerminationAck"]);
  const confirmed = new End({ isResponder: true });
  confirmed.sent();
  confirmed.hear({
    kind: "ack",
    cumulativeSeq: 0,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  });
  confirmed.take(confirmed.sayEarly(FINAL));
  assertEquals([confirmed.sent(), confirmed.told()], [[], []]);
});

Deno.test("Connection takes each datagram once, and none that is altered or sealed otherwise", () => {
  const end = new End();
  end.sent();
  const bytes = end.say(message(0));
  for (let at = 0; at < bytes.length; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << (at % 8);
    const { early, seals } = end.connection.keys;
    const { highest } = seals.opener;
    const packet = new DataView(altered.buffer).getUint32(12);
    assertEquals(end.connection.handleDatagram(end.now, altered, packet, PEER), false, `${at}`);
    assertEquals([seals.opener.highest, early.opener.highest], [highest, -1]);
  }
  const { early, seals } = end.peer;
  const { Connection: type } = DatagramType;
  assertEquals(end.take(encodeSealed(type, 11, early.sealer, [message(0)])), false);
  assertEquals(end.take(encodeSealed(DatagramType.Handshake, 11, seals.sealer, [FINAL])), false);
  // This end's own, sent back.
  const own = end.connection.keys.seals.sealer;
  assertEquals(end.take(encodeSealed(type, 11, own, [message(0)])), false);
  assertEquals([end.sent(), end.told()], [[], []]);
  assertEquals([end.take(bytes), end.take(bytes)], [true, false]);
  assertEquals(end.told().length, 1);
});

Deno.test("Connection counts its packets, a retransmission being a new one", () => {
  const end = new End();
  end.connection.send("hi");
  const packets = end.sent().map(({ header }) => header.packet);
  end.wait(1000);
  packets.push(...end.sent().map(({ header }) => header.packet));
  end.hear(message(0));
  packets.push(...end.sent().map(({ header }) => header.packet));
  assertEquals(packets, [0, 1, 2]);
});

Deno.test("Connection of the responder says nothing but the Accept before it is confirmed", () => {
  const end = new End({ isResponder: true });
  end.connection.send("hi");
  assertEquals(end.sentKinds(), ["connectionAccept"]);
  end.hear({
    kind: "ack",
    cumulativeSeq: 0,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  });
  assertEquals(end.sentKinds(), ["message"]);
});

Deno.test("Connection answers every datagram with a Message, a late duplicate too, by one Ack", () => {
  const end = new End();
  end.sent();
  end.now += 100;
  end.hear(message(0), message(1));
  assertEquals(end.sent().map(({ frames }) => frames), [[ack(2, 1)]]);
  // A copy that came on the heels of the Message: the Ack is under way.
  end.wait(ACK_REPEAT - 1);
  end.hear(message(0));
  assertEquals([end.sent(), end.connection.nextTimeout()], [[], end.now + CONNECTION_KEEPALIVE]);
  end.wait(1);
  end.hear(message(0));
  assertEquals(end.sent().map(({ frames }) => frames), [[ack(2, 3, 0, 3)]]);
  assertEquals(end.told().length, 2);
});

Deno.test("Connection holds an Ack back for a few ms, but not the first after a pause", () => {
  const end = new End();
  end.sent();
  const sent = [0, 1, 2].map((seq) => {
    end.hear(message(seq));
    end.wait(1);
    return end.sentKinds();
  });
  assertEquals(sent, [["ack"], [], []]);
  assertEquals(end.connection.nextTimeout(), end.now + ACK_HOLD - 2);
  end.wait(ACK_HOLD - 2);
  // The newest datagram came 2 ms ago.
  assertEquals(end.sent().map(({ frames }) => frames), [[ack(3, 3, 20, 3)]]);
  end.wait(ACK_HOLD);
  end.hear(message(3));
  assertEquals(end.sentKinds(), ["ack"]);
});

Deno.test("Connection lets an Ack ride on a Message", () => {
  const end = new End();
  end.sent();
  end.hear(message(0));
  end.sent();
  end.hear(message(1));
  assertEquals(end.sentKinds(), []);
  end.connection.send("hi");
  assertEquals(end.sentKinds(), ["ack", "message"]);
  end.wait(ACK_HOLD);
  assertEquals(end.sentKinds(), []);
});

Deno.test("Connection acknowledges at once what is out of order, and what fills a gap", () => {
  const end = new End();
  end.sent();
  for (const seq of [0, 2, 3, 1]) {
    end.hear(message(seq));
    assertEquals(end.sentKinds(), ["ack"], `${seq}`);
  }
  const [late, early] = [end.say(message(4)), end.say(message(5))];
  end.take(early);
  assertEquals(end.sentKinds(), ["ack"]);
  end.take(late);
  assertEquals(end.sentKinds(), ["ack"]);
});

Deno.test("Connection acknowledges every eighth datagram at once", () => {
  const end = new End();
  end.sent();
  end.hear(message(0));
  end.sent();
  for (let seq = 1; seq <= 2 * ACK_DATAGRAMS_MAX; seq++) {
    end.hear(message(seq));
    assertEquals(end.sentKinds(), seq % ACK_DATAGRAMS_MAX === 0 ? ["ack"] : []);
  }
});

Deno.test("Connection drops a Message that names another sender, without an Ack", () => {
  const end = new End();
  end.sent();
  end.hear(message(0, "not me", 3));
  assertEquals([end.sent(), end.told()], [[], []]);
});

Deno.test("Connection puts what is due into as few datagrams as it fits", () => {
  const end = new End();
  end.sent();
  for (let index = 0; index < 100; index++) end.connection.send(`${index}`.padStart(18, "."));
  end.hear(message(0));
  const sent = end.sent().filter(({ frames }) => frames[0]?.kind !== "pathChallenge");
  // 30 bytes each, with the frame's header and fields.
  assertEquals(sent.length, Math.ceil(100 * 30 / (1200 - 16 - TAG_SIZE - 18)));
  assertEquals(sent[0]?.frames[0]?.kind, "ack");
});

Deno.test("Connection has room for the longest Message beside the largest Ack", () => {
  const end = new End();
  end.sent();
  for (let seq = 2; seq < 80; seq += 2) end.hear(message(seq));
  end.connection.send("x".repeat(1000));
  const [only, ...more] = end.sent();
  assertEquals(more, []);
  assertEquals(only?.frames.map(({ kind }) => kind), ["ack", "message"]);
});

Deno.test("Connection asks for a sign of life after 10 s of silence, and again each 10 s", () => {
  const end = new End();
  end.sent();
  for (let times = 1; times < 6; times++) {
    assertEquals(end.connection.nextTimeout(), end.now + CONNECTION_KEEPALIVE);
    end.wait(CONNECTION_KEEPALIVE);
    assertEquals(end.sentKinds(), ["connectionKeepalive"]);
  }
  end.hear({
    kind: "ack",
    cumulativeSeq: 0,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  });
  assertEquals(end.connection.nextTimeout(), end.now + CONNECTION_KEEPALIVE);
});

Deno.test("Connection ends after 60 s of silence", () => {
  const end = new End();
  end.connection.send("hi");
  end.sent();
  end.wait(CONNECTION_TIMEOUT - 1);
  end.told();
  assertEquals(end.connection.state, "open");
  end.wait(1);
  assertEquals(end.told(), [{ kind: "terminated", by: "timeout", undelivered: 1 }]);
  assertEquals(end.sent(), []);
});

Deno.test("Connection sends no Termination before everything is acknowledged", () => {
  const end = new End();
  end.connection.send("hi");
  end.sent();
  end.connection.terminate(end.now);
  assertEquals([end.connection.state, end.sentKinds()], ["draining", []]);
  assertEquals(end.connection.send("late"), undefined);
  end.hear({
    kind: "ack",
    cumulativeSeq: 1,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  });
  assertEquals(end.connection.state, "terminating");
  const [{ frames } = { frames: [] }] = end.sent();
  assertEquals(frames.at(-1), {
    kind: "connectionTermination",
    sender: 1,
    connection: 11,
    finalSeq: 1,
  });
});

Deno.test("Connection that terminates waits for what the Termination Ack says was sent", () => {
  const end = new End();
  end.connection.terminate(end.now);
  end.sent();
  end.hear({ kind: "connectionTerminationAck", sender: 2, finalSeq: 2 });
  assertEquals(end.connection.state, "terminating");
  end.wait(5000);
  // The Termination is acknowledged, and not sent again.
  assertEquals(end.sentKinds(), []);
  end.hear(message(1));
  assertEquals(end.connection.state, "terminating");
  end.hear(message(0));
  assertEquals(end.told(), [
    { kind: "message", textSeq: 0, text: "text 0" },
    { kind: "message", textSeq: 1, text: "text 1" },
    { kind: "terminated", by: "local", undelivered: 0 },
  ]);
});

Deno.test("Connection that terminates does not wait longer than 30 s for a final seq", () => {
  const end = new End();
  end.connection.terminate(end.now);
  end.sent();
  end.hear({ kind: "connectionTerminationAck", sender: 2, finalSeq: 0xffff_ffff });
  end.wait(FLUSH_TIMEOUT - 1);
  assertEquals(end.told(), []);
  end.wait(1);
  assertEquals(end.told(), [{ kind: "terminated", by: "local", undelivered: 0 }]);
});

Deno.test("Connection ignores a Termination Ack when it did not terminate", () => {
  const end = new End();
  end.sent();
  end.hear(FINAL_ACK);
  assertEquals([end.connection.state, end.told(), end.sent()], ["open", [], []]);
});

Deno.test("Connection acknowledges a Termination, each time it comes", () => {
  const end = new End();
  end.sent();
  for (let times = 0; times < 3; times++) {
    end.hear(FINAL);
    assertEquals(end.sentKinds(), ["connectionTerminationAck"]);
  }
  assertEquals(end.told(), [{ kind: "terminated", by: "peer", undelivered: 0 }]);
});

Deno.test("Connection that ended acknowledges repeats for 30 s, then is gone", () => {
  const end = new End();
  end.hear(message(0));
  end.hear(FINAL);
  end.sent();
  end.told();
  end.wait(LINGER - 1);
  // What was not shown is not acknowledged, either.
  end.hear(message(0), message(1), { kind: "connectionKeepalive" });
  assertEquals(end.sent().map(({ frames }) => frames), [[ack(1, 3, 0, 3)]]);
  assertEquals([end.told(), end.connection.state], [[], "closed"]);
  end.wait(1);
  assertEquals(end.take(end.say(FINAL)), false);
  assertEquals([end.sent(), end.connection.state], [[], "gone"]);
  assertEquals(end.connection.nextTimeout(), undefined);
});

Deno.test("Connection tells nothing after its end", () => {
  const end = new End({ mode: "fixed" });
  end.connection.send("one");
  end.sent();
  end.told();
  end.connection.abandon(end.now, "peer");
  assertEquals(end.told(), [{ kind: "terminated", by: "peer", undelivered: 1 }]);
  end.wait(6000);
  end.hear({
    kind: "ack",
    cumulativeSeq: 1,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: [],
  });
  end.connection.abandon(end.now, "local");
  end.connection.terminate(end.now);
  assertEquals([end.told(), end.sent()], [[], []]);
});

Deno.test("Connection does nothing at a call of handleTimeout() before its time", () => {
  const end = new End();
  end.connection.send("hi");
  end.sent();
  end.told();
  const before = end.connection.nextTimeout();
  for (let times = 0; times < 100; times++) end.connection.handleTimeout(end.now);
  assertEquals([end.sent(), end.told(), end.connection.nextTimeout()], [[], [], before]);
});

Deno.test("Connection survives frames that have no place in it", () => {
  const end = new End();
  end.sent();
  end.hear(
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
  assertEquals([end.connection.state, end.told()], ["open", []]);
  assertEquals(end.sent().map(({ frames }) => frames), [[ack(0, 1)]]);
});
