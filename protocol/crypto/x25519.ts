/**
 * X25519 keys (RFC 7748) as their 32 bytes, over `node:crypto`, which wants them wrapped in DER.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import type { KeyObject } from "node:crypto";
import type { Random } from "../machine.ts";

/** Bytes in a key, public or private. */
export const KEY_SIZE = 32;

/** What stands before the bytes of a private and a public X25519 key in DER (RFC 8410, section 7 and 4). */
const PRIVATE_PREFIX = Uint8Array.from([48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 110, 4, 34, 4, 32]);
const PUBLIC_PREFIX = Uint8Array.from([48, 42, 48, 5, 6, 3, 43, 101, 110, 3, 33, 0]);
/** The DER of the public key at hand: importing one copies it. */
const publicDer = joined(PUBLIC_PREFIX, new Uint8Array(KEY_SIZE));

/** A private key with its public key. */
export class KeyPair {
  /** The 32 bytes of the public key. */
  readonly publicKey: Uint8Array;
  readonly #privateKey: KeyObject;

  /**
   * Takes a private key.
   *
   * @param privateKey any 32 bytes.
   */
  constructor(privateKey: Uint8Array) {
    this.#privateKey = createPrivateKey({
      key: joined(PRIVATE_PREFIX, privateKey),
      format: "der",
      type: "pkcs8",
    });
    const spki = createPublicKey(this.#privateKey as never).export({ format: "der", type: "spki" });
    this.publicKey = Uint8Array.from(spki.subarray(PUBLIC_PREFIX.length));
  }

  /** The secret shared with the owner of `publicKey`; undefined where that key is a weak one. */
  agree(publicKey: Uint8Array): Uint8Array | undefined {
    if (publicKey.length !== KEY_SIZE) return undefined;
    publicDer.set(publicKey, PUBLIC_PREFIX.length);
    try {
      const key = createPublicKey({ key: publicDer, format: "der", type: "spki" });
      const secret = diffieHellman({ privateKey: this.#privateKey, publicKey: key });
      return secret.some((byte) => byte !== 0) ? secret : undefined;
    } catch {
      // Some versions of OpenSSL refuse points of low order themselves.
      return undefined;
    }
  }
}

/** Whether two public keys are the same. */
export function isSameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** Below 0 where `a` is the lower one, as a big-endian number; 0 where they are the same. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  const index = a.findIndex((byte, index) => byte !== b[index]);
  return index < 0 ? 0 : a[index]! - b[index]!;
}

/** A new key pair. */
export function makeKeyPair(random: Random): KeyPair {
  return new KeyPair(random(KEY_SIZE));
}

function joined(...parts: readonly Uint8Array[]): Buffer {
  return Buffer.concat(parts);
}
