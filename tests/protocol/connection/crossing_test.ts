// Two clients that request one another: protocol/README.md, "Crossing".
import { assert, assertEquals } from "@std/assert";
import { SESSION_RENEWAL } from "../../../protocol/connection/outgoing_request.ts";
import { compareKeys, makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { type Frame, RejectReason } from "../../../protocol/wire/frame.ts";
import {
  ACCEPT,
  EndpointHarness,
  exceptProbes,
  kindsOf,
  opened,
  registered,
  reject,
  RINGING,
} from "../../support/endpoint_harness.ts";
import { DIRECTORY } from "../../support/fake_directory.ts";

/** A client id whose key, beside that of the client under test, is the lower or the higher one. */
function peerWith(harness: EndpointHarness, order: "lower key" | "higher key"): number {
  for (let id = 2;; id++) {
    const { publicKey } = harness.identityOf(id);
    const isLower = compareKeys(publicKey, harness.identity.publicKey) < 0;
    if (isLower === (order === "lower key")) return id;
  }
}

function accept(responder: number): Frame {
  return { kind: "connectionAccept", responder, flags: 0, name: "" };
}

Deno.test("the client with the higher key accepts the other's Request, and forgets its own without a word", () => {
  for (const isRinging of [false, true]) {
    const harness = registered();
    const id = peerWith(harness, "lower key");
    const { peer: responder } = harness.connect(id);
    if (isRinging) harness.receive(responder.seal({ kind: "ringing", responder: id }));
    harness.events();
    const peer = harness.requester(id);
    assertEquals(opened(peer, harness.request(peer)), [ACCEPT]);
    assertEquals(harness.requestEvents(), [`connected with ${id} by acceptance`]);
    assertEquals(harness.endpoint.calls[0], undefined);
    harness.receive(peer.seal({ kind: "connectionKeepalive" }));
    // Nothing more is said in the session of its own request.
    assertEquals(harness.receive(responder.seal(accept(id))), []);
    assertEquals(exceptProbes(harness.advance(9000)), []);
    assertEquals(harness.endpoint.connections.length, 1);
  }
});

Deno.test("the client with the lower key ignores the other's Request once it has a session, and goes on", () => {
  const harness = registered();
  const id = peerWith(harness, "higher key");
  const { peer: responder } = harness.connect(id);
  harness.events();
  const peer = harness.requester(id);
  for (let times = 0; times < 3; times++) assertEquals(harness.request(peer), []);
  assertEquals(harness.requestEvents(), []);
  assertEquals(harness.endpoint.requests, []);
  assertEquals(new Set(kindsOf(harness.advance(2000))), new Set(["connectionRequest"]));
  harness.receive(responder.seal(accept(id)));
  assertEquals(harness.requestEvents().at(-1), `connected with ${id} by request`);
  assertEquals(harness.endpoint.connections.length, 1);
});

Deno.test("the client with the lower key accepts the other's Request while it has no session itself", () => {
  const harness = registered();
  const id = peerWith(harness, "higher key");
  harness.want({ id, name: "" });
  harness.meet(id);
  harness.events();
  const peer = harness.requester(id);
  assertEquals(opened(peer, harness.request(peer)), [ACCEPT]);
  assertEquals(harness.requestEvents(), [`connected with ${id} by acceptance`]);
  assertEquals(harness.endpoint.calls[0], undefined);
  harness.receive(peer.seal({ kind: "connectionKeepalive" }));
  assertEquals(exceptProbes(harness.advance(9000)), []);
});

Deno.test("the client with the lower key accepts the other's Request when its own session has gone silent", () => {
  const harness = registered();
  const id = peerWith(harness, "higher key");
  harness.connect(id);
  harness.advance(SESSION_RENEWAL + 10_000);
  harness.events();
  const peer = harness.requester(id);
  assertEquals(opened(peer, harness.request(peer)), [ACCEPT]);
  assertEquals(harness.requestEvents(), [`connected with ${id} by acceptance`]);
});

Deno.test("between two clients of one key the lower client id decides", () => {
  for (const [own, other, isIgnored] of [[1, 2, true], [5, 2, false]] as const) {
    const harness = new EndpointHarness().register(own);
    harness.identityOf = () => harness.identity;
    harness.connect(other);
    harness.events();
    const peer = harness.requester(other);
    const kinds = kindsOf(exceptProbes(harness.request(peer, undefined, own)));
    assertEquals(kinds, isIgnored ? [] : ["connectionAccept"]);
  }
});

Deno.test("a Request under the id that is requested, with another key, does not cross: it rings", () => {
  const harness = registered();
  const id = peerWith(harness, "lower key");
  harness.connect(id);
  harness.events();
  const impostor = harness.requester(id, { identity: makeKeyPair(harness.random) });
  assertEquals(opened(impostor, harness.request(impostor)), [RINGING]);
  assertEquals(harness.requestEvents(), [`request of ${id}`]);
  assert(harness.endpoint.calls[0] !== undefined);
});

Deno.test("accept-all accepts a peer under the requested id or name by its key alone", () => {
  for (const isMet of [false, true]) {
    const harness = registered({ admit: () => "accept" });
    const id = peerWith(harness, "higher key");
    harness.want({ id: 0, name: "ben" });
    if (isMet) harness.meet(id);
    else harness.sent();
    harness.events();
    const impostor = harness.requester(99, { name: "Ben" });
    assertEquals(opened(impostor, harness.request(impostor)), [RINGING]);
    assertEquals(harness.endpoint.connections, []);
  }
});

Deno.test("accept-all leaves a repeated Request to the call that it waits for", () => {
  const harness = registered({ admit: () => "accept" });
  harness.want({ id: 2, name: "" });
  const [call] = harness.asked();
  const peer = harness.requester(2);
  for (let times = 0; times < 3; times++) {
    assertEquals(opened(peer, harness.request(peer)), [RINGING]);
  }
  const sent = harness.receive(call!.answer(harness.meeting(2)), DIRECTORY);
  assertEquals(opened(peer, sent), [ACCEPT]);
  assertEquals(harness.requestEvents(), ["connected with 2 by acceptance"]);
});

Deno.test("a crossing Request that was forgotten is ignored when it comes late: its session is older", () => {
  const harness = registered();
  const id = peerWith(harness, "higher key");
  const late = harness.requester(id);
  harness.now += 100;
  const { connection, peer } = harness.connectedTo(id);
  assertEquals([harness.request(late), harness.requestEvents()], [[], []]);
  assertEquals(harness.eventKinds(), []);
  assertEquals(harness.endpoint.connections, [connection]);
  connection.send("still there");
  assertEquals(peer.open(harness.sent()[0]!.bytes)[0]?.kind, "message");
});

Deno.test("a Request that comes during the call waits for it, and is accepted under the key that is found", () => {
  const harness = registered();
  harness.want({ id: 2, name: "" });
  const [call] = harness.asked();
  const peer = harness.requester(2);
  assertEquals(opened(peer, harness.request(peer)), [RINGING]);
  assertEquals(harness.requestEvents(), [], "nobody needs to be asked");
  const sent = harness.receive(call!.answer(harness.meeting(2)), DIRECTORY);
  assertEquals(opened(peer, sent), [ACCEPT]);
  assertEquals(harness.requestEvents(), ["connected with 2 by acceptance"]);
  assertEquals(harness.endpoint.calls[0], undefined);
});

Deno.test("a Request that comes during the call is told after all where another key is found, or nothing", () => {
  for (const isFound of [true, false]) {
    const harness = registered();
    harness.want({ id: 2, name: "" });
    const [call] = harness.asked();
    harness.request(harness.requester(2));
    assertEquals(harness.requestEvents(), []);
    const { publicKey } = makeKeyPair(harness.random);
    const answer: Frame = isFound
      ? harness.meeting(2, { publicKey })
      : { kind: "inactive", id: 2, name: "" };
    harness.receive(call!.answer(answer), DIRECTORY);
    assertEquals(harness.requestEvents().toSorted()[0], "request of 2");
    assertEquals(harness.endpoint.requests.length, 1);
    assertEquals(harness.endpoint.connections, []);
  }
});

Deno.test("other Requests of one that crossed are rejected as busy", () => {
  const harness = registered();
  const id = peerWith(harness, "lower key");
  const impostor = harness.requester(id, { identity: makeKeyPair(harness.random) });
  harness.request(impostor);
  harness.connect(id);
  const peer = harness.requester(id);
  const sent = exceptProbes(harness.request(peer));
  assertEquals(kindsOf(sent), ["connectionReject", "connectionAccept"]);
  assertEquals(impostor.open(sent[0]!.bytes), [reject(RejectReason.busy)]);
});
