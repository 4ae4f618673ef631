// The responder: protocol/README.md, "Connecting". Each row that tells how a Request is answered is a
// test or two; how long it is kept is in pending_requests_test.ts.
import { assert, assertEquals } from "@std/assert";
import { CONNECTIONS_MAX } from "../../../protocol/connection/connections.ts";
import { LINGER } from "../../../protocol/connection/ending.ts";
import { REQUEST_MEMORY } from "../../../protocol/connection/incoming_requests.ts";
import type { Admission } from "../../../protocol/connection/request_event.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { NAMED_PACKET_SIZE, RejectReason } from "../../../protocol/wire/frame.ts";
import type { FakeRequester } from "../../support/fake_peer.ts";
import {
  ACCEPT,
  EndpointHarness,
  framesOf,
  kindsOf,
  opened,
  registered,
  reject,
  renew,
  RINGING,
  STRANGER,
  termination,
} from "../../support/endpoint_harness.ts";

Deno.test("a new Request rings: its sender is told, and the user is asked", () => {
  const harness = registered();
  const peer = harness.requester(2, { name: "ben" });
  assertEquals(opened(peer, harness.request(peer)), [RINGING]);
  const [event, ...more] = harness.events();
  assert(event?.kind === "request" && more.length === 0);
  const { requester, name, key } = event.request;
  assertEquals([requester, name, key], [2, "ben", peer.identity.publicKey]);
  assertEquals(harness.endpoint.requests, [event.request]);
});

Deno.test("nothing is reported about an Initiation before the first packet of its session has opened", () => {
  const harness = registered();
  harness.receive(harness.stranger(2).initiation);
  const peer = harness.requester(3);
  const forged = peer.seal(peer.requestFrame());
  forged[30]! ^= 1;
  assertEquals([harness.receive(forged), harness.events()], [[], []]);
  assertEquals(harness.endpoint.requests, []);
});

Deno.test("a recorded Initiation never rings, nor does all that was recorded with it", () => {
  const harness = registered();
  const peer = harness.requester(2);
  const recorded = [
    peer.initiation,
    peer.seal(peer.requestFrame()),
    peer.seal(peer.requestFrame()),
  ];
  for (const bytes of recorded) harness.receive(bytes);
  harness.endpoint.reject(harness.now, harness.endpoint.requests[0]!);
  harness.sent();
  harness.events();
  const replay = (machine: EndpointHarness): void => {
    for (const bytes of recorded) {
      const isInitiation = bytes === peer.initiation;
      assertEquals(kindsOf(machine.receive(bytes)), isInitiation ? ["response"] : []);
    }
    assertEquals([machine.requestEvents(), machine.endpoint.requests], [[], []]);
  };
  replay(harness);
  // After all of it was forgotten, and after the responder started again under the same key.
  harness.advance(2 * REQUEST_MEMORY);
  harness.events();
  replay(harness);
  for (const isRegistered of [false, true]) {
    const restarted = new EndpointHarness();
    restarted.random(1);
    assertEquals(restarted.identity.publicKey, harness.identity.publicKey);
    if (isRegistered) restarted.register();
    restarted.sent();
    replay(restarted);
  }
});

Deno.test("the same Request as a pending one gets Ringing again, in its session, and asks nobody", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.events();
  for (let times = 0; times < 3; times++) {
    assertEquals(opened(peer, harness.request(peer)), [RINGING]);
  }
  const other = renew(harness, peer);
  assertEquals(opened(other, harness.request(other)), [RINGING]);
  assertEquals(harness.events(), []);
  assertEquals(harness.endpoint.requests.length, 1);
});

Deno.test("an Accept goes into the session that the Request came in last", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  const other = renew(harness, peer);
  harness.request(other);
  harness.accept();
  assertEquals(opened(other, harness.sent()), [ACCEPT]);
});

Deno.test("a rejection sticks to its Request, in whichever session", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  assert(harness.endpoint.reject(harness.now, harness.endpoint.requests[0]!));
  harness.events();
  const expected = [reject(RejectReason.declined)];
  assertEquals(opened(peer, harness.sent()), expected);
  for (let times = 0; times < 3; times++) {
    assertEquals(opened(peer, harness.request(peer)), expected);
  }
  const other = renew(harness, peer);
  assertEquals(opened(other, harness.request(other)), expected);
  assertEquals([harness.events(), harness.endpoint.requests], [[], []]);
});

Deno.test("a rejection sticks for 60 s after the last repeat", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.endpoint.reject(harness.now, harness.endpoint.requests[0]!);
  harness.sent();
  harness.events();
  for (let times = 0; times < 3; times++) {
    harness.wait(REQUEST_MEMORY - 1);
    const answer = framesOf(harness.request(peer));
    assertEquals(answer, [reject(RejectReason.declined)]);
  }
  harness.wait(REQUEST_MEMORY);
  // Its session is forgotten with it; in another one it is a new Request.
  assertEquals(harness.request(peer), []);
  const other = renew(harness, peer);
  assertEquals(opened(other, harness.request(other)), [RINGING]);
});

/** A client whose Accept never got through to a peer, so that the connection ended. */
function unanswered(): { harness: EndpointHarness; peer: FakeRequester } {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.accept();
  harness.sent();
  harness.advance(60_000);
  assertEquals(harness.endpoint.connections, []);
  return { harness, peer };
}

Deno.test("the Request whose connection has ended is rejected: its sender still waits", () => {
  const { harness, peer } = unanswered();
  assertEquals(opened(peer, harness.request(peer)), [reject(RejectReason.declined)]);
  const other = renew(harness, peer);
  assertEquals(opened(other, harness.request(other)), [reject(RejectReason.declined)]);
  assertEquals(harness.endpoint.requests, []);
});

Deno.test("the Request whose connection has ended stays rejected for 60 s after a repeat in its session", () => {
  const { harness, peer } = unanswered();
  harness.advance(LINGER - 1000);
  assertEquals(opened(peer, harness.request(peer)), [reject(RejectReason.declined)]);
  harness.advance(REQUEST_MEMORY);
  harness.events();
  const other = renew(harness, peer);
  assertEquals(opened(other, harness.request(other)), [reject(RejectReason.declined)]);
  assertEquals([harness.requestEvents(), harness.endpoint.requests], [[], []]);
});

Deno.test("a Request that has ended itself is rejected", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.receive(peer.seal(termination(peer)));
  assertEquals(framesOf(harness.request(peer)), [reject(RejectReason.declined)]);
});

Deno.test("the Request of an accepted one gets the Accept again, until that is confirmed", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.accept();
  const [first] = harness.sent();
  assertEquals(peer.open(first!.bytes), [ACCEPT]);
  assertEquals(first?.bytes.length, NAMED_PACKET_SIZE);
  for (let times = 0; times < 3; times++) {
    assertEquals(opened(peer, harness.request(peer)), [ACCEPT]);
  }
  harness.receive(peer.seal({ kind: "connectionKeepalive" }));
  assertEquals(harness.request(peer), []);
});

Deno.test("the Request of an accepted one in another session gets an Accept there: the connection moves", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  const connection = harness.accept();
  connection.send("in whichever session");
  harness.sent();
  harness.events();
  const other = renew(harness, peer);
  assertEquals(opened(other, harness.request(other)), [ACCEPT]);
  // What comes in the session before is nobody's.
  assertEquals(harness.receive(peer.seal({ kind: "connectionKeepalive" })), []);
  const [message] = opened(
    other,
    harness.receive(other.seal({ kind: "connectionKeepalive" })),
  ).filter(({ kind }) => kind === "message");
  assert(message?.kind === "message" && message.seq === 0);
  assertEquals(harness.endpoint.connections, [connection]);
  // The user was told nothing of it: nobody came back.
  assertEquals(harness.events().filter(({ kind }) => kind === "returned"), []);
});

Deno.test("the Request of an accepted one that is confirmed gets no answer in another session", () => {
  const harness = registered();
  const { peer, connection } = harness.connectedWith(2);
  const other = renew(harness, peer);
  assertEquals([harness.request(other), harness.events()], [[], []]);
  assertEquals(harness.endpoint.connections, [connection]);
  assertEquals(kindsOf(harness.receive(peer.seal({ kind: "connectionKeepalive" }))), ["ack"]);
});

Deno.test("a Request before this client has an id gets no answer, and rings when it is repeated", () => {
  const harness = new EndpointHarness();
  harness.sent();
  const peer = harness.requester(2);
  assertEquals([harness.request(peer), harness.events()], [[], []]);
  harness.now += 500;
  harness.endpoint.handleTimeout(harness.now);
  harness.register();
  assertEquals(opened(peer, harness.request(peer)), [RINGING]);
});

Deno.test("a Request of client 0, or of this client itself, gets no answer", () => {
  const harness = registered();
  for (const id of [0, 1]) {
    assertEquals([harness.request(harness.requester(id)), harness.events()], [[], []]);
  }
});

Deno.test("a Request for another client gets no answer, nor does what follows in its session", () => {
  const harness = registered();
  const peer = harness.requester(2);
  for (let times = 0; times < 2; times++) {
    assertEquals(harness.request(peer, STRANGER, 9), []);
    const cancellation = { kind: "connectionTermination", sender: 2, finalSeq: 0 } as const;
    assertEquals(harness.receive(peer.seal(cancellation)), []);
    assertEquals(harness.request(peer), [], "nor for this one");
  }
  assertEquals(harness.events(), []);
});

Deno.test("a Request to a client that leaves is rejected, a pending one and a new one", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(5);
  const pending = harness.requester(2);
  harness.request(pending);
  harness.events();
  harness.endpoint.leave(harness.now);
  assertEquals(connection.state, "terminating");
  const expected = reject(RejectReason.notThisClient);
  assertEquals(framesOf(harness.sent())[0], expected);
  const peer = harness.requester(3);
  assertEquals(opened(peer, harness.request(peer)), [expected]);
  assertEquals(harness.requestEvents(), []);
});

Deno.test("a Request from a key that the user blocked is rejected, as if it had been declined", () => {
  const harness = registered({ admit: () => "reject" });
  const peer = harness.requester(2);
  for (let times = 0; times < 2; times++) {
    assertEquals(opened(peer, harness.request(peer)), [reject(RejectReason.declined)]);
  }
  assertEquals([harness.events(), harness.endpoint.requests], [[], []]);
});

Deno.test("admit() decides with what the Request says, and may accept at once", () => {
  const seen: [number, string, Uint8Array][] = [];
  const admissions: Record<number, Admission> = { 2: "accept", 3: "reject", 4: "ring" };
  const harness = registered({
    admit: ({ requester, name, key }) => {
      seen.push([requester, name, key]);
      return admissions[requester] ?? "ring";
    },
  });
  const kinds = [2, 3, 4].map((id) => {
    const peer = harness.requester(id, { name: `name${id}` });
    return kindsOf(harness.request(peer))[0];
  });
  assertEquals(kinds, ["connectionAccept", "connectionReject", "ringing"]);
  assertEquals(seen, [2, 3, 4].map((id) => [id, `name${id}`, harness.identityOf(id).publicKey]));
  assertEquals(harness.requestEvents(), ["connected with 2 by admission", "request of 4"]);
});

Deno.test("a pending Request is accepted by admit() when it is repeated, and may be by then", () => {
  let admission: Admission = "ring";
  const harness = registered({ admit: () => admission });
  const peer = harness.requester(2);
  harness.request(peer);
  harness.events();
  admission = "accept";
  assertEquals(opened(peer, harness.request(peer)), [ACCEPT]);
  assertEquals(harness.requestEvents(), ["connected with 2 by admission"]);
});

Deno.test("a Request under the id of somebody else that is connected is rejected: busy", () => {
  const harness = registered();
  const { connection } = harness.connectedWith(2);
  const impostor = harness.requester(2, { identity: makeKeyPair(harness.random) });
  assertEquals(opened(impostor, harness.request(impostor)), [reject(RejectReason.busy)]);
  assertEquals(harness.requestEvents(), ["requestEnded of 2: busy"]);
  assertEquals(harness.endpoint.connections, [connection]);
});

Deno.test("a new Request is rejected as busy while there are 16 connections", () => {
  assertEquals(CONNECTIONS_MAX, 16);
  const harness = registered({ admit: () => "accept" });
  for (let id = 2; id < 2 + CONNECTIONS_MAX; id++) {
    harness.now += 100;
    assertEquals(kindsOf(harness.request(harness.requester(id))), ["connectionAccept"]);
  }
  harness.events();
  const peer = harness.requester(99);
  assertEquals(opened(peer, harness.request(peer)), [reject(RejectReason.busy)]);
  assertEquals(harness.requestEvents(), ["requestEnded of 99: busy"]);
});
