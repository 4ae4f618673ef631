/**
 * The wire format: every constant, the header, and every frame with its fields.
 *
 * A datagram is a header and any number of frames; a frame is a type (u8), the size of its body
 * (u16) and the body. All numbers are big-endian. The prose is in `protocol/README.md`; how the
 * frames lie on the wire is in `layout.ts`, the encoder and the decoder are in `datagram.ts`.
 *
 * @module
 */
import type { Address } from "./address.ts";

/** The first two bytes of every datagram, "uc". */
export const MAGIC = 0x7563;
/** The version of the wire format that this code speaks. */
export const VERSION = 1;
/** Bytes in the header: magic u16, version u8, type u8, connection id u32, packet counter u64. */
export const HEADER_SIZE = 16;
/** Bytes in front of a frame's body: type u8, size u16. */
export const FRAME_HEADER_SIZE = 3;
/** Bytes of a Message in front of its text: frame header, seq, sender and flags. */
export const MESSAGE_HEADER_SIZE: number = FRAME_HEADER_SIZE + 4 + 4 + 1;
/** Bytes in the largest datagram that every path is taken to carry whole (RFC 8085, 3.2). */
export const DATAGRAM_SIZE_MAX = 1200;
/** Bytes in the largest Connection datagram: what the loopback interface of Linux carries. */
export const CONNECTION_DATAGRAM_SIZE_MAX = 65_488;
/** Bytes in a public key (X25519, RFC 7748). */
export const PUBLIC_KEY_SIZE = 32;
/** UTF-8 bytes in the longest name. */
export const NAME_SIZE_MAX = 128;
/** UTF-8 bytes of text in the largest Message: with the largest Ack beside it, and a seal, it fits. */
export const FRAGMENT_SIZE_MAX = 1000;
/** Ranges in the largest Ack. */
export const ACK_RANGES_MAX = 16;

/** Who speaks to whom in a datagram. */
export const DatagramType = {
  /** From a client to the directory. */
  Request: 1,
  /** From the directory to a client. */
  Answer: 2,
  /** A Connection Request. */
  ConnectionRequest: 3,
  /** Between two clients, before they share a connection: sealed with the early keys. */
  Handshake: 4,
  /** Between two clients, on the connection that the header names: sealed with its keys. */
  Connection: 5,
  /** "I am busy: show that you receive": the answer to a Connection Request under load. */
  Cookie: 6,
  /** "I speak the version in this header": the answer to a datagram of another one. */
  Version: 255,
} as const;
/** One of the {@linkcode DatagramType} numbers. */
export type DatagramType = typeof DatagramType[keyof typeof DatagramType];

/** What stands in front of a datagram's frames. */
export interface Header {
  /** Who speaks to whom. */
  type: DatagramType;
  /** The receiver's connection id, 0 where there is none yet. */
  connection: number;
  /** Counts the datagrams that the sender sent on this connection, from 0. */
  packet: number;
}

/** Why the directory refuses a request. */
export const RefusalReason = {
  idTaken: 1,
  nameTaken: 2,
  full: 3,
  badName: 4,
  unknownToken: 5,
  /** The entry with this token has another key. */
  otherKey: 6,
} as const;
/** Why a client does not accept a Connection Request. */
export const RejectReason = { declined: 1, busy: 2, notThisClient: 3 } as const;
/** Bit 0 of a Message's flags: the text goes on in the message with the next seq. */
export const FLAG_MORE = 1;

/** What every frame has. */
export interface Kind<Name extends string> {
  /** Which frame it is. */
  kind: Name;
}
/** What every frame between a client and the directory has. */
export interface Exchange<Name extends string> extends Kind<Name> {
  /** Chosen at random for a request, and echoed in its answers. */
  nonce: bigint;
}
/** What every request of a registered client has. */
export interface Authorized<Name extends string> extends Exchange<Name> {
  /** Sixteen bytes, from the Registered answer. */
  token: Uint8Array;
}
/** A client as the directory tells of it. */
export interface ListEntry {
  /** The client id. */
  id: number;
  /** Empty for none. */
  name: string;
}

/** Client → directory: asks for an entry, first with an empty (zero) cookie. */
export interface Register extends Exchange<"register"> {
  /** The token of the entry to keep, zero where there is none. */
  token: Uint8Array;
  /** Sixteen bytes from the Challenge; zero before it. */
  cookie: Uint8Array;
  /** The client id asked for, 0 for any. */
  wantedId: number;
  /** The UDP port that the client's socket is bound to. */
  port: number;
  /** The client's static key, {@linkcode PUBLIC_KEY_SIZE} bytes. */
  publicKey: Uint8Array;
  /** Empty for none. */
  name: string;
}
/** Directory → client: "show that you receive at this address". */
export interface Challenge extends Exchange<"challenge"> {
  /** Sixteen bytes to send back. */
  cookie: Uint8Array;
}
/** Directory → client: the entry. */
export interface Registered extends Authorized<"registered"> {
  /** The client id. */
  id: number;
  /** Milliseconds that the entry lives without a Lease Keepalive. */
  lease: number;
  /** The client's address as the directory saw it. */
  seenAt: Address;
}
/** Directory → client: the request was refused. */
export interface Refused extends Exchange<"refused"> {
  /** One of {@linkcode RefusalReason}. */
  reason: number;
}
/** Client → directory: renews the lease. */
export type LeaseKeepalive = Authorized<"leaseKeepalive">;
/** Directory → client: the lease is renewed. */
export interface LeaseKeepaliveAck extends Exchange<"leaseKeepaliveAck"> {
  /** Milliseconds that it lasts from now. */
  lease: number;
}
/** Client → directory: where is the client with this id, or with this name where the id is 0? */
export interface LookUp extends Authorized<"lookUp">, ListEntry {}
/** Directory → client: there. */
export interface Found extends Exchange<"found">, ListEntry {
  /** Where the client was seen. */
  address: Address;
  /** The static key that it registered with, {@linkcode PUBLIC_KEY_SIZE} bytes. */
  publicKey: Uint8Array;
}
/** Directory → client: Client N Inactive, with the id and name of the Look-up. */
export interface Inactive extends Exchange<"inactive">, ListEntry {}
/** Client → directory: which clients are active? */
export interface List extends Authorized<"list"> {
  /** Asks for clients with ids above this one. */
  after: number;
}
/** Directory → client: some active clients, by rising id. */
export interface Listing extends Exchange<"listing"> {
  /** 1 where clients with higher ids follow, else 0. */
  more: number;
  /** As many as fit into the datagram. */
  clients: readonly ListEntry[];
}
/** Client → directory: Client Leave. */
export type Leave = Authorized<"leave">;
/** Directory → client: the entry is gone. */
export type LeaveAck = Exchange<"leaveAck">;
/** The end of a private directory's datagrams, in both directions; see `proof.ts`. */
export interface Proof extends Kind<"proof"> {
  /** Sixteen bytes: a code over every byte of the datagram before them. */
  code: Uint8Array;
}

/** Client → client: Connection Request. Who requests whom is inside message one. */
export interface ConnectionRequest extends Kind<"connectionRequest"> {
  /** The requester's connection id, a new one for each request. */
  connection: number;
  /** Message one of the Noise handshake. */
  messageOne: Uint8Array;
}
/** The end of a Connection Request: codes over every byte of the datagram before each (WireGuard, 5.4.4). */
export interface RequestCodes extends Kind<"requestCodes"> {
  /** Sixteen bytes: shows that the requester knows the responder's static key. */
  mac1: Uint8Array;
  /** Sixteen bytes: shows that the requester has a cookie; zero where it has none. */
  mac2: Uint8Array;
}
/** Client → client: a cookie for the requester's address, sealed (WireGuard, 5.4.7). */
export interface CookieReply extends Kind<"cookieReply"> {
  /** Eight bytes that make the seal's nonce. */
  nonce: bigint;
  /** The sealed cookie, 32 bytes. */
  cookie: Uint8Array;
}
/** Client → client: the request arrived, the user is being asked. */
export interface Ringing extends Kind<"ringing"> {
  /** The responder's client id. */
  responder: number;
}
/** Client → client: Connection Accept. The responder's id, connection id and name are inside message two. */
export interface ConnectionAccept extends Kind<"connectionAccept"> {
  /** Message two of the Noise handshake. */
  messageTwo: Uint8Array;
}
/** Client → client: Connection Reject. */
export interface ConnectionReject extends Kind<"connectionReject"> {
  /** The responder's client id. */
  responder: number;
  /** One of {@linkcode RejectReason}. */
  reason: number;
}
/** Client → client: a text, or a fragment of one. */
export interface Message extends Kind<"message"> {
  /** Counts the Messages of the sender on this connection, from 0. */
  seq: number;
  /** The sender's client id. */
  sender: number;
  /** {@linkcode FLAG_MORE} or 0. */
  flags: number;
  /** At most {@linkcode FRAGMENT_SIZE_MAX} bytes as UTF-8. */
  text: string;
}
/** The Messages from `first` to `last`, both included. */
export interface AckRange {
  /** The lowest seq. */
  first: number;
  /** The highest seq. */
  last: number;
}
/** Client → client: which Messages arrived. */
export interface Ack extends Kind<"ack"> {
  /** All below this seq arrived. */
  cumulativeSeq: number;
  /**
   * One above the packet counter of the newest datagram that asked for an Ack, its low 32 bits; 0
   * for none.
   */
  largestPacket: number;
  /** Tenths of a millisecond since that datagram came. */
  delay: number;
  /** Bit n: the datagram with the packet counter `largestPacket` − 2 − n came, too. */
  packetBitmap: number;
  /** What arrived at or above `cumulativeSeq`, rising, not touching one another. */
  ranges: readonly AckRange[];
}
/** Client → client: Connection Termination. */
export interface ConnectionTermination extends Kind<"connectionTermination"> {
  /** The sender's client id. */
  sender: number;
  /** The sender's connection id. */
  connection: number;
  /** One above the highest seq that the sender used. */
  finalSeq: number;
}
/** Client → client: the Termination arrived. */
export interface ConnectionTerminationAck extends Kind<"connectionTerminationAck"> {
  /** The sender's client id. */
  sender: number;
  /** One above the highest seq that the sender used; 0 where it knows no such connection. */
  finalSeq: number;
}
/** Client → client: shows that the sender receives at the address that this goes to, if it comes back. */
export interface PathChallenge extends Kind<"pathChallenge"> {
  /** Chosen at random. */
  nonce: bigint;
}
/** Client → client: the answer to a Path Challenge, to where that came from. */
export interface PathResponse extends Kind<"pathResponse"> {
  /** The nonce of the Path Challenge. */
  nonce: bigint;
}
/** Client → client: asks for an Ack, to see that the other is there. */
export type ConnectionKeepalive = Kind<"connectionKeepalive">;
/** Fills a datagram up: zeros that are skipped. */
export interface Padding extends Kind<"padding"> {
  /** Bytes in the body. */
  size: number;
}

/** Any frame. */
export type Frame =
  | Register
  | Challenge
  | Registered
  | Refused
  | LeaseKeepalive
  | LeaseKeepaliveAck
  | LookUp
  | Found
  | Inactive
  | List
  | Listing
  | Leave
  | LeaveAck
  | Proof
  | ConnectionRequest
  | RequestCodes
  | CookieReply
  | Ringing
  | ConnectionAccept
  | ConnectionReject
  | Message
  | Ack
  | ConnectionTermination
  | ConnectionTerminationAck
  | ConnectionKeepalive
  | PathChallenge
  | PathResponse
  | Padding;
