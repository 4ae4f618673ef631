/**
 * How a client comes to share a key with a directory: Credentials, a Challenge, and the sealed
 * Register that follows from it.
 *
 * @module
 */
import { type Random, randomU32, randomU64, type Transmit } from "../machine.ts";
import { isSameKey, type KeyPair } from "../crypto/x25519.ts";
import { type Address, copyOf, isIpv6, sameAddress } from "../wire/address.ts";
import { DatagramWriter, encodeDatagram } from "../wire/datagram.ts";
import {
  type Challenge,
  type Credentials,
  DATAGRAM_SIZE_MAX,
  DatagramType,
  PUBLIC_KEY_SIZE,
  type Register,
} from "../wire/frame.ts";
import { DirectorySession } from "./directory_session.ts";
import { type DirectorySecret, registrationKey } from "./registration_key.ts";

/** Challenges that are heeded: anybody that sees the Credentials can forge some. */
export const CHALLENGES_MAX = 8;
/** Of these, the latest ones are tried, in turn. */
export const SESSIONS_MAX = 4;
/**
 * The transmission that begins another exchange: nobody may be at the address, and the cookie may be too
 * old, or for an address that this client does not have any more.
 */
export const EXCHANGE_TRIES = 6;
/** Registers that an exchange has all the same, where the first Challenge came late. */
export const REGISTERS_MIN = 3;

const NOTHING = new Uint8Array(16);
const NO_KEY = new Uint8Array(PUBLIC_KEY_SIZE);

/** What an exchange is made with. */
export interface RegisterExchangeOptions {
  /** The addresses of the directory that are tried. */
  readonly addresses: readonly Address[];
  /** The client's static key. */
  readonly identity: KeyPair;
  /** That of a private directory. */
  readonly secret: DirectorySecret | undefined;
  /** A cryptographic source. */
  readonly random: Random;
}

/** A cookie of the directory, which shows that this client receives at the address it is for. */
export interface AddressProof {
  /** That of the Credentials which it answers. */
  readonly nonce: bigint;
  /** The cookie. */
  readonly cookie: Uint8Array;
  /** The directory's address, which it came from. */
  readonly directoryAddress: Address;
  /** The directory's static key. */
  readonly directoryKey: Uint8Array;
}

/**
 * One exchange: until it leads to a registration, or another one is begun. A cookie is good only for
 * where the directory saw this client, so all that follows goes to the address that answered first.
 */
export class RegisterExchange {
  /** Where Credentials without a cookie go. */
  readonly addresses: readonly Address[];
  readonly #options: RegisterExchangeOptions;
  readonly #nonce: bigint;
  readonly #writer = new DatagramWriter(DATAGRAM_SIZE_MAX, true);
  /** The address that answered first. */
  #address: Address | undefined;
  /** One for each Challenge, the one to be tried next first. */
  #sessions: DirectorySession[] = [];
  #transmissions = 0;
  /** Those that had a cookie. */
  #registers = 0;
  /** What the keys of all sessions were made from: under each, packet counters count from 0. */
  readonly #challenges = new Set<string>();
  /** From an address of another family than the first one. */
  #otherProof: AddressProof | undefined;

  /** Begins an exchange. */
  constructor(options: RegisterExchangeOptions) {
    this.#options = options;
    this.addresses = options.addresses;
    this.#nonce = randomU64(options.random);
  }

  /** Whether another one is to begin. */
  get isOver(): boolean {
    return this.#transmissions >= EXCHANGE_TRIES - 1 &&
      (this.#address === undefined || this.#registers >= REGISTERS_MIN);
  }

  /** Whether a Challenge is for this exchange, and from a directory with the secret. */
  isMeant(bytes: Uint8Array, { nonce }: Challenge, from: Address): boolean {
    return nonce === this.#nonce && this.addresses.some((each) => sameAddress(each, from)) &&
      this.#options.secret?.isSigned(bytes) !== false;
  }

  /**
   * Takes a Challenge that is meant.
   *
   * @returns how many were taken; 0 for one from another address than the first one, which only shows
   * where else this client is; undefined if this was not taken, or before: another session under the
   * same key would use its nonces again.
   */
  take(challenge: Challenge, from: Address): number | undefined {
    const first = this.#address ?? this.addresses.find((each) => sameAddress(each, from));
    if (first === undefined) return undefined;
    if (!sameAddress(first, from)) {
      if (isIpv6(first) !== isIpv6(from)) this.#otherProof = proofIn(challenge, from);
      return 0;
    }
    const { identity, secret, random } = this.#options;
    const { nonce, cookie, directoryKey } = proofIn(challenge, first);
    const origin = `${cookie.join()} ${directoryKey.join()}`;
    if (this.#challenges.size >= CHALLENGES_MAX || this.#challenges.has(origin)) return undefined;
    const shared = identity.agree(directoryKey);
    if (shared === undefined) return undefined;
    const { publicKey } = identity;
    const inputs = { shared, nonce, cookie, clientKey: publicKey, directoryKey, secret };
    const credentials: Credentials = {
      kind: "credentials",
      nonce,
      cookie,
      publicKey,
      mac: NOTHING,
    };
    const session = new DirectorySession({
      localId: randomU32(random),
      address: first,
      directoryKey,
      key: registrationKey(inputs),
      credentials,
      writer: this.#writer,
    });
    this.#address = first;
    this.#sessions.unshift(session);
    if (this.#sessions.length > SESSIONS_MAX) this.#sessions.pop();
    return this.#challenges.add(origin).size;
  }

  /**
   * The datagrams of one transmission: without a Challenge, Credentials to all addresses, which ask for
   * one; else a sealed Register.
   *
   * @param entry what is asked for in this session.
   */
  encode(
    entry: (session: DirectorySession) => Omit<Register, "kind" | "session">,
  ): Transmit[] {
    const session = this.next();
    this.#transmissions++;
    if (session === undefined) {
      const bytes = this.encodeFirst();
      return this.addresses.map((to) => ({ bytes, to }));
    }
    this.#registers++;
    const { localId, address: to } = session;
    const frame: Register = { kind: "register", session: localId, ...entry(session) };
    const bytes = session.encodeRegister(
      frame,
      (datagram) => this.#options.secret?.sign(datagram),
    );
    return [{ bytes, to }];
  }

  /** The session that a Register is to be sent in; undefined where a Challenge has to come first. */
  next(): DirectorySession | undefined {
    const session = this.#sessions.shift();
    if (session !== undefined) this.#sessions.push(session);
    return session;
  }

  /** The Register that asks for a Challenge. */
  encodeFirst(): Uint8Array {
    return encodeCredentials(this.#nonce, this.#options.secret);
  }

  /** What the directory with this key sent to this client's address of the other family. */
  otherProof(directoryKey: Uint8Array): AddressProof | undefined {
    const proof = this.#otherProof;
    return proof !== undefined && isSameKey(proof.directoryKey, directoryKey) ? proof : undefined;
  }
}

/** Credentials without a cookie, which ask for a Challenge. */
export function encodeCredentials(nonce: bigint, secret: DirectorySecret | undefined): Uint8Array {
  const header = { type: DatagramType.Register, session: 0, packet: 0 };
  const bytes = encodeDatagram(header, [
    { kind: "credentials", nonce, cookie: NOTHING, publicKey: NO_KEY, mac: NOTHING },
  ]);
  secret?.sign(bytes);
  return bytes;
}

/** What a Challenge proves. */
export function proofIn(challenge: Challenge, from: Address): AddressProof {
  const { nonce, cookie, publicKey } = challenge;
  return {
    nonce,
    cookie: cookie.slice(),
    directoryAddress: copyOf(from),
    directoryKey: publicKey.slice(),
  };
}
