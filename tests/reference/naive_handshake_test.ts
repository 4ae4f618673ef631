// The real handshake and seal agree with naive ones.
import { assert, assertEquals } from "@std/assert";
import { decodeDatagram, decodeFrames } from "../../protocol/wire/datagram.ts";
import type { Random } from "../../protocol/machine.ts";
import { fingerprint, shortAuthenticationString } from "../../protocol/crypto/fingerprint.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import {
  Cookies,
  decodeAcceptContent,
  decodeRequestContent,
  encodeAcceptContent,
  encodeRequest,
  encodeRequestContent,
  encodeSealed,
  hasMac1,
  mac1Of,
  openCookie,
  PROLOGUE,
} from "../../protocol/session/handshake.ts";
import { type DirectionKeys, Initiator, readMessageOne } from "../../protocol/crypto/noise.ts";
import { Prover } from "../../protocol/crypto/proof.ts";
import { Opener, REKEY_INTERVAL, Sealer } from "../../protocol/crypto/seal.ts";
import { KeyPair } from "../../protocol/crypto/x25519.ts";
import * as naive from "./naive_handshake.ts";
import { type Prng, withSeed } from "../support/random.ts";
import { fromHex, toHex } from "../support/hex.ts";
import {
  CONTENT,
  DERIVED,
  HUMAN_READABLE,
  INPUTS,
  MESSAGES,
  PUBLIC_KEYS,
  SEALED,
  vectorBytes,
} from "../support/vectors.ts";

const RESPONDER = PUBLIC_KEYS.responderStatic;
const { requester, responder, timestamp, acceptTimestamp, address } = CONTENT;

function assertSame(actual: Uint8Array, expected: Uint8Array, name?: string): void {
  assertEquals(toHex(actual), toHex(expected), name);
}

Deno.test("the naive x25519() agrees with RFC 7748, sections 5.2 and 6.1", () => {
  const scalar = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4";
  const point = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c";
  assertEquals(
    toHex(naive.x25519(fromHex(scalar), fromHex(point))),
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  );
  const alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  assertEquals(
    toHex(naive.publicKeyOf(fromHex(alice))),
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  );
});

Deno.test("the naive handshake derives the vectors from their inputs", async () => {
  const { requesterStatic: s1, requesterEphemeral: e1, responderEphemeral: e2 } = INPUTS;
  for (const [name, key] of Object.entries(PUBLIC_KEYS)) {
    assertSame(naive.publicKeyOf(INPUTS[name as keyof typeof PUBLIC_KEYS]), key);
  }
  const request = naive.requestPayload(requester.id, responder.id, timestamp, requester.name);
  const one = await naive.writeOne(s1, e1, RESPONDER, request);
  assertSame(one.message, MESSAGES.one);
  const read = await naive.readOne(INPUTS.responderStatic, one.message);
  assertSame(read.payload, request);
  assertSame(read.early.forward, DERIVED.earlyForward);
  assertSame(read.early.backward, DERIVED.earlyBackward);
  const accept = naive.acceptPayload(
    responder.id,
    responder.connection,
    acceptTimestamp,
    responder.name,
  );
  const two = await naive.writeTwo(read, e2, accept);
  assertSame(two.message, MESSAGES.two);
  const end = await naive.readTwo(one, s1, e1, two.message);
  assertSame(end.payload, accept);
  for (const { keys, hash } of [two, end]) {
    assertSameKeys(keys, DERIVED);
    assertSame(hash, DERIVED.hash);
  }
  const second = await naive.keyOfPacket(end.keys.forward, 5, 2 ** 20);
  assertSame(second, DERIVED.secondForward);
});

Deno.test("the real handshake derives the vectors from their inputs", () => {
  const initiator = new Initiator(
    new KeyPair(INPUTS.requesterStatic),
    new KeyPair(INPUTS.requesterEphemeral),
    RESPONDER,
    PROLOGUE,
  );
  const ids = { requester: requester.id, responder: responder.id };
  const request = { ...ids, timestamp, name: requester.name };
  const one = initiator.writeMessageOne(encodeRequestContent(request));
  assertSame(one!, MESSAGES.one);
  const read = readMessageOne(new KeyPair(INPUTS.responderStatic), one!, PROLOGUE);
  assertEquals(decodeRequestContent(read!.payload), request);
  assertSame(read!.remoteStatic, PUBLIC_KEYS.requesterStatic);
  for (const { forward, backward } of [initiator.earlyKeys(), read!.earlyKeys()]) {
    assertSame(forward, DERIVED.earlyForward);
    assertSame(backward, DERIVED.earlyBackward);
  }
  const { id, connection, name } = responder;
  const accept = { responder: id, connection, timestamp: acceptTimestamp, name };
  const ephemeral = new KeyPair(INPUTS.responderEphemeral);
  const two = read!.writeMessageTwo(ephemeral, encodeAcceptContent(accept));
  assertSame(two!.message, MESSAGES.two);
  const end = initiator.readMessageTwo(two!.message);
  assertEquals(decodeAcceptContent(end!.payload), accept);
  for (const { keys, hash } of [two!, end!]) {
    assertSameKeys(keys, DERIVED);
    assertSame(hash, DERIVED.hash);
  }
});

Deno.test("the Connection Requests and the Cookie Reply are the same from both", async () => {
  const { connection } = requester;
  const one = MESSAGES.one;
  const first = vectorBytes("Connection Request");
  assertSame(encodeRequest(connection, 0, one, RESPONDER, undefined), first);
  assertSame(await naive.requestDatagram(connection, 0, one, RESPONDER), first);
  assert(hasMac1(first, RESPONDER));
  const { hostname, port } = address;
  const secret = INPUTS.cookieSecret;
  const cookie = await naive.cookieOf(secret, hostname, port);
  assertSame(cookie, DERIVED.cookie);
  const reply = vectorBytes("Cookie Reply");
  const random: Random = (size) => size === 32 ? secret : naive.number(CONTENT.cookieNonce, size);
  const cookies = new Cookies(0, RESPONDER, random);
  assertSame(cookies.reply(0, first, connection, address), reply);
  const naiveReply = await naive.cookieDatagram(
    first,
    RESPONDER,
    CONTENT.cookieNonce,
    cookie,
  );
  assertSame(naiveReply, reply);
  const read = await naive.cookieIn(reply, first, RESPONDER);
  assertSame(read, DERIVED.cookie);
  const [frame] = framesOf(reply);
  assert(frame?.kind === "cookieReply");
  const opened = openCookie(frame, RESPONDER, mac1Of(first));
  assertSame(opened!, DERIVED.cookie);
  const second = vectorBytes("Connection Request, with the cookie");
  assertSame(encodeRequest(connection, 1, one, RESPONDER, cookie), second);
  assertSame(await naive.requestDatagram(connection, 1, one, RESPONDER, cookie), second);
  assert(cookies.isGood(0, second, address));
  assert(!cookies.isGood(0, first, address));
});

function framesOf(datagram: Uint8Array): readonly Frame[] {
  const decoded = decodeDatagram(datagram);
  assert(decoded.ok && decoded.value.sealed === undefined);
  return decoded.value.frames;
}

Deno.test("the sealed vectors are the same from both, and open with both", async () => {
  for (const { name, bytes, header: { type, connection, packet }, key, plain } of SEALED) {
    const interval = type === DatagramType.Handshake ? Infinity : REKEY_INTERVAL;
    const decoded = decodeFrames(plain);
    assert(decoded !== undefined);
    const sealer = new Sealer(key, packet, interval);
    assertSame(encodeSealed(type, connection, sealer, decoded.frames), bytes, name);
    const header = [type, connection, packet] as const;
    assertSame(await naive.sealedDatagram(key, header, plain), bytes, name);
    assertSame(await naive.framesIn(key, bytes), plain, name);
    const opener = new Opener(key, interval);
    const opened = opener.open(packet, bytes.subarray(0, 16), bytes.slice(16));
    assertSame(opened!, plain, name);
  }
});

Deno.test("the proof for a private directory is the same from both", async () => {
  const secret = INPUTS.directorySecret;
  const proven = vectorBytes("Lease Keepalive, to a private directory");
  const prover = new Prover(secret);
  assert(prover.isProven(proven));
  assertSame(prover.prove(proven.subarray(0, -19)), proven);
  const key = await naive.hmac(new TextEncoder().encode("udp-chat directory proof"), secret);
  const code = (await naive.hmac(key, proven.subarray(0, -16))).subarray(0, 16);
  assertSame(code, proven.subarray(-16));
});

/** Five digits from each five bytes of a hash. */
async function digits(label: string, bytes: Uint8Array): Promise<string> {
  const hash = toHex(await naive.sha256(new TextEncoder().encode(label), bytes));
  const groups = hash.slice(0, 60).match(/.{10}/g) ?? [];
  return groups.map((group) => `${BigInt(`0x${group}`) % 100_000n}`.padStart(5, "0")).join(" ");
}

Deno.test("the digits that users compare are the same from both", async () => {
  const [ana, ben] = [PUBLIC_KEYS.requesterStatic, RESPONDER];
  assertEquals(fingerprint(ana), HUMAN_READABLE.requesterFingerprint);
  assertEquals(fingerprint(ben), HUMAN_READABLE.responderFingerprint);
  assertEquals(await digits("udp-chat fingerprint 1", ana), HUMAN_READABLE.requesterFingerprint);
  assertEquals(await digits("udp-chat fingerprint 1", ben), HUMAN_READABLE.responderFingerprint);
  const hash = DERIVED.hash;
  assertEquals(shortAuthenticationString(hash), HUMAN_READABLE.shortAuthenticationString);
  assertEquals(await digits("udp-chat verify 1", hash), HUMAN_READABLE.shortAuthenticationString);
});

/** Random keys and payloads. */
function randomHandshake(prng: Prng) {
  const [s1, e1, s2, e2] = [
    prng.bytes(32),
    prng.bytes(32),
    prng.bytes(32),
    prng.bytes(32),
  ] as const;
  return { s1, e1, s2, e2, request: prng.bytes(145), accept: prng.bytes(145) };
}

function assertSameKeys(a: DirectionKeys, b: DirectionKeys): void {
  assertSame(a.forward, b.forward);
  assertSame(a.backward, b.backward);
}

const HANDSHAKES = (() => {
  const handshakes: ReturnType<typeof randomHandshake>[] = [];
  withSeed(1, (prng) => {
    for (let left = 20; left > 0; left--) handshakes.push(randomHandshake(prng));
  });
  return handshakes;
})();

Deno.test("a naive requester works with a real responder", async () => {
  for (const { s1, e1, s2, e2, request, accept } of HANDSHAKES) {
    const one = await naive.writeOne(s1, e1, naive.publicKeyOf(s2), request);
    const read = readMessageOne(new KeyPair(s2), one.message, PROLOGUE);
    assertSame(read!.payload, request);
    assertSame(read!.remoteStatic, naive.publicKeyOf(s1));
    assertSameKeys(read!.earlyKeys(), one.early);
    const two = read!.writeMessageTwo(new KeyPair(e2), accept);
    const end = await naive.readTwo(one, s1, e1, two!.message);
    assertSame(end.payload, accept);
    assertSameKeys(two!.keys, end.keys);
    assertSame(two!.hash, end.hash);
  }
});

Deno.test("a real requester works with a naive responder", async () => {
  for (const { s1, e1, s2, e2, request, accept } of HANDSHAKES) {
    const remote = naive.publicKeyOf(s2);
    const initiator = new Initiator(new KeyPair(s1), new KeyPair(e1), remote, PROLOGUE);
    const read = await naive.readOne(s2, initiator.writeMessageOne(request)!);
    assertSame(read.payload, request);
    assertSameKeys(initiator.earlyKeys(), read.early);
    const two = await naive.writeTwo(read, e2, accept);
    const end = initiator.readMessageTwo(two.message);
    assertSame(end!.payload, accept);
    assertSameKeys(two.keys, end!.keys);
    assertSame(two.hash, end!.hash);
  }
});

async function opens(privateKey: Uint8Array, message: Uint8Array): Promise<boolean> {
  return await naive.readOne(privateKey, message).then(() => true, () => false);
}

Deno.test("a naive responder rejects a handshake for another responder", async () => {
  const [{ s1, e1, s2, request }, { s2: other }] = HANDSHAKES as [
    typeof HANDSHAKES[0],
    typeof HANDSHAKES[0],
  ];
  const remote = naive.publicKeyOf(s2);
  const real = new Initiator(new KeyPair(s1), new KeyPair(e1), remote, PROLOGUE);
  const message = real.writeMessageOne(request)!;
  assertEquals(await opens(s2, message), true);
  assertEquals(await opens(other, message), false);
  const version2 = PROLOGUE.with(PROLOGUE.length - 1, 2);
  const later = new Initiator(new KeyPair(s1), new KeyPair(e1), remote, version2);
  const otherVersion = later.writeMessageOne(request)!;
  assertEquals(await opens(s2, otherVersion), false);
});
