/**
 * The client's address of the other IP family, which the directory is told beside the one that the
 * client registered at, so that Meetings name both.
 *
 * Nothing depends on it: where the other family does not work, that comes to nothing, silently, and is
 * tried again later.
 *
 * @module
 */
import { isSameKey } from "../crypto/x25519.ts";
import { type Instant, type Random, randomU64, type Transmit } from "../machine.ts";
import type { TimerPolicy } from "../recovery/timer_policy.ts";
import { Timers } from "../timers.ts";
import { type Address, isIpv6, sameAddress } from "../wire/address.ts";
import type { Datagram } from "../wire/datagram.ts";
import type { Challenge } from "../wire/frame.ts";
import type { DirectorySession } from "./directory_session.ts";
import { type AddressProof, encodeCredentials, proofIn } from "./register_exchange.ts";
import type { DirectorySecret } from "./registration_key.ts";

/** Milliseconds after which the directory is told again: a NAT may have changed the address. */
export const OTHER_FAMILY_RENEWAL = 60_000;
/** Milliseconds after which a Call, which may mean that a peer has lost this client, renews it at once. */
export const OTHER_FAMILY_REFRESH = 10_000;
/** Milliseconds until Credentials or an Also At are first sent again. */
export const OTHER_FAMILY_RESEND_FIRST = 500;
/** Transmissions of each, after which it is given up until the next renewal. */
export const OTHER_FAMILY_TRIES = 4;

/**
 * Milliseconds that a Call waits for the Ack of the first Also At at most, so that its Meeting names
 * both addresses.
 */
export const OTHER_FAMILY_PATIENCE = 250;

/** What an {@linkcode OtherFamily} is made with. */
export interface OtherFamilyOptions {
  /** That of a private directory. */
  readonly secret: DirectorySecret | undefined;
  /** When to send again. */
  readonly policy: TimerPolicy;
  /** A cryptographic source. */
  readonly random: Random;
}

/** Asks for a Challenge from the other family, shows its cookie in an Also At, and does so again. */
export class OtherFamily {
  readonly #options: OtherFamilyOptions;
  readonly #timers = new Timers<"send" | "renew">();
  /** The registration that it belongs to: the client's id, and the session. */
  #registered: { id: number; session: DirectorySession } | undefined;
  /** The directory's addresses of the other family. */
  #all: readonly Address[] = [];
  /** Those that are asked now. */
  #others: readonly Address[] = [];
  #nonce = 0n;
  #proof: AddressProof | undefined;
  #transmissions = 0;
  /** The packet counters of the Also Ats that were sent. */
  #packets: number[] = [];
  #due: Transmit[] = [];
  #address: Address | undefined;
  #awaitedUntil: Instant | undefined;

  /** Does nothing yet. */
  constructor(options: OtherFamilyOptions) {
    this.#options = options;
  }

  /** The directory's address of the other family, if it knows that of this client. */
  get address(): Address | undefined {
    return this.#address;
  }

  /** Until when it is worthwhile to wait for the directory to know that of this client. */
  get awaitedUntil(): Instant | undefined {
    return this.#awaitedUntil;
  }

  /**
   * Begins with a new registration.
   *
   * @param addresses those of the directory, of both families.
   * @param proof what came from the other family before.
   */
  start(
    now: Instant,
    id: number,
    session: DirectorySession,
    addresses: readonly Address[],
    proof?: AddressProof,
  ): void {
    this.stop();
    const isOther = (each: Address): boolean => isIpv6(each) !== isIpv6(session.address);
    this.#others = this.#all = addresses.filter(isOther);
    if (this.#all.length === 0) return;
    this.#registered = { id, session };
    this.#ask(now);
    this.#proof = proof;
    if (proof !== undefined) this.#awaitedUntil = now + OTHER_FAMILY_PATIENCE;
  }

  /** Begins anew before a Call, if the address was shown, but not lately. */
  refresh(now: Instant): void {
    const askedAt = (this.#timers.get("renew") ?? Infinity) - OTHER_FAMILY_RENEWAL;
    const isDue = this.#address !== undefined && this.#timers.get("send") === undefined;
    if (isDue && now >= askedAt + OTHER_FAMILY_REFRESH) this.#ask(now);
  }

  /** Ends what is under way. */
  stop(): void {
    this.#registered = undefined;
    this.#address = this.#awaitedUntil = undefined;
    this.#due = [];
    this.#timers.clearAll();
  }

  /** Takes a Challenge; false where it is none for the other family. */
  handleChallenge(now: Instant, bytes: Uint8Array, challenge: Challenge, from: Address): boolean {
    const session = this.#registered?.session;
    const isMeant = session !== undefined &&
      // The directory may answer the first Register of the exchange from here, but later.
      (challenge.nonce === this.#nonce || challenge.nonce === session.nonce) &&
      this.#others.some((each) => sameAddress(each, from)) &&
      isSameKey(challenge.publicKey, session.directoryKey) &&
      this.#options.secret?.isSigned(bytes) !== false;
    if (!isMeant) return false;
    if (this.#proof !== undefined || this.#timers.get("send") === undefined) return true;
    this.#proof = proofIn(challenge, from);
    this.#transmissions = 0;
    this.#due = [];
    this.#timers.set("send", now);
    return true;
  }

  /** Takes an Answer; false where it is none to an Also At, or not authentic. */
  handleAnswer(datagram: Datagram): boolean {
    const { session: localId, packet } = datagram.header;
    const session = this.#registered?.session;
    const isMeant = session?.localId === localId && this.#packets.includes(packet);
    const frames = isMeant ? session.open(datagram) : undefined;
    if (frames?.some(({ kind }) => kind === "alsoAtAck")) {
      this.#timers.clear("send");
      this.#awaitedUntil = undefined;
      this.#address = this.#proof?.directoryAddress;
    }
    return frames !== undefined;
  }

  /** See {@linkcode Machine}. */
  handleTimeout(now: Instant): void {
    if (this.#timers.expire("renew", now)) this.#ask(now);
  }

  /** See {@linkcode Machine}. */
  nextTimeout(): Instant | undefined {
    return this.#timers.next();
  }

  /** See {@linkcode Machine}. */
  pollTransmit(now: Instant): Transmit | undefined {
    if (this.#timers.expire("send", now)) this.#send(now);
    return this.#due.shift();
  }

  #ask(now: Instant): void {
    this.#nonce = randomU64(this.#options.random);
    this.#proof = undefined;
    this.#transmissions = 0;
    this.#packets = [];
    this.#timers.set("send", now);
    this.#timers.set("renew", now + OTHER_FAMILY_RENEWAL);
  }

  #send(now: Instant): void {
    if (this.#transmissions === OTHER_FAMILY_TRIES) return this.#giveUp(now);
    const { policy, secret } = this.#options;
    this.#transmissions++;
    const wait = policy.resendTimeout(OTHER_FAMILY_RESEND_FIRST, this.#transmissions);
    this.#timers.set("send", now + wait);
    const proof = this.#proof;
    if (proof !== undefined) this.#due = [this.#tell(proof)];
    else {
      const bytes = encodeCredentials(this.#nonce, secret);
      this.#due = this.#others.map((to) => ({ bytes, to }));
    }
  }

  /** What answered may be another directory, which does not know the session: the others are asked. */
  #giveUp(now: Instant): void {
    this.#address = undefined;
    const silent = this.#proof?.directoryAddress;
    const left = this.#others.filter((each) => silent && !sameAddress(each, silent));
    this.#others = left.length > 0 ? left : this.#all;
    if (left.length > 0) this.#ask(now);
  }

  #tell({ nonce, cookie, directoryAddress: to }: AddressProof): Transmit {
    const { id, session } = this.#registered!;
    this.#packets.push(session.nextPacket);
    return { bytes: session.encodeRequest(id, { kind: "alsoAt", nonce, cookie }), to };
  }
}
