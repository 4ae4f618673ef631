// The Requests that wait for the user, how long they are kept, and how many: protocol/README.md,
// "Connecting".
import { assertEquals } from "@std/assert";
import { ENDED_CONNECTIONS_MAX } from "../../../protocol/connection/connections.ts";
import {
  PENDING_EXPIRY,
  PENDING_PER_KEY_MAX,
  PENDING_REQUESTS_MAX,
  PENDING_STRANGERS_MAX,
  REQUESTS_MAX,
} from "../../../protocol/connection/incoming_requests.ts";
import { makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import { UNCONFIRMED_LIFE } from "../../../protocol/session/incoming_handshakes.ts";
import { RejectReason } from "../../../protocol/wire/frame.ts";
import {
  ACCEPT,
  kindsOf,
  opened,
  registered,
  reject,
  RINGING,
  termination,
  TERMINATION_ACK,
} from "../../support/endpoint_harness.ts";
import type { FakeRequester } from "../../support/fake_peer.ts";

Deno.test("a new Request of a client whose older one is pending takes its place, and asks nobody", () => {
  const harness = registered();
  const older = harness.requester(2);
  harness.request(older);
  harness.events();
  const newer = harness.requester(2);
  assertEquals(opened(newer, harness.request(newer)), [RINGING]);
  assertEquals([harness.events(), harness.endpoint.requests.length], [[], 1]);
  // The older one is over; the newer one is accepted.
  assertEquals(opened(older, harness.request(older)), [reject(RejectReason.declined)]);
  harness.accept();
  assertEquals(opened(newer, harness.sent()), [ACCEPT]);
});

Deno.test("Requests under one id with different keys are two: both ring, and the other one is busy then", () => {
  const harness = registered();
  const [one, two] = [
    harness.requester(2),
    harness.requester(2, {
      identity: makeKeyPair(harness.random),
    }),
  ];
  harness.request(one);
  harness.request(two);
  assertEquals(harness.requestEvents(), ["request of 2", "request of 2"]);
  harness.endpoint.accept(harness.now, harness.endpoint.requests[1]!);
  const sent = harness.sent();
  assertEquals(kindsOf(sent), ["connectionReject", "connectionAccept"]);
  assertEquals(one.open(sent[0]!.bytes), [reject(RejectReason.busy)]);
  assertEquals(two.open(sent[1]!.bytes), [ACCEPT]);
  assertEquals(harness.requestEvents(), [
    "connected with 2 by acceptance",
    "requestEnded of 2: busy",
  ]);
});

Deno.test("16 Requests may be pending: one more is rejected as busy, and the user is not told", () => {
  assertEquals(PENDING_REQUESTS_MAX, 16);
  const harness = registered();
  for (let id = 2; id < 2 + PENDING_REQUESTS_MAX; id++) {
    harness.now += 100;
    assertEquals(kindsOf(harness.request(harness.requester(id))), ["ringing"]);
  }
  harness.events();
  const peer = harness.requester(99);
  assertEquals(opened(peer, harness.request(peer)), [reject(RejectReason.busy)]);
  assertEquals(harness.requestEvents(), ["requestEnded of 99: full"]);
  assertEquals(harness.endpoint.requests.length, PENDING_REQUESTS_MAX);
});

Deno.test("8 of the 16 places are for known keys: strangers get no more, and known ones do", () => {
  assertEquals(PENDING_STRANGERS_MAX, 8);
  const friends: string[] = [];
  const harness = registered({ isKnown: (key) => friends.includes(key.join()) });
  const call = (id: number): string[] => {
    harness.now += 100;
    return kindsOf(harness.request(harness.requester(id)));
  };
  for (let id = 2; id < 2 + PENDING_STRANGERS_MAX; id++) assertEquals(call(id), ["ringing"]);
  for (let id = 20; id < 40; id++) assertEquals(call(id), ["connectionReject"]);
  for (let id = 40; id < 48; id++) {
    friends.push(harness.identityOf(id).publicKey.join());
    assertEquals(call(id), ["ringing"]);
  }
  assertEquals(harness.endpoint.requests.length, PENDING_REQUESTS_MAX);
  friends.push(harness.identityOf(48).publicKey.join());
  assertEquals(call(48), ["connectionReject"]);
});

Deno.test("a key has 4 places at most, whatever ids it claims", () => {
  assertEquals(PENDING_PER_KEY_MAX, 4);
  const harness = registered();
  const identity = makeKeyPair(harness.random);
  const answers = [2, 3, 4, 5, 6].map((id) => {
    harness.now += 100;
    return kindsOf(harness.request(harness.requester(id, { identity })))[0];
  });
  assertEquals(answers, [...Array.from({ length: 4 }, () => "ringing"), "connectionReject"]);
  assertEquals(kindsOf(harness.request(harness.requester(7))), ["ringing"]);
});

Deno.test("a pending Request is forgotten 35 s after its last repeat, and the user is told", () => {
  assertEquals(PENDING_EXPIRY, 35_000);
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.events();
  for (let times = 0; times < 3; times++) {
    harness.wait(PENDING_EXPIRY - 1);
    harness.request(peer);
  }
  harness.wait(PENDING_EXPIRY - 1);
  assertEquals([harness.requestEvents(), harness.endpoint.requests.length], [[], 1]);
  harness.wait(1);
  assertEquals(harness.requestEvents(), ["requestEnded of 2: expired"]);
  assertEquals(harness.endpoint.requests, []);
});

Deno.test("a pending Request that is taken back is over: the Termination is acknowledged, each time", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.events();
  for (let times = 0; times < 3; times++) {
    assertEquals(opened(peer, harness.receive(peer.seal(termination(peer)))), [TERMINATION_ACK]);
  }
  assertEquals(harness.requestEvents(), ["requestEnded of 2: cancelled"]);
  assertEquals(harness.endpoint.requests, []);
});

Deno.test("a Termination is acknowledged in the session of a Request that never came, or was rejected", () => {
  const harness = registered();
  const unheard = harness.requester(2);
  const rejected = harness.requester(3);
  harness.request(rejected);
  harness.endpoint.reject(harness.now, harness.endpoint.requests[0]!);
  harness.sent();
  harness.events();
  for (const peer of [unheard, rejected]) {
    for (let times = 0; times < 2; times++) {
      assertEquals(opened(peer, harness.receive(peer.seal(termination(peer)))), [TERMINATION_ACK]);
    }
  }
  assertEquals(harness.events(), []);
});

Deno.test("a Termination before the Accept is confirmed ends the connection", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.request(peer);
  harness.accept();
  harness.sent();
  harness.events();
  assertEquals(kindsOf(harness.receive(peer.seal(termination(peer)))), [
    "connectionTerminationAck",
  ]);
  assertEquals(harness.eventKinds(), ["terminated"]);
});

Deno.test("16 connections that have ended still acknowledge repeats: of more, the oldest do not", () => {
  assertEquals(ENDED_CONNECTIONS_MAX, 16);
  const harness = registered();
  const end = (id: number): () => string[] => {
    const peer = harness.requester(id);
    const message = { kind: "message", seq: 0, sender: id, flags: 0, text: "hi" } as const;
    harness.request(peer);
    harness.accept();
    harness.receive(peer.seal(message));
    harness.receive(peer.seal(termination(peer)));
    harness.sent();
    return () => kindsOf(harness.receive(peer.seal(message)));
  };
  const repeats = Array.from({ length: ENDED_CONNECTIONS_MAX + 2 }, (_, index) => end(2 + index));
  harness.now += 100;
  const acks = repeats.map((repeat) => repeat().length);
  assertEquals(acks, [0, 0, ...Array(ENDED_CONNECTIONS_MAX).fill(1)]);
});

Deno.test("the session of a Request that never came is forgotten after 30 s", () => {
  const harness = registered();
  const peer = harness.requester(2);
  harness.wait(UNCONFIRMED_LIFE);
  assertEquals(harness.request(peer), []);
});

Deno.test("128 Requests are remembered: the oldest that was answered makes room, no pending one does", () => {
  assertEquals(REQUESTS_MAX, 128);
  const harness = registered();
  const pending = harness.requester(2);
  harness.request(pending);
  const rejected: FakeRequester[] = [];
  for (let count = 0; count < REQUESTS_MAX; count++) {
    harness.now += 100;
    const peer = harness.requester(3);
    harness.request(peer);
    harness.endpoint.reject(harness.now, harness.endpoint.requests[1]!);
    harness.sent();
    rejected.push(peer);
  }
  harness.events();
  assertEquals(harness.endpoint.requests.map(({ requester }) => requester), [2]);
  assertEquals(opened(pending, harness.request(pending)), [RINGING]);
  const answers = [rejected[0]!, rejected[1]!, rejected.at(-1)!].map((peer) =>
    kindsOf(harness.request(peer))
  );
  assertEquals(answers, [[], ["connectionReject"], ["connectionReject"]]);
  assertEquals(harness.events(), []);
});

Deno.test("a Request is kept as it came: its bytes are used again by the socket", () => {
  const harness = registered();
  const peer = harness.requester(2, { name: "ben" });
  harness.request(peer);
  const [request] = harness.endpoint.requests;
  assertEquals([request?.name, request?.key], ["ben", peer.identity.publicKey]);
});

Deno.test("no more answers wait to be sent than a bound, whatever comes meanwhile", () => {
  const harness = registered();
  const peers = Array.from({ length: 70 }, (_, at) => {
    harness.wait(50);
    const peer = harness.requester(2 + at);
    harness.request(peer);
    return peer;
  });
  for (const peer of peers) harness.give(peer.seal(peer.requestFrame()));
  assertEquals(harness.sent().length, 64);
});
