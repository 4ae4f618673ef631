import { assert, assertEquals } from "@std/assert";
import type { Address } from "../protocol/address.ts";
import {
  Connection,
  CONNECTION_KEEPALIVE,
  CONNECTION_TIMEOUT,
  type ConnectionEvent,
  FLUSH_TIMEOUT,
  LINGER,
} from "../protocol/connection.ts";
import { type Decoded, decodeDatagram } from "../protocol/datagram.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../protocol/frame.ts";
import { RttEstimator, type TimerMode } from "../protocol/rtt.ts";

const PEER: Address = { hostname: "192.0.2.2", port: 2 };
const ELSEWHERE: Address = { hostname: "192.0.2.9", port: 9 };
const ENDS = {
  local: 1,
  remote: 2,
  localConnection: 11,
  remoteConnection: 22,
  remoteName: "ben",
};
const FINAL: Frame = { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 0 };
const FINAL_ACK: Frame = { kind: "connectionTerminationAck", sender: 2, finalSeq: 0 };

type Sent = Extract<Decoded, { ok: true }> & { to: Address };

/** Client 1's end of its connection with client 2, and what client 2 says. */
class End {
  now = 1000;
  readonly connection: Connection;
  #packet = 0;

  constructor(options: { mode?: TimerMode; acceptName?: string } = {}) {
    const { mode = "adaptive", acceptName } = options;
    const rtt = new RttEstimator(mode);
    this.connection = new Connection(this.now, ENDS, PEER, rtt, 5, acceptName);
  }

  hear(...frames: Frame[]): void {
    this.hearFrom(PEER, this.#packet, ...frames);
  }

  hearFrom(from: Address, packet: number, ...frames: Frame[]): void {
    const header = { type: DatagramType.Connection, connection: 11, packet };
    this.#packet = Math.max(this.#packet, packet) + 1;
    this.connection.handleFrames(this.now, header, frames, from);
  }

  sent(): Sent[] {
    const all: Sent[] = [];
    for (let next = this.#poll(); next !== undefined; next = this.#poll()) all.push(next);
    return all;
  }

  sentKinds(): string[] {
    return this.sent().flatMap(({ frames }) => frames).map(({ kind }) => kind);
  }

  told(): ConnectionEvent[] {
    const all: ConnectionEvent[] = [];
    for (let event = this.connection.pollEvent(); event; event = this.connection.pollEvent()) {
      all.push(event);
    }
    return all;
  }

  wait(ms: number): void {
    this.now += ms;
    this.connection.handleTimeout(this.now);
  }

  #poll(): Sent | undefined {
    const transmit = this.connection.pollTransmit(this.now);
    if (transmit === undefined) return undefined;
    assert(transmit.bytes.length <= DATAGRAM_SIZE_MAX);
    const decoded = decodeDatagram(transmit.bytes.slice());
    assert(decoded.ok);
    return { ...decoded, to: transmit.to };
  }
}

function message(seq: number, text = `text ${seq}`, sender = 2): Frame {
  return { kind: "message", seq, sender, flags: 0, text };
}

Deno.test("Connection of the requester starts with an Ack, in the next packet", () => {
  const end = new End();
  const [first, ...more] = end.sent();
  assertEquals(first?.header, { type: DatagramType.Connection, connection: 22, packet: 5 });
  assertEquals(first?.frames, [{ kind: "ack", next: 0, ranges: [] }]);
  assertEquals(more, []);
});

Deno.test("Connection of the responder sends the Accept until a Connection datagram comes", () => {
  const end = new End({ acceptName: "ana" });
  const [first] = end.sent();
  assertEquals(first?.header, { type: DatagramType.Handshake, connection: 22, packet: 5 });
  assertEquals(first?.frames, [
    { kind: "connectionAccept", responder: 1, connection: 11, name: "ana" },
  ]);
  for (const wait of [1000, 2000, 4000]) {
    end.wait(wait - 1);
    assertEquals(end.sentKinds(), []);
    end.wait(1);
    assertEquals(end.sentKinds(), ["connectionAccept"]);
  }
  end.connection.repeatAccept();
  assertEquals(end.sentKinds(), ["connectionAccept"]);
  end.hear({ kind: "ack", next: 0, ranges: [] });
  end.connection.repeatAccept();
  end.wait(10_000);
  assert(!end.sentKinds().includes("connectionAccept"));
});

Deno.test("Connection counts its packets, a retransmission being a new one", () => {
  const end = new End();
  end.connection.send("hi");
  const packets = end.sent().map(({ header }) => header.packet);
  end.wait(1000);
  packets.push(...end.sent().map(({ header }) => header.packet));
  end.hear(message(0));
  packets.push(...end.sent().map(({ header }) => header.packet));
  assertEquals(packets, [5, 6, 7]);
});

Deno.test("Connection answers every datagram with a Message, a duplicate too, by one Ack", () => {
  const end = new End();
  end.sent();
  end.hear(message(0), message(1));
  assertEquals(end.sent().map(({ frames }) => frames), [[{ kind: "ack", next: 2, ranges: [] }]]);
  end.hear(message(0));
  assertEquals(end.sent().map(({ frames }) => frames), [[{ kind: "ack", next: 2, ranges: [] }]]);
  assertEquals(end.told().length, 2);
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
  const sent = end.sent();
  // 30 bytes each, with the frame's header and fields.
  assertEquals(sent.length, Math.ceil(100 * 30 / (1200 - 16 - 8)));
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

Deno.test("Connection follows the newest packet to its address, and no older one", () => {
  const end = new End();
  end.hearFrom(ELSEWHERE, 7, { kind: "connectionKeepalive" });
  assertEquals(end.sent().map(({ to }) => to), [ELSEWHERE]);
  end.hearFrom(PEER, 6, { kind: "connectionKeepalive" });
  end.hearFrom(PEER, 7, { kind: "connectionKeepalive" });
  assertEquals(end.sent().map(({ to }) => to), [ELSEWHERE]);
  end.hearFrom(PEER, 8, { kind: "connectionKeepalive" });
  assertEquals(end.sent().map(({ to }) => to), [PEER]);
});

Deno.test("Connection asks for a sign of life after 10 s of silence, and again each 10 s", () => {
  const end = new End();
  end.sent();
  for (let times = 1; times < 6; times++) {
    assertEquals(end.connection.nextTimeout(), end.now + CONNECTION_KEEPALIVE);
    end.wait(CONNECTION_KEEPALIVE);
    assertEquals(end.sentKinds(), ["connectionKeepalive"]);
  }
  end.hear({ kind: "ack", next: 0, ranges: [] });
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
  end.hear({ kind: "ack", next: 1, ranges: [] });
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
    { kind: "message", seq: 0, text: "text 0" },
    { kind: "message", seq: 1, text: "text 1" },
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
  assertEquals(end.sent().map(({ frames }) => frames), [[{ kind: "ack", next: 1, ranges: [] }]]);
  assertEquals([end.told(), end.connection.state], [[], "closed"]);
  end.wait(1);
  end.hear(FINAL);
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
  end.hear({ kind: "ack", next: 1, ranges: [] });
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
    { kind: "ringing", responder: 2, connection: 3 },
    { kind: "connectionReject", responder: 2, reason: 1 },
    { kind: "ack", next: 0xffff_ffff, ranges: [{ first: 9, last: 3 }] },
    message(0xffff_ffff),
  );
  assertEquals([end.connection.state, end.told()], ["open", []]);
  assertEquals(end.sent().map(({ frames }) => frames), [[{ kind: "ack", next: 0, ranges: [] }]]);
});
