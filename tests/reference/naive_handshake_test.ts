// The real handshake, codes, cookies and Packets agree with the naive ones, and with the vectors.
import { assert, assertEquals, assertThrows } from "@std/assert";
import { fingerprint, shortAuthenticationString } from "../../protocol/crypto/fingerprint.ts";
import { Initiator, readMessageOne } from "../../protocol/crypto/noise.ts";
import { Opener, Sealer } from "../../protocol/crypto/seal.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import type { Random } from "../../protocol/machine.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import { IncomingHandshakes } from "../../protocol/session/incoming_handshakes.ts";
import {
  Cookies,
  encodeInitiation,
  hasMac1,
  mac1Key,
  openCookie,
} from "../../protocol/session/macs.ts";
import { OutgoingHandshake, PROLOGUE } from "../../protocol/session/outgoing_handshake.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
import { fromHex, toHex } from "../support/hex.ts";
import { type Prng, seedFromEnv, withSeed } from "../support/random.ts";
import {
  BAD,
  CONTENT,
  COOKIE,
  DERIVED,
  HUMAN_READABLE,
  INPUTS,
  MESSAGES,
  PACKETS,
  PUBLIC_KEYS,
  vectorBytes,
} from "../support/vectors.ts";
import { digits, number, publicKeyOf, x25519 } from "./naive_crypto.ts";
import * as naive from "./naive_handshake.ts";

const RESPONDER = PUBLIC_KEYS.responderStatic;
const INITIATION = vectorBytes("Initiation");
const { sessions, initiatorAddress } = CONTENT;

function assertSame(actual: Uint8Array | undefined, expected: Uint8Array, name?: string): void {
  assertEquals(actual && toHex(actual), toHex(expected), name);
}

/** The first frame of a datagram. */
function frameIn<K extends Frame["kind"]>(bytes: Uint8Array, kind: K): Extract<Frame, { kind: K }> {
  const decoded = decodeDatagram(bytes);
  const [frame] = decoded.ok ? decoded.value.frames : [];
  assert(frame?.kind === kind);
  return frame as Extract<Frame, { kind: K }>;
}

/** A source that gives out these bytes, and nothing else. */
function giving(...bytes: readonly Uint8Array[]): Random {
  const left = [...bytes];
  return (size) => {
    const next = left.shift();
    assertEquals(next?.length, size, "other random bytes are asked for");
    return next!.slice();
  };
}

Deno.test("the naive x25519() agrees with RFC 7748, sections 5.2 and 6.1", () => {
  const scalar = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4";
  const point = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c";
  assertEquals(
    toHex(x25519(fromHex(scalar), fromHex(point))),
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  );
  const alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  assertEquals(
    toHex(publicKeyOf(fromHex(alice))),
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  );
});

/** An Initiation of the real client, with the keys of the vectors. */
function begin(): OutgoingHandshake {
  const begun = OutgoingHandshake.begin({
    identity: new KeyPair(INPUTS.initiatorStatic),
    remoteKey: RESPONDER,
    localId: sessions.initiator,
    rtt: new RttEstimator(TIMER_POLICIES.adaptive),
    random: giving(INPUTS.initiatorEphemeral),
  });
  assert(begun.ok);
  return begun.value;
}

/** What takes it, with the secret for cookies and the ephemeral key of the vectors. */
function responder(ephemeral: Uint8Array = INPUTS.responderEphemeral): IncomingHandshakes {
  return new IncomingHandshakes(0, {
    identity: new KeyPair(INPUTS.responderStatic),
    policy: TIMER_POLICIES.adaptive,
    makeSessionId: () => sessions.responder,
    random: giving(INPUTS.responderCookieSecret, ephemeral),
  });
}

function respond(to: IncomingHandshakes, bytes: Uint8Array): Uint8Array | undefined {
  const frame = frameIn(bytes, "initiation");
  return to.handleInitiation(0, bytes, frame, initiatorAddress)?.bytes;
}

Deno.test("the real client makes the Initiation and the Response of the vectors", () => {
  const handshake = begin();
  assertSame(handshake.encode(0), INITIATION);
  const incoming = responder();
  const response = respond(incoming, INITIATION);
  assertSame(response, vectorBytes("Response"));
  const session = handshake.handleResponse(0, frameIn(response!, "response"), initiatorAddress);
  assertSame(session?.hash, DERIVED.hash);
  assertSame(incoming.find(sessions.responder)?.hash, DERIVED.hash);
  assertSame(incoming.find(sessions.responder)?.remoteKey, PUBLIC_KEYS.initiatorStatic);
});

Deno.test("the real handshake derives the keys of the vectors", () => {
  for (const [name, key] of Object.entries(PUBLIC_KEYS)) {
    assertSame(new KeyPair(INPUTS[name as keyof typeof PUBLIC_KEYS]).publicKey, key, name);
  }
  const read = readMessageOne(new KeyPair(INPUTS.responderStatic), MESSAGES.one, PROLOGUE);
  assertSame(read?.payload, number(sessions.initiator, 4));
  const ephemeral = new KeyPair(INPUTS.responderEphemeral);
  const two = read?.writeMessageTwo(ephemeral, number(sessions.responder, 4));
  assertSame(two?.message, MESSAGES.two);
  assertSame(two?.hash, DERIVED.hash);
  assertSame(two?.keys.forward, DERIVED.forward);
  assertSame(two?.keys.backward, DERIVED.backward);
});

Deno.test("the Initiations and the Cookie Reply are the same from both", () => {
  assert(hasMac1(INITIATION, mac1Key(RESPONDER)));
  assertSame(naive.cookieOf(INPUTS.responderCookieSecret, "192.0.2.7", 40_000), COOKIE.cookie);
  const reply = vectorBytes("Cookie Reply");
  const random = giving(INPUTS.responderCookieSecret, COOKIE.nonce);
  const cookies = new Cookies(0, RESPONDER, random);
  assertSame(cookies.reply(0, INITIATION, initiatorAddress), reply);
  assertSame(openCookie(frameIn(reply, "cookieReply"), RESPONDER, INITIATION), COOKIE.cookie);
  const { mac1 } = naive.readInitiation(INITIATION, RESPONDER);
  assertSame(naive.cookieIn(reply, mac1, RESPONDER), COOKIE.cookie);
  const second = vectorBytes("Initiation, with the cookie");
  assertSame(encodeInitiation(MESSAGES.one, RESPONDER, COOKIE.cookie), second);
  assert(naive.readInitiation(second, RESPONDER, COOKIE.cookie).isMac2Good);
  assert(cookies.isGood(0, second, initiatorAddress));
  assert(!cookies.isGood(0, INITIATION, initiatorAddress));
  const handshake = begin();
  handshake.encode(0);
  assert(handshake.handleCookie(0, frameIn(reply, "cookieReply")));
  assertSame(handshake.encode(0), second);
});

Deno.test("the real client takes nothing of the bad handshakes among the vectors", () => {
  const bad = BAD.filter(({ name }) => /Initiation|Response from|Response that|Cookie/.test(name));
  assertEquals(bad.length, 8);
  for (const { name, bytes } of bad) {
    // Without a second random key: whoever answers asks for one.
    const incoming = responder();
    const handshake = begin();
    handshake.encode(0);
    const type = bytes[3]!;
    if (type === 5) {
      assertEquals(respond(incoming, bytes), undefined, name);
      assertEquals(incoming.find(sessions.responder), undefined, name);
    } else if (type === 6) {
      const { messageTwo } = frameIn(bytes, "response");
      const taken = handshake.handleResponse(0, { kind: "response", messageTwo }, initiatorAddress);
      assertEquals(taken, undefined, name);
    } else assertEquals(handshake.handleCookie(0, frameIn(bytes, "cookieReply")), false, name);
  }
});

Deno.test("Packets are the same from both, and open with both, across changes of the key", () => {
  const openers = new Map([DERIVED.forward, DERIVED.backward].map((key) => {
    return [toHex(key), { opener: new Opener(key), sealer: new Sealer(key) }];
  }));
  for (const { name, bytes, header: { packet }, key, plain } of PACKETS) {
    const { opener, sealer } = openers.get(toHex(key))!;
    assertSame(opener.open(packet, bytes), plain, name);
    assertEquals(opener.open(packet, bytes), undefined, `${name}, again`);
    if (sealer.packet !== packet) continue;
    const datagram = Uint8Array.of(...bytes.slice(0, 16), ...plain, ...new Uint8Array(16));
    sealer.seal(datagram);
    assertSame(datagram, bytes, name);
  }
  assertSame(naive.keyOfPacket(DERIVED.forward, 2 ** 20), DERIVED.secondForward);
  assertSame(naive.keyOfPacket(DERIVED.forward, 2 ** 21), DERIVED.thirdForward);
});

Deno.test("the digits that users compare are the same from both", () => {
  const [ana, ben] = [PUBLIC_KEYS.initiatorStatic, RESPONDER];
  assertEquals(fingerprint(ana), HUMAN_READABLE.initiatorFingerprint);
  assertEquals(fingerprint(ben), HUMAN_READABLE.responderFingerprint);
  assertEquals(fingerprint(PUBLIC_KEYS.directoryStatic), HUMAN_READABLE.directoryFingerprint);
  assertEquals(shortAuthenticationString(DERIVED.hash), HUMAN_READABLE.shortAuthenticationString);
  withSeed(seedFromEnv(), (prng) => {
    for (let run = 0; run < 100; run++) {
      const bytes = prng.bytes(32);
      assertEquals(digits("udp-chat fingerprint 1", bytes), fingerprint(bytes));
      assertEquals(digits("udp-chat verify 1", bytes), shortAuthenticationString(bytes));
    }
  });
});

/** Keys and payloads of random handshakes. */
function* handshakes(prng: Prng, count = 10) {
  for (let left = count; left > 0; left--) {
    const [s1, e1, s2, e2] = [prng.bytes(32), prng.bytes(32), prng.bytes(32), prng.bytes(32)];
    yield { s1, e1, s2, e2, first: prng.bytes(prng.int(20)), second: prng.bytes(prng.int(20)) };
  }
}

function assertSameEnd(
  real: { keys: { forward: Uint8Array; backward: Uint8Array }; hash: Uint8Array } | undefined,
  { forward, backward, hash }: naive.NaiveSession,
): void {
  assertSame(real?.keys.forward, forward);
  assertSame(real?.keys.backward, backward);
  assertSame(real?.hash, hash);
}

Deno.test("a naive initiator works with a real responder, whatever the keys and payloads", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (const { s1, e1, s2, e2, first, second } of handshakes(prng)) {
      const one = naive.writeOne(s1, e1, publicKeyOf(s2), first);
      const read = readMessageOne(new KeyPair(s2), one.message, PROLOGUE);
      assertSame(read?.payload, first);
      assertSame(read?.remoteStatic, publicKeyOf(s1));
      const two = read?.writeMessageTwo(new KeyPair(e2), second);
      const end = naive.readTwo(one, s1, e1, two!.message);
      assertSame(end.payload, second);
      assertSameEnd(two, end);
    }
  });
});

Deno.test("a real initiator works with a naive responder, whatever the keys and payloads", () => {
  withSeed(seedFromEnv(), (prng) => {
    for (const { s1, e1, s2, e2, first, second } of handshakes(prng)) {
      const initiator = new Initiator(new KeyPair(s1), new KeyPair(e1), publicKeyOf(s2), PROLOGUE);
      const read = naive.readOne(s2, initiator.writeMessageOne(first)!);
      assertSame(read.payload, first);
      const two = naive.writeTwo(read, e2, second);
      const end = initiator.readMessageTwo(two.message);
      assertSame(end?.payload, second);
      assertSameEnd(end, two);
    }
  });
});

Deno.test("a naive responder rejects a handshake for another responder, or of another version", () => {
  withSeed(1, (prng) => {
    const [one, two] = [...handshakes(prng, 2)];
    assert(one !== undefined && two !== undefined);
    const { s1, e1, s2, first } = one;
    const remote = publicKeyOf(s2);
    const initiator = (prologue: Uint8Array): Initiator =>
      new Initiator(new KeyPair(s1), new KeyPair(e1), remote, prologue);
    const message = initiator(PROLOGUE).writeMessageOne(first)!;
    assertSame(naive.readOne(s2, message).payload, first);
    assertThrows(() => naive.readOne(two.s2, message), Error, "Another tag");
    const later = initiator(PROLOGUE.with(-1, 2)).writeMessageOne(first)!;
    assertThrows(() => naive.readOne(s2, later), Error, "Another tag");
  });
});
