/**
 * The key that a client and a directory share for one registration, and what a private directory
 * adds to it.
 *
 * It follows from the X25519 of both static keys, so that each end knows that the other has the
 * private one; from the nonce of the client and the cookie of the directory, so that no two
 * registrations have the same; and from the secret of a private directory. The construction is HKDF
 * (RFC 5869); what it gives and what it does not is in `protocol/README.md`, "Registering".
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { openSealed, sealInPlace } from "../crypto/aead.ts";
import { hkdf, hmacSha256 } from "../crypto/hmac.ts";
import { KEY_SIZE } from "../crypto/x25519.ts";
import { CODE_SIZE, directoryMac } from "../wire/codes.ts";
import type { Datagram } from "../wire/datagram.ts";
import { HEADER_SIZE } from "../wire/frame.ts";

const encoder = new TextEncoder();
const KEY_LABEL = encoder.encode("udp-chat directory key");
const MAC_LABEL = encoder.encode("udp-chat directory mac");
/** In the place of a secret where there is none. */
const NO_SECRET = new Uint8Array(KEY_SIZE);
const COOKIE_SIZE = 16;

/**
 * The packet counters of Answers that refuse a Register: from here up to 2^53 − 1, at random, since
 * the directory keeps nothing of what it refuses. All other Answers have that of their request.
 */
export const REFUSAL_PACKET_MIN: number = 2 ** 52;

/** Which end seals, and in answer to what: the first word of the nonce, so that no nonce is used twice. */
const Direction = { toDirectory: 0, toClient: 1, toClientUnasked: 2 } as const;
type Direction = typeof Direction[keyof typeof Direction];

/** The secret of a private directory, as what is made from it. */
export class DirectorySecret {
  /** What it adds to the key of a registration. */
  readonly keyInput: Uint8Array;
  readonly #macKey: Uint8Array;

  /** @param secret of any length: all that it protects is as strong as it is. */
  constructor(secret: Uint8Array) {
    this.keyInput = createHash("sha256").update(KEY_LABEL).update(secret).digest();
    this.#macKey = createHash("sha256").update(MAC_LABEL).update(secret).digest();
  }

  /** Writes the mac of a Register or a Challenge into its place. */
  sign(datagram: Uint8Array): void {
    const { covered, code } = directoryMac(datagram);
    code.set(hmacSha256(this.#macKey, covered).subarray(0, CODE_SIZE));
  }

  /** Whether the mac of a Register or a Challenge shows that its sender has the secret. */
  isSigned(datagram: Uint8Array): boolean {
    const { covered, code } = directoryMac(datagram);
    return timingSafeEqual(code, hmacSha256(this.#macKey, covered).subarray(0, CODE_SIZE));
  }
}

/** What the key of a registration is made from. */
export interface KeyInputs {
  /** The X25519 of both static keys. */
  readonly shared: Uint8Array;
  /** Chosen by the client for this registration. */
  readonly nonce: bigint;
  /** Given by the directory for this registration. */
  readonly cookie: Uint8Array;
  /** The client's static public key. */
  readonly clientKey: Uint8Array;
  /** The directory's static public key. */
  readonly directoryKey: Uint8Array;
  /** That of a private directory. */
  readonly secret: DirectorySecret | undefined;
}

/** The key of a registration. */
export function registrationKey(inputs: KeyInputs): Uint8Array {
  const { shared, nonce, cookie, clientKey, directoryKey, secret } = inputs;
  const salt = new Uint8Array(8 + COOKIE_SIZE);
  new DataView(salt.buffer).setBigUint64(0, nonce);
  salt.set(cookie, 8);
  const input = new Uint8Array(2 * KEY_SIZE);
  input.set(shared);
  input.set(secret?.keyInput ?? NO_SECRET, KEY_SIZE);
  const info = new Uint8Array(KEY_LABEL.length + 2 * KEY_SIZE);
  info.set(KEY_LABEL);
  info.set(clientKey, KEY_LABEL.length);
  info.set(directoryKey, KEY_LABEL.length + KEY_SIZE);
  return hkdf(salt, input, info);
}

/** Seals a Register or a Request in its place, from `sealedAt` on; its tag goes to its end. */
export function sealRequest(
  key: Uint8Array,
  packet: number,
  datagram: Uint8Array,
  sealedAt: number,
): void {
  sealInPlace(key, packet, datagram, sealedAt, Direction.toDirectory);
}

/** The frames that are sealed in a Register or a Request; valid until the next cipher is used. */
export function openRequest(key: Uint8Array, datagram: Datagram): Uint8Array | undefined {
  return openFor(Direction.toDirectory, key, datagram);
}

/**
 * Seals an Answer in its place; its tag goes to its end.
 *
 * @param packet that of the request, which must not have been answered before.
 */
export function sealAnswer(key: Uint8Array, packet: number, datagram: Uint8Array): void {
  sealInPlace(key, packet, datagram, HEADER_SIZE, Direction.toClient);
}

/** The frames that are sealed in an Answer; valid until the next cipher is used. */
export function openAnswer(key: Uint8Array, datagram: Datagram): Uint8Array | undefined {
  return openFor(Direction.toClient, key, datagram);
}

/**
 * Seals a Notice in its place; its tag goes to its end.
 *
 * @param packet higher than that of all Notices before under this key.
 */
export function sealNotice(key: Uint8Array, packet: number, datagram: Uint8Array): void {
  sealInPlace(key, packet, datagram, HEADER_SIZE, Direction.toClientUnasked);
}

/** The frames that are sealed in a Notice; valid until the next cipher is used. */
export function openNotice(key: Uint8Array, datagram: Datagram): Uint8Array | undefined {
  return openFor(Direction.toClientUnasked, key, datagram);
}

function openFor(
  direction: Direction,
  key: Uint8Array,
  { bytes, header: { packet }, sealedAt }: Datagram,
): Uint8Array | undefined {
  return openSealed(key, packet, bytes, sealedAt, direction);
}
