/**
 * How a client comes to share a key with a directory: Credentials, a Challenge, and the sealed
 * Register that follows from it.
 *
 * @module
 */
import { type Random, randomU32, randomU64 } from "../machine.ts";
import type { KeyPair } from "../crypto/x25519.ts";
import { DatagramWriter, encodeDatagram } from "../wire/datagram.ts";
import {
  type Challenge,
  type Credentials,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  PUBLIC_KEY_SIZE,
} from "../wire/frame.ts";
import { DirectorySession } from "./directory_session.ts";
import { type DirectorySecret, registrationKey } from "./registration_key.ts";

/** Challenges that are heeded: anybody that sees the Credentials can forge some. */
export const CHALLENGES_MAX = 8;
/** Of these, the latest ones are tried, in turn. */
export const SESSIONS_MAX = 4;

const NOTHING = new Uint8Array(16);
const NO_KEY = new Uint8Array(PUBLIC_KEY_SIZE);

/** What an exchange is made with. */
export interface RegisterExchangeOptions {
  /** The client's static key. */
  readonly identity: KeyPair;
  /** That of a private directory. */
  readonly secret: DirectorySecret | undefined;
  /** A cryptographic source. */
  readonly random: Random;
}

/** One exchange: until it leads to a registration, or another one is begun. */
export class RegisterExchange {
  readonly #options: RegisterExchangeOptions;
  readonly #nonce: bigint;
  readonly #writer = new DatagramWriter(DATAGRAM_SIZE_MAX, true);
  /** One for each Challenge, the one to be tried next first. */
  #sessions: DirectorySession[] = [];
  #challenges = 0;

  /** Begins an exchange. */
  constructor(options: RegisterExchangeOptions) {
    this.#options = options;
    this.#nonce = randomU64(options.random);
  }

  /** Whether a Challenge is for this exchange, and from a directory with the secret. */
  isMeant(bytes: Uint8Array, { nonce }: Challenge): boolean {
    return nonce === this.#nonce && this.#options.secret?.isSigned(bytes) !== false;
  }

  /** Takes a Challenge that is meant; returns how many were taken, undefined if this was not. */
  take(challenge: Challenge): number | undefined {
    if (this.#challenges >= CHALLENGES_MAX) return undefined;
    const { identity, secret, random } = this.#options;
    const directoryKey = challenge.publicKey.slice();
    const cookie = challenge.cookie.slice();
    const shared = identity.agree(directoryKey);
    if (shared === undefined) return undefined;
    const nonce = this.#nonce;
    const { publicKey } = identity;
    const inputs = { shared, nonce, cookie, clientKey: publicKey, directoryKey, secret };
    const credentials: Credentials = {
      kind: "credentials",
      nonce,
      cookie,
      publicKey,
      mac: NOTHING,
    };
    const key = registrationKey(inputs);
    this.#sessions.unshift(
      new DirectorySession(randomU32(random), directoryKey, key, credentials, this.#writer),
    );
    if (this.#sessions.length > SESSIONS_MAX) this.#sessions.pop();
    return ++this.#challenges;
  }

  /** The session that a Register is to be sent in; undefined where a Challenge has to come first. */
  next(): DirectorySession | undefined {
    const session = this.#sessions.shift();
    if (session !== undefined) this.#sessions.push(session);
    return session;
  }

  /** The Register that asks for a Challenge. */
  encodeFirst(): Uint8Array {
    const header = { type: DatagramType.Register, session: 0, packet: 0 };
    const nonce = this.#nonce;
    const bytes = encodeDatagram(header, [
      { kind: "credentials", nonce, cookie: NOTHING, publicKey: NO_KEY, mac: NOTHING },
    ]);
    this.#options.secret?.sign(bytes);
    return bytes;
  }
}
