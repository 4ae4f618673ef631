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
/** Bytes in the header: magic u16, version u8, type u8, session id u32, packet counter u64. */
export const HEADER_SIZE = 16;
/** Bytes before a frame's body: type u8, size u16. */
export const FRAME_HEADER_SIZE = 3;
/** Bytes of a Message before its text: frame header, seq, sender and flags. */
export const MESSAGE_HEADER_SIZE: number = FRAME_HEADER_SIZE + 4 + 4 + 1;
/** Bytes in the largest datagram that a path is taken to carry whole (RFC 8085, 3.2). */
export const DATAGRAM_SIZE_MAX = 1200;
/** Bytes in the largest datagram that a path of 576 bytes carries whole, less IPv6 and UDP headers. */
export const NARROW_SIZE_MAX = 528;
/** Bytes in the largest Packet: what the loopback interface of Linux carries. */
export const PACKET_SIZE_MAX = 65_488;
/** Bytes in a public key (X25519, RFC 7748). */
export const PUBLIC_KEY_SIZE = 32;
/** Bytes by which sealed frames are longer than plain ones: the tag (RFC 8439). */
export const TAG_SIZE = 16;
/**
 * UTF-8 bytes of text in the largest Message: with the largest Ack beside it, it fits the narrowest
 * path, and five of them fill an Ethernet frame. What was sent is never split again.
 */
export const FRAGMENT_SIZE_MAX = 272;
/** Bytes in a Packet with a name, at least, so that the name's length does not show. */
export const NAMED_PACKET_SIZE = 192;
/** Bytes in a Request with a Call, at least: no less than in the two Meetings that answer it. */
export const CALL_SIZE = 512;
/** Bytes in a Punch, at least: no less than in the Initiation that it may lead to. */
export const PUNCH_SIZE = 154;
/** Bytes in the largest datagram that a directory carries: with what it is wrapped in, it fits. */
export const CARRIED_SIZE_MAX = 1140;
/** Addresses in the largest Meeting, one of each family; and in the largest Candidates. */
export const MEETING_ADDRESSES_MAX = 2;
/** See {@linkcode MEETING_ADDRESSES_MAX}. */
export const CANDIDATES_LENGTH_MAX = 8;
/** Ranges in the largest Ack. */
export const ACK_RANGES_MAX = 16;

/** Sender and receiver of a datagram, and whether its frames are sealed. */
export const DatagramType = {
  /** Client → directory, without a session: Credentials, then a sealed Register or Padding. */
  Register: 1,
  /** Directory → client, without a session: a Challenge. */
  Challenge: 2,
  /** Client → directory, sealed. */
  Request: 3,
  /** Directory → client, sealed. */
  Answer: 4,
  /** Client → client: the first message of a handshake. */
  Initiation: 5,
  /** Client → client: the second message of a handshake. */
  Response: 6,
  /** Client → client: the answer to an Initiation under load. */
  Cookie: 7,
  /** Client → client, sealed with the keys of the session that the header names. */
  Packet: 8,
  /** Directory → client, sealed, and not asked for. */
  Notice: 9,
  /** Client → client: opens the way for an Initiation. */
  Punch: 10,
  /** Directory → client: the header of a Request whose session the directory does not know. */
  Unknown: 254,
  /** The header of a datagram of another version, in the version of whoever answers it. */
  Version: 255,
} as const;
/** One of the {@linkcode DatagramType} numbers. */
export type DatagramType = typeof DatagramType[keyof typeof DatagramType];

/** What every datagram begins with. */
export interface Header {
  /** What kind of datagram it is. */
  type: DatagramType;
  /** The receiver's id of the session, 0 where there is none. */
  session: number;
  /** Counts the datagrams that the sender sealed in this session, from 0. */
  packet: number;
}

/** Why the directory refuses a request. */
export const RefusalReason = {
  idTaken: 1,
  nameTaken: 2,
  full: 3,
  badName: 4,
  sourceFull: 5,
  nameHeld: 6,
  ownEntry: 7,
  /** The directory cannot reach its store now; said to any request. */
  unavailable: 8,
} as const;
/** Why a client does not accept a Connection Request. */
export const RejectReason = { declined: 1, busy: 2, notThisClient: 3 } as const;
/** Bit 0 of a Message's flags: the text goes on in the message with the next seq. */
export const FLAG_MORE = 1;
/** Bit 0 of a Meeting's flags: it is for the client that called. */
export const FLAG_CALLER = 1;
/** Bit 1 of a Meeting's flags: both clients are behind the same public address. */
export const FLAG_NEAR = 2;
/** Bit 0 of a Connection Accept's flags: it goes on with the conversation of an earlier session. */
export const FLAG_RESUMED = 1;

/** What every frame has. */
export interface Kind<Name extends string> {
  /** Which frame it is. */
  kind: Name;
}
/** A client as the directory lists it. */
export interface ListEntry {
  /** The client id. */
  id: number;
  /** Empty for none. */
  name: string;
}

/** Client → directory, clear: what the key of a sealed Register is made from. */
export interface Credentials extends Kind<"credentials"> {
  /** Chosen at random for a registration, and echoed in its Challenge. */
  nonce: bigint;
  /** Sixteen bytes from the Challenge; zero before it. */
  cookie: Uint8Array;
  /** The client's static key, {@linkcode PUBLIC_KEY_SIZE} bytes; zero before the Challenge. */
  publicKey: Uint8Array;
  /** Sixteen bytes: shows that the client has the secret of a private directory; else zero. */
  mac: Uint8Array;
}
/** Directory → client, clear: asks the client to show that it receives at its address. */
export interface Challenge extends Kind<"challenge"> {
  /** That of the Credentials. */
  nonce: bigint;
  /** Sixteen bytes to send back. */
  cookie: Uint8Array;
  /** The directory's static key, {@linkcode PUBLIC_KEY_SIZE} bytes. */
  publicKey: Uint8Array;
  /** Sixteen bytes: shows that a private directory has its secret; else zero. */
  mac: Uint8Array;
}
/** Client → directory: asks for an entry. */
export interface Register extends Kind<"register"> {
  /** The client's id of the session that begins with this. */
  session: number;
  /** The token of the entry to keep, zero where there is none. */
  token: Uint8Array;
  /** The client id asked for, 0 for any. */
  wantedId: number;
  /** The UDP port that the client's socket is bound to. */
  port: number;
  /** Empty for none. */
  name: string;
}
/** Directory → client: the entry. */
export interface Registered extends Kind<"registered"> {
  /** Sixteen bytes: shows in a later Register which entry is this client's. */
  token: Uint8Array;
  /** The client id, which is also the directory's id of the session. */
  id: number;
  /** Milliseconds that the entry lives without a Lease Keepalive. */
  lease: number;
  /** The client's address as the directory saw it. */
  seenAt: Address;
}
/** Directory → client: the request was refused. */
export interface Refused extends Kind<"refused"> {
  /** One of {@linkcode RefusalReason}. */
  reason: number;
}
/** Client → directory: renews the lease. */
export type LeaseKeepalive = Kind<"leaseKeepalive">;
/** Directory → client: the lease is renewed. */
export interface LeaseKeepaliveAck extends Kind<"leaseKeepaliveAck"> {
  /** Milliseconds that it lasts from now. */
  lease: number;
}
/** Client → directory: where is the client with this id, or with this name where the id is 0? */
export interface LookUp extends Kind<"lookUp">, ListEntry {}
/** Directory → client: there. */
export interface Found extends Kind<"found">, ListEntry {
  /** Where the client was seen. */
  address: Address;
  /** The static key that it registered with, {@linkcode PUBLIC_KEY_SIZE} bytes. */
  publicKey: Uint8Array;
}
/** Directory → client: Client N Inactive, with the id and name of the Look-up. */
export interface Inactive extends Kind<"inactive">, ListEntry {}
/** Client → directory: which clients are active? */
export interface List extends Kind<"list"> {
  /** Asks for clients with ids above this one. */
  after: number;
}
/** Directory → client: some active clients, by rising id. */
export interface Listing extends Kind<"listing"> {
  /** 1 where clients with higher ids follow, else 0. */
  more: number;
  /** As many as fit into the datagram. */
  clients: readonly ListEntry[];
}
/** Client → directory: introduce this client to the one with this id or name. */
export interface Call extends Kind<"call">, ListEntry {}
/** Directory → client, to both at once: the client to meet. */
export interface Meeting extends Kind<"meeting"> {
  /** Names this meeting: the same to both, and known to nobody else. */
  number: bigint;
  /** {@linkcode FLAG_CALLER}, {@linkcode FLAG_NEAR}. */
  flags: number;
  /** The peer's client id. */
  id: number;
  /** The peer's name, empty for none. */
  name: string;
  /** The peer's static key, {@linkcode PUBLIC_KEY_SIZE} bytes. */
  publicKey: Uint8Array;
  /** Where the peer was seen: the address of each family that it has shown to receive at. */
  addresses: readonly Address[];
}
/** Client → directory: carry this datagram to the client that was met. */
export interface Carry extends Kind<"carry"> {
  /** That of the last meeting with it. */
  number: bigint;
  /** Its client id. */
  to: number;
  /** At most {@linkcode CARRIED_SIZE_MAX} bytes. */
  datagram: Uint8Array;
}
/** Directory → client: a datagram that was carried. */
export interface Carried extends Kind<"carried"> {
  /** The client id of its sender. */
  from: number;
  /** As it was sent. */
  datagram: Uint8Array;
}
/** Client → directory, from an address of the other family: this client is there, too. */
export interface AlsoAt extends Kind<"alsoAt"> {
  /** That of the Credentials that the cookie answered. */
  nonce: bigint;
  /** From a Challenge that came to that address. */
  cookie: Uint8Array;
}
/** Directory → client: the address is noted. */
export interface AlsoAtAck extends Kind<"alsoAtAck"> {
  /** The address. */
  seenAt: Address;
}
/** Client → directory: Client Leave. */
export type Leave = Kind<"leave">;
/** Directory → client: the entry is gone. */
export type LeaveAck = Kind<"leaveAck">;

/** Client → client, clear: message one of the Noise handshake. */
export interface Initiation extends Kind<"initiation"> {
  /** With the initiator's id of the session as its payload. */
  messageOne: Uint8Array;
}
/** The end of an Initiation: codes over every byte of the datagram before each (WireGuard, 5.4.4). */
export interface Macs extends Kind<"macs"> {
  /** Sixteen bytes: shows that the initiator knows the responder's static key. */
  mac1: Uint8Array;
  /** Sixteen bytes: shows that the initiator has a cookie; zero where it has none. */
  mac2: Uint8Array;
}
/** Client → client, clear: message two of the Noise handshake. */
export interface Response extends Kind<"response"> {
  /** With the responder's id of the session as its payload. */
  messageTwo: Uint8Array;
}
/** Client → client, clear: a cookie for the initiator's address, sealed (WireGuard, 5.4.7). */
export interface CookieReply extends Kind<"cookieReply"> {
  /** Twenty-four bytes, chosen at random. */
  nonce: Uint8Array;
  /** The sealed cookie, 32 bytes. */
  cookie: Uint8Array;
}

/** Client → client, clear: lets the peer's Initiation in, and shows where it should go. */
export interface Punch extends Kind<"punch"> {
  /** That of the meeting. */
  number: bigint;
}

/** Client → client: Connection Request. */
export interface ConnectionRequest extends Kind<"connectionRequest"> {
  /** Chosen at random for a request: the same however often, and in whichever session it is sent. */
  request: number;
  /** The requester's client id. */
  requester: number;
  /** The client id that the requester looked up. */
  responder: number;
  /** The requester's name, empty for none. */
  name: string;
}
/** Client → client: the request arrived, the user is being asked. */
export interface Ringing extends Kind<"ringing"> {
  /** The responder's client id. */
  responder: number;
}
/** Client → client: Connection Accept. */
export interface ConnectionAccept extends Kind<"connectionAccept"> {
  /** The responder's client id. */
  responder: number;
  /** {@linkcode FLAG_RESUMED} or 0. */
  flags: number;
  /** The responder's name, empty for none. */
  name: string;
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
  /** The largest packet counter of a packet that asked for an Ack, its low 32 bits. */
  largestPacket: number;
  /** Tenths of a millisecond since that packet came. */
  delay: number;
  /** Bit n: the packet with the counter `largestPacket` − n came; 0 where none came. */
  packetBitmap: number;
  /** What arrived at or above `cumulativeSeq`, rising, not touching one another. */
  ranges: readonly AckRange[];
}
/** Client → client: Connection Termination; before an Accept it takes the request back. */
export interface ConnectionTermination extends Kind<"connectionTermination"> {
  /** The sender's client id. */
  sender: number;
  /** One above the highest seq that the sender used. */
  finalSeq: number;
}
/** Client → client: the Termination arrived. */
export interface ConnectionTerminationAck extends Kind<"connectionTerminationAck"> {
  /** The sender's client id. */
  sender: number;
  /** One above the highest seq that the sender used. */
  finalSeq: number;
}
/** Client → client: asks for an Ack, to see that the peer is there. */
export type ConnectionKeepalive = Kind<"connectionKeepalive">;
/** Client → client: asks the receiver to show that it receives at the address that this goes to. */
export interface PathChallenge extends Kind<"pathChallenge"> {
  /** Chosen at random. */
  nonce: bigint;
}
/** Client → client: the answer to a Path Challenge, to where that came from. */
export interface PathResponse extends Kind<"pathResponse"> {
  /** The nonce of the Path Challenge. */
  nonce: bigint;
}
/** Client → client: where this client may be reached from the network that both are in. */
export interface Candidates extends Kind<"candidates"> {
  /** At most {@linkcode CANDIDATES_LENGTH_MAX}, of private ranges. */
  addresses: readonly Address[];
}
/** Fills a datagram up: zeros that are skipped. */
export interface Padding extends Kind<"padding"> {
  /** Bytes in the body. */
  size: number;
}

/** Any frame. */
export type Frame =
  | Credentials
  | Challenge
  | Register
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
  | Call
  | Meeting
  | Carry
  | Carried
  | AlsoAt
  | AlsoAtAck
  | Initiation
  | Macs
  | Response
  | CookieReply
  | Punch
  | ConnectionRequest
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
  | Candidates
  | Padding;
