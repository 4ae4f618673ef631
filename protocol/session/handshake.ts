/**
 * How two clients come to share keys: a Noise handshake whose messages ride in the Connection
 * Request and the Connection Accept, and the codes that keep strangers from making anyone work.
 *
 * The codes and the cookie are those of WireGuard (whitepaper, 5.3 and 5.4).
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Address } from "../wire/address.ts";
import { open, seal, TAG_SIZE } from "../crypto/aead.ts";
import { encodeDatagram } from "../wire/datagram.ts";
import { type Instant, type Random, randomU64 } from "../machine.ts";
import { group, Reader, shortText, u32, u64, Writer } from "../wire/field.ts";
import {
  DatagramType,
  type Frame,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  NAME_SIZE_MAX,
  VERSION,
} from "../wire/frame.ts";
import { hmacSha256 } from "../crypto/hmac.ts";
import { type DirectionKeys, type HandshakeResult, MESSAGE_ONE_OVERHEAD } from "../crypto/noise.ts";
import { Opener, Sealer } from "../crypto/seal.ts";

const CODE_SIZE = 16;
/** Milliseconds for which a cookie is good, and for which the secret behind it is used. */
export const COOKIE_LIFE = 120_000;

const encoder = new TextEncoder();

/** What both sides hash first: a handshake of another program or version fails. */
export const PROLOGUE: Uint8Array = Uint8Array.of(...encoder.encode("udp-chat "), VERSION);

/** What message one carries. */
export interface RequestContent {
  /** The requester's client id. */
  requester: number;
  /** The client id that the requester looked up. */
  responder: number;
  /** Rises with every request that a key makes: milliseconds since 1970, or one more than the last. */
  timestamp: bigint;
  /** The requester's name, empty for none. */
  name: string;
}

/** What message two carries. */
export interface AcceptContent {
  /** The responder's client id. */
  responder: number;
  /** The responder's connection id. */
  connection: number;
  /** Higher than in any request that the responder made before: those are older than this. */
  timestamp: bigint;
  /** The responder's name, empty for none. */
  name: string;
}

const requestContent = group<RequestContent>({
  requester: u32,
  responder: u32,
  timestamp: u64,
  name: shortText,
});
const acceptContent = group<AcceptContent>({
  responder: u32,
  connection: u32,
  timestamp: u64,
  name: shortText,
});
/** Bytes of either content: always as many, so that the name's length does not show. */
const REQUEST_CONTENT_SIZE = 4 + 4 + 8 + 1 + NAME_SIZE_MAX;
const ACCEPT_CONTENT_SIZE = 4 + 4 + 8 + 1 + NAME_SIZE_MAX;

/** Bytes of a Connection Request datagram: always as many, and more than any answer to it. */
export const REQUEST_SIZE: number = HEADER_SIZE + FRAME_HEADER_SIZE + 4 + MESSAGE_ONE_OVERHEAD +
  REQUEST_CONTENT_SIZE + FRAME_HEADER_SIZE + 2 * CODE_SIZE;

/** Writes the payload of message one. */
export function encodeRequestContent(content: RequestContent): Uint8Array {
  const writer = new Writer(REQUEST_CONTENT_SIZE);
  requestContent.write(writer, content);
  return writer.bytes;
}

/** Reads the payload of message one; undefined where it is none. */
export function decodeRequestContent(bytes: Uint8Array): RequestContent | undefined {
  return bytes.length === REQUEST_CONTENT_SIZE ? decode(requestContent, bytes) : undefined;
}

/** Writes the payload of message two. */
export function encodeAcceptContent(content: AcceptContent): Uint8Array {
  const writer = new Writer(ACCEPT_CONTENT_SIZE);
  acceptContent.write(writer, content);
  return writer.bytes;
}

/** Reads the payload of message two; undefined where it is none. */
export function decodeAcceptContent(bytes: Uint8Array): AcceptContent | undefined {
  return bytes.length === ACCEPT_CONTENT_SIZE ? decode(acceptContent, bytes) : undefined;
}

function decode<T>(field: { read(reader: Reader): T }, bytes: Uint8Array): T | undefined {
  const reader = new Reader(bytes);
  const value = field.read(reader);
  return reader.isMalformed ? undefined : value;
}

/** One end's two seals: what it sends, and what it receives. */
export interface Seals {
  /** For what it sends. */
  readonly sealer: Sealer;
  /** For what it receives. */
  readonly opener: Opener;
}

/** The requester's seals. */
export function requesterSeals(keys: DirectionKeys): Seals {
  return { sealer: new Sealer(keys.forward), opener: new Opener(keys.backward) };
}

/** The responder's seals. */
export function responderSeals(keys: DirectionKeys): Seals {
  return { sealer: new Sealer(keys.backward), opener: new Opener(keys.forward) };
}

/** What an accepted handshake leaves to its connection. */
export interface SessionKeys {
  /** For Handshake datagrams, which may still be repeated. */
  readonly early: Seals;
  /** For Connection datagrams. */
  readonly seals: Seals;
  /** The other's static key. */
  readonly remoteKey: Uint8Array;
  /** Names the handshake. */
  readonly hash: Uint8Array;
  /** With the responder: message two, for the Accept. */
  readonly messageTwo?: Uint8Array;
}

/** The requester's seals for Handshake datagrams. */
export function requesterEarlySeals(keys: DirectionKeys): Seals {
  return {
    sealer: new Sealer(keys.forward, 0, Infinity),
    opener: new Opener(keys.backward, Infinity),
  };
}

/**
 * The responder's seals for Handshake datagrams.
 *
 * A responder that started anew has forgotten a Request, which gives it the same early keys again: a
 * nonce that came twice would give the authentication key away, and a counter below the last one
 * would be old to the requester. So it starts at the time, with ten random bits behind it. So few
 * datagrams are sealed with these keys that they never change.
 *
 * @param wallClock milliseconds since 1970.
 */
export function responderEarlySeals(keys: DirectionKeys, wallClock: number, random: Random): Seals {
  const packet = 1024 * Math.floor(wallClock) + Number(randomU64(random) & 1023n);
  return {
    sealer: new Sealer(keys.backward, packet, Infinity),
    opener: new Opener(keys.forward, Infinity),
  };
}

/** The session keys that follow from a finished handshake. */
export function sessionKeys(
  { keys, hash }: HandshakeResult,
  early: Seals,
  remoteKey: Uint8Array,
  messageTwo?: Uint8Array,
): SessionKeys {
  return messageTwo === undefined
    ? { early, seals: requesterSeals(keys), remoteKey, hash }
    : { early, seals: responderSeals(keys), remoteKey, hash, messageTwo };
}

/** A datagram with sealed frames, at least `sizeMin` bytes; `type` is Handshake or Connection. */
export function encodeSealed(
  type: DatagramType,
  connection: number,
  sealer: Sealer,
  frames: readonly Frame[],
  sizeMin = 0,
): Uint8Array {
  const header = { type, connection, packet: sealer.packet };
  return sealDatagram(sealer, encodeDatagram(header, frames, sizeMin - TAG_SIZE));
}

/** Seals the frames of a datagram whose header has the sealer's packet counter. */
export function sealDatagram(sealer: Sealer, plain: Uint8Array): Uint8Array {
  const datagram = new Uint8Array(plain.length + TAG_SIZE);
  datagram.set(plain);
  return sealInPlace(sealer, datagram);
}

/** The same where the datagram has room for the seal behind its frames. */
export function sealInPlace(sealer: Sealer, datagram: Uint8Array): Uint8Array {
  const header = datagram.subarray(0, HEADER_SIZE);
  const sealed = datagram.subarray(HEADER_SIZE);
  sealer.seal(header, sealed.subarray(0, sealed.length - TAG_SIZE), sealed);
  return datagram;
}

function labelled(label: string, publicKey: Uint8Array): Uint8Array {
  return createHash("sha256").update(encoder.encode(label)).update(publicKey).digest();
}

function code(key: Uint8Array, text: Uint8Array): Uint8Array {
  return hmacSha256(key, text).subarray(0, CODE_SIZE);
}

/** A Connection Request to the owner of a static key. */
export function encodeRequest(
  connection: number,
  packet: number,
  messageOne: Uint8Array,
  remoteKey: Uint8Array,
  cookie: Uint8Array | undefined,
): Uint8Array {
  const zero = new Uint8Array(CODE_SIZE);
  const datagram = encodeDatagram(
    { type: DatagramType.ConnectionRequest, connection: 0, packet },
    [
      { kind: "connectionRequest", connection, messageOne },
      { kind: "requestCodes", mac1: zero, mac2: zero },
    ],
  );
  const mac1At = datagram.length - 2 * CODE_SIZE;
  const mac2At = datagram.length - CODE_SIZE;
  datagram.set(code(labelled("mac1", remoteKey), datagram.subarray(0, mac1At)), mac1At);
  if (cookie !== undefined) datagram.set(code(cookie, datagram.subarray(0, mac2At)), mac2At);
  return datagram;
}

/** The first code of a Connection Request. */
export function mac1Of(request: Uint8Array): Uint8Array {
  return request.subarray(request.length - 2 * CODE_SIZE, request.length - CODE_SIZE);
}

/** Whether a Connection Request was made by someone who knows this static key. */
export function hasMac1(request: Uint8Array, publicKey: Uint8Array): boolean {
  if (request.length !== REQUEST_SIZE) return false;
  const text = request.subarray(0, request.length - 2 * CODE_SIZE);
  return timingSafeEqual(mac1Of(request), code(labelled("mac1", publicKey), text));
}

/** Gives cookies to addresses, and knows them again; keeps nothing for them. */
export class Cookies {
  readonly #random: Random;
  readonly #publicKey: Uint8Array;
  #secret: Uint8Array;
  #previous: Uint8Array;
  #madeAt: Instant;

  /**
   * Starts with a new secret.
   *
   * @param publicKey the static key of whoever gives them.
   */
  constructor(now: Instant, publicKey: Uint8Array, random: Random) {
    this.#random = random;
    this.#publicKey = publicKey;
    this.#secret = random(32);
    this.#previous = this.#secret;
    this.#madeAt = now;
  }

  /** The answer to a Connection Request: a cookie that only its sender can read. */
  reply(now: Instant, request: Uint8Array, connection: number, from: Address): Uint8Array {
    this.#renew(now);
    const nonce = randomU64(this.#random);
    const cookie = cookieOf(this.#secret, from);
    const sealed = seal(labelled("cookie", this.#publicKey), nonce, mac1Of(request), cookie);
    return encodeDatagram(
      { type: DatagramType.Cookie, connection, packet: 0 },
      [{ kind: "cookieReply", nonce, cookie: sealed }],
    );
  }

  /** Whether a Connection Request shows a good cookie for its address. */
  isGood(now: Instant, request: Uint8Array, from: Address): boolean {
    this.#renew(now);
    const text = request.subarray(0, request.length - CODE_SIZE);
    const mac2 = request.subarray(request.length - CODE_SIZE);
    if (mac2.every((byte) => byte === 0)) return false;
    return [this.#secret, this.#previous].some((secret) =>
      timingSafeEqual(mac2, code(cookieOf(secret, from), text))
    );
  }

  #renew(now: Instant): void {
    if (now < this.#madeAt + COOKIE_LIFE) return;
    // After a long silence the last secret is as old as the one before it.
    const isOld = now >= this.#madeAt + 2 * COOKIE_LIFE;
    this.#previous = isOld ? this.#random(32) : this.#secret;
    this.#secret = this.#random(32);
    this.#madeAt = now;
  }
}

function cookieOf(secret: Uint8Array, { hostname, port }: Address): Uint8Array {
  return code(secret, encoder.encode(`${hostname} ${port}`));
}

/** The cookie in a Cookie Reply to the request with this code; undefined where it is none. */
export function openCookie(
  frame: { nonce: bigint; cookie: Uint8Array },
  remoteKey: Uint8Array,
  mac1: Uint8Array,
): Uint8Array | undefined {
  return open(labelled("cookie", remoteKey), frame.nonce, mac1, frame.cookie);
}
