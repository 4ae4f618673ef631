/**
 * Negative vectors: datagrams that are dropped, or answered by nothing but their header.
 *
 * @module
 */
import { naiveEncodeFrames, type NaiveFrame } from "../../reference/naive_codec.ts";
import { join, number } from "../../reference/naive_crypto.ts";
import { challengeDatagram, firstRegisterDatagram } from "../../reference/naive_directory.ts";
import {
  header,
  initiationDatagram,
  packetDatagram,
  readOne,
  responseDatagram,
  writeOne,
  writeTwo,
} from "../../reference/naive_handshake.ts";
import { DIRECTORY_CLEAR, DIRECTORY_SEALED } from "./directory.ts";
import { DERIVED, HANDSHAKE_CLEAR, PACKETS } from "./handshake.ts";
import { DIRECTORY_COOKIE, DIRECTORY_NONCE, INPUTS, PUBLIC_KEYS, SESSIONS } from "./inputs.ts";

/** A datagram that comes to nothing. */
export interface BadVector {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Zero bytes after them, too many to write down. */
  readonly zeros?: number;
  /** The Version or Unknown that answers it, if anything does. */
  readonly answer?: Uint8Array;
  /** For Packets that open: the first key of their direction, and what is sealed. */
  readonly key?: string;
  readonly plain?: Uint8Array;
}

const clear = (name: string): Uint8Array =>
  [...DIRECTORY_CLEAR, ...HANDSHAKE_CLEAR].find((each) => each.name === name)!.bytes;
const sealed = (name: string): Uint8Array =>
  [...DIRECTORY_SEALED, ...PACKETS].find((each) => each.name === name)!.bytes;

const challenge = clear("Challenge");
const initiation = clear("Initiation");
const response = clear("Response");
const lastByteChanged = (bytes: Uint8Array): Uint8Array => bytes.with(-1, bytes.at(-1)! ^ 1);
const other = header(9, 7, 9).with(2, 2);

const CLEAR: readonly BadVector[] = [
  { name: "15 bytes", bytes: challenge.slice(0, 15) },
  { name: "a Challenge of 1201 bytes", bytes: challenge, zeros: 1201 - 91 },
  { name: "a Packet of 65,489 bytes", bytes: header(8, SESSIONS.responder, 9), zeros: 65_473 },
  { name: "another magic", bytes: challenge.with(1, 0x64) },
  { name: "another version", bytes: join(other, [0xff]), answer: header(255, 7, 9) },
  { name: "another version, over 1200 bytes", bytes: other, zeros: 1185 },
  { name: "the Version of another version", bytes: header(255, 7, 9).with(2, 2) },
  { name: "the Version of this version", bytes: header(255, 7, 9) },
  { name: "an unknown type", bytes: challenge.with(3, 11) },
  { name: "the type 0", bytes: challenge.with(3, 0) },
  { name: "a packet counter of 2^53", bytes: header(8, SESSIONS.responder, 2n ** 53n), zeros: 40 },
  {
    name: "a packet counter of 2^53, in a Challenge",
    bytes: join(header(2, 0, 2n ** 53n), challenge.slice(16)),
  },
  { name: "a frame header that is cut short", bytes: join(challenge, [0x00, 0x00]) },
  { name: "a frame that is cut short", bytes: challenge.slice(0, -1) },
  { name: "a frame that is longer than its fields", bytes: join(challenge.with(18, 73), [0]) },
  { name: "a Padding that is cut short", bytes: join(challenge, [0, 0, 2, 0]) },
  {
    name: "a frame that does not belong there, with bad UTF-8",
    bytes: join(challenge, [0x34, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xff]),
  },
  { name: "a Challenge without a frame", bytes: header(2, 0, 0) },
  { name: "a Register without Credentials", bytes: header(1, 0, 0) },
  {
    name: "a Register of 90 bytes",
    bytes: clear("Register, the first of an exchange").slice(0, -1),
  },
  {
    name: "a Register with another frame in the place of Credentials",
    bytes: clear("Register, the first of an exchange").with(16, 0x7f),
  },
  { name: "an Initiation without Macs", bytes: initiation.slice(0, 119) },
  { name: "an Initiation with bytes after the Macs", bytes: join(initiation, [0, 0, 0]) },
  { name: "an Initiation with another mac1", bytes: initiation.with(122, initiation[122]! ^ 1) },
  {
    name: "an Initiation from the session id 0",
    bytes: initiationDatagram(messageOneWith(0), PUBLIC_KEYS.responderStatic),
  },
  {
    name: "an Initiation with an ephemeral key of low order",
    bytes: initiationDatagram(
      join(new Uint8Array(32), initiation.slice(19 + 32, 119)),
      PUBLIC_KEYS.responderStatic,
    ),
  },
  { name: "a Response to another session", bytes: response.with(7, response[7]! ^ 1) },
  { name: "a Response that does not open", bytes: lastByteChanged(response) },
  { name: "a Response from the session id 0", bytes: responseWith(0) },
  { name: "a Punch without a frame", bytes: header(10, 0, 0) },
  { name: "a Punch that is cut short", bytes: clear("Punch").slice(0, -1) },
  { name: "a Punch of a meeting that the receiver does not know", bytes: clear("Punch") },
  { name: "a Punch for no meeting", bytes: clear("Punch, which keeps a mapping alive") },
  { name: "a Cookie Reply that does not open", bytes: lastByteChanged(clear("Cookie Reply")) },
];

const SEALED: readonly BadVector[] = [
  {
    name: "a Packet that does not open",
    bytes: lastByteChanged(sealed("Sealed: Ringing")),
  },
  { name: "a Packet that came before (Sealed: Ringing)", bytes: sealed("Sealed: Ringing") },
  { name: "a Packet that is shorter than a tag", bytes: sealed("Sealed: Ringing").slice(0, 31) },
  {
    name: "a Packet of the wrong direction",
    bytes: packetDatagram(
      DERIVED.forward,
      SESSIONS.initiator,
      0,
      Uint8Array.from(naiveEncodeFrames([{ kind: "ringing", responder: 2 }])),
    ),
  },
  {
    name: "a Packet under the key before the one for its counter",
    bytes: join(
      header(8, SESSIONS.responder, 2 ** 20),
      sealed("Sealed: Connection Keepalive, the last under the first key").slice(16),
    ),
  },
  {
    name: "a Request that does not open",
    bytes: lastByteChanged(sealed("Sealed: Lease Keepalive")),
    answer: header(254, 1, 2),
  },
  {
    name: "a Request that is shorter than a tag",
    bytes: sealed("Sealed: Lease Keepalive").slice(0, 16),
    answer: header(254, 1, 2),
  },
  {
    name: "an Answer under the nonce prefix of requests",
    bytes: join(
      header(4, SESSIONS.client, 2),
      sealed("Sealed: Lease Keepalive").slice(16),
    ),
  },
  {
    name: "a Notice that does not open",
    bytes: lastByteChanged(sealed("Sealed: Meeting, to the client that is called")),
  },
  {
    name: "a Notice under the nonce prefix of Answers",
    bytes: join(header(9, SESSIONS.client, 2), sealed("Sealed: Lease Keepalive Ack").slice(16)),
  },
  {
    name: "a Register without a mac, at a private directory",
    bytes: firstRegisterDatagram(DIRECTORY_NONCE),
  },
  {
    name: "a Challenge without a mac, to a client with a secret",
    bytes: challengeDatagram({
      ...{ nonce: DIRECTORY_NONCE, cookie: DIRECTORY_COOKIE },
      publicKey: PUBLIC_KEYS.directoryStatic,
    }),
  },
];

/** Too short for an IPv6 address: a host and a port. */
const IPV4 = [192, 168, 1, 20, 0, 9];
const registered: NaiveFrame = {
  ...{ kind: "registered", token: new Uint8Array(16), id: 1, lease: 1 },
  seenAt: { hostname: "192.0.2.7", port: 40_000 },
};
const registeredBytes = Uint8Array.from(naiveEncodeFrames([registered]));
const message = (text: ArrayLike<number>): Uint8Array =>
  join([0x34, 0, 9 + text.length], number(0, 4), number(1, 4), [0], text);

/** What is sealed, and bad: `plain` in the tests of a codec, a Packet for the others. */
const BAD_FRAMES: readonly (readonly [name: string, plain: Uint8Array])[] = [
  ["a sealed frame header that is cut short", Uint8Array.of(0x38, 0)],
  ["a sealed frame that is cut short", message([0x61]).slice(0, -1)],
  ["a good frame, and one that is cut short", join([0x38, 0, 0], [0x31, 0, 4, 0, 0, 0])],
  ["a sealed frame that is longer than its fields", Uint8Array.of(0x38, 0, 1, 0)],
  ["a sealed frame that is shorter than its fields", Uint8Array.of(0x31, 0, 3, 0, 0, 2)],
  ["a name that is longer than its frame", Uint8Array.of(0x0a, 0, 5, 0, 0, 0, 1, 1)],
  ["a list that is longer than its frame", Uint8Array.of(0x0c, 0, 2, 0, 1)],
  ["a list of addresses that is longer than its frame", Uint8Array.of(0x3b, 0, 8, 1, 6, ...IPV4)],
  ["UTF-8 that begins in the middle of a character", message([0x80])],
  ["UTF-8 that ends in the middle of a character", message([0xe2, 0x82])],
  ["UTF-8 that is not in its shortest form", message([0xc0, 0x80])],
  ["a surrogate in UTF-8", message([0xed, 0xa0, 0x80])],
  ["a character above U+10FFFF in UTF-8", message([0xf4, 0x90, 0x80, 0x80])],
  ["bytes that are never UTF-8", message([0x61, 0xff])],
  ["an address of family 5", registeredBytes.with(-7, 5)],
  ["an address with port 0", registeredBytes.with(-2, 0).with(-1, 0)],
];

/** All of them; the frames as Packets from the initiator, from packet 10 on. */
export const BAD: readonly BadVector[] = [
  ...CLEAR,
  ...SEALED,
  ...BAD_FRAMES.map(([name, plain], index): BadVector => ({
    ...{ name, key: "forward", plain },
    bytes: packetDatagram(DERIVED.forward, SESSIONS.responder, 10 + index, plain),
  })),
];

function messageOneWith(session: number): Uint8Array {
  const { initiatorStatic, initiatorEphemeral } = INPUTS;
  const payload = number(session, 4);
  return writeOne(initiatorStatic, initiatorEphemeral, PUBLIC_KEYS.responderStatic, payload)
    .message;
}

function responseWith(session: number): Uint8Array {
  const read = readOne(INPUTS.responderStatic, initiation.slice(19, 119));
  const { message: two } = writeTwo(read, INPUTS.responderEphemeral, number(session, 4));
  return responseDatagram(SESSIONS.initiator, two);
}
