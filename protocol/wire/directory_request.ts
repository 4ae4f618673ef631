/**
 * The requests that come most, read without the tables that the codec of all frames goes by.
 *
 * @module
 */
import { FRAME_HEADER_SIZE, type LeaseKeepalive, type LookUp } from "./frame.ts";
import { LAYOUTS } from "./layout.ts";
import { readAscii } from "./utf8.ts";

/** Where the fields of a Look-up are. */
const ID_AT = FRAME_HEADER_SIZE;
const NAME_SIZE_AT = ID_AT + 4;
const NAME_AT = NAME_SIZE_AT + 1;
const LEASE_KEEPALIVE: LeaseKeepalive = { kind: "leaseKeepalive" };

/**
 * The one frame in some bytes, where it is a Lease Keepalive, or a Look-up with its name in ASCII.
 *
 * @returns the same as decodeFrames(), or undefined: what that makes of it is another question.
 */
export function readCommonRequest(bytes: Uint8Array): LookUp | LeaseKeepalive | undefined {
  const { length } = bytes;
  if (length < FRAME_HEADER_SIZE) return undefined;
  if ((bytes[1]! << 8 | bytes[2]!) !== length - FRAME_HEADER_SIZE) return undefined;
  if (bytes[0] === LAYOUTS.leaseKeepalive[0]) {
    return length === FRAME_HEADER_SIZE ? LEASE_KEEPALIVE : undefined;
  }
  const isLookUp = bytes[0] === LAYOUTS.lookUp[0] && length >= NAME_AT &&
    bytes[NAME_SIZE_AT]! === length - NAME_AT;
  const name = isLookUp ? readAscii(bytes, NAME_AT) : undefined;
  if (name === undefined) return undefined;
  const id = bytes[ID_AT]! << 24 | bytes[ID_AT + 1]! << 16 | bytes[ID_AT + 2]! << 8 |
    bytes[ID_AT + 3]!;
  return { kind: "lookUp", id: id >>> 0, name };
}
