/**
 * Golden vectors: datagrams as bytes, and the values that they stand for.
 *
 * `protocol/README.md` shows the same bytes with their meaning beside them. Those that need keys are
 * in `handshake_vectors.ts`.
 *
 * @module
 */
import { DatagramType, type Frame, type Header } from "../../protocol/wire/frame.ts";
import { MESSAGE_ONE, MESSAGE_TWO, PUBLIC } from "./handshake.ts";

/** A datagram, or the frames that are sealed in one, both ways. */
export interface Vector {
  readonly name: string;
  /** The bytes; white space is for the reader. */
  readonly hex: string;
  /** Undefined where the bytes are what is sealed: frames without a header. */
  readonly header?: Header;
  /** What decoding gives. */
  readonly frames: readonly Frame[];
  /** What encoding takes, where that is something else: Padding is not given back. */
  readonly written?: readonly Frame[];
  /** Frames that a decoder steps over, so that no encoder writes this datagram. */
  readonly unknownFrames?: number;
  /** The version in the header, where it is not ours. */
  readonly version?: number;
}

/** The bytes that hexadecimal digits stand for, white space aside. */
export function hexToBytes(hex: string): Uint8Array {
  const digits = hex.replace(/\s/g, "");
  if (!/^(?:[\da-f]{2})*$/.test(digits)) throw new Error(`Cannot read "${hex}": expected hex`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

const NONCE = 0x0123456789abcdefn;
const TOKEN = hexToBytes("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf");
const COOKIE = hexToBytes("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf");
const ZEROS = hexToBytes("00".repeat(16));
const REQUESTER_KEY = hexToBytes(PUBLIC.requesterStatic);
const RESPONDER_KEY = hexToBytes(PUBLIC.responderStatic);
/** The requester's and the responder's connection id. */
const A = 0x1a2b3c4d;
const B = 0x99aabbcc;
/** 1000 bytes of UTF-8. */
const LONGEST_FRAGMENT = "€".repeat(333) + "!";

/** At least one datagram for every frame. */
export const VECTORS: readonly Vector[] = [
  {
    name: "Register, at first",
    hex: `
      75630101 00000000 0000000000000000
      010053 0123456789abcdef 00000000000000000000000000000000
      00000000000000000000000000000000 00000000 9c40 ${PUBLIC.requesterStatic} 04 7a6fc3ab`,
    header: { type: DatagramType.Request, connection: 0, packet: 0 },
    frames: [{
      kind: "register",
      nonce: NONCE,
      token: ZEROS,
      cookie: ZEROS,
      wantedId: 0,
      port: 40000,
      publicKey: REQUESTER_KEY,
      name: "zoë",
    }],
  },
  {
    name: "Challenge",
    hex: `
      75630102 00000000 0000000000000000
      020018 0123456789abcdef c0c1c2c3c4c5c6c7c8c9cacbcccdcecf`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{ kind: "challenge", nonce: NONCE, cookie: COOKIE }],
  },
  {
    name: "Register, with the cookie, again after a restart of the directory",
    hex: `
      75630101 00000000 0000000000000001
      01004f 0123456789abcdef a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
      c0c1c2c3c4c5c6c7c8c9cacbcccdcecf 00000007 ffff ${PUBLIC.requesterStatic} 00`,
    header: { type: DatagramType.Request, connection: 0, packet: 1 },
    frames: [{
      kind: "register",
      nonce: NONCE,
      token: TOKEN,
      cookie: COOKIE,
      wantedId: 7,
      port: 65535,
      publicKey: REQUESTER_KEY,
      name: "",
    }],
  },
  {
    name: "Registered, IPv4",
    hex: `
      75630102 00000000 0000000000000000
      030027 0123456789abcdef a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 00000001 0000afc8 04 c0000207
      9c40`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{
      kind: "registered",
      nonce: NONCE,
      token: TOKEN,
      id: 1,
      lease: 45000,
      seenAt: { hostname: "192.0.2.7", port: 40000 },
    }],
  },
  {
    name: "Registered, IPv6, the highest id",
    hex: `
      75630102 00000000 0000000000000000
      030033 ffffffffffffffff a0a1a2a3a4a5a6a7a8a9aaabacadaeaf ffffffff 0000afc8 06
      20010db8000000000000000000000007 ffff`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{
      kind: "registered",
      nonce: 0xffffffffffffffffn,
      token: TOKEN,
      id: 4294967295,
      lease: 45000,
      seenAt: { hostname: "2001:db8::7", port: 65535 },
    }],
  },
  {
    name: "Refused",
    hex: `
      75630102 00000000 0000000000000000
      040009 0123456789abcdef 02`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{ kind: "refused", nonce: NONCE, reason: 2 }],
  },
  {
    name: "Lease Keepalive",
    hex: `
      75630101 00000000 0000000000000002
      050018 fedcba9876543210 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf`,
    header: { type: DatagramType.Request, connection: 0, packet: 2 },
    frames: [{ kind: "leaseKeepalive", nonce: 0xfedcba9876543210n, token: TOKEN }],
  },
  {
    name: "Lease Keepalive Ack",
    hex: `
      75630102 00000000 0000000000000000
      06000c fedcba9876543210 0000afc8`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{ kind: "leaseKeepaliveAck", nonce: 0xfedcba9876543210n, lease: 45000 }],
  },
  {
    name: "Look-up, by id",
    hex: `
      75630101 00000000 0000000000000003
      07001d 0000000000000010 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 00000002 00`,
    header: { type: DatagramType.Request, connection: 0, packet: 3 },
    frames: [{ kind: "lookUp", nonce: 0x10n, token: TOKEN, id: 2, name: "" }],
  },
  {
    name: "Look-up, by name",
    hex: `
      75630101 00000000 0000000000000004
      070027 0000000000000011 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 00000000 0a
      d091d0bed180d0b8d181`,
    header: { type: DatagramType.Request, connection: 0, packet: 4 },
    frames: [{ kind: "lookUp", nonce: 0x11n, token: TOKEN, id: 0, name: "Борис" }],
  },
  {
    name: "Found, IPv6",
    hex: `
      75630102 00000000 0000000000000000
      08004a 0000000000000011 00000002 0a d091d0bed180d0b8d181 06
      fe800000000000000000000000010002 1b9f ${PUBLIC.responderStatic}`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{
      kind: "found",
      nonce: 0x11n,
      id: 2,
      name: "Борис",
      address: { hostname: "fe80::1:2", port: 7071 },
      publicKey: RESPONDER_KEY,
    }],
  },
  {
    name: "Found, IPv4-mapped, no name",
    hex: `
      75630102 00000000 0000000000000000
      080040 0000000000000010 00000002 00 06 00000000000000000000ffffc0000208 1ba0
      ${PUBLIC.responderStatic}`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{
      kind: "found",
      nonce: 0x10n,
      id: 2,
      name: "",
      address: { hostname: "::ffff:192.0.2.8", port: 7072 },
      publicKey: RESPONDER_KEY,
    }],
  },
  {
    name: "Inactive",
    hex: `
      75630102 00000000 0000000000000000
      09000d 0000000000000010 00000002 00`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{ kind: "inactive", nonce: 0x10n, id: 2, name: "" }],
  },
  {
    name: "List",
    hex: `
      75630101 00000000 0000000000000005
      0a001c 0000000000000012 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 00000000`,
    header: { type: DatagramType.Request, connection: 0, packet: 5 },
    frames: [{ kind: "list", nonce: 0x12n, token: TOKEN, after: 0 }],
  },
  {
    name: "Listing",
    hex: `
      75630102 00000000 0000000000000000
      0b0027 0000000000000012 01 03 00000001 04 7a6fc3ab 00000002 0a d091d0bed180d0b8d181
      0000012c 00`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{
      kind: "listing",
      nonce: 0x12n,
      more: 1,
      clients: [{ id: 1, name: "zoë" }, { id: 2, name: "Борис" }, { id: 300, name: "" }],
    }],
  },
  {
    name: "Client Leave",
    hex: `
      75630101 00000000 0000000000000006
      0c0018 0000000000000013 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf`,
    header: { type: DatagramType.Request, connection: 0, packet: 6 },
    frames: [{ kind: "leave", nonce: 0x13n, token: TOKEN }],
  },
  {
    name: "Client Leave Ack",
    hex: `
      75630102 00000000 0000000000000000
      0d0008 0000000000000013`,
    header: { type: DatagramType.Answer, connection: 0, packet: 0 },
    frames: [{ kind: "leaveAck", nonce: 0x13n }],
  },
  {
    name: "Lease Keepalive, to a private directory",
    hex: `
      75630101 00000000 0000000000000007
      050018 fedcba9876543210 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf
      0e0010 dd1338939e7884df8d6108bc8ccec351`,
    header: { type: DatagramType.Request, connection: 0, packet: 7 },
    frames: [
      { kind: "leaseKeepalive", nonce: 0xfedcba9876543210n, token: TOKEN },
      { kind: "proof", code: hexToBytes("dd1338939e7884df8d6108bc8ccec351") },
    ],
  },
  {
    name: "Connection Request",
    hex: `
      75630103 00000000 0000000000000000
      2000f5 1a2b3c4d ${MESSAGE_ONE}
      290020 5dd6166bcb48f5398a3da10b18df156e 00000000000000000000000000000000`,
    header: { type: DatagramType.ConnectionRequest, connection: 0, packet: 0 },
    frames: [
      { kind: "connectionRequest", connection: A, messageOne: hexToBytes(MESSAGE_ONE) },
      {
        kind: "requestCodes",
        mac1: hexToBytes("5dd6166bcb48f5398a3da10b18df156e"),
        mac2: ZEROS,
      },
    ],
  },
  {
    name: "Cookie Reply",
    hex: `
      75630106 1a2b3c4d 0000000000000000
      2a0028 0123456789abcdef
      19136c531574f6aca78d5c4c031d1c46e602624a4d5d3a70a4e1a756726a8b73`,
    header: { type: DatagramType.Cookie, connection: A, packet: 0 },
    frames: [{
      kind: "cookieReply",
      nonce: NONCE,
      cookie: hexToBytes("19136c531574f6aca78d5c4c031d1c46e602624a4d5d3a70a4e1a756726a8b73"),
    }],
  },
  {
    name: "Connection Request, with the cookie",
    hex: `
      75630103 00000000 0000000000000001
      2000f5 1a2b3c4d ${MESSAGE_ONE}
      290020 459be27bc2c2b61c36c993b94e1637d0 e28c116b9b3a355166e791e2284f516a`,
    header: { type: DatagramType.ConnectionRequest, connection: 0, packet: 1 },
    frames: [
      { kind: "connectionRequest", connection: A, messageOne: hexToBytes(MESSAGE_ONE) },
      {
        kind: "requestCodes",
        mac1: hexToBytes("459be27bc2c2b61c36c993b94e1637d0"),
        mac2: hexToBytes("e28c116b9b3a355166e791e2284f516a"),
      },
    ],
  },
  {
    name: "No frame",
    hex: "75630101 00000000 0000000000000009",
    header: { type: DatagramType.Request, connection: 0, packet: 9 },
    frames: [],
  },
  {
    name: "Version",
    hex: "756301ff 99aabbcc 0000000000000009",
    header: { type: DatagramType.Version, connection: B, packet: 9 },
    frames: [],
  },
  {
    name: "Version, from a program that speaks version 2",
    hex: "756302ff 99aabbcc 0000000000000009",
    header: { type: DatagramType.Version, connection: B, packet: 9 },
    frames: [],
    version: 2,
  },
  {
    name: "Ringing",
    hex: "210004 00000002",
    frames: [{ kind: "ringing", responder: 2 }],
  },
  {
    name: "Connection Accept",
    hex: `2200c1 ${MESSAGE_TWO}`,
    frames: [{ kind: "connectionAccept", messageTwo: hexToBytes(MESSAGE_TWO) }],
  },
  {
    name: "Connection Reject",
    hex: "230005 00000002 01",
    frames: [{ kind: "connectionReject", responder: 2, reason: 1 }],
  },
  {
    name: "Connection Termination, to cancel a request",
    hex: "26000c 00000001 1a2b3c4d 00000000",
    frames: [{ kind: "connectionTermination", sender: 1, connection: A, finalSeq: 0 }],
  },
  {
    name: "Connection Termination Ack, for a cancelled request",
    hex: "270008 00000002 00000000",
    frames: [{ kind: "connectionTerminationAck", sender: 2, finalSeq: 0 }],
  },
  {
    name: "Message",
    hex: "240010 00000000 00000001 00 686920f09f918b",
    frames: [{ kind: "message", seq: 0, sender: 1, flags: 0, text: "hi 👋" }],
  },
  {
    name: "Message, the longest",
    hex: `2403f1 00000029 00000001 01 ${"e282ac".repeat(333)} 21`,
    frames: [{ kind: "message", seq: 41, sender: 1, flags: 1, text: LONGEST_FRAGMENT }],
  },
  {
    name: "Ack",
    hex: "25000f 00000001 00000000 0000 00000000 00",
    frames: [{
      kind: "ack",
      cumulativeSeq: 1,
      largestPacket: 0,
      delay: 0,
      packetBitmap: 0,
      ranges: [],
    }],
  },
  {
    name: "Ack, with ranges",
    hex:
      "250027 00000005 000002bc 001f fffffffd 03 0000000700000007 000000090000000c 000003e8000003ff",
    frames: [{
      kind: "ack",
      cumulativeSeq: 5,
      largestPacket: 700,
      delay: 31,
      packetBitmap: 0xffff_fffd,
      ranges: [{ first: 7, last: 7 }, { first: 9, last: 12 }, { first: 1000, last: 1023 }],
    }],
  },
  {
    name: "Connection Termination, with an Ack beside it",
    hex: `
      25000f 00000003 00000007 0000 00000000 00
      26000c 00000001 1a2b3c4d 0000002a`,
    frames: [{
      kind: "ack",
      cumulativeSeq: 3,
      largestPacket: 7,
      delay: 0,
      packetBitmap: 0,
      ranges: [],
    }, {
      kind: "connectionTermination",
      sender: 1,
      connection: A,
      finalSeq: 42,
    }],
  },
  {
    name: "Connection Termination Ack",
    hex: "270008 00000002 00000003",
    frames: [{ kind: "connectionTerminationAck", sender: 2, finalSeq: 3 }],
  },
  {
    name: "Connection Keepalive",
    hex: "280000",
    frames: [{ kind: "connectionKeepalive" }],
  },
  {
    name: "Path Challenge",
    hex: "2b0008 0123456789abcdef",
    frames: [{ kind: "pathChallenge", nonce: NONCE }],
  },
  {
    name: "Path Response, and a Path Challenge in the other direction",
    hex: "2c0008 0123456789abcdef 2b0008 fedcba9876543210",
    frames: [
      { kind: "pathResponse", nonce: NONCE },
      { kind: "pathChallenge", nonce: 0xfedcba9876543210n },
    ],
  },
  {
    name: "Several frames",
    hex: `
      240012 00000001 00000001 01 6f6e65207465787420
      240018 00000002 00000001 00 696e2074776f204d65737361676573
      240009 00000003 00000001 00
      250017 00000000 ffffffff ffff 80000000 01 00000001ffffffff
      280000`,
    frames: [
      { kind: "message", seq: 1, sender: 1, flags: 1, text: "one text " },
      { kind: "message", seq: 2, sender: 1, flags: 0, text: "in two Messages" },
      { kind: "message", seq: 3, sender: 1, flags: 0, text: "" },
      {
        kind: "ack",
        cumulativeSeq: 0,
        largestPacket: 4294967295,
        delay: 65535,
        packetBitmap: 0x8000_0000,
        ranges: [{ first: 1, last: 4294967295 }],
      },
      { kind: "connectionKeepalive" },
    ],
  },
  {
    name: "Padding between frames",
    hex: `
      000000
      280000
      000005 0000000000
      280000`,
    frames: [{ kind: "connectionKeepalive" }, { kind: "connectionKeepalive" }],
    written: [{ kind: "padding", size: 0 }, { kind: "connectionKeepalive" }, {
      kind: "padding",
      size: 5,
    }, { kind: "connectionKeepalive" }],
  },
  {
    name: "An unknown frame",
    hex: `
      280000
      7f0003 ff00ff
      ff0000
      280000`,
    frames: [{ kind: "connectionKeepalive" }, { kind: "connectionKeepalive" }],
    unknownFrames: 2,
  },
];
