import { assert, assertEquals, assertLessOrEqual, assertNotEquals } from "@std/assert";
import { HANDSHAKES_AT_ONCE } from "../../protocol/session/handshake_guard.ts";
import { ANSWERS_MAX } from "../../client/state/requests.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { fingerprint } from "../../protocol/crypto/fingerprint.ts";
import { DatagramType, type Frame, RejectReason } from "../../protocol/wire/frame.ts";
import { PENDING_REQUESTS_MAX, REQUESTS_MAX } from "../../protocol/connection/incoming_requests.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { type ClientHarness, framesOf, registered, STRANGER } from "../support/client_harness.ts";
import { FakeRequest } from "../support/fake_peer.ts";
import { Prng } from "../support/random.ts";

/** A request for another client, with its own key. */
function wrongRequest(harness: ClientHarness, connection: number): FakeRequest {
  const fields = { requester: 2, responder: 9, connection };
  return new FakeRequest(harness.random, harness.identity.publicKey, fields);
}

Deno.test("Client keeps 16 pending requests, and rejects the next one as busy", () => {
  const harness = registered();
  for (let requester = 2; requester < 2 + PENDING_REQUESTS_MAX; requester++) {
    assertEquals(framesOf(harness.receiveRequest(requester, 100 + requester))[0]?.kind, "ringing");
  }
  const [answer] = framesOf(harness.receiveRequest(99, 199));
  assert(answer?.kind === "connectionReject" && answer.reason === RejectReason.busy);
  assertEquals(harness.events().length, PENDING_REQUESTS_MAX);
  assertEquals(harness.client.view().requests.length, PENDING_REQUESTS_MAX);
});

Deno.test("Client bounds the requests that it remembers, and drops no pending one", () => {
  const harness = registered();
  harness.receiveRequest(2, 22);
  for (let connection = 1; connection <= 2 * REQUESTS_MAX; connection++) {
    harness.now += 100;
    harness.receiveRequest(3, connection);
    harness.client.reject(harness.now, 3);
    harness.sent();
  }
  assertEquals(harness.client.view().requests.map(({ id }) => id), [2]);
  harness.events();
  assertEquals(framesOf(harness.receiveRequest(2, 22))[0]?.kind, "ringing");
  assertEquals(harness.events(), []);
  // The newest answer is repeated; the oldest is forgotten, so that its request is a replay.
  assertEquals(framesOf(harness.receiveRequest(3, 2 * REQUESTS_MAX))[0]?.kind, "connectionReject");
  assertEquals([harness.receiveRequest(3, 1), harness.events()], [[], []]);
});

Deno.test("Client refuses to choose between requests that claim the same id and name", () => {
  const harness = registered();
  const [first, second] = ["mallory", "alice"].map(() => {
    harness.now += 1000;
    const identity = makeKeyPair(harness.random);
    const timestamp = BigInt(harness.now);
    const fields = { requester: 3, name: "alice", connection: harness.now, identity, timestamp };
    harness.receive(new FakeRequest(harness.random, harness.identity.publicKey, fields).bytes);
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
  const { bytes } = registered().request(2, 22);
  const frames: Frame[] = [
    { kind: "connectionRequest", connection: 22, messageOne: bytes.slice(23, 264) },
    { kind: "requestCodes", mac1: new Uint8Array(16), mac2: new Uint8Array(16) },
    { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 0 },
    { kind: "connectionKeepalive" },
    { kind: "cookieReply", nonce: 1n, cookie: new Uint8Array(32) },
  ];
  const datagrams = Object.values(DatagramType).flatMap((type) =>
    frames.flatMap((frame) =>
      [1, 4].map((times) =>
        encodeDatagram({ type, connection: 22, packet: 0 }, Array<Frame>(times).fill(frame))
      )
    )
  );
  for (const datagram of [bytes, ...datagrams]) {
    const harness = registered();
    const answers = harness.receive(datagram);
    const size = answers.reduce((sum, each) => sum + each.bytes.length, 0);
    assertLessOrEqual(size, datagram.length, `to a datagram of type ${datagram[3]}`);
    assertEquals(answers.length, datagram === bytes ? 1 : 0);
  }
});

Deno.test("Client answers with an Accept or a cookie that is shorter than the request", () => {
  const harness = registered();
  const { bytes } = harness.request(2, 22);
  harness.receive(bytes);
  harness.client.accept(harness.now);
  const [accept] = harness.sent();
  assert(accept?.frames[0]?.kind === "connectionAccept");
  assertLessOrEqual(accept.bytes.length, bytes.length);
  for (let index = 0; index < HANDSHAKES_AT_ONCE; index++) {
    harness.receive(wrongRequest(harness, 100 + index).bytes);
  }
  const [cookie] = harness.receive(wrongRequest(harness, 99).bytes);
  assert(cookie?.frames[0]?.kind === "cookieReply");
  assertLessOrEqual(cookie.bytes.length, bytes.length);
});

Deno.test("Client drops a request with any byte altered", () => {
  const harness = registered();
  const { bytes } = harness.request(2, 22);
  // Mac2 is checked under load only: without a cookie it can be anything.
  for (let at = 4; at < bytes.length - 16; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << (at % 8);
    assertEquals(harness.receive(altered), [], `byte ${at}`);
  }
  assertEquals(harness.receive(bytes.subarray(0, -1)), []);
  assertEquals(harness.events(), []);
  assertEquals(framesOf(harness.receive(bytes))[0]?.kind, "ringing");
});

Deno.test("Client drops a request that is followed by other bytes", () => {
  const harness = registered();
  const [one, two] = [harness.request(2, 22).bytes, harness.request(3, 33).bytes];
  const both = new Uint8Array(one.length + two.length - 16);
  both.set(one);
  both.set(two.subarray(16), one.length);
  assertEquals([harness.receive(both), harness.events()], [[], []]);
});

Deno.test("Client bounds the answers that are not sent yet", () => {
  const harness = registered();
  for (let index = 0; index < 200; index++) {
    const { bytes } = wrongRequest(harness, 1 + index);
    harness.client.handleDatagram(harness.now, bytes, STRANGER);
  }
  assertEquals(harness.sent().length, ANSWERS_MAX);
});

Deno.test("Client rejects a request for another client", () => {
  const harness = registered();
  const [answer] = framesOf(harness.receive(wrongRequest(harness, 5).bytes));
  assert(answer?.kind === "connectionReject" && answer.reason === RejectReason.notThisClient);
  assertEquals(harness.events(), []);
});

Deno.test("Client drops and counts datagrams for unknown connections, without an answer", () => {
  const harness = registered();
  const frames: Frame[] = [
    { kind: "message", seq: 0, sender: 2, flags: 0, text: "hi" },
    { kind: "ack", cumulativeSeq: 0, largestPacket: 0, delay: 0, packetBitmap: 0, ranges: [] },
    { kind: "connectionKeepalive" },
    { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 7 },
    { kind: "connectionTerminationAck", sender: 2, finalSeq: 0 },
    { kind: "pathChallenge", nonce: 1n },
  ];
  for (const frame of frames) {
    for (const type of [DatagramType.Handshake, DatagramType.Connection]) {
      assertEquals(
        harness.receive(encodeDatagram({ type, connection: 4711, packet: 0 }, [frame])),
        [],
      );
    }
    // Sealed, but by a client whose request never arrived.
    assertEquals(harness.receive(harness.request(7, 77).seal(frame)), []);
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
