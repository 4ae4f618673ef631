/**
 * A second handshake and second Packets, written from `protocol/README.md` and the Noise
 * specification (revision 34) alone: slow and simple.
 *
 * @module
 */
import {
  ascii,
  chachaOpen,
  chachaSeal,
  hmac,
  join,
  nonceOf,
  number,
  publicKeyOf,
  sha256,
  x25519,
  xchachaOpen,
  xchachaSeal,
} from "./naive_crypto.ts";

/** HKDF with two outputs (Noise, section 4.3). */
function hkdf(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const secret = hmac(chainingKey, input);
  const first = hmac(secret, [1]);
  return [first, hmac(secret, first, [2])];
}

/** A handshake after message one. */
export interface NaiveHandshake {
  ck: Uint8Array;
  h: Uint8Array;
  /** What message two needs, as far as this side has it. */
  initiatorStatic: Uint8Array;
  initiatorEphemeral: Uint8Array;
}

/** The end of a handshake. */
export interface NaiveSession {
  /** What the initiator seals is under the first key. */
  forward: Uint8Array;
  backward: Uint8Array;
  /** The handshake hash. */
  hash: Uint8Array;
}

function begin(responderStatic: Uint8Array): { ck: Uint8Array; h: Uint8Array } {
  // The name has just the 32 bytes of a hash.
  const ck = ascii("Noise_IK_25519_ChaChaPoly_SHA256");
  const h = sha256(ck, ascii("udp-chat "), [1]);
  return { ck, h: sha256(h, responderStatic) };
}

/** The initiator's message one: `e, es, s, ss`. `s` and `e` are its private keys. */
export function writeOne(
  s: Uint8Array,
  e: Uint8Array,
  responderStatic: Uint8Array,
  payload: Uint8Array,
): NaiveHandshake & { message: Uint8Array } {
  let { ck, h } = begin(responderStatic);
  let k: Uint8Array;
  const [initiatorStatic, initiatorEphemeral] = [publicKeyOf(s), publicKeyOf(e)];
  h = sha256(h, initiatorEphemeral);
  [ck, k] = hkdf(ck, x25519(e, responderStatic));
  const sealedStatic = chachaSeal(k, nonceOf(0), h, initiatorStatic);
  h = sha256(h, sealedStatic);
  [ck, k] = hkdf(ck, x25519(s, responderStatic));
  const sealedPayload = chachaSeal(k, nonceOf(0), h, payload);
  h = sha256(h, sealedPayload);
  const message = join(initiatorEphemeral, sealedStatic, sealedPayload);
  return { ck, h, initiatorStatic, initiatorEphemeral, message };
}

/** What the responder, whose private key is `s`, reads in message one; throws where it is none. */
export function readOne(
  s: Uint8Array,
  message: Uint8Array,
): NaiveHandshake & { payload: Uint8Array } {
  let { ck, h } = begin(publicKeyOf(s));
  let k: Uint8Array;
  const initiatorEphemeral = message.slice(0, 32);
  const [sealedStatic, sealedPayload] = [message.slice(32, 80), message.slice(80)];
  h = sha256(h, initiatorEphemeral);
  [ck, k] = hkdf(ck, x25519(s, initiatorEphemeral));
  const initiatorStatic = chachaOpen(k, nonceOf(0), h, sealedStatic);
  h = sha256(h, sealedStatic);
  [ck, k] = hkdf(ck, x25519(s, initiatorStatic));
  const payload = chachaOpen(k, nonceOf(0), h, sealedPayload);
  h = sha256(h, sealedPayload);
  return { ck, h, initiatorStatic, initiatorEphemeral, payload };
}

/** The responder's message two: `e, ee, se`. `e` is its private key. */
export function writeTwo(
  handshake: NaiveHandshake,
  e: Uint8Array,
  payload: Uint8Array,
): NaiveSession & { message: Uint8Array } {
  let { ck } = handshake;
  let k: Uint8Array;
  let h = sha256(handshake.h, publicKeyOf(e));
  [ck] = hkdf(ck, x25519(e, handshake.initiatorEphemeral));
  [ck, k] = hkdf(ck, x25519(e, handshake.initiatorStatic));
  const sealed = chachaSeal(k, nonceOf(0), h, payload);
  h = sha256(h, sealed);
  const [forward, backward] = hkdf(ck, new Uint8Array());
  return { forward, backward, hash: h, message: join(publicKeyOf(e), sealed) };
}

/** What the initiator reads in message two; throws where it is none. */
export function readTwo(
  handshake: NaiveHandshake,
  s: Uint8Array,
  e: Uint8Array,
  message: Uint8Array,
): NaiveSession & { payload: Uint8Array } {
  let { ck } = handshake;
  let k: Uint8Array;
  const [responderEphemeral, sealed] = [message.slice(0, 32), message.slice(32)];
  let h = sha256(handshake.h, responderEphemeral);
  [ck] = hkdf(ck, x25519(e, responderEphemeral));
  [ck, k] = hkdf(ck, x25519(s, responderEphemeral));
  const payload = chachaOpen(k, nonceOf(0), h, sealed);
  h = sha256(h, sealed);
  const [forward, backward] = hkdf(ck, new Uint8Array());
  return { forward, backward, hash: h, payload };
}

/** A header: the magic, version 1, the type, the session id, the packet counter. */
export function header(type: number, session: number, packet: number | bigint): Uint8Array {
  return join([0x75, 0x63, 1, type], number(session, 4), number(packet, 8));
}

/** An Initiation of 154 bytes, with a cookie or without. */
export function initiationDatagram(
  messageOne: Uint8Array,
  responderStatic: Uint8Array,
  cookie?: Uint8Array,
): Uint8Array {
  const before = join(header(5, 0, 0), [0x20, 0, 100], messageOne, [0x21, 0, 32]);
  const key = sha256(ascii("mac1"), responderStatic);
  const withOne = join(before, hmac(key, before).slice(0, 16));
  const mac2 = cookie === undefined ? new Uint8Array(16) : hmac(cookie, withOne).slice(0, 16);
  return join(withOne, mac2);
}

/** The parts of an Initiation, and whether its macs are good; mac2 only where a cookie is given. */
export function readInitiation(
  datagram: Uint8Array,
  responderStatic: Uint8Array,
  cookie?: Uint8Array,
): { messageOne: Uint8Array; mac1: Uint8Array; isMac1Good: boolean; isMac2Good: boolean } {
  const messageOne = datagram.slice(19, 119);
  const expected = initiationDatagram(messageOne, responderStatic, cookie);
  const isSame = (from: number, to: number): boolean =>
    datagram.length === 154 &&
    datagram.slice(from, to).every((byte, i) => byte === expected[from + i]);
  const mac1 = datagram.slice(122, 138);
  const isMac1Good = isSame(0, 138);
  return { messageOne, mac1, isMac1Good, isMac2Good: cookie !== undefined && isSame(0, 154) };
}

/** A Response of 71 bytes. */
export function responseDatagram(session: number, messageTwo: Uint8Array): Uint8Array {
  return join(header(6, session, 0), [0x22, 0, 52], messageTwo);
}

/** The cookie of an address, as `udp-chat` makes it. */
export function cookieOf(secret: Uint8Array, host: string, port: number): Uint8Array {
  return hmac(secret, ascii(`${host} ${port}`)).slice(0, 16);
}

/** A Cookie Reply of 75 bytes, to an Initiation with this mac1. */
export function cookieDatagram(
  mac1: Uint8Array,
  responderStatic: Uint8Array,
  nonce: Uint8Array,
  cookie: Uint8Array,
): Uint8Array {
  const key = sha256(ascii("cookie"), responderStatic);
  return join(header(7, 0, 0), [0x23, 0, 56], nonce, xchachaSeal(key, nonce, mac1, cookie));
}

/** The cookie in a Cookie Reply; throws where it does not belong to the Initiation with this mac1. */
export function cookieIn(
  reply: Uint8Array,
  mac1: Uint8Array,
  responderStatic: Uint8Array,
): Uint8Array {
  const key = sha256(ascii("cookie"), responderStatic);
  return xchachaOpen(key, reply.slice(19, 43), mac1, reply.slice(43));
}

/** The key of a packet: REKEY() of Noise (sections 4.2 and 11.3) after each 2^20. */
export function keyOfPacket(key: Uint8Array, packet: number): Uint8Array {
  let current = key;
  for (let left = Math.floor(packet / 2 ** 20); left > 0; left--) {
    const nonce = nonceOf(2n ** 64n - 1n);
    current = chachaSeal(current, nonce, new Uint8Array(), new Uint8Array(32)).slice(0, 32);
  }
  return current;
}

/** A Packet, the first key of its direction given. */
export function packetDatagram(
  key: Uint8Array,
  session: number,
  packet: number,
  frames: Uint8Array,
): Uint8Array {
  const head = header(8, session, packet);
  return join(head, chachaSeal(keyOfPacket(key, packet), nonceOf(packet), head, frames));
}

/** The frames of a Packet, the first key of its direction given; throws where it does not open. */
export function framesIn(key: Uint8Array, datagram: Uint8Array): Uint8Array {
  const packet = Number(new DataView(datagram.slice().buffer).getBigUint64(8));
  const current = keyOfPacket(key, packet);
  return chachaOpen(current, nonceOf(packet), datagram.slice(0, 16), datagram.slice(16));
}
