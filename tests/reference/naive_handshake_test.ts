// Two handshakes and two seals, the real ones and naive ones, make the same of the same.
import { assert, assertEquals } from "@std/assert";
import { decodeDatagram, decodeFrames } from "../../protocol/wire/datagram.ts";
import type { Random } from "../../protocol/machine.ts";
import { fingerprint, shortAuthenticationString } from "../../protocol/crypto/fingerprint.ts";
import type { Frame } from "../../protocol/wire/frame.ts";
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
import {
  AGREED,
  GIVEN,
  MESSAGE_ONE,
  MESSAGE_TWO,
  PUBLIC,
  READ_ALOUD,
  SEALED,
  TOLD,
} from "../vectors/handshake.ts";
import * as naive from "./naive_handshake.ts";
import { type Prng, withSeed } from "../support/random.ts";
import { hexToBytes, VECTORS } from "../vectors/wire.ts";

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function vector(name: string): string {
  return hex(hexToBytes(VECTORS.find((each) => each.name === name)!.hex));
}

/** The private keys, as bytes. */
const KEYS = {
  requesterStatic: hexToBytes(GIVEN.requesterStatic),
  requesterEphemeral: hexToBytes(GIVEN.requesterEphemeral),
  responderStatic: hexToBytes(GIVEN.responderStatic),
  responderEphemeral: hexToBytes(GIVEN.responderEphemeral),
};
const RESPONDER = hexToBytes(PUBLIC.responderStatic);
const { requester, responder, timestamp, acceptTimestamp, address } = TOLD;

Deno.test("the naive x25519() does as RFC 7748, sections 5.2 and 6.1, says", () => {
  const scalar = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4";
  const point = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c";
  assertEquals(
    hex(naive.x25519(hexToBytes(scalar), hexToBytes(point))),
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  );
  const alice = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";
  assertEquals(
    hex(naive.publicKeyOf(hexToBytes(alice))),
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  );
});

Deno.test("the vectors of the handshake follow from what is given, by the naive one", async () => {
  const { requesterStatic: s1, requesterEphemeral: e1, responderEphemeral: e2 } = KEYS;
  for (const [name, key] of Object.entries(KEYS)) {
    assertEquals(hex(naive.publicKeyOf(key)), PUBLIC[name as keyof typeof PUBLIC]);
  }
  const request = naive.requestPayload(requester.id, responder.id, timestamp, requester.name);
  const one = await naive.writeOne(s1, e1, RESPONDER, request);
  assertEquals(hex(one.message), MESSAGE_ONE);
  const read = await naive.readOne(KEYS.responderStatic, one.message);
  assertEquals(hex(read.payload), hex(request));
  assertEquals(hex(read.early.forward), AGREED.earlyForward);
  assertEquals(hex(read.early.backward), AGREED.earlyBackward);
  const accept = naive.acceptPayload(
    responder.id,
    responder.connection,
    acceptTimestamp,
    responder.name,
  );
  const two = await naive.writeTwo(read, e2, accept);
  assertEquals(hex(two.message), MESSAGE_TWO);
  const end = await naive.readTwo(one, s1, e1, two.message);
  assertEquals(hex(end.payload), hex(accept));
  for (const { keys, hash } of [two, end]) {
    assertEquals(hex(keys.forward), AGREED.forward);
    assertEquals(hex(keys.backward), AGREED.backward);
    assertEquals(hex(hash), AGREED.hash);
  }
  const second = await naive.keyOfPacket(end.keys.forward, 5, 2 ** 20);
  assertEquals(hex(second), AGREED.secondForward);
});

Deno.test("the vectors of the handshake follow from what is given, by the real one", () => {
  const initiator = new Initiator(
    new KeyPair(KEYS.requesterStatic),
    new KeyPair(KEYS.requesterEphemeral),
    RESPONDER,
    PROLOGUE,
  );
  const ids = { requester: requester.id, responder: responder.id };
  const request = { ...ids, timestamp, name: requester.name };
  const one = initiator.writeMessageOne(encodeRequestContent(request));
  assertEquals(hex(one!), MESSAGE_ONE);
  const read = readMessageOne(new KeyPair(KEYS.responderStatic), one!, PROLOGUE);
  assertEquals(decodeRequestContent(read!.payload), request);
  assertEquals(hex(read!.remoteStatic), PUBLIC.requesterStatic);
  for (const { forward, backward } of [initiator.earlyKeys(), read!.earlyKeys()]) {
    assertEquals([hex(forward), hex(backward)], [AGREED.earlyForward, AGREED.earlyBackward]);
  }
  const { id, connection, name } = responder;
  const accept = { responder: id, connection, timestamp: acceptTimestamp, name };
  const ephemeral = new KeyPair(KEYS.responderEphemeral);
  const two = read!.writeMessageTwo(ephemeral, encodeAcceptContent(accept));
  assertEquals(hex(two!.message), MESSAGE_TWO);
  const end = initiator.readMessageTwo(two!.message);
  assertEquals(decodeAcceptContent(end!.payload), accept);
  for (const { keys, hash } of [two!, end!]) {
    assertEquals([hex(keys.forward), hex(keys.backward)], [AGREED.forward, AGREED.backward]);
    assertEquals(hex(hash), AGREED.hash);
  }
});

Deno.test("the Connection Requests and the Cookie Reply are the same from both", async () => {
  const { connection } = requester;
  const one = hexToBytes(MESSAGE_ONE);
  const first = vector("Connection Request");
  assertEquals(hex(encodeRequest(connection, 0, one, RESPONDER, undefined)), first);
  assertEquals(hex(await naive.requestDatagram(connection, 0, one, RESPONDER)), first);
  assert(hasMac1(hexToBytes(first), RESPONDER));
  const { hostname, port } = address;
  const secret = hexToBytes(GIVEN.cookieSecret);
  const cookie = await naive.cookieOf(secret, hostname, port);
  assertEquals(hex(cookie), AGREED.cookie);
  const reply = vector("Cookie Reply");
  const random: Random = (size) => size === 32 ? secret : naive.number(TOLD.cookieNonce, size);
  const cookies = new Cookies(0, RESPONDER, random);
  assertEquals(hex(cookies.reply(0, hexToBytes(first), connection, address)), reply);
  const naiveReply = await naive.cookieDatagram(
    hexToBytes(first),
    RESPONDER,
    TOLD.cookieNonce,
    cookie,
  );
  assertEquals(hex(naiveReply), reply);
  const read = await naive.cookieIn(hexToBytes(reply), hexToBytes(first), RESPONDER);
  assertEquals(hex(read), AGREED.cookie);
  const [frame] = framesOf(hexToBytes(reply));
  assert(frame?.kind === "cookieReply");
  const opened = openCookie(frame, RESPONDER, mac1Of(hexToBytes(first)));
  assertEquals(hex(opened!), AGREED.cookie);
  const second = vector("Connection Request, with the cookie");
  assertEquals(hex(encodeRequest(connection, 1, one, RESPONDER, cookie)), second);
  assertEquals(hex(await naive.requestDatagram(connection, 1, one, RESPONDER, cookie)), second);
  assert(cookies.isGood(0, hexToBytes(second), address));
  assert(!cookies.isGood(0, hexToBytes(first), address));
});

function framesOf(datagram: Uint8Array): readonly Frame[] {
  const decoded = decodeDatagram(datagram);
  assert(decoded.ok && decoded.value.sealed === undefined);
  return decoded.value.frames;
}

Deno.test("the sealed vectors are the same from both, and open with both", async () => {
  for (const { name, hex: digits, plain, type, connection, packet, key: keyName } of SEALED) {
    const key = hexToBytes(AGREED[keyName]);
    const wanted = hex(hexToBytes(digits));
    const interval = type === 4 ? Infinity : REKEY_INTERVAL;
    const frames = decodeFrames(hexToBytes(plain));
    assert(frames !== undefined);
    const sealer = new Sealer(key, packet, interval);
    assertEquals(hex(encodeSealed(type, connection, sealer, frames.frames)), wanted, name);
    const header = [type, connection, packet] as const;
    assertEquals(hex(await naive.sealedDatagram(key, header, hexToBytes(plain))), wanted, name);
    const datagram = hexToBytes(digits);
    assertEquals(hex(await naive.framesIn(key, datagram)), plain, name);
    const opener = new Opener(key, interval);
    const opened = opener.open(packet, datagram.subarray(0, 16), datagram.subarray(16));
    assertEquals(hex(opened!), plain, name);
  }
});

Deno.test("the proof for a private directory is the same from both", async () => {
  const secret = hexToBytes(GIVEN.directorySecret);
  const proven = hexToBytes(vector("Lease Keepalive, to a private directory"));
  const prover = new Prover(secret);
  assert(prover.isProven(proven));
  assertEquals(hex(prover.prove(proven.subarray(0, -19))), hex(proven));
  const key = await naive.hmac(new TextEncoder().encode("udp-chat directory proof"), secret);
  const code = (await naive.hmac(key, proven.subarray(0, -16))).subarray(0, 16);
  assertEquals(hex(code), hex(proven.subarray(-16)));
});

/** Five digits from each five bytes of a hash. */
async function digits(label: string, bytes: Uint8Array): Promise<string> {
  const hash = hex(await naive.sha256(new TextEncoder().encode(label), bytes));
  const groups = hash.slice(0, 60).match(/.{10}/g) ?? [];
  return groups.map((group) => `${BigInt(`0x${group}`) % 100_000n}`.padStart(5, "0")).join(" ");
}

Deno.test("what people compare is the same from both", async () => {
  const [ana, ben] = [hexToBytes(PUBLIC.requesterStatic), RESPONDER];
  assertEquals(fingerprint(ana), READ_ALOUD.requesterFingerprint);
  assertEquals(fingerprint(ben), READ_ALOUD.responderFingerprint);
  assertEquals(await digits("udp-chat fingerprint 1", ana), READ_ALOUD.requesterFingerprint);
  assertEquals(await digits("udp-chat fingerprint 1", ben), READ_ALOUD.responderFingerprint);
  const hash = hexToBytes(AGREED.hash);
  assertEquals(shortAuthenticationString(hash), READ_ALOUD.shortAuthenticationString);
  assertEquals(await digits("udp-chat verify 1", hash), READ_ALOUD.shortAuthenticationString);
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
  assertEquals([hex(a.forward), hex(a.backward)], [hex(b.forward), hex(b.backward)]);
}

const HANDSHAKES = (() => {
  const handshakes: ReturnType<typeof randomHandshake>[] = [];
  withSeed(1, (prng) => {
    for (let left = 20; left > 0; left--) handshakes.push(randomHandshake(prng));
  });
  return handshakes;
})();

Deno.test("a naive requester and a real responder understand each other", async () => {
  for (const { s1, e1, s2, e2, request, accept } of HANDSHAKES) {
    const one = await naive.writeOne(s1, e1, naive.publicKeyOf(s2), request);
    const read = readMessageOne(new KeyPair(s2), one.message, PROLOGUE);
    assertEquals(hex(read!.payload), hex(request));
    assertEquals(hex(read!.remoteStatic), hex(naive.publicKeyOf(s1)));
    assertSameKeys(read!.earlyKeys(), one.early);
    const two = read!.writeMessageTwo(new KeyPair(e2), accept);
    const end = await naive.readTwo(one, s1, e1, two!.message);
    assertEquals(hex(end.payload), hex(accept));
    assertSameKeys(two!.keys, end.keys);
    assertEquals(hex(two!.hash), hex(end.hash));
  }
});

Deno.test("a real requester and a naive responder understand each other", async () => {
  for (const { s1, e1, s2, e2, request, accept } of HANDSHAKES) {
    const remote = naive.publicKeyOf(s2);
    const initiator = new Initiator(new KeyPair(s1), new KeyPair(e1), remote, PROLOGUE);
    const read = await naive.readOne(s2, initiator.writeMessageOne(request)!);
    assertEquals(hex(read.payload), hex(request));
    assertSameKeys(initiator.earlyKeys(), read.early);
    const two = await naive.writeTwo(read, e2, accept);
    const end = initiator.readMessageTwo(two.message);
    assertEquals(hex(end!.payload), hex(accept));
    assertSameKeys(two.keys, end!.keys);
    assertEquals(hex(two.hash), hex(end!.hash));
  }
});

async function opens(privateKey: Uint8Array, message: Uint8Array): Promise<boolean> {
  return await naive.readOne(privateKey, message).then(() => true, () => false);
}

Deno.test("a naive responder opens no handshake that is for another one", async () => {
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
