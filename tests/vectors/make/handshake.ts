/**
 * The vectors of two clients: their handshake, cookies, and Packets up to the third key.
 *
 * @module
 */
import { naiveEncodeFrames, type NaiveFrame } from "../../reference/naive_codec.ts";
import { digits, join, number } from "../../reference/naive_crypto.ts";
import {
  cookieDatagram,
  cookieOf,
  header,
  initiationDatagram,
  keyOfPacket,
  packetDatagram,
  readInitiation,
  readOne,
  responseDatagram,
  writeOne,
  writeTwo,
} from "../../reference/naive_handshake.ts";
import {
  ADDRESS,
  COOKIE_NONCE,
  INPUTS,
  MEETING_NUMBER,
  NAMES,
  PUBLIC_KEYS,
  SESSIONS,
} from "./inputs.ts";
import type { ClearVector, SealedVector } from "./vector.ts";

const RESPONDER = PUBLIC_KEYS.responderStatic;

const one = writeOne(
  INPUTS.initiatorStatic,
  INPUTS.initiatorEphemeral,
  RESPONDER,
  number(SESSIONS.initiator, 4),
);
const read = readOne(INPUTS.responderStatic, one.message);
const two = writeTwo(read, INPUTS.responderEphemeral, number(SESSIONS.responder, 4));
const cookie = cookieOf(INPUTS.responderCookieSecret, ADDRESS.hostname, ADDRESS.port);

/** The two messages of the handshake. */
export const MESSAGES = { messageOne: one.message, messageTwo: two.message } as const;

/** What both ends derive; `forward` is from the initiator to the responder. */
export const DERIVED = {
  forward: two.forward,
  backward: two.backward,
  secondForward: keyOfPacket(two.forward, 2 ** 20),
  thirdForward: keyOfPacket(two.forward, 2 ** 21),
  hash: two.hash,
} as const;

/** What the responder alone makes and checks: how, is its own affair. */
export const COOKIE: Uint8Array = cookie;

/** What two users compare. */
export const HUMAN_READABLE = {
  initiatorFingerprint: digits("udp-chat fingerprint 1", PUBLIC_KEYS.initiatorStatic),
  responderFingerprint: digits("udp-chat fingerprint 1", RESPONDER),
  directoryFingerprint: digits("udp-chat fingerprint 1", PUBLIC_KEYS.directoryStatic),
  shortAuthenticationString: digits("udp-chat verify 1", two.hash),
} as const;

const initiation = initiationDatagram(one.message, RESPONDER);
const { mac1 } = readInitiation(initiation, RESPONDER);
const response = responseDatagram(SESSIONS.initiator, two.message);

/** A Punch of so many bytes at least. */
function punch(name: string, meeting: bigint, size = 0): ClearVector {
  const encoded: NaiveFrame[] = [{ kind: "punch", number: meeting }];
  const missing = size - 16 - 11;
  if (missing > 0) encoded.push({ kind: "padding", size: missing - 3 });
  return { name, encoded, bytes: join(header(10, 0, 0), naiveEncodeFrames(encoded)) };
}

/** The datagrams without sealed frames. */
export const HANDSHAKE_CLEAR: readonly ClearVector[] = [
  { name: "Initiation", bytes: initiation },
  { name: "Response", bytes: response },
  { name: "Cookie Reply", bytes: cookieDatagram(mac1, RESPONDER, COOKIE_NONCE, cookie) },
  punch("Punch", MEETING_NUMBER, 154),
  punch("Punch, which keeps a mapping alive", 0n),
  {
    name: "Initiation, with the cookie",
    bytes: initiationDatagram(one.message, RESPONDER, cookie),
  },
  { name: "Version", bytes: header(255, 0x99aabbcc, 9), only: "sender" },
  {
    name: "Version, from a program that speaks version 2",
    bytes: header(255, 0x99aabbcc, 9).with(2, 2),
    only: "receiver",
  },
  {
    name: "Response, between other frames",
    bytes: join(
      header(6, SESSIONS.initiator, 2 ** 53 - 1),
      [0x38, 0, 0, 0x00, 0, 1, 0],
      response.slice(16),
      [0x7f, 0, 2, 1, 2],
    ),
    only: "receiver",
  },
];

function packet(
  name: string,
  isForward: boolean,
  counter: number,
  frames: readonly NaiveFrame[],
  size = 0,
): SealedVector {
  const plain = Uint8Array.from(naiveEncodeFrames(frames, size - 16 - 16));
  const key = isForward ? "forward" : "backward";
  const session = isForward ? SESSIONS.responder : SESSIONS.initiator;
  return { name, key, bytes: packetDatagram(DERIVED[key], session, counter, plain), plain };
}

const ack = (cumulativeSeq: number, largestPacket: number): NaiveFrame => ({
  ...{ kind: "ack", cumulativeSeq, largestPacket, delay: 0, packetBitmap: 1, ranges: [] },
});
const nothingYet: NaiveFrame = { ...ack(0, 0), packetBitmap: 0 };
const keepalive: NaiveFrame = { kind: "connectionKeepalive" };

/** Packets, in an order in which they may be sent. */
export const PACKETS: readonly SealedVector[] = [
  packet("Sealed: Connection Request", true, 0, [{
    ...{ kind: "connectionRequest", request: 0x0badcafe, requester: 1, responder: 2 },
    name: NAMES.initiator,
  }], 192),
  packet("Sealed: Ringing", false, 0, [{ kind: "ringing", responder: 2 }]),
  packet("Sealed: Connection Accept", false, 1, [
    { kind: "connectionAccept", responder: 2, flags: 0, name: NAMES.responder },
  ], 192),
  packet("Sealed: Ack and Message, from the initiator", true, 1, [
    nothingYet,
    { kind: "message", seq: 0, sender: 1, flags: 0, text: "hi 👋" },
  ]),
  packet("Sealed: Ack and Message, from the responder", false, 2, [
    ack(1, 1),
    { kind: "message", seq: 0, sender: 2, flags: 0, text: "привет" },
  ]),
  packet("Sealed: Path Challenge, with Padding", false, 3, [
    { kind: "pathChallenge", nonce: 0x0123456789abcdefn },
  ], 96),
  packet("Sealed: Path Response", true, 2, [
    { kind: "pathResponse", nonce: 0x0123456789abcdefn },
  ]),
  packet("Sealed: Candidates", true, 3, [
    { kind: "candidates", addresses: [{ hostname: "192.168.1.20", port: 40_000 }] },
  ]),
  packet("Sealed: Connection Keepalive, the last under the first key", true, 2 ** 20 - 1, [
    keepalive,
  ]),
  packet("Sealed: Connection Keepalive, the first under the second key", true, 2 ** 20, [
    keepalive,
  ]),
  packet("Sealed: Connection Keepalive, the first under the third key", true, 2 ** 21, [keepalive]),
  packet("Sealed: Connection Termination", true, 2 ** 21 + 1, [
    nothingYet,
    { kind: "connectionTermination", sender: 1, finalSeq: 1 },
  ]),
  packet("Sealed: Connection Termination Ack", false, 4, [
    { kind: "connectionTerminationAck", sender: 2, finalSeq: 1 },
  ]),
];
