/**
 * Keys and handshakes as numbers that people can read to each other.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Groups of digits in a fingerprint. */
const GROUPS = 6;
/** Digits in a group. */
const GROUP_DIGITS = 5;
/** Bytes of the hash for one group: far more than its digits hold, so that all are equally likely. */
const GROUP_BYTES = 5;

/**
 * The fingerprint of a client's static public key: 30 digits, such as
 * `12345 67890 12345 67890 12345 67890`.
 *
 * It is the same whenever and wherever the key is used. Digits are said alike in every language that
 * two people may share. They hold 99 bits of a SHA-256: who looks for another key with the same ones
 * has to try 2^99 keys.
 */
export function fingerprint(publicKey: Uint8Array): string {
  return digits("udp-chat fingerprint 1", publicKey);
}

/**
 * The short authentication string of a connection: 30 digits made from the hash of its handshake.
 *
 * They are the same on both screens if both ends took part in one and the same handshake, and differ
 * if somebody in the middle took part in two.
 *
 * Why they are not shorter: in protocols such as ZRTP each side commits itself to its key before it
 * sees the other's, so that whoever is in the middle has one guess, and 16 bits will do. Noise has no
 * such commitment. Whoever is in the middle can finish the handshake with one side, and then try
 * ephemeral keys towards the other until both strings agree, for as long as the request rings:
 * 2^20 tries for six digits, which takes a second. Thirty digits take 2^99.
 */
export function shortAuthenticationString(handshakeHash: Uint8Array): string {
  return digits("udp-chat verify 1", handshakeHash);
}

/**
 * The fingerprint as {@linkcode fingerprint} writes it; undefined where the text is none.
 *
 * The groups may be joined by hyphens, or by nothing. No good name looks like that.
 */
export function parseFingerprint(text: string): string | undefined {
  if (!/^\d{5}(?:([ -]?)\d{5})(?:\1\d{5}){4}$/.test(text)) return undefined;
  return text.match(/\d{5}/g)?.join(" ");
}

/** Each group: five bytes of SHA-256(label, bytes), most significant first, modulo 100,000. */
function digits(label: string, bytes: Uint8Array): string {
  const hash = createHash("sha256").update(label).update(bytes).digest();
  return Array.from({ length: GROUPS }, (_, group) => {
    const start = group * GROUP_BYTES;
    const number = hash.subarray(start, start + GROUP_BYTES)
      .reduce((value, byte) => value * 256 + byte, 0);
    return `${number % 10 ** GROUP_DIGITS}`.padStart(GROUP_DIGITS, "0");
  }).join(" ");
}
