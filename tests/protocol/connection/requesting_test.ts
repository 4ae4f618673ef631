// The requester: protocol/README.md, "Connecting". Each row of its table is a test or two.
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  REQUEST_SILENCE_LIMIT,
  RESPONSES_MAX,
  RING_LIMIT,
  SESSION_RENEWAL,
  VERSION_PATIENCE,
} from "../../../protocol/connection/outgoing_request.ts";
import { TERMINATION_TRIES } from "../../../protocol/connection/ending.ts";
import { CANCELLED_MAX } from "../../../protocol/connection/outgoing_requests.ts";
import type { TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import { Cookies } from "../../../protocol/session/macs.ts";
import { mac2 } from "../../../protocol/wire/codes.ts";
import { decodeDatagram, encodeVersionAnswer } from "../../../protocol/wire/datagram.ts";
import {
  CALL_SIZE,
  type Frame,
  NAMED_PACKET_SIZE,
  RejectReason,
} from "../../../protocol/wire/frame.ts";
import { agreements } from "../../support/agreements.ts";
import {
  type EndpointHarness,
  exceptProbes,
  framesOf,
  kindsOf,
  registered,
  type Sent,
  STRANGER,
} from "../../support/endpoint_harness.ts";
import { DIRECTORY } from "../../support/fake_directory.ts";
import { FakeResponder } from "../../support/fake_peer.ts";

const RINGING: Frame = { kind: "ringing", responder: 2 };
const ACCEPT: Frame = { kind: "connectionAccept", responder: 2, flags: 0, name: "ben" };

/** A client that has sent client 2 its first Initiation. */
function initiating(timers: TimerMode = "adaptive"): EndpointHarness & { initiation: Sent } {
  const harness = registered({}, timers);
  harness.want({ id: 2, name: "" });
  const [initiation, ...more] = harness.meet(2);
  assert(initiation !== undefined && more.length === 0);
  harness.events();
  return Object.assign(harness, { initiation });
}

/** Client 2, after this Initiation. */
function respond(harness: EndpointHarness, { bytes }: Sent): FakeResponder {
  const identity = harness.identityOf(2);
  return new FakeResponder(harness.random, bytes, { id: 2, identity });
}

/** A client that has sent client 2 its first Request. */
function requesting(
  timers: TimerMode = "adaptive",
): EndpointHarness & { peer: FakeResponder; request: Sent } {
  const harness = registered({}, timers);
  const { peer, request } = harness.connect(2);
  harness.events();
  return Object.assign(harness, { peer, request });
}

/** When the machine sends something to its peer, in milliseconds from now, and what but challenges. */
function timesOf(harness: EndpointHarness, ms: number): [number, string][] {
  const start = harness.now;
  const times: [number, string][] = [];
  while (harness.now < start + ms) {
    harness.now++;
    harness.endpoint.handleTimeout(harness.now);
    for (const { to, frames } of harness.sent()) {
      const [frame] = frames;
      const isShown = to.hostname === STRANGER.hostname && frame?.kind !== "pathChallenge";
      if (isShown) times.push([harness.now - start, frame!.kind]);
    }
  }
  return times;
}

Deno.test("a requested peer is called, and gets an Initiation where the directory says", () => {
  const harness = registered();
  harness.want({ id: 0, name: "ben" });
  const [call, ...more] = harness.asked();
  assert(call !== undefined && more.length === 0);
  assertEquals(call.frame, { kind: "call", id: 0, name: "ben" });
  assertEquals(call.bytes.length, CALL_SIZE);
  assertEquals(harness.endpoint.calls[0]?.peer, undefined);
  const address = { hostname: "203.0.113.5", port: 5 };
  const meeting = harness.meeting(2, { name: "ben", addresses: [address] });
  const [initiation, ...others] = harness.receive(call.answer(meeting), DIRECTORY);
  assertEquals([initiation?.to, others], [address, []]);
  assertEquals(kindsOf([initiation!]), ["initiation", "macs"]);
  assertEquals(harness.endpoint.calls[0]?.peer, 2);
  assertEquals(harness.requestEvents(), ["requesting"]);
});

Deno.test("an Initiation is sent again when the RTO has passed, doubled up to 10 s", () => {
  // Between these, as Punches are.
  const soon = [50, 150, 350, 750, 1550];
  const times = timesOf(initiating(), 40_000).filter(([ms]) => !soon.includes(ms));
  assertEquals(times, [1000, 3000, 7000, 15_000, 25_000, 35_000].map((ms) => [ms, "initiation"]));
  const fixed = timesOf(initiating("fixed"), 40_000);
  assertEquals(fixed, [10_000, 20_000, 30_000, 40_000].map((ms) => [ms, "initiation"]));
});

Deno.test("it is the same Initiation each time: a Response to any of them will do", () => {
  const harness = initiating();
  const again = harness.wait(1000);
  assertEquals(again.map(({ bytes }) => bytes), [harness.initiation.bytes]);
  harness.wait(2000);
  const peer = respond(harness, harness.initiation);
  assertEquals(kindsOf(exceptProbes(harness.receive(peer.response))), ["connectionRequest"]);
});

Deno.test("an Initiation that is sent again shows the cookie of a Cookie Reply, and not before its time", () => {
  const harness = initiating();
  const { bytes } = harness.initiation;
  const cookies = new Cookies(0, harness.identityOf(2).publicKey, harness.random);
  assertEquals(harness.receive(cookies.reply(0, bytes, STRANGER)), []);
  const [again] = harness.wait(1000);
  assert(mac2(again!.bytes).code.some((byte) => byte !== 0));
  assert(cookies.isGood(0, again!.bytes, STRANGER));
  assertEquals(harness.endpoint.dropped.notAuthentic, 0);
  // One that is for somebody else.
  const other = cookies.reply(0, registered().stranger(5).initiation, STRANGER);
  assertEquals(harness.receive(other), []);
  assertEquals(harness.endpoint.dropped.notAuthentic, 1);
});

Deno.test("of a flood of Cookie Replies a few a second are opened, and a good one among those is taken", () => {
  const harness = initiating();
  const { bytes } = harness.initiation;
  const cookies = new Cookies(0, harness.identityOf(2).publicKey, harness.random);
  const good = cookies.reply(0, bytes, STRANGER).slice();
  const bad = good.with(good.length - 1, good.at(-1)! ^ 1);
  for (let left = 1000; left > 0; left--) harness.receive(bad);
  harness.receive(good);
  assertEquals(harness.endpoint.dropped.notAuthentic, 1001);
  harness.wait(100);
  harness.receive(good);
  assertEquals(harness.endpoint.dropped.notAuthentic, 1001);
});

Deno.test("after the Response the Request is sent at once, padded, to where the Initiation went", () => {
  const harness = requesting();
  const { frames: [frame], bytes, to } = harness.request;
  assert(frame?.kind === "connectionRequest");
  const { requester, responder, name } = frame;
  assertEquals([requester, responder, name], [1, 2, "ana"]);
  assertEquals([bytes.length, to], [NAMED_PACKET_SIZE, STRANGER]);
  assertEquals(harness.peer.open(bytes), [frame]);
});

Deno.test("a Request is sent again with the same number, when the RTO has passed, doubled up to 10 s", () => {
  const harness = initiating();
  // No sample: the Initiation was sent twice.
  harness.wait(1000);
  harness.receive(respond(harness, harness.initiation).response);
  const times = timesOf(harness, 24_000);
  assertEquals(times, [1000, 3000, 7000, 15_000].map((ms) => [ms, "connectionRequest"]));
  const numbers = new Set<number>();
  const again = requesting();
  for (const frame of framesOf([again.request, ...again.advance(25_000)])) {
    if (frame.kind === "connectionRequest") numbers.add(frame.request);
  }
  assertEquals(numbers.size, 1);
});

Deno.test("the Response to an Initiation that was sent once gives the first sample of the round trip", () => {
  const harness = initiating();
  harness.now += 100;
  harness.receive(respond(harness, harness.initiation).response);
  // SRTT + 4 × RTTVAR.
  assertEquals(timesOf(harness, 900), [[300, "connectionRequest"], [900, "connectionRequest"]]);
});

Deno.test("with fixed timers nothing is sent earlier than 10 s after it was sent before", () => {
  const harness = requesting("fixed");
  const times = timesOf(harness, 29_999);
  assertEquals(times, [10_000, 20_000].map((ms) => [ms, "connectionRequest"]));
});

Deno.test("after Ringing the Request is sent every 10 s, and the user is told once", () => {
  const harness = requesting();
  for (let times = 0; times < 3; times++) harness.receive(harness.peer.seal(RINGING));
  assertEquals(harness.requestEvents(), ["ringing"]);
  assert(harness.endpoint.calls[0]?.isRinging);
  const times = timesOf(harness, 25_000);
  assertEquals(times, [10_000, 20_000].map((ms) => [ms, "connectionRequest"]));
});

Deno.test("after 30 s without anything authentic another session is begun for the same Request", () => {
  const harness = requesting();
  const [first] = harness.request.frames;
  harness.receive(harness.peer.seal(RINGING));
  harness.events();
  const until = harness.now + SESSION_RENEWAL;
  let initiation: Sent | undefined;
  while (initiation === undefined) {
    [initiation] = harness.advance(100).filter(({ frames }) => frames[0]?.kind === "initiation");
  }
  assert(harness.now >= until && harness.now <= until + 10_000, `${harness.now - until}`);
  const peer = respond(harness, initiation);
  const [request] = exceptProbes(harness.receive(peer.response));
  assertEquals(peer.open(request!.bytes), [first!]);
  harness.receive(peer.seal(ACCEPT));
  assertEquals(harness.requestEvents().at(-1), "connected with 2 by request");
});

Deno.test("anything authentic keeps the session: nothing else is begun", () => {
  const harness = requesting();
  for (let times = 0; times < 20; times++) {
    harness.receive(harness.peer.seal(times % 2 === 0 ? RINGING : { kind: "padding", size: 3 }));
    const kinds = kindsOf(harness.advance(SESSION_RENEWAL - 10_000));
    assertEquals(new Set(kinds), new Set(["connectionRequest"]));
  }
});

Deno.test("an Accept is answered by an Ack, or Messages, and the connection is open", () => {
  const harness = requesting();
  const kinds = kindsOf(harness.receive(harness.peer.seal(ACCEPT)));
  assertEquals(kinds, ["ack"]);
  const [event, ...more] = harness.events();
  assert(event?.kind === "connected" && more.length === 0);
  const { connection, by, isResumed } = event;
  assertEquals([by, isResumed, connection.state], ["request", false, "open"]);
  assertEquals(connection.ids, { local: 1, localName: "ana", remote: 2, remoteName: "ben" });
  assertEquals(connection.remoteKey, harness.identityOf(2).publicKey);
  assertEquals(connection.handshakeHash, harness.peer.session.hash);
  assertEquals(harness.endpoint.calls[0], undefined);
  connection.send("hi");
  assertEquals(kindsOf(harness.sent()), ["message"]);
});

Deno.test("what else is in the packet with the Accept is the connection's", () => {
  const harness = requesting();
  const text: Frame = { kind: "message", seq: 0, sender: 2, flags: 0, text: "hi" };
  const termination: Frame = { kind: "connectionTermination", sender: 2, finalSeq: 1 };
  const sent = harness.receive(harness.peer.seal(ACCEPT, text, termination));
  assertEquals(harness.eventKinds(), ["connected", "message", "terminated"]);
  assertEquals(kindsOf(sent), ["ack", "connectionTerminationAck"]);
});

Deno.test("a Reject ends the request: not this client means that it is inactive", () => {
  const failures = [RejectReason.declined, RejectReason.busy, RejectReason.notThisClient, 77]
    .map((reason) => {
      const harness = requesting();
      harness.receive(harness.peer.seal({ kind: "connectionReject", responder: 2, reason }));
      assertEquals(harness.endpoint.calls[0], undefined);
      assertEquals(harness.advance(60_000), []);
      const [event] = harness.events();
      assert(event?.kind === "requestFailed");
      assertEquals([event.peer, event.target], [2, { id: 2, name: "" }]);
      return event.failure;
    });
  assertEquals(failures, [
    { why: "rejected", reason: 1 },
    { why: "rejected", reason: 2 },
    { why: "inactive" },
    { why: "rejected", reason: 77 },
  ]);
});

Deno.test("Ringing, Accept and Reject that name another responder have no effect", () => {
  const harness = requesting();
  for (const responder of [0, 1, 3]) {
    const named: Frame[] = [
      { ...RINGING, responder } as Frame,
      { ...ACCEPT, responder } as Frame,
      { kind: "connectionReject", responder, reason: 1 },
    ];
    for (const frame of named) assertEquals(harness.receive(harness.peer.seal(frame)), []);
  }
  assertEquals(harness.requestEvents(), []);
  assertEquals(harness.endpoint.calls[0]?.isRinging, false);
  harness.receive(harness.peer.seal(ACCEPT));
  assertEquals(harness.requestEvents(), ["connected with 2 by request"]);
});

Deno.test("a request without any answer is given up after 120 s", () => {
  for (const stage of [initiating(), requesting()]) {
    const harness: EndpointHarness = stage;
    harness.advance(REQUEST_SILENCE_LIMIT - 1);
    assertEquals(harness.requestEvents().filter((kind) => kind !== "requesting"), []);
    harness.advance(1);
    assertEquals(harness.requestEvents(), ["requestFailed: peerTimeout"]);
    assertEquals([harness.endpoint.calls[0], harness.advance(60_000)], [undefined, []]);
  }
});

Deno.test("a request without a decision is given up after 600 s", () => {
  const harness = requesting();
  for (let left = 59; left > 0; left--) {
    harness.advance(10_000);
    harness.receive(harness.peer.seal(RINGING));
  }
  harness.advance(RING_LIMIT - 590_000 - 1);
  assert(harness.endpoint.calls[0] !== undefined);
  harness.advance(1);
  assertEquals(harness.requestEvents().at(-1), "requestFailed: peerTimeout");
});

Deno.test("a request that is taken back is told by a Termination, three times in all, at least 1 s apart", () => {
  assertEquals(TERMINATION_TRIES, 3);
  const harness = initiating();
  harness.now += 10;
  harness.receive(respond(harness, harness.initiation).response);
  assert(harness.cancel());
  assertEquals(framesOf(harness.sent()), [
    { kind: "connectionTermination", sender: 1, finalSeq: 0 },
  ]);
  assertEquals(harness.requestEvents(), ["requestFailed: cancelled"]);
  assertEquals(timesOf(harness, 30_000), [1000, 3000].map((ms) => [ms, "connectionTermination"]));
  assertEquals(harness.requestEvents(), []);
});

Deno.test("a Termination Ack or a Reject ends a cancellation, an Accept does not", () => {
  const answers: Frame[] = [
    { kind: "connectionTerminationAck", sender: 2, finalSeq: 0 },
    { kind: "connectionReject", responder: 2, reason: 1 },
  ];
  for (const answer of answers) {
    const harness = requesting();
    harness.cancel();
    harness.sent();
    harness.receive(harness.peer.seal(ACCEPT));
    assertEquals(kindsOf(harness.wait(1000)), ["connectionTermination"]);
    harness.receive(harness.peer.seal(answer));
    assertEquals(harness.advance(60_000), []);
    assertEquals(harness.requestEvents(), ["requestFailed: cancelled"]);
    assertEquals(harness.endpoint.connections, []);
  }
});

Deno.test("a request that is taken back without a session is reported to no peer", () => {
  for (const harness of [initiating(), registered()]) {
    if (harness.endpoint.calls[0] === undefined) harness.want({ id: 2, name: "" });
    assert(harness.cancel());
    assertEquals(harness.advance(60_000), []);
    assertEquals(harness.requestEvents(), ["requestFailed: cancelled"]);
    assertEquals(harness.cancel(), false);
  }
  const harness = initiating();
  harness.cancel();
  assertEquals(harness.receive(respond(harness, harness.initiation).response), []);
});

Deno.test("a few cancellations may be under way; of more, the oldest is given up", () => {
  const harness = registered();
  for (let count = 0; count <= CANCELLED_MAX; count++) {
    harness.connect(2);
    harness.cancel();
    harness.sent();
  }
  assertEquals(kindsOf(harness.wait(1000)), Array(CANCELLED_MAX).fill("connectionTermination"));
});

Deno.test("forged Responses neither end nor break a handshake, and at most 64 are tried for a transmission", () => {
  assertEquals(RESPONSES_MAX, 64);
  const [few, many] = [initiating(), initiating()];
  const forge = (harness: EndpointHarness & { initiation: Sent }, count: number) => {
    const peer = respond(harness, harness.initiation);
    const forged = peer.response.slice();
    forged[30]! ^= 1;
    const cost = agreements(() => {
      for (let left = count; left > 0; left--) assertEquals(harness.receive(forged), []);
    });
    return { cost, request: kindsOf(exceptProbes(harness.receive(peer.response))) };
  };
  assertEquals(forge(few, RESPONSES_MAX - 1).request, ["connectionRequest"]);
  const { cost, request } = forge(many, 500);
  assertEquals(request, []);
  // No more than two operations each.
  assert(cost > 0 && cost <= 2 * RESPONSES_MAX, `${cost}`);
});

Deno.test("a Response that comes again, or for another session, has no effect", () => {
  const harness = requesting();
  assertEquals(harness.receive(harness.peer.response), []);
  const other = registered().requester(5);
  const stray = harness.peer.response.slice();
  new DataView(stray.buffer).setUint32(4, 4711);
  assertEquals(harness.receive(stray), []);
  assertEquals(harness.endpoint.dropped.notAuthentic, 2);
  assertNotEquals(other.session.localId, 0);
  harness.receive(harness.peer.seal(ACCEPT));
  assertEquals(harness.requestEvents(), ["connected with 2 by request"]);
});

Deno.test("a Version is believed after 12 s, from where the request goes, where nothing authentic came", () => {
  const versionFor = ({ bytes }: Sent): Uint8Array => {
    const decoded = decodeDatagram(bytes);
    assert(decoded.ok);
    return encodeVersionAnswer(decoded.value.header).with(2, 9);
  };
  const believed = initiating();
  believed.receive(versionFor(believed.initiation));
  believed.advance(VERSION_PATIENCE - 1);
  assert(believed.endpoint.calls[0] !== undefined);
  believed.advance(1);
  const event = believed.events().find(({ kind }) => kind === "requestFailed");
  assert(event?.kind === "requestFailed");
  assertEquals(event.failure, { why: "otherVersion", version: 9 });

  const elsewhere = initiating();
  elsewhere.receive(versionFor(elsewhere.initiation), { ...STRANGER, port: 1 });
  const overtaken = initiating();
  overtaken.receive(versionFor(overtaken.initiation));
  overtaken.receive(respond(overtaken, overtaken.initiation).response);
  const late = requesting();
  late.receive(versionFor(late.request));
  for (const harness of [elsewhere, overtaken, late]) {
    harness.advance(2 * VERSION_PATIENCE);
    assert(harness.endpoint.calls[0] !== undefined);
  }
});

Deno.test("a key with which nobody can be talked to fails at once", () => {
  const harness = registered();
  harness.want({ id: 2, name: "" });
  assertEquals(harness.meet(2, { publicKey: new Uint8Array(32) }), []);
  assertEquals(harness.requestEvents(), ["requestFailed: weakKey"]);
});

Deno.test("a request for the client itself, or for a connected peer, fails at once", () => {
  const harness = registered();
  harness.want({ id: 0, name: "me" });
  harness.meet(1);
  assertEquals(harness.requestEvents(), ["requestFailed: self"]);
  harness.connectedWith(2);
  harness.want({ id: 0, name: "ben" });
  harness.meet(2);
  assertEquals(harness.requestEvents(), ["requestFailed: alreadyConnected"]);
});
