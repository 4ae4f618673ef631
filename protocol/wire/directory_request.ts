/**
 * The requests that come most, read without the tables that the codec of all frames goes by.
 *
 * @module
 */
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  FRAME_HEADER_SIZE,
  HEADER_SIZE,
  type LeaseKeepalive,
  type LookUp,
  MAGIC,
  PUBLIC_KEY_SIZE,
  type Register,
  VERSION,
} from "./frame.ts";
import { LAYOUTS } from "./layout.ts";
import { readAscii } from "./utf8.ts";

/** Where the fields of a frame are that starts the datagram. */
const BODY_AT = HEADER_SIZE + FRAME_HEADER_SIZE;
const TOKEN_AT = BODY_AT + 8;
const TOKEN_END = TOKEN_AT + 16;
const LOOK_UP_NAME_AT = TOKEN_END + 4;
const COOKIE_END = TOKEN_END + 16;
const KEY_AT = COOKIE_END + 4 + 2;
const REGISTER_NAME_AT = KEY_AT + PUBLIC_KEY_SIZE;
/** The high half of a packet counter above 2^53 - 1. */
const PACKET_HIGH_END = 2 ** 21;

/**
 * The one frame of a Request, where it is of one of these kinds and its name in ASCII.
 *
 * @returns the same as decodeDatagram(), or undefined: what that makes of it is another question.
 */
export function readRequest(bytes: Uint8Array): LookUp | LeaseKeepalive | Register | undefined {
  if (bytes.length < TOKEN_END || bytes.length > DATAGRAM_SIZE_MAX) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const isRequest = view.getUint16(0) === MAGIC && bytes[2] === VERSION &&
    bytes[3] === DatagramType.Request && view.getUint32(8) < PACKET_HIGH_END &&
    view.getUint16(HEADER_SIZE + 1) === bytes.length - BODY_AT;
  if (!isRequest) return undefined;
  switch (bytes[HEADER_SIZE]) {
    case LAYOUTS.lookUp[0]: {
      const name = readName(bytes, LOOK_UP_NAME_AT);
      if (name === undefined) return undefined;
      const token = bytes.subarray(TOKEN_AT, TOKEN_END);
      const nonce = view.getBigUint64(BODY_AT);
      return { kind: "lookUp", nonce, token, id: view.getUint32(TOKEN_END), name };
    }
    case LAYOUTS.leaseKeepalive[0]: {
      if (bytes.length !== TOKEN_END) return undefined;
      const token = bytes.subarray(TOKEN_AT, TOKEN_END);
      return { kind: "leaseKeepalive", nonce: view.getBigUint64(BODY_AT), token };
    }
    case LAYOUTS.register[0]: {
      const name = readName(bytes, REGISTER_NAME_AT);
      if (name === undefined) return undefined;
      return {
        kind: "register",
        nonce: view.getBigUint64(BODY_AT),
        token: bytes.subarray(TOKEN_AT, TOKEN_END),
        cookie: bytes.subarray(TOKEN_END, COOKIE_END),
        wantedId: view.getUint32(COOKIE_END),
        port: view.getUint16(COOKIE_END + 4),
        publicKey: bytes.subarray(KEY_AT, REGISTER_NAME_AT),
        name,
      };
    }
    default:
      return undefined;
  }
}

/** A name behind its size that reaches to the end of the datagram, where it is in ASCII. */
function readName(bytes: Uint8Array, at: number): string | undefined {
  if (at >= bytes.length || at + 1 + bytes[at]! !== bytes.length) return undefined;
  return readAscii(bytes, at + 1);
}
