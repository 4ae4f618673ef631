// A peer that was killed and starts again: protocol/README.md, "Coming back". The texts are
// in resume_test.ts.
import { assert, assertEquals } from "@std/assert";
import { CONNECTIONS_MAX } from "../../../protocol/connection/connections.ts";
import type { Admission } from "../../../protocol/connection/request_event.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { FLAG_RESUMED, type Frame, RejectReason } from "../../../protocol/wire/frame.ts";
import {
  ACCEPT,
  type EndpointHarness,
  kindsOf,
  opened,
  registered,
  reject,
  RINGING,
} from "../../support/endpoint_harness.ts";

const RESUMED = { ...ACCEPT, flags: FLAG_RESUMED } as Frame;
const KEEPALIVE: Frame = { kind: "connectionKeepalive" };

function textsIn(frames: readonly Frame[]): string[] {
  return frames.flatMap((frame) => frame.kind === "message" ? [frame.text] : []);
}

/** A second passes, so that a session is newer than a connection. */
function later(harness: EndpointHarness): void {
  harness.now += 1000;
}

Deno.test("a Request of the client of an open connection is accepted without asking, and the connection goes on", () => {
  for (const role of ["requester", "responder"]) {
    const harness = registered();
    const { connection, peer: before } = role === "responder"
      ? harness.connectedWith(2)
      : harness.connectedTo(2);
    connection.send("one");
    harness.sent();
    harness.events();
    later(harness);
    const peer = harness.requester(2);
    const { hash } = peer.session;
    assertEquals(opened(peer, harness.request(peer)), [RESUMED]);
    const [event, ...more] = harness.events();
    assert(event?.kind === "returned" && event.connection === connection && more.length === 0);
    assertEquals(connection.handshakeHash, hash);
    assertEquals([harness.endpoint.connections, harness.endpoint.requests], [[connection], []]);
    connection.send("two");
    const frames = opened(peer, harness.receive(peer.seal(KEEPALIVE)));
    assertEquals(textsIn(frames), ["one", "two"]);
    // The old session ended without a word, and nothing in it is heard any more.
    harness.events();
    const late: Frame = { kind: "message", seq: 0, sender: 2, flags: 0, text: "late" };
    assertEquals([harness.receive(before.seal(KEEPALIVE, late)), harness.events()], [[], []]);
  }
});

Deno.test("a peer may come back several times, and does not ring for a repeat of its Request", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  for (let times = 0; times < 5; times++) {
    later(harness);
    const peer = harness.requester(2);
    assertEquals(opened(peer, harness.request(peer)), [RESUMED]);
    assertEquals(opened(peer, harness.request(peer)), [RESUMED], "the Accept was lost");
    harness.receive(peer.seal(KEEPALIVE));
    assertEquals(harness.request(peer), []);
    assertEquals(harness.eventKinds(), ["returned"]);
  }
  assertEquals(harness.endpoint.connections, [connection]);
});

Deno.test("a peer that comes back under another key is busy, and under another id it rings", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  later(harness);
  const impostor = harness.requester(2, { identity: makeKeyPair(harness.random) });
  assertEquals(opened(impostor, harness.request(impostor)), [reject(RejectReason.busy)]);
  const second = harness.requester(3, { identity: harness.identityOf(2) });
  assertEquals(opened(second, harness.request(second)), [RINGING]);
  assertEquals(harness.requestEvents(), ["requestEnded of 2: busy", "request of 3"]);
  // Two clients of one key are two connections.
  const other = harness.accept();
  assertEquals(harness.endpoint.connections, [connection, other]);
});

Deno.test("a peer that was blocked meanwhile does not come back: the connection stays as it was", () => {
  let admission: Admission = "ring";
  const harness = registered({ admit: () => admission });
  const { connection, peer: before } = harness.connectedWith(2);
  admission = "reject";
  later(harness);
  const peer = harness.requester(2);
  assertEquals(opened(peer, harness.request(peer)), [reject(RejectReason.declined)]);
  assertEquals(harness.events(), []);
  assertEquals(harness.endpoint.connections, [connection]);
  assertEquals(kindsOf(harness.receive(before.seal(KEEPALIVE))), ["ack"]);
});

Deno.test("a peer comes back even where there is no room for one more connection", () => {
  const harness = registered({ admit: () => "accept" });
  for (let id = 2; id < 2 + CONNECTIONS_MAX; id++) {
    harness.now += 100;
    const peer = harness.requester(id);
    harness.request(peer);
    harness.receive(peer.seal(KEEPALIVE));
  }
  harness.events();
  later(harness);
  const peer = harness.requester(2);
  assertEquals(opened(peer, harness.request(peer)), [RESUMED]);
  assertEquals(harness.endpoint.connections.length, CONNECTIONS_MAX);
});

Deno.test("a peer of a connection that this end terminates comes back to nothing: it rings", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  connection.send("never acknowledged");
  harness.sent();
  connection.terminate(harness.now);
  later(harness);
  const peer = harness.requester(2);
  assertEquals(opened(peer, harness.request(peer)), [RINGING]);
  assertEquals(harness.eventKinds().filter((kind) => kind !== "sent").toSorted(), [
    "request",
    "terminated",
  ]);
});

Deno.test("a peer of a connection that has ended rings", () => {
  const harness = registered();
  const { peer: before } = harness.connectedWith(2);
  harness.receive(before.seal({ kind: "connectionTermination", sender: 2, finalSeq: 0 }));
  harness.events();
  later(harness);
  const peer = harness.requester(2);
  assertEquals(opened(peer, harness.request(peer)), [RINGING]);
});

Deno.test("a client that comes back learns from the flag of the Accept that its peer knows it", () => {
  const harness = registered();
  const { peer } = harness.connect(2);
  harness.events();
  harness.receive(peer.seal({
    kind: "connectionAccept",
    responder: 2,
    flags: FLAG_RESUMED | 0x80,
    name: "ben",
  }));
  assertEquals(harness.requestEvents(), ["connected with 2 by request, resumed"]);
});

Deno.test("the session that a peer came back in may move to another one before it is confirmed", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  connection.send("one");
  harness.sent();
  harness.events();
  later(harness);
  const first = harness.requester(2);
  harness.request(first);
  later(harness);
  const second = Object.assign(harness.requester(2), { request: first.request });
  assertEquals(opened(second, harness.request(second)), [RESUMED]);
  assertEquals(textsIn(opened(second, harness.receive(second.seal(KEEPALIVE)))), ["one"]);
  assertEquals(harness.events().filter(({ kind }) => kind === "returned").length, 1);
});

Deno.test("a recording of the packets with which a peer came back brings it back no second time", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  later(harness);
  const peer = harness.requester(2);
  const request = peer.seal(peer.requestFrame());
  harness.receive(request);
  harness.receive(peer.seal(KEEPALIVE));
  harness.events();
  later(harness);
  harness.receive(peer.initiation);
  assertEquals([harness.receive(request), harness.events()], [[], []]);
  assertEquals(harness.endpoint.connections, [connection]);
  assertEquals(kindsOf(harness.receive(peer.seal(KEEPALIVE))), ["ack"]);
});
