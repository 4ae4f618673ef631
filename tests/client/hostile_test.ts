import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { ANSWERS_MAX } from "../../protocol/connection/answers.ts";
import { PENDING_REQUESTS_MAX, REQUESTS_MAX } from "../../protocol/connection/incoming_requests.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { HANDSHAKES_AT_ONCE } from "../../protocol/session/handshake_limits.ts";
import { UNCONFIRMED_PER_SOURCE } from "../../protocol/session/incoming_handshakes.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame, HEADER_SIZE, RejectReason } from "../../protocol/wire/frame.ts";
import {
  type ClientHarness,
  framesOf,
  kindsOf,
  registered,
  STRANGER,
} from "../support/client_harness.ts";
import { Prng } from "../support/random.ts";

/** The Initiation of a new key. */
function initiationOf(harness: ClientHarness): Uint8Array {
  return harness.stranger(66, { identity: makeKeyPair(harness.random) }).initiation;
}

Deno.test("Client keeps 16 pending requests, and rejects the next one as busy", () => {
  const harness = registered();
  for (let id = 2; id < 2 + PENDING_REQUESTS_MAX; id++) {
    harness.now += 100;
    assertEquals(kindsOf(harness.request(harness.requester(id))), ["ringing"]);
  }
  const [answer] = framesOf(harness.request(harness.requester(99)));
  assert(answer?.kind === "connectionReject" && answer.reason === RejectReason.busy);
  assertEquals(harness.events().length, PENDING_REQUESTS_MAX);
  assertEquals(harness.client.view().requests.length, PENDING_REQUESTS_MAX);
});

Deno.test("Client bounds the requests that it remembers, and drops no pending one", () => {
  const harness = registered();
  const pending = harness.requester(2);
  harness.request(pending);
  for (let count = 1; count <= 2 * REQUESTS_MAX; count++) {
    harness.now += 100;
    harness.request(harness.requester(3));
    harness.client.reject(harness.now, 3);
    harness.sent();
  }
  assertEquals(harness.client.view().requests.map(({ id }) => id), [2]);
  harness.events();
  assertEquals(kindsOf(harness.request(pending)), ["ringing"]);
  assertEquals(harness.events(), []);
});

Deno.test("Client refuses to choose between requests that claim the same id and name", () => {
  const harness = registered();
  const [first, second] = ["mallory", "alice"].map(() => {
    const identity = makeKeyPair(harness.random);
    harness.request(harness.requester(3, { name: "alice", identity }));
    return identity;
  });
  harness.events();
  for (const peer of [3, "alice"]) {
    harness.client.accept(harness.now, peer);
    harness.client.reject(harness.now, peer);
    const [one, two, ...more] = harness.events();
    for (const event of [one, two]) assert(event?.kind === "error" && event.code === "unknownPeer");
    assertEquals([harness.sent(), more], [[], []]);
  }
  harness.client.accept(harness.now, fingerprint(second!.publicKey).replaceAll(" ", "-"));
  const connected = harness.events().find(({ kind }) => kind === "connected");
  assert(connected?.kind === "connected");
  assertEquals(connected.key, second!.publicKey);
  assertNotEquals(connected.key, first!.publicKey);
});

Deno.test("Client answers a datagram with no more bytes than it has", () => {
  const lone = registered();
  const { initiation } = lone.stranger(2);
  const frames: Frame[] = [
    { kind: "initiation", messageOne: initiation.slice(19, 119) },
    { kind: "macs", mac1: new Uint8Array(16), mac2: new Uint8Array(16) },
    { kind: "response", messageTwo: new Uint8Array(52) },
    { kind: "cookieReply", nonce: new Uint8Array(24), cookie: new Uint8Array(32) },
    { kind: "connectionTermination", sender: 2, finalSeq: 0 },
    { kind: "connectionKeepalive" },
  ];
  const types = Object.values(DatagramType).filter((type) => type !== DatagramType.Version);
  const datagrams = types.flatMap((type) =>
    frames.flatMap((frame) =>
      [1, 4].map((times) =>
        encodeDatagram({ type, session: 22, packet: 0 }, Array<Frame>(times).fill(frame))
      )
    )
  );
  for (const datagram of [initiation, ...datagrams]) {
    const harness = registered();
    const answers = harness.receive(datagram);
    const size = answers.reduce((sum, each) => sum + each.bytes.length, 0);
    assertLessOrEqual(size, datagram.length, `to a datagram of type ${datagram[3]}`);
    assertEquals(answers.length, datagram === initiation ? 1 : 0);
  }
});

Deno.test("Client answers a request, repeats of it, and its cancellation with less than each has", () => {
  const harness = registered();
  const peer = harness.requester(2);
  const hear = (...frames: Frame[]): string[] => {
    const bytes = peer.seal(...frames);
    const answers = harness.receive(bytes);
    assertLessOrEqual(answers.length, 1);
    for (const answer of answers) assertLessOrEqual(answer.bytes.length, bytes.length);
    return kindsOf(answers);
  };
  const request = [peer.requestFrame(), { kind: "padding", size: 141 } as const];
  const cancellation: Frame = { kind: "connectionTermination", sender: 2, finalSeq: 0 };
  assertEquals(hear(...request), ["ringing"]);
  harness.client.accept(harness.now);
  harness.sent();
  for (let left = 20; left > 0; left--) assertEquals(hear(...request), ["connectionAccept"]);
  for (let left = 2; left > 0; left--) {
    assertEquals(hear(cancellation), ["connectionTerminationAck"]);
  }
  assertEquals(hear(...request), ["connectionReject"]);
});

Deno.test("Client answers an Initiation under load with a cookie, which is shorter", () => {
  const harness = registered();
  for (let index = 0; index < HANDSHAKES_AT_ONCE; index++) harness.receive(initiationOf(harness));
  const initiation = initiationOf(harness);
  const [cookie, ...more] = harness.receive(initiation);
  assert(cookie?.frames[0]?.kind === "cookieReply" && more.length === 0);
  assertLessOrEqual(cookie.bytes.length, initiation.length);
});

Deno.test("Client drops an Initiation with any byte altered", () => {
  const harness = registered();
  const peer = harness.stranger(2);
  const { initiation } = peer;
  // Mac2 is checked under load only: without a cookie it can be anything.
  for (let at = 3; at < initiation.length - 16; at++) {
    const altered = initiation.with(at, initiation[at]! ^ 1 << (at % 8));
    assertEquals(harness.receive(altered), [], `byte ${at}`);
  }
  assertEquals(harness.receive(initiation.subarray(0, -1)), []);
  assertEquals(harness.events(), []);
  assertEquals(kindsOf(harness.receive(initiation)), ["response"]);
});

Deno.test("Client drops an Initiation that is followed by another one", () => {
  const harness = registered();
  const [one, two] = [initiationOf(harness), initiationOf(harness)];
  const both = new Uint8Array(one.length + two.length - HEADER_SIZE);
  both.set(one);
  both.set(two.subarray(HEADER_SIZE), one.length);
  assertEquals([harness.receive(both), harness.events()], [[], []]);
});

Deno.test("Client bounds the answers that are not sent yet", () => {
  const harness = registered();
  for (let index = 0; index < 200; index++) harness.give(initiationOf(harness));
  assertEquals(harness.sent().length, ANSWERS_MAX);
});

Deno.test("Client keeps sessions without a packet for a short time, and few of one source", () => {
  const harness = registered();
  const peers = Array.from({ length: 12 }, (_, index) => harness.requester(2 + index));
  const heard = peers.map((peer) => kindsOf(harness.request(peer)).length);
  assertEquals(heard, Array.from(peers, (_, index) => index < 12 - UNCONFIRMED_PER_SOURCE ? 0 : 1));
});

Deno.test("Client answers no request for another client, and tells its user nothing", () => {
  const harness = registered();
  assertEquals(harness.request(harness.requester(2), STRANGER, 9), []);
  assertEquals(harness.events(), []);
});

Deno.test("Client drops and counts datagrams for unknown sessions, without an answer", () => {
  const harness = registered();
  const frames: Frame[] = [
    { kind: "message", seq: 0, sender: 2, flags: 0, text: "hi" },
    { kind: "ack", cumulativeSeq: 0, largestPacket: 0, delay: 0, packetBitmap: 0, ranges: [] },
    { kind: "connectionKeepalive" },
    { kind: "connectionTermination", sender: 2, finalSeq: 7 },
    { kind: "connectionTerminationAck", sender: 2, finalSeq: 0 },
    { kind: "pathChallenge", nonce: 1n },
  ];
  // Sealed by a peer whose session was forgotten.
  const forgotten = harness.requester(7);
  harness.advance(31_000);
  harness.events();
  for (const frame of frames) {
    for (const session of [0, 4711]) {
      const header = { type: DatagramType.Packet, session, packet: 0 };
      assertEquals(harness.receive(encodeDatagram(header, [frame])), []);
    }
    assertEquals(harness.receive(forgotten.seal(frame)), []);
  }
  assertEquals(harness.client.dropped.notAuthentic, 3 * frames.length);
  assertEquals(harness.events(), []);
});

Deno.test("Client counts malformed datagrams, and answers none", () => {
  const harness = registered();
  const prng = new Prng(1);
  for (let size = 0; size < 300; size++) {
    harness.client.handleDatagram(harness.now, prng.bytes(size), STRANGER);
  }
  assertEquals(harness.client.dropped.malformed, 300);
  assertEquals([harness.sent(), harness.events()], [[], []]);
});
