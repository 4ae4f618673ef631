import { assert, assertEquals } from "@std/assert";
import type { Client } from "../../client/client.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { encodeSealed } from "../../protocol/session/handshake.ts";
import { ClientHarness, framesOf, registered, requesting } from "../support/client_harness.ts";
import { FakeRequest } from "../support/fake_peer.ts";

Deno.test("Client ignores Connection Requests before it is registered", () => {
  const harness = new ClientHarness();
  harness.sent();
  assertEquals([harness.receiveRequest(2, 22), harness.events()], [[], []]);
});

Deno.test("Client drops a request from itself, from client 0, and for connection id 0", () => {
  const harness = registered();
  assertEquals([
    harness.receiveRequest(1, 22),
    harness.receiveRequest(0, 22),
    harness.receiveRequest(2, 0),
  ], [
    [],
    [],
    [],
  ]);
  assertEquals(harness.events(), []);
});

Deno.test("Client replaces a request by a newer one from the same client", () => {
  const harness = registered();
  harness.receiveRequest(2, 22);
  harness.receiveRequest(2, 23);
  assertEquals(harness.client.view().requests.map(({ id }) => id), [2]);
  assertEquals(framesOf(harness.receiveRequest(2, 22))[0]?.kind, "connectionReject");
  harness.client.accept(harness.now);
  const [accept] = harness.sent();
  assertEquals(accept?.frames[0]?.kind, "connectionAccept");
});

Deno.test("Client drops a request that is older than the last one with its key", () => {
  const harness = registered();
  const older = harness.request(2, 22);
  harness.receiveRequest(2, 23);
  harness.events();
  const dropped = harness.client.dropped.notAuthentic;
  assertEquals([harness.receive(older.bytes), harness.events()], [[], []]);
  assertEquals(harness.client.dropped.notAuthentic, dropped + 1);
});

Deno.test("Client accepts a renewed handshake for the same request", () => {
  const harness = registered();
  const { publicKey } = harness.identity;
  const fields = { requester: 2, connection: 22, identity: harness.identityOf(2) };
  const first = new FakeRequest(harness.random, publicKey, { ...fields, timestamp: 1n });
  const renewed = new FakeRequest(harness.random, publicKey, { ...fields, timestamp: 2n });
  harness.receive(first.bytes);
  assertEquals(harness.events().length, 1);
  for (let times = 0; times < 3; times++) {
    const [ringing] = harness.receive(renewed.bytes);
    assertEquals(ringing?.frames[0]?.kind, "ringing");
    // Sealed with the keys of the first handshake.
    const header = ringing!.bytes.subarray(0, 16);
    const { opener } = first.early;
    assert(opener.open(ringing!.packet!, header, ringing!.bytes.subarray(16)) !== undefined);
  }
  assertEquals([harness.events(), harness.client.view().requests.length], [[], 1]);
  assertEquals(harness.receive(first.bytes), []);
});

Deno.test("Client rejects a request whose connection has ended, and uses no packet counter twice", () => {
  const harness = registered();
  const sent = harness.receiveRequest(2, 22);
  harness.client.accept(harness.now);
  sent.push(...harness.sent());
  const frame: Frame = { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 0 };
  sent.push(...harness.receive(harness.request(2, 22).seal(frame)));
  sent.push(...harness.receiveRequest(2, 22));
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
  const [harness, other] = [registered(), requesting()];
  const answers: Frame[] = [
    other.peer.accept({ responder: 2, connection: 22, timestamp: 1n, name: "ben" }),
    { kind: "connectionReject", responder: 2, reason: 1 },
    { kind: "ringing", responder: 2 },
  ];
  for (const answer of answers) assertEquals(harness.receive(other.peer.seal(answer)), []);
  assertEquals(harness.events(), []);
  assertEquals(harness.client.dropped.notAuthentic, answers.length);
});

Deno.test("Client drops an answer that is sealed with other keys than the request's", () => {
  const [harness, other] = [requesting(), requesting()];
  const accept = harness.peer.accept({ responder: 2, connection: 22, timestamp: 1n, name: "ben" });
  // The same connection id, but another key.
  const { sealer } = new FakeRequest(harness.random, harness.identity.publicKey).early;
  const connection = harness.localConnection;
  for (const frame of [accept, { kind: "connectionReject", responder: 2, reason: 1 } as const]) {
    harness.receive(encodeSealed(DatagramType.Handshake, connection, sealer, [frame]));
    harness.receive(
      encodeSealed(DatagramType.Connection, connection, harness.peer.early.sealer, [frame]),
    );
  }
  assertEquals(harness.events(), []);
  assertEquals(harness.client.dropped.notAuthentic, 4);
  harness.receive(harness.peer.seal(accept));
  assertEquals(harness.events().map(({ kind }) => kind), ["connected"]);
  assertEquals(other.events(), []);
});

Deno.test("Client drops an Accept that names another client than the requested one", () => {
  const harness = requesting();
  harness.receive(
    harness.peer.seal(
      harness.peer.accept({ responder: 3, connection: 33, timestamp: 1n, name: "eve" }),
    ),
  );
  const [event, ...more] = harness.events();
  assert(event?.kind === "error" && event.code === "peerTimeout");
  assertEquals([more, harness.client.view().state], [[], "idle"]);
});

Deno.test("Client connects with the requested client, under the key from the directory", () => {
  const harness = requesting();
  harness.receive(
    harness.peer.seal(
      harness.peer.accept({ responder: 2, connection: 22, timestamp: 1n, name: "ben" }),
    ),
  );
  const [event] = harness.events();
  assert(event?.kind === "connected");
  assertEquals([event.peer, event.name, event.key], [2, "ben", harness.identityOf(2).publicKey]);
});

Deno.test("Client ignores a spurious timeout", () => {
  for (const harness of [new ClientHarness(), registered(), requesting()]) {
    harness.sent();
    harness.events();
    const before = harness.client.nextTimeout();
    for (let times = 0; times < 50; times++) harness.client.handleTimeout(harness.now);
    assertEquals([harness.sent(), harness.events(), harness.client.nextTimeout()], [
      [],
      [],
      before,
    ]);
  }
});

Deno.test("Client reports a failed command by an event, never by an exception", () => {
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
    const harness = new ClientHarness();
    command(harness.client, harness.now);
    const [event, ...more] = harness.events();
    assertEquals([event?.kind, more], ["error", []]);
  }
});

Deno.test("Client does not request itself by its name", () => {
  const harness = registered();
  harness.client.connect(harness.now, "Ana");
  assertEquals(harness.events().map((event) => event.kind === "error" && event.code), ["self"]);
  assertEquals(harness.sent(), []);
});
