/**
 * The vectors of a client and its directory: a registration key, and what is sealed under it.
 *
 * @module
 */
import { naiveEncodeFrames, type NaiveFrame } from "../../reference/naive_codec.ts";
import { ascii, join, sha256, x25519 } from "../../reference/naive_crypto.ts";
import {
  answerDatagram,
  challengeDatagram,
  firstRegisterDatagram,
  noticeDatagram,
  registerDatagram,
  registrationKey,
  requestDatagram,
} from "../../reference/naive_directory.ts";
import {
  DIRECTORY_COOKIE,
  DIRECTORY_NONCE,
  INPUTS,
  MEETING_NUMBER,
  NAMES,
  OTHER_COOKIE,
  OTHER_NONCE,
  PUBLIC_KEYS,
  SESSIONS,
  TOKEN,
} from "./inputs.ts";
import type { ClearVector, SealedVector } from "./vector.ts";

const EXCHANGE = { nonce: DIRECTORY_NONCE, cookie: DIRECTORY_COOKIE };
const CREDENTIALS = { ...EXCHANGE, publicKey: PUBLIC_KEYS.initiatorStatic };
const CHALLENGE = { ...EXCHANGE, publicKey: PUBLIC_KEYS.directoryStatic };
const SECRET = INPUTS.directorySecret;
const KEYS = [INPUTS.initiatorStatic, PUBLIC_KEYS.directoryStatic] as const;
/** The client id, which Registered tells. */
const ID = 1;

/** What both ends derive. */
export const DIRECTORY_DERIVED = {
  shared: x25519(...KEYS),
  publicKey: registrationKey(KEYS, true, EXCHANGE),
  privateInput: sha256(ascii("udp-chat directory key"), SECRET),
  privateKey: registrationKey(KEYS, true, EXCHANGE, SECRET),
  privateMacKey: sha256(ascii("udp-chat directory mac"), SECRET),
} as const;

/** The datagrams without sealed frames. */
export const DIRECTORY_CLEAR: readonly ClearVector[] = [
  { name: "Register, the first of an exchange", bytes: firstRegisterDatagram(DIRECTORY_NONCE) },
  { name: "Challenge", bytes: challengeDatagram(CHALLENGE) },
  {
    name: "Register, the first of an exchange with a private directory",
    bytes: firstRegisterDatagram(DIRECTORY_NONCE, SECRET),
  },
  { name: "Challenge, of a private directory", bytes: challengeDatagram(CHALLENGE, SECRET) },
  { name: "Unknown", bytes: join([0x75, 0x63, 1, 254, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 9]) },
];

const REGISTER: NaiveFrame = {
  ...{ kind: "register", session: SESSIONS.client, token: new Uint8Array(16) },
  ...{ wantedId: 0, port: 40_000, name: NAMES.initiator },
};
const REGISTERED: NaiveFrame = {
  ...{ kind: "registered", token: TOKEN, id: ID, lease: 45_000 },
  seenAt: { hostname: "192.0.2.7", port: 40_000 },
};
/** Sealed frames of a Register of 288 bytes, without the tag. */
const REGISTER_PLAIN_SIZE = 288 - 91 - 16;

type Key = "publicKey" | "privateKey";

function register(name: string, key: Key, packet: number): SealedVector {
  const plain = Uint8Array.from(naiveEncodeFrames([REGISTER], REGISTER_PLAIN_SIZE));
  const secret = key === "privateKey" ? SECRET : undefined;
  const bytes = registerDatagram(DIRECTORY_DERIVED[key], packet, CREDENTIALS, plain, secret);
  return { name, key, bytes, plain };
}

function request(name: string, packet: number, frame: NaiveFrame, size = 0): SealedVector {
  const plain = Uint8Array.from(naiveEncodeFrames([frame], size - 16 - 16));
  const bytes = requestDatagram(DIRECTORY_DERIVED.publicKey, ID, packet, plain);
  return { name, key: "publicKey", bytes, plain };
}

function answer(name: string, packet: number, frame: NaiveFrame, key: Key = "publicKey") {
  const plain = Uint8Array.from(naiveEncodeFrames([frame]));
  const bytes = answerDatagram(DIRECTORY_DERIVED[key], SESSIONS.client, packet, plain);
  return { name, key, bytes, plain };
}

function notice(name: string, packet: number, frame: NaiveFrame): SealedVector {
  const plain = Uint8Array.from(naiveEncodeFrames([frame]));
  const bytes = noticeDatagram(DIRECTORY_DERIVED.publicKey, SESSIONS.client, packet, plain);
  return { name, key: "publicKey", bytes, plain };
}

const IPV6 = { hostname: "2001:db8::7", port: 7071 };
const meeting = (flags: number, addresses: NaiveFrame["addresses"]): NaiveFrame => ({
  ...{ kind: "meeting", number: MEETING_NUMBER, flags, id: 2, name: NAMES.responder },
  ...{ publicKey: PUBLIC_KEYS.responderStatic, addresses: addresses! },
});
/** What is carried: anything that begins as a Packet does. */
const CARRIED = join(
  [0x75, 0x63, 1, 8],
  [0x99, 0xaa, 0xbb, 0xcc],
  new Uint8Array(8),
  new Uint8Array(16).fill(0xbb),
);

/** Those with sealed frames, in an order in which they may be sent. */
export const DIRECTORY_SEALED: readonly SealedVector[] = [
  register("Sealed: Register", "publicKey", 0),
  register("Sealed: Register, sent again", "publicKey", 1),
  answer("Sealed: Registered", 1, REGISTERED),
  request("Sealed: Lease Keepalive", 2, { kind: "leaseKeepalive" }),
  answer("Sealed: Lease Keepalive Ack", 2, { kind: "leaseKeepaliveAck", lease: 45_000 }),
  request("Sealed: Look-up, by id", 3, { kind: "lookUp", id: 2, name: "" }),
  answer("Sealed: Found", 3, {
    ...{ kind: "found", id: 2, name: NAMES.responder },
    ...{ address: IPV6, publicKey: PUBLIC_KEYS.responderStatic },
  }),
  request("Sealed: Look-up, by name", 4, { kind: "lookUp", id: 0, name: "ana" }),
  answer("Sealed: Inactive", 4, { kind: "inactive", id: 0, name: "ana" }),
  request("Sealed: Call", 5, { kind: "call", id: 2, name: "" }, 512),
  answer("Sealed: Meeting, to the client that called", 5, meeting(1, [IPV6])),
  request("Sealed: Call, by name", 6, { kind: "call", id: 0, name: NAMES.responder }, 512),
  answer("Sealed: Meeting, of two addresses behind the same public one", 6, {
    ...meeting(3, [{ hostname: "192.0.2.7", port: 40_001 }, IPV6]),
  }),
  notice("Sealed: Meeting, to the client that is called", 0, meeting(0, [IPV6])),
  request("Sealed: Carry", 7, {
    ...{ kind: "carry", number: MEETING_NUMBER, to: 2, datagram: CARRIED },
  }),
  notice("Sealed: Carried", 1, { kind: "carried", from: 2, datagram: CARRIED }),
  request("Sealed: Also At", 8, { kind: "alsoAt", nonce: OTHER_NONCE, cookie: OTHER_COOKIE }),
  answer("Sealed: Also At Ack", 8, { kind: "alsoAtAck", seenAt: IPV6 }),
  request("Sealed: List", 2 ** 32, { kind: "list", after: 0 }),
  answer("Sealed: Listing", 2 ** 32, {
    ...{ kind: "listing", more: 0 },
    clients: [{ id: 1, name: NAMES.initiator }, { id: 2, name: NAMES.responder }],
  }),
  request("Sealed: Client Leave", 2 ** 32 + 1, { kind: "leave" }),
  answer("Sealed: Client Leave Ack", 2 ** 32 + 1, { kind: "leaveAck" }),
  answer("Sealed: Refused", 2 ** 52 + 0x123456789, { kind: "refused", reason: 2 }),
  register("Sealed: Register, at a private directory", "privateKey", 0),
  answer("Sealed: Registered, of a private directory", 0, REGISTERED, "privateKey"),
];
