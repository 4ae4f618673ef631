import { assert, assertEquals, assertLess } from "@std/assert";
import {
  HANDSHAKES_AT_ONCE,
  HANDSHAKES_PER_SECOND,
  PROVEN_HANDSHAKES_PER_SECOND,
  PROVEN_HANDSHAKES_PER_SOURCE,
} from "../../../protocol/session/handshake_guard.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { decodeDatagram } from "../../../protocol/wire/datagram.ts";
import { DatagramType, type Frame, NAME_SIZE_MAX } from "../../../protocol/wire/frame.ts";
import {
  COOKIE_LIFE,
  Cookies,
  decodeAcceptContent,
  decodeRequestContent,
  encodeAcceptContent,
  encodeRequest,
  encodeRequestContent,
  hasMac1,
  mac1Of,
  openCookie,
  REQUEST_SIZE,
  requesterEarlySeals,
  responderEarlySeals,
} from "../../../protocol/session/handshake.ts";
import { PENDING_EXPIRY, REQUEST_MEMORY } from "../../../protocol/connection/incoming_requests.ts";
import { KeyPair, makeKeyPair } from "../../../protocol/crypto/x25519.ts";
import {
  type ClientHarness,
  framesOf,
  registered,
  requesting,
  STRANGER,
} from "../../support/client_harness.ts";
import { FakeRequest } from "../../support/fake_peer.ts";
import { Prng } from "../../support/random.ts";

const prng = new Prng(1);
const NAMES = ["", "a", "zoë", "€".repeat(42), "x".repeat(NAME_SIZE_MAX)];
const HERE = { hostname: "192.0.2.1", port: 1000 };
const OTHERS = [{ ...HERE, port: 1001 }, { ...HERE, hostname: "192.0.2.10" }];

/** How many curve operations `body` costs. */
function agreements(body: () => void): number {
  const { agree } = KeyPair.prototype;
  let count = 0;
  KeyPair.prototype.agree = function (publicKey) {
    count++;
    return agree.call(this, publicKey);
  };
  try {
    body();
  } finally {
    KeyPair.prototype.agree = agree;
  }
  return count;
}

/** A request from a new key, with a good first code. */
function freshRequest(lone: ClientHarness, connection = 1 + prng.int(2 ** 31)): Uint8Array {
  const words = { responder: 9, connection };
  return new FakeRequest(lone.random, lone.identity.publicKey, words).bytes;
}

/** The request, as if it had a cookie. */
function withCookie(request: Uint8Array, key: Uint8Array, cookie: Uint8Array): Uint8Array {
  const decoded = decodeDatagram(request);
  assert(decoded.ok && decoded.value.sealed === undefined);
  const [frame] = decoded.value.frames;
  assert(frame?.kind === "connectionRequest");
  return encodeRequest(
    frame.connection,
    decoded.value.header.packet,
    frame.messageOne,
    key,
    cookie,
  );
}

/** The cookie in the one datagram that was sent. */
function cookieIn(bytes: Uint8Array, key: Uint8Array, request: Uint8Array): Uint8Array | undefined {
  const decoded = decodeDatagram(bytes);
  assert(decoded.ok && decoded.value.sealed === undefined);
  assertEquals(decoded.value.header.type, DatagramType.Cookie);
  const [frame] = decoded.value.frames;
  assert(frame?.kind === "cookieReply");
  return openCookie(frame, key, mac1Of(request));
}

Deno.test("the contents of both messages come back as they were, and have one size", () => {
  const sizes = NAMES.map((name) => {
    const request = { requester: 1, responder: 2 ** 32 - 1, timestamp: 2n ** 64n - 1n, name };
    const accept = { responder: 2, connection: 2 ** 32 - 1, timestamp: 2n ** 64n - 1n, name };
    const [one, two] = [encodeRequestContent(request), encodeAcceptContent(accept)];
    assertEquals(decodeRequestContent(one), request);
    assertEquals(decodeAcceptContent(two), accept);
    assertEquals(decodeRequestContent(one.subarray(1)), undefined);
    return `${one.length} ${two.length}`;
  });
  assertEquals(new Set(sizes).size, 1);
});

Deno.test("decodeRequestContent() and decodeAcceptContent() survive any bytes", () => {
  for (let run = 0; run < 20_000; run++) {
    const bytes = prng.bytes(prng.pick([145, prng.int(200)]));
    if (prng.chance(0.5)) bytes.fill(0, 20);
    decodeRequestContent(bytes);
    decodeAcceptContent(bytes);
  }
});

Deno.test("a Connection Request and a Connection Accept have one size for all names", () => {
  const sizes = NAMES.map((name) => {
    const lone = requesting();
    const frame = lone.peer.accept({ responder: 2, connection: 5, timestamp: 1n, name });
    const accept = lone.peer.seal(frame);
    assertEquals(framesOf(lone.receive(accept))[0]?.kind, "ack");
    const { bytes } = new FakeRequest(lone.random, lone.identity.publicKey, { name });
    assertEquals(bytes.length, REQUEST_SIZE);
    return accept.length;
  });
  assertEquals(new Set(sizes).size, 1);
});

Deno.test("hasMac1() takes a request under the right key, and none that was changed or cut", () => {
  const { publicKey } = makeKeyPair(prng.bytes);
  const { bytes } = new FakeRequest(prng.bytes, publicKey);
  assert(hasMac1(bytes, publicKey));
  assert(!hasMac1(bytes, makeKeyPair(prng.bytes).publicKey));
  for (let bit = 0; bit < 8 * (bytes.length - 16); bit++) {
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    assert(!hasMac1(bytes, publicKey), `bit ${bit}`);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
  }
  for (let size = 0; size < bytes.length; size++) {
    assert(!hasMac1(bytes.subarray(0, size), publicKey));
  }
});

Deno.test("Cookies know a cookie again from its address, and from no other", () => {
  const { publicKey } = makeKeyPair(prng.bytes);
  const cookies = new Cookies(0, publicKey, prng.bytes);
  const { bytes } = new FakeRequest(prng.bytes, publicKey);
  const cookie = cookieIn(cookies.reply(0, bytes, 4711, HERE), publicKey, bytes);
  assert(cookie !== undefined);
  const proven = withCookie(bytes, publicKey, cookie);
  assert(cookies.isGood(0, proven, HERE));
  for (const other of OTHERS) assert(!cookies.isGood(0, proven, other));
  assert(!cookies.isGood(0, bytes, HERE), "without a cookie");
  const changed = proven.slice();
  changed[20]! ^= 1;
  assert(!cookies.isGood(0, changed, HERE), "another request");
  assert(!new Cookies(0, publicKey, prng.bytes).isGood(0, proven, HERE), "of somebody else");
});

Deno.test("a cookie is valid for 120 s at least and for 240 s at most, after any idle time", () => {
  const { publicKey } = makeKeyPair(prng.bytes);
  const { bytes } = new FakeRequest(prng.bytes, publicKey);
  for (const madeAt of [0, 1, COOKIE_LIFE - 1, COOKIE_LIFE, 10 * COOKIE_LIFE]) {
    for (const age of [0, COOKIE_LIFE, 2 * COOKIE_LIFE, 3 * COOKIE_LIFE, 1000 * COOKIE_LIFE]) {
      const cookies = new Cookies(0, publicKey, prng.bytes);
      const reply = cookies.reply(madeAt, bytes, 4711, HERE);
      const cookie = cookieIn(reply, publicKey, bytes);
      assert(cookie !== undefined);
      const isGood = cookies.isGood(madeAt + age, withCookie(bytes, publicKey, cookie), HERE);
      assertEquals(isGood, age <= COOKIE_LIFE);
    }
  }
});

Deno.test("openCookie() opens what answers this request only, unchanged, from the owner of this key", () => {
  const [own, other] = [makeKeyPair(prng.bytes), makeKeyPair(prng.bytes)];
  const cookies = new Cookies(0, own.publicKey, prng.bytes);
  const [one, two] = [1, 2].map(() => new FakeRequest(prng.bytes, own.publicKey).bytes);
  const reply = cookies.reply(0, one!, 4711, HERE);
  assert(cookieIn(reply, own.publicKey, one!) !== undefined);
  assertEquals(cookieIn(reply, own.publicKey, two!), undefined);
  assertEquals(cookieIn(reply, other.publicKey, one!), undefined);
  for (let at = reply.length - 40; at < reply.length; at++) {
    const changed = reply.slice();
    changed[at]! ^= 1;
    assertEquals(cookieIn(changed, own.publicKey, one!), undefined);
  }
});

Deno.test("a request without a good first code costs no curve operation, and gets no answer", () => {
  const lone = registered();
  const good = lone.request(2, 22).bytes;
  const bad: Uint8Array[] = [mac1Of(good).byteOffset, 20, 60].map((at) => {
    const bytes = good.slice();
    bytes[at]! ^= 1;
    return bytes;
  });
  bad.push(new FakeRequest(prng.bytes, makeKeyPair(prng.bytes).publicKey).bytes);
  const cost = agreements(() => {
    for (const bytes of bad) assertEquals(lone.receive(bytes), []);
  });
  assertEquals(cost, 0);
  assertEquals(lone.events(), []);
  assert(agreements(() => void lone.receive(good)) > 0);
});

Deno.test("a repeated request costs no curve operation", () => {
  const lone = registered();
  const { bytes } = lone.request(2, 22);
  assertEquals(framesOf(lone.receive(bytes))[0]?.kind, "ringing");
  const cost = agreements(() => {
    for (let left = 100; left > 0; left--) {
      assertEquals(framesOf(lone.receive(bytes))[0]?.kind, "ringing");
    }
  });
  assertEquals(cost, 0);
});

Deno.test("under load strangers get cookies: 20 handshakes a second, and a few for each with one", () => {
  const lone = registered();
  const { publicKey } = lone.identity;
  const PER_HANDSHAKE = 2;
  const flood = Array.from({ length: 400 }, () => freshRequest(lone));
  const cost = agreements(() => flood.forEach((bytes) => void lone.receive(bytes)));
  assertEquals(cost, PER_HANDSHAKE * HANDSHAKES_AT_ONCE);
  lone.now += 1000;
  const later = agreements(() => flood.forEach((bytes) => void lone.receive(bytes)));
  assertEquals(later, PER_HANDSHAKE * HANDSHAKES_PER_SECOND);
  // Each one that is new gets one Cookie Reply, shorter than itself.
  const request = freshRequest(lone);
  const [reply, ...more] = lone.receive(request);
  assert(reply !== undefined && more.length === 0);
  assertLess(reply.bytes.length, request.length);
  assertEquals(reply.to, STRANGER);
  const cookie = cookieIn(reply.bytes, publicKey, request);
  assert(cookie !== undefined);
  assertEquals(
    framesOf(lone.receive(withCookie(request, publicKey, cookie)))[0]?.kind,
    "connectionReject",
  );
  // From another address the cookie is worth nothing.
  const stolen = withCookie(freshRequest(lone), publicKey, cookie);
  const [answer] = lone.receive(stolen, OTHERS[0]);
  assertEquals(answer?.frames[0]?.kind, "cookieReply");
  const proven = Array.from(
    { length: 400 },
    () => withCookie(freshRequest(lone), publicKey, cookie),
  );
  const total = agreements(() => proven.forEach((bytes) => void lone.receive(bytes)));
  assert(total <= PER_HANDSHAKE * PROVEN_HANDSHAKES_PER_SOURCE, `${total}`);
});

Deno.test("one address with a cookie cannot use up the handshakes of other addresses", () => {
  const lone = registered();
  const { publicKey } = lone.identity;
  for (let left = HANDSHAKES_AT_ONCE; left > 0; left--) lone.receive(freshRequest(lone));
  const cookieFor = (from: Address): Uint8Array => {
    const request = freshRequest(lone);
    const [reply] = lone.receive(request, from);
    const cookie = reply && cookieIn(reply.bytes, publicKey, request);
    assert(cookie !== undefined);
    return cookie;
  };
  const flood = (from: Address): void => {
    const cookie = cookieFor(from);
    for (let left = 40; left > 0; left--) {
      lone.receive(withCookie(freshRequest(lone), publicKey, cookie), from);
    }
  };
  flood(STRANGER);
  flood({ ...STRANGER, port: 1 + STRANGER.port });
  for (let host = 0; host < 8; host++) flood({ hostname: `2001:db8::${host}`, port: 1 });
  const cookie = cookieFor(HERE);
  const [answer] = lone.receive(withCookie(freshRequest(lone), publicKey, cookie), HERE);
  assertEquals(answer?.frames[0]?.kind, "connectionReject");
  // Many addresses together have a limit, too: 21 handshakes were computed so far.
  const cost = agreements(() => {
    for (let host = 1; host <= 20; host++) flood({ hostname: `198.51.100.${host}`, port: 1 });
  });
  const own = 2 * 40 * 20 + 2 * 20;
  assertEquals(cost - own, 2 * (PROVEN_HANDSHAKES_PER_SECOND - 21));
});

Deno.test("no answer to a request or to a cancellation is larger than it, nor is there a second one", () => {
  const seen = new Set<string>();
  const hear = (lone: ClientHarness, bytes: Uint8Array): void => {
    const answers = lone.receive(bytes);
    assert(answers.length <= 1, `${answers.length} answers`);
    for (const { bytes: answer, frames } of answers) {
      assertLess(answer.length, bytes.length);
      for (const { kind } of frames) seen.add(kind);
    }
  };
  const lone = registered();
  const ringing = lone.request(2, 22);
  hear(lone, ringing.bytes);
  hear(lone, lone.request(3, 33, 9).bytes);
  lone.client.accept(lone.now);
  lone.sent();
  for (let left = 20; left > 0; left--) hear(lone, ringing.bytes);
  const cancel: Frame = { kind: "connectionTermination", sender: 2, connection: 22, finalSeq: 0 };
  for (let left = 2; left > 0; left--) hear(lone, ringing.seal(cancel));
  hear(lone, ringing.bytes);
  for (let left = HANDSHAKES_AT_ONCE; left > 0; left--) hear(lone, freshRequest(lone));
  hear(lone, freshRequest(lone));
  const kinds = ["ringing", "connectionAccept", "connectionReject", "connectionTerminationAck"];
  assertEquals([...seen].toSorted(), [...kinds, "cookieReply"].toSorted());
});

Deno.test("a recorded request does not ring again, at once or when it is forgotten", () => {
  const lone = registered();
  const { bytes } = lone.request(2, 22);
  lone.receive(bytes);
  lone.client.reject(lone.now, 2);
  lone.sent();
  lone.events();
  // While it is remembered its answer is, too.
  assertEquals(framesOf(lone.receive(bytes))[0]?.kind, "connectionReject");
  lone.now += REQUEST_MEMORY + PENDING_EXPIRY;
  lone.client.handleTimeout(lone.now);
  lone.sent();
  assertEquals(lone.receive(bytes), []);
  assertEquals(lone.events(), []);
  // A newer one of the same key rings; then an older one under another connection id does not.
  const newer = { requester: 2, identity: lone.identityOf(2), timestamp: BigInt(lone.now) };
  const make = (words: object) => new FakeRequest(lone.random, lone.identity.publicKey, words);
  assertEquals(
    framesOf(lone.receive(make({ ...newer, connection: 23 }).bytes))[0]?.kind,
    "ringing",
  );
  const older = { ...newer, timestamp: newer.timestamp - 1n, connection: 24 };
  assertEquals(lone.receive(make(older).bytes), []);
  assertEquals(lone.receive(make({ ...newer, connection: 25 }).bytes), [], "the same timestamp");
});

Deno.test("a responder that forgot a request seals nothing under a nonce that it used before", () => {
  const keys = { forward: prng.bytes(32), backward: prng.bytes(32) };
  const [now, end] = [1.8e12, 8e12];
  const starts = Array.from({ length: 1000 }, (_, index) => {
    const wallClock = index === 999 ? end : now + index + 0.5;
    const { sealer, opener } = responderEarlySeals(keys, wallClock, prng.bytes);
    assert(Number.isSafeInteger(sealer.packet + 1024));
    const { packet } = sealer;
    const text = prng.bytes(20);
    const header = prng.bytes(16);
    const requester = requesterEarlySeals(keys);
    assertEquals(requester.opener.open(packet, header, sealer.seal(header, text)), text);
    const back = requester.sealer.seal(header, text);
    assertEquals(opener.open(0, header, back), text);
    return packet;
  });
  // Later ones are higher, so that they are new to a requester that received earlier ones.
  assertEquals(starts, [...new Set(starts)].sort((a, b) => a - b));
});
