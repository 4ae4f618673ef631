import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../client/client.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { encodeSealed } from "../../protocol/session/handshake.ts";
import { ClientHarness, framesOf, registered, requesting } from "../support/client_harness.ts";
import { FakeRequest } from "../support/fake_peer.ts";

Deno.test("Client without an id answers no Connection Request", () => {
  const lone = new ClientHarness();
  lone.sent();
  assertEquals([lone.hearRequest(2, 22), lone.told()], [[], []]);
});

Deno.test("Client drops a request from itself, from client 0, and for connection id 0", () => {
  const lone = registered();
  assertEquals([lone.hearRequest(1, 22), lone.hearRequest(0, 22), lone.hearRequest(2, 0)], [
    [],
    [],
    [],
  ]);
  assertEquals(lone.told(), []);
});

Deno.test("Client takes a newer request of the same client for the one that counts", () => {
  const lone = registered();
  lone.hearRequest(2, 22);
  lone.hearRequest(2, 23);
  assertEquals(lone.client.view().requests.map(({ id }) => id), [2]);
  assertEquals(framesOf(lone.hearRequest(2, 22))[0]?.kind, "connectionReject");
  lone.client.accept(lone.now);
  const [accept] = lone.sent();
  assertEquals(accept?.frames[0]?.kind, "connectionAccept");
});

Deno.test("Client drops a request that is older than the last one with its key", () => {
  const lone = registered();
  const older = lone.request(2, 22);
  lone.hearRequest(2, 23);
  lone.told();
  const dropped = lone.client.dropped.notAuthentic;
  assertEquals([lone.hear(older.bytes), lone.told()], [[], []]);
  assertEquals(lone.client.dropped.notAuthentic, dropped + 1);
});

Deno.test("Client takes a handshake that was begun anew for the same request", () => {
  const lone = registered();
  const { publicKey } = lone.identity;
  const words = { requester: 2, connection: 22, identity: lone.identityOf(2) };
  const first = new FakeRequest(lone.random, publicKey, { ...words, timestamp: 1n });
  const renewed = new FakeRequest(lone.random, publicKey, { ...words, timestamp: 2n });
  lone.hear(first.bytes);
  assertEquals(lone.told().length, 1);
  for (let times = 0; times < 3; times++) {
    const [ringing] = lone.hear(renewed.bytes);
    assertEquals(ringing?.frames[0]?.kind, "ringing");
    // With the keys of the first.
    const header = ringing!.bytes.subarray(0, 16);
    const { opener } = first.early;
    assert(opener.open(ringing!.packet!, header, ringing!.bytes.subarray(16)) !== undefined);
  }
  assertEquals([lone.told(), lone.client.view().requests.length], [[], 1]);
  assertEquals(lone.hear(first.bytes), []);
});

Deno.test("Client rejects a request whose connection has ended, using no packet counter twice", () => {
  const lone = registered();
  const sent = lone.hearRequest(2, 22);
  lone.client.accept(lone.now);
  sent.push(...lone.sent());
  const frame: Frame = { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 0 };
  sent.push(...lone.hear(lone.request(2, 22).say(frame)));
  sent.push(...lone.hearRequest(2, 22));
  assertEquals(framesOf(sent).map(({ kind }) => kind), [
    "ringing",
    "connectionAccept",
    "connectionTerminationAck",
    "connectionReject",
  ]);
  const [first = 0] = sent.map(({ packet }) => packet ?? NaN);
  assertEquals(sent.map(({ packet }) => packet! - first), [0, 1, 2, 3]);
});

Deno.test("Client drops an Accept or a Reject for a request that it did not make", () => {
  const [lone, other] = [registered(), requesting()];
  const answers: Frame[] = [
    other.peer.accept({ responder: 2, connection: 22, timestamp: 1n, name: "ben" }),
    { kind: "connectionReject", responder: 2, reason: 1 },
    { kind: "ringing", responder: 2 },
  ];
  for (const answer of answers) assertEquals(lone.hear(other.peer.say(answer)), []);
  assertEquals(lone.told(), []);
  assertEquals(lone.client.dropped.notAuthentic, answers.length);
});

Deno.test("Client drops an answer with other keys than the request's", () => {
  const [lone, other] = [requesting(), requesting()];
  const accept = lone.peer.accept({ responder: 2, connection: 22, timestamp: 1n, name: "ben" });
  // The same connection id, a key of one's own.
  const { sealer } = new FakeRequest(lone.random, lone.identity.publicKey).early;
  const connection = lone.localConnection;
  for (const frame of [accept, { kind: "connectionReject", responder: 2, reason: 1 } as const]) {
    lone.hear(encodeSealed(DatagramType.Handshake, connection, sealer, [frame]));
    lone.hear(encodeSealed(DatagramType.Connection, connection, lone.peer.early.sealer, [frame]));
  }
  assertEquals(lone.told(), []);
  assertEquals(lone.client.dropped.notAuthentic, 4);
  lone.hear(lone.peer.say(accept));
  assertEquals(lone.told().map(({ kind }) => kind), ["connected"]);
  assertEquals(other.told(), []);
});

Deno.test("Client connects with nobody whose Accept names another client than it asked", () => {
  const lone = requesting();
  lone.hear(
    lone.peer.say(lone.peer.accept({ responder: 3, connection: 33, timestamp: 1n, name: "eve" })),
  );
  const [event, ...more] = lone.told();
  assert(event?.kind === "error" && event.code === "peerTimeout");
  assertEquals([more, lone.client.view().state], [[], "idle"]);
});

Deno.test("Client connects with whom it asked, under the key that the directory named", () => {
  const lone = requesting();
  lone.hear(
    lone.peer.say(lone.peer.accept({ responder: 2, connection: 22, timestamp: 1n, name: "ben" })),
  );
  const [event] = lone.told();
  assert(event?.kind === "connected");
  assertEquals([event.peer, event.name, event.key], [2, "ben", lone.identityOf(2).publicKey]);
});

Deno.test("Client does nothing at a call of handleTimeout() before its time", () => {
  for (const lone of [new ClientHarness(), registered(), requesting()]) {
    lone.sent();
    lone.told();
    const before = lone.client.nextTimeout();
    for (let times = 0; times < 50; times++) lone.client.handleTimeout(lone.now);
    assertEquals([lone.sent(), lone.told(), lone.client.nextTimeout()], [[], [], before]);
  }
});

Deno.test("Client's commands fail by an event, never by an exception", () => {
  const commands: ((client: Client, now: number) => void)[] = [
    (client, now) => client.connect(now, 2),
    (client, now) => client.cancel(now),
    (client, now) => client.accept(now),
    (client, now) => client.reject(now, "nobody"),
    (client, now) => client.send(now, "hi"),
    (client, now) => client.terminate(now),
    (client, now) => client.list(now),
  ];
  for (const command of commands) {
    const lone = new ClientHarness();
    command(lone.client, lone.now);
    const [event, ...more] = lone.told();
    assertEquals([event?.kind, more], ["error", []]);
  }
});

Deno.test("Client asks nobody for the name that is its own", () => {
  const lone = registered();
  lone.client.connect(lone.now, "Ana");
  assertEquals(lone.told().map((event) => event.kind === "error" && event.code), ["self"]);
  assertEquals(lone.sent(), []);
});
