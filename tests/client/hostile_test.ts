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

/** A request that names another client, with a key of its own. */
function wrongRequest(lone: ClientHarness, connection: number): FakeRequest {
  const words = { requester: 2, responder: 9, connection };
  return new FakeRequest(lone.random, lone.identity.publicKey, words);
}

Deno.test("Client lets 16 requests wait; the next one hears busy, and nothing of it is kept", () => {
  const lone = registered();
  for (let requester = 2; requester < 2 + PENDING_REQUESTS_MAX; requester++) {
    assertEquals(framesOf(lone.hearRequest(requester, 100 + requester))[0]?.kind, "ringing");
  }
  const [answer] = framesOf(lone.hearRequest(99, 199));
  assert(answer?.kind === "connectionReject" && answer.reason === RejectReason.busy);
  assertEquals(lone.told().length, PENDING_REQUESTS_MAX);
  assertEquals(lone.client.view().requests.length, PENDING_REQUESTS_MAX);
});

Deno.test("Client remembers a bounded number of requests, and no pending one is lost to others", () => {
  const lone = registered();
  lone.hearRequest(2, 22);
  for (let connection = 1; connection <= 2 * REQUESTS_MAX; connection++) {
    lone.now += 100;
    lone.hearRequest(3, connection);
    lone.client.reject(lone.now, 3);
    lone.sent();
  }
  assertEquals(lone.client.view().requests.map(({ id }) => id), [2]);
  lone.told();
  assertEquals(framesOf(lone.hearRequest(2, 22))[0]?.kind, "ringing");
  assertEquals(lone.told(), []);
  // The newest answer still sticks; the oldest is forgotten, so its request is a recording.
  assertEquals(framesOf(lone.hearRequest(3, 2 * REQUESTS_MAX))[0]?.kind, "connectionReject");
  assertEquals([lone.hearRequest(3, 1), lone.told()], [[], []]);
});

Deno.test("Client accepts and rejects nobody in another's place who claims the same id and name", () => {
  const lone = registered();
  const [first, second] = ["mallory", "alice"].map(() => {
    lone.now += 1000;
    const identity = makeKeyPair(lone.random);
    const timestamp = BigInt(lone.now);
    const words = { requester: 3, name: "alice", connection: lone.now, identity, timestamp };
    lone.hear(new FakeRequest(lone.random, lone.identity.publicKey, words).bytes);
    return identity;
  });
  lone.told();
  for (const peer of [3, "alice"]) {
    lone.client.accept(lone.now, peer);
    lone.client.reject(lone.now, peer);
    const [one, two, ...more] = lone.told();
    for (const event of [one, two]) assert(event?.kind === "error" && event.code === "unknownPeer");
    assertEquals([lone.sent(), more], [[], []]);
  }
  lone.client.accept(lone.now, fingerprint(second!.publicKey).replaceAll(" ", "-"));
  const connected = lone.told().find(({ kind }) => kind === "connected");
  assert(connected?.kind === "connected");
  assertEquals(connected.key, second!.publicKey);
  assertNotEquals(connected.key, first!.publicKey);
});

Deno.test("Client answers no datagram with more bytes than it has", () => {
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
    const lone = registered();
    const answers = lone.hear(datagram);
    const size = answers.reduce((sum, each) => sum + each.bytes.length, 0);
    assertLessOrEqual(size, datagram.length, `to a datagram of type ${datagram[3]}`);
    assertEquals(answers.length, datagram === bytes ? 1 : 0);
  }
});

Deno.test("Client answers a request that is accepted, and one that needs a cookie, with fewer bytes", () => {
  const lone = registered();
  const { bytes } = lone.request(2, 22);
  lone.hear(bytes);
  lone.client.accept(lone.now);
  const [accept] = lone.sent();
  assert(accept?.frames[0]?.kind === "connectionAccept");
  assertLessOrEqual(accept.bytes.length, bytes.length);
  for (let index = 0; index < HANDSHAKES_AT_ONCE; index++) {
    lone.hear(wrongRequest(lone, 100 + index).bytes);
  }
  const [cookie] = lone.hear(wrongRequest(lone, 99).bytes);
  assert(cookie?.frames[0]?.kind === "cookieReply");
  assertLessOrEqual(cookie.bytes.length, bytes.length);
});

Deno.test("Client drops a request that is altered anywhere, and computes nothing for it", () => {
  const lone = registered();
  const { bytes } = lone.request(2, 22);
  // Mac2 is of use under load only: without a cookie it may be anything.
  for (let at = 4; at < bytes.length - 16; at++) {
    const altered = bytes.slice();
    altered[at]! ^= 1 << (at % 8);
    assertEquals(lone.hear(altered), [], `byte ${at}`);
  }
  assertEquals(lone.hear(bytes.subarray(0, -1)), []);
  assertEquals(lone.told(), []);
  assertEquals(framesOf(lone.hear(bytes))[0]?.kind, "ringing");
});

Deno.test("Client reads nothing behind a request", () => {
  const lone = registered();
  const [one, two] = [lone.request(2, 22).bytes, lone.request(3, 33).bytes];
  const both = new Uint8Array(one.length + two.length - 16);
  both.set(one);
  both.set(two.subarray(16), one.length);
  assertEquals([lone.hear(both), lone.told()], [[], []]);
});

Deno.test("Client keeps a bounded number of answers that were not sent yet", () => {
  const lone = registered();
  for (let index = 0; index < 200; index++) {
    const { bytes } = wrongRequest(lone, 1 + index);
    lone.client.handleDatagram(lone.now, bytes, STRANGER);
  }
  assertEquals(lone.sent().length, ANSWERS_MAX);
});

Deno.test("Client rejects a request for another client", () => {
  const lone = registered();
  const [answer] = framesOf(lone.hear(wrongRequest(lone, 5).bytes));
  assert(answer?.kind === "connectionReject" && answer.reason === RejectReason.notThisClient);
  assertEquals(lone.told(), []);
});

Deno.test("Client drops and counts what is for a connection that it does not know, in silence", () => {
  const lone = registered();
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
      assertEquals(lone.hear(encodeDatagram({ type, connection: 4711, packet: 0 }, [frame])), []);
    }
    // Sealed, but by somebody whose request never came.
    assertEquals(lone.hear(lone.request(7, 77).say(frame)), []);
  }
  assertEquals(lone.client.dropped.notAuthentic, 3 * frames.length);
  assertEquals(lone.told(), []);
});

Deno.test("Client counts what cannot be read, and answers none of it", () => {
  const lone = registered();
  const prng = new Prng(1);
  for (let size = 0; size < 300; size++) {
    lone.client.handleDatagram(lone.now, prng.bytes(size), STRANGER);
  }
  assertEquals(lone.client.dropped.malformed, 300);
  assertEquals([lone.sent(), lone.told()], [[], []]);
});
