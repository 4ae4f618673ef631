/**
 * The responder's half of handshakes: Initiations in, Responses out, and the sessions that follow,
 * none of which is believed before its first packet opened.
 *
 * A recorded Initiation gets a Response, and that is all: its sender cannot seal a packet. So no
 * timestamp and no memory is needed to tell recordings.
 *
 * @module
 */
import { BoundedMap } from "../bounded_map.ts";
import { readMessageOne } from "../crypto/noise.ts";
import { type KeyPair, makeKeyPair } from "../crypto/x25519.ts";
import { type Instant, type Random, type Transmit } from "../machine.ts";
import { RttEstimator } from "../recovery/rtt.ts";
import type { TimerPolicy } from "../recovery/timer_policy.ts";
import { type Address, sourceOf } from "../wire/address.ts";
import { encodeDatagram } from "../wire/datagram.ts";
import { DatagramType, type Initiation } from "../wire/frame.ts";
import { isCarried } from "../wire/remote.ts";
import { Allowance } from "./allowance.ts";
import { HandshakeLimits, IntroducedLimits, MAC_CHECKS_PER_SECOND } from "./handshake_limits.ts";
import { Cookies, hasMac1, mac1Key } from "./macs.ts";
import { PROLOGUE } from "./outgoing_handshake.ts";
import { Session } from "./session.ts";
import { decodeSessionId, encodeSessionId } from "./session_id.ts";

/** Handshakes that are computed for those with a cookie, which only a real address has. */
export const PROVEN_HANDSHAKES_PER_SECOND = 100;
/** How many of these one source gets. */
export const PROVEN_HANDSHAKES_PER_SOURCE = 10;
/** Sources that are told apart; of more, the one that came first is forgotten. */
export const PROVEN_SOURCES_MAX = 256;
/** Sessions that wait for their request. */
export const UNCONFIRMED_MAX = 128;
/** How many of these one source gets; of more, its oldest goes. */
export const UNCONFIRMED_PER_SOURCE = 8;
/** Milliseconds that a session waits for its first packet, or for one more, which may be the request. */
export const UNCONFIRMED_LIFE = 30_000;

/** A session without a request yet. */
interface Unconfirmed {
  readonly session: Session;
  readonly response: Uint8Array;
  readonly source: string;
  expiresAt: Instant;
}

/** What this end of the handshakes needs. */
export interface IncomingHandshakesOptions {
  /** This client's static key. */
  readonly identity: KeyPair;
  /** When to send again. */
  readonly policy: TimerPolicy;
  /** An id for this end of a session, which none of its others has. */
  readonly makeSessionId: () => number;
  /** Whether the directory told lately of a peer at this host; without it, of none. */
  readonly isIntroduced?: ((now: Instant, from: Address) => boolean) | undefined;
  /** A cryptographic source. */
  readonly random: Random;
}

/** The handshakes that others began, and what guards against too many. */
export class IncomingHandshakes {
  readonly #options: IncomingHandshakesOptions;
  readonly #cookies: Cookies;
  readonly #mac1Key: Uint8Array;
  readonly #strangers = new HandshakeLimits(MAC_CHECKS_PER_SECOND);
  readonly #introduced = new IntroducedLimits();
  readonly #provenAllowance = new Allowance(
    PROVEN_HANDSHAKES_PER_SECOND,
    PROVEN_HANDSHAKES_PER_SECOND,
  );
  readonly #sources = new BoundedMap<string, Allowance>(PROVEN_SOURCES_MAX);
  /** By message one, oldest first. */
  readonly #unconfirmed = new Map<string, Unconfirmed>();

  /** Starts without any. */
  constructor(now: Instant, options: IncomingHandshakesOptions) {
    this.#options = options;
    this.#mac1Key = mac1Key(options.identity.publicKey);
    this.#cookies = new Cookies(now, options.identity.publicKey, options.random);
  }

  /**
   * Takes an Initiation.
   *
   * @returns the Response; under load a Cookie Reply; undefined where the Initiation is dropped, or
   * too many came.
   */
  handleInitiation(
    now: Instant,
    bytes: Uint8Array,
    { messageOne }: Initiation,
    from: Address,
  ): Transmit | undefined {
    const limits = this.#limitsOf(now, from);
    if (limits === undefined || !hasMac1(bytes, this.#mac1Key)) return undefined;
    const to = { hostname: from.hostname, port: from.port };
    const key = messageOne.join();
    const known = this.#unconfirmed.get(key);
    if (known !== undefined) {
      return limits.repeats.take(now) ? { bytes: known.response, to } : undefined;
    }
    if (this.#cookies.isGood(now, bytes, from)) {
      const isAllowed = this.#allowanceOf(from).take(now) && this.#provenAllowance.take(now);
      if (!isAllowed) return undefined;
    } else if (!limits.handshakes.take(now)) {
      if (!limits.cookieReplies.take(now)) return undefined;
      return { bytes: this.#cookies.reply(now, bytes, from), to };
    }
    const response = this.#respond(now, key, messageOne, to);
    return response && { bytes: response, to };
  }

  /** What an Initiation from there is counted by, where one more may be checked. */
  #limitsOf(now: Instant, from: Address): HandshakeLimits | undefined {
    const isIntroduced = this.#options.isIntroduced?.(now, from) === true;
    // Forgeries may come from the host of an introduced peer, too; a carried one has its id for a host.
    const limits = isIntroduced ? this.#introduced.check(now, from.hostname) : undefined;
    if (limits !== undefined) return limits;
    return this.#strangers.checks.take(now) ? this.#strangers : undefined;
  }

  /** The session with this id that waits for its request. */
  find(localId: number): Session | undefined {
    for (const { session } of this.#unconfirmed.values()) {
      if (session.localId === localId) return session;
    }
    return undefined;
  }

  /** Keeps a session for longer, because a packet of it came without the request. */
  renew(now: Instant, renewed: Session): void {
    for (const [key, unconfirmed] of this.#unconfirmed) {
      if (unconfirmed.session !== renewed) continue;
      unconfirmed.expiresAt = now + UNCONFIRMED_LIFE;
      // The first one is the next to expire.
      this.#unconfirmed.delete(key);
      this.#unconfirmed.set(key, unconfirmed);
      return;
    }
  }

  /**
   * Forgets a session whose request came: it is the caller's now, or it was for another client of this
   * user, in whose name nothing is said.
   */
  confirm(confirmed: Session): void {
    for (const [key, { session }] of this.#unconfirmed) {
      if (session === confirmed) this.#unconfirmed.delete(key);
    }
  }

  /** Forgets the sessions that waited for too long. */
  handleTimeout(now: Instant): void {
    for (const [key, { expiresAt }] of this.#unconfirmed) {
      if (expiresAt > now) return;
      this.#unconfirmed.delete(key);
    }
  }

  /** When handleTimeout() is to be called. */
  nextTimeout(): Instant | undefined {
    for (const { expiresAt } of this.#unconfirmed.values()) return expiresAt;
    return undefined;
  }

  #respond(
    now: Instant,
    key: string,
    messageOne: Uint8Array,
    address: Address,
  ): Uint8Array | undefined {
    const { identity, policy, makeSessionId, random } = this.#options;
    const responder = readMessageOne(identity, messageOne, PROLOGUE);
    const remoteId = responder && decodeSessionId(responder.payload);
    if (responder === undefined || remoteId === undefined) return undefined;
    const localId = makeSessionId();
    const result = responder.writeMessageTwo(makeKeyPair(random), encodeSessionId(localId));
    if (result === undefined) return undefined;
    const session = new Session(now, {
      isInitiator: false,
      localId,
      remoteId,
      remoteKey: responder.remoteStatic,
      handshake: result,
      address,
      rtt: new RttEstimator(policy),
      random,
    });
    const header = { type: DatagramType.Response, session: remoteId, packet: 0 };
    const response = encodeDatagram(header, [{ kind: "response", messageTwo: result.message }]);
    this.#add(key, {
      session,
      response,
      source: peerSource(address),
      expiresAt: now + UNCONFIRMED_LIFE,
    });
    return response;
  }

  #add(key: string, added: Unconfirmed): void {
    const unconfirmed = this.#unconfirmed;
    const sameSource = [...unconfirmed].filter(([, { source }]) => source === added.source);
    const [oldest] = sameSource.length >= UNCONFIRMED_PER_SOURCE
      ? sameSource
      : unconfirmed.size >= UNCONFIRMED_MAX
      ? unconfirmed
      : [];
    if (oldest !== undefined) unconfirmed.delete(oldest[0]);
    unconfirmed.set(key, added);
  }

  #allowanceOf(from: Address): Allowance {
    const source = peerSource(from);
    let allowance = this.#sources.get(source);
    if (allowance === undefined) {
      allowance = new Allowance(PROVEN_HANDSHAKES_PER_SOURCE, PROVEN_HANDSHAKES_PER_SOURCE);
      this.#sources.set(source, allowance);
    }
    return allowance;
  }
}

/** The source of an Initiation: a peer that the directory carries for is one of its own. */
function peerSource(from: Address): string {
  return isCarried(from) ? from.hostname : sourceOf(from);
}
