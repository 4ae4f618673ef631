/**
 * Opens the Connection Requests of strangers, without letting them make this client work or grow.
 *
 * @module
 */
import { type Address, sourceOf } from "../wire/address.ts";
import type { Instant, Random, Transmit } from "../machine.ts";
import type { ConnectionRequest } from "../wire/frame.ts";
import {
  Cookies,
  decodeRequestContent,
  hasMac1,
  PROLOGUE,
  type RequestContent,
} from "./handshake.ts";
import { readMessageOne, type Responder } from "../crypto/noise.ts";
import type { KeyPair } from "../crypto/x25519.ts";
import { Allowance } from "./allowance.ts";

/** Handshakes that strangers may have this client compute, a second and at once, without a cookie. */
export const HANDSHAKES_PER_SECOND = 20;
export const HANDSHAKES_AT_ONCE = 40;
/** The same with a cookie, which only a real address has. */
export const PROVEN_HANDSHAKES_PER_SECOND = 100;
/** How many of these one source gets. */
export const PROVEN_HANDSHAKES_PER_SOURCE = 10;
/** Sources that are told apart; of more, the one that came first is forgotten. */
export const PROVEN_SOURCES_MAX = 256;

/** A Connection Request that was opened. */
export interface OpenedRequest {
  readonly frame: ConnectionRequest;
  readonly content: RequestContent;
  readonly handshake: Responder;
  readonly from: Address;
}

/** Guards the one costly thing that a stranger can ask for: a handshake. */
export class HandshakeGuard {
  readonly #identity: KeyPair;
  readonly #cookies: Cookies;
  readonly #allowance = new Allowance(HANDSHAKES_PER_SECOND, HANDSHAKES_AT_ONCE);
  readonly #provenAllowance = new Allowance(
    PROVEN_HANDSHAKES_PER_SECOND,
    PROVEN_HANDSHAKES_PER_SECOND,
  );

  readonly #sources = new Map<string, Allowance>();

  constructor(now: Instant, identity: KeyPair, random: Random) {
    this.#identity = identity;
    this.#cookies = new Cookies(now, identity.publicKey, random);
  }

  /** Whether a Connection Request was made by somebody who knows this client's key. */
  isMeant(datagram: Uint8Array): boolean {
    return hasMac1(datagram, this.#identity.publicKey);
  }

  /**
   * Opens a Connection Request that is meant for this client.
   *
   * @returns what it says; under load, the answer that asks for a cookie; undefined where it is
   * dropped.
   */
  open(
    now: Instant,
    datagram: Uint8Array,
    frame: ConnectionRequest,
    from: Address,
  ): OpenedRequest | Transmit | undefined {
    if (this.#cookies.isGood(now, datagram, from)) {
      const isAllowed = this.#allowanceOf(from).take(now) && this.#provenAllowance.take(now);
      if (!isAllowed) return undefined;
    } else if (!this.#allowance.take(now)) {
      const bytes = this.#cookies.reply(now, datagram, frame.connection, from);
      return { bytes, to: { hostname: from.hostname, port: from.port } };
    }
    const handshake = readMessageOne(this.#identity, frame.messageOne, PROLOGUE);
    const content = handshake && decodeRequestContent(handshake.payload);
    if (handshake === undefined || content === undefined) return undefined;
    return { frame, content, handshake, from };
  }

  #allowanceOf(from: Address): Allowance {
    const source = sourceOf(from);
    let allowance = this.#sources.get(source);
    if (allowance === undefined) {
      const [oldest] = this.#sources.keys();
      const isFull = this.#sources.size >= PROVEN_SOURCES_MAX;
      if (isFull && oldest !== undefined) this.#sources.delete(oldest);
      allowance = new Allowance(PROVEN_HANDSHAKES_PER_SOURCE, PROVEN_HANDSHAKES_PER_SOURCE);
      this.#sources.set(source, allowance);
    }
    return allowance;
  }
}
