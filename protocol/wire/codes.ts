/**
 * The codes that stand in clear datagrams, and what each covers: all bytes before it.
 *
 * @module
 */
import { FRAME_HEADER_SIZE, HEADER_SIZE, PUBLIC_KEY_SIZE } from "./frame.ts";

/** Bytes in a code. */
export const CODE_SIZE = 16;
/** Where the mac of Credentials and of a Challenge is: after nonce, cookie and key. */
const MAC_AT = HEADER_SIZE + FRAME_HEADER_SIZE + 8 + 16 + PUBLIC_KEY_SIZE;

/** A code in a datagram, as views. */
export interface Code {
  /** What it covers. */
  readonly covered: Uint8Array;
  /** The code itself. */
  readonly code: Uint8Array;
}

/** The mac of a Register or a Challenge. */
export function directoryMac(datagram: Uint8Array): Code {
  return codeAt(datagram, MAC_AT);
}

/** The first of the two codes at the end of an Initiation. */
export function mac1(datagram: Uint8Array): Code {
  return codeAt(datagram, datagram.length - 2 * CODE_SIZE);
}

/** The second one. */
export function mac2(datagram: Uint8Array): Code {
  return codeAt(datagram, datagram.length - CODE_SIZE);
}

function codeAt(datagram: Uint8Array, at: number): Code {
  return { covered: datagram.subarray(0, at), code: datagram.subarray(at, at + CODE_SIZE) };
}
