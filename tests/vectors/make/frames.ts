/**
 * The frames of the vectors: at least one of every kind that is sealed, and those that a receiver
 * has to take although nobody sends them.
 *
 * @module
 */
import { ascii, join } from "../../reference/naive_crypto.ts";
import type { NaiveFrame } from "../../reference/naive_codec.ts";
import { MEETING_NUMBER, NAMES, OTHER_COOKIE, OTHER_NONCE, SESSIONS, TOKEN } from "./inputs.ts";

/** Frames as they are sealed, and what is decoded of them where that is another thing. */
export interface FramesVector {
  readonly name: string;
  /** What is encoded: with Padding, which a decoder leaves out. */
  readonly encoded: readonly NaiveFrame[];
  /** Bytes after the frames, which only a receiver meets. */
  readonly after?: Uint8Array;
  readonly unknownFrames?: number;
  /** `receiver`: a receiver has to take it, but no sender that keeps to the text makes it. */
  readonly only?: "receiver";
}

const HIGHEST = 2 ** 32 - 1;
const NONE = new Uint8Array(16);
const IPV4 = { hostname: "192.0.2.7", port: 40_000 };
const IPV6 = { hostname: "2001:db8::7", port: 65_535 };
const range = (first: number, last: number) => ({ first, last });

const DIRECTORY: readonly FramesVector[] = [
  one("Register, for any id", {
    kind: "register",
    session: SESSIONS.client,
    token: NONE,
    wantedId: 0,
    port: 40_000,
    name: NAMES.initiator,
  }),
  one("Register, for the same id as before, without a name", {
    ...{ kind: "register", session: HIGHEST, token: TOKEN, wantedId: 7, port: 65_535, name: "" },
  }),
  one("Registered, IPv4", {
    ...{ kind: "registered", token: TOKEN, id: 1, lease: 45_000 },
    seenAt: { hostname: "192.0.2.7", port: 40_000 },
  }),
  one("Registered, IPv6, the highest id", {
    ...{ kind: "registered", token: TOKEN, id: HIGHEST, lease: 45_000 },
    seenAt: { hostname: "2001:db8::7", port: 65_535 },
  }),
  one("Refused", { kind: "refused", reason: 2 }),
  one("Refused, for a name that is kept for another key", {
    kind: "refused",
    reason: 6,
  }),
  one("Lease Keepalive", { kind: "leaseKeepalive" }),
  one("Lease Keepalive Ack", { kind: "leaseKeepaliveAck", lease: 45_000 }),
  one("Look-up, by id", { kind: "lookUp", id: 2, name: "" }),
  one("Look-up, by name", { kind: "lookUp", id: 0, name: NAMES.responder }),
  one("Found, IPv6", {
    ...{ kind: "found", id: 2, name: NAMES.responder },
    ...{ address: { hostname: "fe80::1:2", port: 7071 }, publicKey: new Uint8Array(32).fill(0x11) },
  }),
  one("Inactive", { kind: "inactive", id: 2, name: "" }),
  one("List", { kind: "list", after: 0 }),
  one("Listing, more follow", {
    ...{ kind: "listing", more: 1 },
    clients: [
      { id: 1, name: NAMES.initiator },
      { id: 2, name: NAMES.responder },
      { id: 300, name: "" },
    ],
  }),
  one("Listing, nobody", { kind: "listing", more: 0, clients: [] }),
  one("Client Leave", { kind: "leave" }),
  one("Client Leave Ack", { kind: "leaveAck" }),
  one("Call, by id", { kind: "call", id: 2, name: "" }),
  one("Call, by name", { kind: "call", id: 0, name: NAMES.responder }),
  one("Meeting, to the client that called", {
    ...{ kind: "meeting", number: MEETING_NUMBER, flags: 1, id: 2, name: NAMES.responder },
    ...{ publicKey: new Uint8Array(32).fill(0x11), addresses: [IPV4] },
  }),
  one("Meeting, to the client that is called, behind the same public address", {
    ...{ kind: "meeting", number: 2n ** 64n - 1n, flags: 2, id: HIGHEST, name: "" },
    ...{ publicKey: new Uint8Array(32).fill(0x22), addresses: [IPV4, IPV6] },
  }),
  one("Carry", {
    ...{ kind: "carry", number: MEETING_NUMBER, to: 2, datagram: new Uint8Array(32).fill(0x33) },
  }),
  one("Carry, as much as is carried", {
    ...{ kind: "carry", number: MEETING_NUMBER, to: 2, datagram: new Uint8Array(1140).fill(0x44) },
  }),
  one("Carried", { kind: "carried", from: 2, datagram: new Uint8Array(32).fill(0x33) }),
  one("Also At", { kind: "alsoAt", nonce: OTHER_NONCE, cookie: OTHER_COOKIE }),
  one("Also At Ack", { kind: "alsoAtAck", seenAt: IPV6 }),
];

const PACKETS: readonly FramesVector[] = [
  {
    name: "Connection Request, padded",
    encoded: [
      {
        kind: "connectionRequest",
        request: 0x0badcafe,
        requester: 1,
        responder: 2,
        name: NAMES.initiator,
      },
      { kind: "padding", size: 192 - 16 - 16 - 3 - 3 - 17 },
    ],
  },
  one("Connection Request, the longest name", {
    ...{ kind: "connectionRequest", request: HIGHEST, requester: HIGHEST, responder: 1 },
    name: "𠮷".repeat(32),
  }),
  one("Ringing", { kind: "ringing", responder: 2 }),
  one("Connection Accept", {
    ...{ kind: "connectionAccept", responder: 2, flags: 0, name: NAMES.responder },
  }),
  one("Connection Accept, resumed, no name", {
    ...{ kind: "connectionAccept", responder: 2, flags: 1, name: "" },
  }),
  one("Connection Reject", { kind: "connectionReject", responder: 2, reason: 2 }),
  one("Message", { kind: "message", seq: 0, sender: 1, flags: 0, text: "hi 👋" }),
  one("Message, an empty text", { kind: "message", seq: 1, sender: 1, flags: 0, text: "" }),
  one("Message, the longest fragment that is sent", {
    ...{ kind: "message", seq: 2, sender: 1, flags: 1, text: "é".repeat(500) },
  }),
  one("Message, a byte order mark and U+0000", {
    ...{ kind: "message", seq: 3, sender: 1, flags: 0, text: "\ufeffa\0" },
  }),
  one("Ack, no packet yet", {
    ...{ kind: "ack", cumulativeSeq: 0, largestPacket: 0, delay: 0, packetBitmap: 0, ranges: [] },
  }),
  one("Ack, two ranges", {
    ...{ kind: "ack", cumulativeSeq: 3, largestPacket: 40, delay: 25, packetBitmap: 0x800000f1 },
    ranges: [range(5, 5), range(7, 4000)],
  }),
  one("Ack, as many ranges as there may be, the longest delay", {
    kind: "ack",
    cumulativeSeq: 2 ** 32 - 4096,
    largestPacket: HIGHEST,
    delay: 65_535,
    packetBitmap: HIGHEST,
    ranges: Array.from({ length: 16 }, (_, i) => range(HIGHEST - 95 + 6 * i, HIGHEST - 91 + 6 * i)),
  }),
  one("Connection Termination", { kind: "connectionTermination", sender: 1, finalSeq: 4 }),
  one("Connection Termination Ack", { kind: "connectionTerminationAck", sender: 2, finalSeq: 0 }),
  one("Connection Keepalive", { kind: "connectionKeepalive" }),
  one("Path Challenge", { kind: "pathChallenge", nonce: 0x0123456789abcdefn }),
  one("Path Response", { kind: "pathResponse", nonce: 2n ** 64n - 1n }),
  one("Candidates", {
    kind: "candidates",
    addresses: [
      { hostname: "192.168.1.20", port: 40_000 },
      { hostname: "fd00::1:20", port: 40_000 },
    ],
  }),
  {
    name: "A text in two Messages, and an Ack",
    encoded: [
      {
        kind: "ack",
        cumulativeSeq: 1,
        largestPacket: 2,
        delay: 30,
        packetBitmap: 0b101,
        ranges: [],
      },
      { kind: "message", seq: 2, sender: 1, flags: 1, text: "a text " },
      { kind: "message", seq: 3, sender: 1, flags: 0, text: "in two Messages" },
    ],
  },
  {
    name: "Padding between frames",
    encoded: [
      { kind: "padding", size: 0 },
      { kind: "connectionKeepalive" },
      { kind: "padding", size: 5 },
      { kind: "pathResponse", nonce: 1n },
    ],
  },
];

const RECEIVED: readonly FramesVector[] = ([
  { name: "No frame", encoded: [] },
  one("Meeting, no address, flags that are not listed", {
    ...{ kind: "meeting", number: 0n, flags: 0xfc, id: 2, name: "" },
    ...{ publicKey: new Uint8Array(32).fill(0x22), addresses: [] },
  }),
  one("Meeting, three addresses", {
    ...{ kind: "meeting", number: 0n, flags: 0, id: 2, name: "" },
    ...{ publicKey: new Uint8Array(32).fill(0x22), addresses: [IPV4, IPV6, IPV4] },
  }),
  one("Carried, nothing", { kind: "carried", from: 2, datagram: new Uint8Array() }),
  one("Candidates, nowhere", { kind: "candidates", addresses: [] }),
  one("Candidates, more than are looked at", {
    kind: "candidates",
    addresses: Array.from({ length: 9 }, (_, i) => ({ hostname: `10.0.0.${i + 1}`, port: 9 })),
  }),
  one("Found, IPv4-mapped, no name", {
    ...{ kind: "found", id: 2, name: "" },
    address: { hostname: "::ffff:192.0.2.8", port: 7072 },
    publicKey: new Uint8Array(32).fill(0x22),
  }),
  one("Refused, a reason that is not listed", { kind: "refused", reason: 255 }),
  one("Connection Accept, flags that are not listed", {
    ...{ kind: "connectionAccept", responder: 2, flags: 0xfe, name: "" },
  }),
  one("Message, a fragment over 1000 bytes", {
    ...{ kind: "message", seq: 0, sender: 1, flags: 0, text: "a".repeat(1001) },
  }),
  one("Ack, of what was never sent, not in order", {
    ...{ kind: "ack", cumulativeSeq: 9, largestPacket: 0, delay: 0, packetBitmap: 0 },
    ranges: [range(7, 6), range(3, 4)],
  }),
  {
    name: "Padding that is not zero",
    encoded: [{ kind: "connectionKeepalive" }],
    after: join([0x00, 0x00, 0x03], ascii("abc")),
  },
  {
    name: "Frames of unknown types",
    encoded: [{ kind: "connectionKeepalive" }],
    after: Uint8Array.of(0x7f, 0, 3, 0xff, 0, 0xff, 0xff, 0, 0),
    unknownFrames: 2,
  },
] as const).map((vector) => ({ ...vector, only: "receiver" }));

/** All of them: to and from a directory, then in Packets, then what only a receiver meets. */
export const FRAMES: readonly FramesVector[] = [...DIRECTORY, ...PACKETS, ...RECEIVED];

function one(name: string, frame: NaiveFrame): FramesVector {
  return { name, encoded: [frame] };
}
