/**
 * What keeps strangers from making a client compute handshakes: the codes and the cookie of WireGuard
 * (whitepaper, 5.3 and 5.4).
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { openRandom, sealRandom } from "../crypto/aead.ts";
import { hmacSha256 } from "../crypto/hmac.ts";
import type { Instant, Random } from "../machine.ts";
import type { Address } from "../wire/address.ts";
import { CODE_SIZE, mac1, mac2 } from "../wire/codes.ts";
import { encodeDatagram } from "../wire/datagram.ts";
import { type CookieReply, DatagramType } from "../wire/frame.ts";

/** Milliseconds for which a cookie is good, and for which the secret behind it is used. */
export const COOKIE_LIFE = 120_000;
/** Bytes in the nonce of a Cookie Reply, and in the secret that cookies are made with. */
const NONCE_SIZE = 24;
const SECRET_SIZE = 32;

const encoder = new TextEncoder();
const NO_CODE = new Uint8Array(CODE_SIZE);

function labelled(label: string, publicKey: Uint8Array): Uint8Array {
  return createHash("sha256").update(encoder.encode(label)).update(publicKey).digest();
}

function codeOf(key: Uint8Array, text: Uint8Array): Uint8Array {
  return hmacSha256(key, text).subarray(0, CODE_SIZE);
}

/**
 * An Initiation for the owner of a static key.
 *
 * @param cookie from an earlier Cookie Reply, if there is one that is still good.
 */
export function encodeInitiation(
  messageOne: Uint8Array,
  remoteKey: Uint8Array,
  cookie?: Uint8Array,
): Uint8Array {
  const datagram = encodeDatagram({ type: DatagramType.Initiation, session: 0, packet: 0 }, [
    { kind: "initiation", messageOne },
    { kind: "macs", mac1: NO_CODE, mac2: NO_CODE },
  ]);
  const first = mac1(datagram);
  first.code.set(codeOf(mac1Key(remoteKey), first.covered));
  const second = mac2(datagram);
  if (cookie !== undefined) second.code.set(codeOf(cookie, second.covered));
  return datagram;
}

/** What the mac1 of Initiations for the owner of a static key is made with. */
export function mac1Key(publicKey: Uint8Array): Uint8Array {
  return labelled("mac1", publicKey);
}

/** Whether an Initiation was made by somebody that knows the static key. */
export function hasMac1(initiation: Uint8Array, key: Uint8Array): boolean {
  const { covered, code } = mac1(initiation);
  return timingSafeEqual(code, codeOf(key, covered));
}

/** Gives cookies to addresses, and recognizes them; keeps nothing for them. */
export class Cookies {
  readonly #random: Random;
  readonly #key: Uint8Array;
  #secret: Uint8Array;
  #previous: Uint8Array;
  #madeAt: Instant;

  /**
   * Starts with a new secret.
   *
   * @param publicKey the static key of the client that gives them.
   */
  constructor(now: Instant, publicKey: Uint8Array, random: Random) {
    this.#random = random;
    this.#key = labelled("cookie", publicKey);
    this.#secret = random(SECRET_SIZE);
    this.#previous = this.#secret;
    this.#madeAt = now;
  }

  /** The answer to an Initiation: a cookie that only its sender can read. */
  reply(now: Instant, initiation: Uint8Array, from: Address): Uint8Array {
    this.#renew(now);
    const nonce = this.#random(NONCE_SIZE);
    const cookie = sealRandom(
      this.#key,
      nonce,
      mac1(initiation).code,
      cookieOf(this.#secret, from),
    );
    const header = { type: DatagramType.Cookie, session: 0, packet: 0 };
    return encodeDatagram(header, [{ kind: "cookieReply", nonce, cookie }]);
  }

  /** Whether an Initiation shows a good cookie for its address. */
  isGood(now: Instant, initiation: Uint8Array, from: Address): boolean {
    this.#renew(now);
    const { covered, code } = mac2(initiation);
    if (code.every((byte) => byte === 0)) return false;
    return [this.#secret, this.#previous].some((secret) =>
      timingSafeEqual(code, codeOf(cookieOf(secret, from), covered))
    );
  }

  #renew(now: Instant): void {
    if (now < this.#madeAt + COOKIE_LIFE) return;
    // After a long silence the last secret is as old as the one before it.
    const isOld = now >= this.#madeAt + 2 * COOKIE_LIFE;
    this.#previous = isOld ? this.#random(SECRET_SIZE) : this.#secret;
    this.#secret = this.#random(SECRET_SIZE);
    this.#madeAt = now;
  }
}

function cookieOf(secret: Uint8Array, { hostname, port }: Address): Uint8Array {
  return codeOf(secret, encoder.encode(`${hostname} ${port}`));
}

/** The cookie in the Cookie Reply to this Initiation; undefined where it is for another one. */
export function openCookie(
  { nonce, cookie }: CookieReply,
  remoteKey: Uint8Array,
  initiation: Uint8Array,
): Uint8Array | undefined {
  return openRandom(labelled("cookie", remoteKey), nonce, mac1(initiation).code, cookie);
}
