import { assertEquals } from "@std/assert";
import type { Client } from "../client/client.ts";
import { DatagramType, type Frame } from "../protocol/frame.ts";
import { framesOf, Lone, registered, requesting } from "./lone_client.ts";

Deno.test("Client without an id answers no Connection Request", () => {
  const lone = new Lone();
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

Deno.test("Client rejects a request whose connection has ended, using no packet counter twice", () => {
  const lone = registered();
  const sent = lone.hearRequest(2, 22);
  lone.client.accept(lone.now);
  sent.push(...lone.sent());
  const frame: Frame = { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 0 };
  sent.push(...lone.hear(DatagramType.Handshake, [frame]));
  assertEquals(sent.map(({ packet }) => packet), [0, 1, 2]);
  const [answer] = lone.hearRequest(2, 22);
  assertEquals(answer?.frames, [{ kind: "connectionReject", responder: 1, reason: 1 }]);
  assertEquals(answer?.packet, 0);
});

Deno.test("Client drops an Accept or a Reject for a request that it did not make", () => {
  const lone = registered();
  const answers: Frame[] = [
    { kind: "connectionAccept", responder: 2, connection: 22, name: "ben" },
    { kind: "connectionReject", responder: 2, reason: 1 },
    { kind: "ringing", responder: 2, connection: 22 },
  ];
  for (const answer of answers) {
    assertEquals(lone.hear(DatagramType.Handshake, [answer], { connection: 4711 }), []);
  }
  assertEquals(lone.told(), []);
});

Deno.test("Client drops an Accept, a Reject and a Ringing of another client than it asked", () => {
  const lone = requesting();
  const { localConnection: connection } = lone;
  const answers: Frame[] = [
    { kind: "connectionAccept", responder: 3, connection: 33, name: "eve" },
    { kind: "connectionReject", responder: 3, reason: 1 },
    { kind: "ringing", responder: 3, connection: 33 },
  ];
  for (const answer of answers) lone.hear(DatagramType.Handshake, [answer], { connection });
  assertEquals(lone.told(), []);
  const accept: Frame = { kind: "connectionAccept", responder: 2, connection: 22, name: "ben" };
  lone.hear(DatagramType.Connection, [accept], { connection });
  assertEquals(lone.told(), []);
  lone.hear(DatagramType.Handshake, [accept], { connection });
  assertEquals(lone.told(), [{ kind: "connected", peer: 2, name: "ben" }]);
});

Deno.test("Client does nothing at a call of handleTimeout() before its time", () => {
  for (const lone of [new Lone(), registered(), requesting()]) {
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
  ];
  for (const command of commands) {
    const lone = new Lone();
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
