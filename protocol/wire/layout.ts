/**
 * How every frame lies on the wire: its type, and its fields in their order.
 *
 * @module
 */
import {
  address,
  bytes100,
  bytes16,
  bytes24,
  bytes32,
  bytes52,
  type Field,
  group,
  listOf,
  padding,
  restBytes,
  restText,
  shortText,
  u16,
  u32,
  u64,
  u8,
} from "./field.ts";
import type { AckRange, Frame, ListEntry } from "./frame.ts";
import { goodName } from "../name/name.ts";

/** A frame's type on the wire, and its fields in the order in which they stand there. */
type Layout<F> = readonly [
  type: number,
  fields: { [P in Exclude<keyof F, "kind">]-?: Field<F[P]> },
];

/** The name that somebody goes by: one that is not good is read as none, wherever it comes from. */
const name: Field<string> = {
  write: shortText.write,
  read: (reader) => goodName(shortText.read(reader)),
};

const clients = listOf(group<ListEntry>({ id: u32, name }));
const addresses = listOf(address);
const ranges = listOf(group<AckRange>({ first: u32, last: u32 }));

/** The layout of every frame: the wire format itself. */
export const LAYOUTS: { readonly [K in Frame["kind"]]: Layout<Extract<Frame, { kind: K }>> } = {
  padding: [0x00, { size: padding }],

  credentials: [0x01, { nonce: u64, cookie: bytes16, publicKey: bytes32, mac: bytes16 }],
  challenge: [0x02, { nonce: u64, cookie: bytes16, publicKey: bytes32, mac: bytes16 }],
  register: [0x03, { session: u32, token: bytes16, wantedId: u32, port: u16, name: shortText }],
  registered: [0x04, { token: bytes16, id: u32, lease: u32, seenAt: address }],
  refused: [0x05, { reason: u8 }],
  leaseKeepalive: [0x06, {}],
  leaseKeepaliveAck: [0x07, { lease: u32 }],
  lookUp: [0x08, { id: u32, name: shortText }],
  found: [0x09, { id: u32, name, address, publicKey: bytes32 }],
  inactive: [0x0a, { id: u32, name: shortText }],
  list: [0x0b, { after: u32 }],
  listing: [0x0c, { more: u8, clients }],
  leave: [0x0d, {}],
  leaveAck: [0x0e, {}],
  call: [0x0f, { id: u32, name: shortText }],
  meeting: [0x10, {
    number: u64,
    flags: u8,
    id: u32,
    name,
    publicKey: bytes32,
    addresses,
  }],
  carry: [0x11, { number: u64, to: u32, datagram: restBytes }],
  carried: [0x12, { from: u32, datagram: restBytes }],
  alsoAt: [0x13, { nonce: u64, cookie: bytes16 }],
  alsoAtAck: [0x14, { seenAt: address }],

  initiation: [0x20, { messageOne: bytes100 }],
  macs: [0x21, { mac1: bytes16, mac2: bytes16 }],
  response: [0x22, { messageTwo: bytes52 }],
  cookieReply: [0x23, { nonce: bytes24, cookie: bytes32 }],
  punch: [0x24, { number: u64 }],

  connectionRequest: [0x30, { request: u32, requester: u32, responder: u32, name }],
  ringing: [0x31, { responder: u32 }],
  connectionAccept: [0x32, { responder: u32, flags: u8, name }],
  connectionReject: [0x33, { responder: u32, reason: u8 }],
  message: [0x34, { seq: u32, sender: u32, flags: u8, text: restText }],
  ack: [0x35, { cumulativeSeq: u32, largestPacket: u32, delay: u16, packetBitmap: u32, ranges }],
  connectionTermination: [0x36, { sender: u32, finalSeq: u32 }],
  connectionTerminationAck: [0x37, { sender: u32, finalSeq: u32 }],
  connectionKeepalive: [0x38, {}],
  pathChallenge: [0x39, { nonce: u64 }],
  pathResponse: [0x3a, { nonce: u64 }],
  candidates: [0x3b, { addresses }],
};
