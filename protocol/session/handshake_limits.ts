/**
 * What those who send Initiations may have this client do: each thing that costs is counted, so that a
 * flood of them, recorded or made up, costs no more than a trickle.
 *
 * @module
 */
import { BoundedMap } from "../bounded_map.ts";
import type { Instant } from "../machine.ts";
import { Allowance } from "./allowance.ts";

/** Initiations of strangers whose mac1 is checked, a second and at once; more are dropped unread. */
export const MAC_CHECKS_PER_SECOND = 500;
/** The same for each host that the directory introduced: whatever all others do, its peer is heard. */
export const INTRODUCED_CHECKS_PER_SECOND = 20;
/**
 * Introduced hosts that are told apart; of more, the one that came first is forgotten. Enough for 32
 * meetings: of each an IPv4 and an IPv6 host, and what the directory carries.
 */
export const INTRODUCED_HOSTS_MAX = 96;
/** Initiations of all introduced hosts that are checked, a second and at once. */
export const INTRODUCED_CHECKS_IN_ALL = INTRODUCED_HOSTS_MAX * INTRODUCED_CHECKS_PER_SECOND;
/** Handshakes that are computed for those without a cookie, a second and at once. */
export const HANDSHAKES_PER_SECOND = 20;
/** See {@linkcode HANDSHAKES_PER_SECOND}. */
export const HANDSHAKES_AT_ONCE = 40;
/** Answers to datagrams of another version, a second and at once. */
export const VERSION_ANSWERS_PER_SECOND = 20;
/** Cookie Replies, a second and at once. */
export const COOKIE_REPLIES_PER_SECOND = 100;
/** Responses that are sent again because their Initiation came again, a second and at once. */
export const REPEATED_RESPONSES_PER_SECOND = 100;

/** The handshakes for those without a cookie. */
function handshakesWithoutCookie(): Allowance {
  return new Allowance(HANDSHAKES_PER_SECOND, HANDSHAKES_AT_ONCE);
}

/** What is left for strangers, or for one host that the directory introduced. */
export class HandshakeLimits {
  /** Checks of mac1. */
  readonly checks: Allowance;
  /** Handshakes without a cookie. */
  readonly handshakes: Allowance;
  /** Cookie Replies. */
  readonly cookieReplies = new Allowance(COOKIE_REPLIES_PER_SECOND, COOKIE_REPLIES_PER_SECOND);
  /** Responses that were sent before. */
  readonly repeats = new Allowance(REPEATED_RESPONSES_PER_SECOND, REPEATED_RESPONSES_PER_SECOND);

  /**
   * @param checksPerSecond checks of mac1, a second and at once.
   * @param handshakes those without a cookie, which several may share.
   */
  constructor(checksPerSecond: number, handshakes = handshakesWithoutCookie()) {
    this.checks = new Allowance(checksPerSecond, checksPerSecond);
    this.handshakes = handshakes;
  }
}

/**
 * What is left for each host that the directory introduced. Checks, Cookie Replies and repeated
 * Responses are counted for each, so that a flood from one host, or in its name, leaves those of the
 * others alone. Handshakes are counted for all: who gets none gets a Cookie Reply.
 */
export class IntroducedLimits {
  readonly #checks = new Allowance(INTRODUCED_CHECKS_IN_ALL, INTRODUCED_CHECKS_IN_ALL);
  readonly #handshakes = handshakesWithoutCookie();
  readonly #hosts = new BoundedMap<string, HandshakeLimits>(INTRODUCED_HOSTS_MAX);

  /** The limits of a host, with one check taken; undefined where none is left. */
  check(now: Instant, host: string): HandshakeLimits | undefined {
    let limits = this.#hosts.get(host);
    if (limits === undefined) {
      limits = new HandshakeLimits(INTRODUCED_CHECKS_PER_SECOND, this.#handshakes);
      this.#hosts.set(host, limits);
    }
    return limits.checks.take(now) && this.#checks.take(now) ? limits : undefined;
  }
}
