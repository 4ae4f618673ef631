/**
 * How every frame lies on the wire: its type, and its fields in their order.
 *
 * @module
 */
import {
  address,
  bytes16,
  bytes32,
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

/** A frame's type on the wire, and its fields in the order in which they stand there. */
type Layout<F> = readonly [
  type: number,
  fields: { [P in Exclude<keyof F, "kind">]-?: Field<F[P]> },
];

const clients = listOf(group<ListEntry>({ id: u32, name: shortText }));
const ranges = listOf(group<AckRange>({ first: u32, last: u32 }));

/** The layout of every frame: the wire format itself. */
export const LAYOUTS: { readonly [K in Frame["kind"]]: Layout<Extract<Frame, { kind: K }>> } = {
  padding: [0x00, { size: padding }],

  register: [0x01, {
    nonce: u64,
    token: bytes16,
    cookie: bytes16,
    wantedId: u32,
    port: u16,
    publicKey: bytes32,
    name: shortText,
  }],
  challenge: [0x02, { nonce: u64, cookie: bytes16 }],
  registered: [0x03, { nonce: u64, token: bytes16, id: u32, lease: u32, seenAt: address }],
  refused: [0x04, { nonce: u64, reason: u8 }],
  leaseKeepalive: [0x05, { nonce: u64, token: bytes16 }],
  leaseKeepaliveAck: [0x06, { nonce: u64, lease: u32 }],
  lookUp: [0x07, { nonce: u64, token: bytes16, id: u32, name: shortText }],
  found: [0x08, { nonce: u64, id: u32, name: shortText, address, publicKey: bytes32 }],
  inactive: [0x09, { nonce: u64, id: u32, name: shortText }],
  list: [0x0a, { nonce: u64, token: bytes16, after: u32 }],
  listing: [0x0b, { nonce: u64, more: u8, clients }],
  leave: [0x0c, { nonce: u64, token: bytes16 }],
  leaveAck: [0x0d, { nonce: u64 }],
  proof: [0x0e, { code: bytes16 }],

  connectionRequest: [0x20, { connection: u32, messageOne: restBytes }],
  requestCodes: [0x29, { mac1: bytes16, mac2: bytes16 }],
  cookieReply: [0x2a, { nonce: u64, cookie: bytes32 }],
  ringing: [0x21, { responder: u32 }],
  connectionAccept: [0x22, { messageTwo: restBytes }],
  connectionReject: [0x23, { responder: u32, reason: u8 }],
  message: [0x24, { seq: u32, sender: u32, flags: u8, text: restText }],
  ack: [0x25, { cumulativeSeq: u32, largestPacket: u32, delay: u16, packetBitmap: u32, ranges }],
  connectionTermination: [0x26, { sender: u32, connection: u32, finalSeq: u32 }],
  connectionTerminationAck: [0x27, { sender: u32, finalSeq: u32 }],
  connectionKeepalive: [0x28, {}],
  pathChallenge: [0x2b, { nonce: u64 }],
  pathResponse: [0x2c, { nonce: u64 }],
};
