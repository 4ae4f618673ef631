/**
 * What the vectors are made from: keys, ids and names that are given.
 *
 * @module
 */
import { ascii, publicKeyOf } from "../../reference/naive_crypto.ts";

/** So many bytes that count up. */
function rising(first: number, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => first + index);
}

/** Private keys and secrets. The initiator is also the client of the directory. */
export const INPUTS = {
  initiatorStatic: rising(0x10, 32),
  initiatorEphemeral: rising(0x30, 32),
  responderStatic: rising(0x50, 32),
  responderEphemeral: rising(0x70, 32),
  directoryStatic: rising(0x90, 32),
  responderCookieSecret: rising(0xc0, 32),
  directorySecret: ascii("correct horse battery staple"),
} as const;

/** The public keys of the private ones. */
export const PUBLIC_KEYS = {
  initiatorStatic: publicKeyOf(INPUTS.initiatorStatic),
  initiatorEphemeral: publicKeyOf(INPUTS.initiatorEphemeral),
  responderStatic: publicKeyOf(INPUTS.responderStatic),
  responderEphemeral: publicKeyOf(INPUTS.responderEphemeral),
  directoryStatic: publicKeyOf(INPUTS.directoryStatic),
} as const;

/** Names of the two clients. */
export const NAMES = { initiator: "zoë", responder: "Борис" } as const;
/** Ids of sessions, each chosen by the end that it is named after. */
export const SESSIONS = {
  initiator: 0x1a2b3c4d,
  responder: 0x99aabbcc,
  client: 0x5e551011,
} as const;
/** Where the initiator is. */
export const ADDRESS = { hostname: "192.0.2.7", port: 40_000 } as const;
/** Given by the directory. */
export const TOKEN: Uint8Array = rising(0xa0, 16);
/** A Challenge's, which stands for one that the directory made. */
export const DIRECTORY_COOKIE: Uint8Array = rising(0xe0, 16);
/** The nonce of an exchange with the directory. */
export const DIRECTORY_NONCE = 0x0123456789abcdefn;
/** A Challenge's that came to another address, and the nonce of the Credentials that it answers. */
export const OTHER_COOKIE: Uint8Array = rising(0xf0, 16);
/** See {@linkcode OTHER_COOKIE}. */
export const OTHER_NONCE = 0xfedcba9876543210n;
/** A number that stands for one that the directory made. */
export const MEETING_NUMBER = 0x0bada550c1a7e500n;
/** The nonce of the Cookie Reply. */
export const COOKIE_NONCE: Uint8Array = rising(0x01, 24);
