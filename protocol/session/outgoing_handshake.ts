/**
 * The initiator's half of a handshake: an Initiation, until a Response makes it a session.
 *
 * @module
 */
import { Initiator } from "../crypto/noise.ts";
import { type KeyPair, makeKeyPair } from "../crypto/x25519.ts";
import type { Instant, Random } from "../machine.ts";
import type { RttEstimator } from "../recovery/rtt.ts";
import { failure, type Result, success } from "../result.ts";
import type { Address } from "../wire/address.ts";
import { type CookieReply, type Response, VERSION } from "../wire/frame.ts";
import { COOKIE_LIFE, encodeInitiation, openCookie } from "./macs.ts";
import { Session } from "./session.ts";
import { decodeSessionId, encodeSessionId } from "./session_id.ts";

/** What both ends hash first: a handshake of another program or version fails. */
export const PROLOGUE: Uint8Array = Uint8Array.of(
  ...new TextEncoder().encode("udp-chat "),
  VERSION,
);

/** Whom a handshake is with, and as who. */
export interface HandshakeOptions {
  /** This client's static key. */
  readonly identity: KeyPair;
  /** The responder's static key. */
  readonly remoteKey: Uint8Array;
  /** This end's id of the session. */
  readonly localId: number;
  /** Becomes the session's. */
  readonly rtt: RttEstimator;
  /** A cryptographic source. */
  readonly random: Random;
}

/** A handshake that was begun. */
export class OutgoingHandshake {
  readonly #options: HandshakeOptions;
  readonly #initiator: Initiator;
  readonly #messageOne: Uint8Array;
  #initiation: Uint8Array = new Uint8Array();
  #cookie: { bytes: Uint8Array; until: Instant } | undefined;

  private constructor(options: HandshakeOptions, initiator: Initiator, messageOne: Uint8Array) {
    this.#options = options;
    this.#initiator = initiator;
    this.#messageOne = messageOne;
  }

  /** Begins one; a failure where the responder's key is a weak one. */
  static begin(options: HandshakeOptions): Result<OutgoingHandshake> {
    const { identity, remoteKey, localId, random } = options;
    const initiator = new Initiator(identity, makeKeyPair(random), remoteKey, PROLOGUE);
    const messageOne = initiator.writeMessageOne(encodeSessionId(localId));
    return messageOne === undefined
      ? failure("Cannot agree with a weak key")
      : success(new OutgoingHandshake(options, initiator, messageOne));
  }

  /** This end's id of the session. */
  get localId(): number {
    return this.#options.localId;
  }

  /** The round-trip time, which becomes the session's. */
  get rtt(): RttEstimator {
    return this.#options.rtt;
  }

  /** The Initiation, with a cookie where one is known. */
  encode(now: Instant): Uint8Array {
    const isGood = this.#cookie !== undefined && now < this.#cookie.until;
    const cookie = isGood ? this.#cookie?.bytes : undefined;
    this.#initiation = encodeInitiation(this.#messageOne, this.#options.remoteKey, cookie);
    return this.#initiation;
  }

  /** Takes a Cookie Reply; true where it answers the last Initiation: one with the cookie is due. */
  handleCookie(now: Instant, frame: CookieReply): boolean {
    const bytes = openCookie(frame, this.#options.remoteKey, this.#initiation);
    if (bytes === undefined) return false;
    this.#cookie = { bytes, until: now + COOKIE_LIFE };
    return true;
  }

  /**
   * Takes a Response with this session's id; undefined where it is not authentic.
   *
   * @param address where the responder is.
   */
  handleResponse(
    now: Instant,
    { messageTwo }: Response,
    address: Address,
  ): Session | undefined {
    const result = this.#initiator.readMessageTwo(messageTwo);
    const remoteId = result && decodeSessionId(result.payload);
    if (result === undefined || remoteId === undefined) return undefined;
    const isInitiator = true;
    return new Session(now, {
      ...{ ...this.#options, isInitiator, remoteId, address, handshake: result },
    });
  }
}
