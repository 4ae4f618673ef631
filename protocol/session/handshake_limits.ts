/**
 * What those who send Initiations may have this client do: each thing that costs is counted, so that a
 * flood of them, recorded or made up, costs no more than a trickle.
 *
 * @module
 */
import { Allowance } from "./allowance.ts";

/** Initiations of strangers whose mac1 is checked, a second and at once; more are dropped unread. */
export const MAC_CHECKS_PER_SECOND = 500;
/** The same for peers that the directory introduced: whatever strangers do, these are heard. */
export const INTRODUCED_CHECKS_PER_SECOND = 100;
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

/** What is left for strangers, or for peers that the directory introduced. */
export class HandshakeLimits {
  /** Checks of mac1. */
  readonly checks: Allowance;
  /** Handshakes without a cookie. */
  readonly handshakes = new Allowance(HANDSHAKES_PER_SECOND, HANDSHAKES_AT_ONCE);
  /** Cookie Replies. */
  readonly cookieReplies = new Allowance(COOKIE_REPLIES_PER_SECOND, COOKIE_REPLIES_PER_SECOND);
  /** Responses that were sent before. */
  readonly repeats = new Allowance(REPEATED_RESPONSES_PER_SECOND, REPEATED_RESPONSES_PER_SECOND);

  /** @param checksPerSecond checks of mac1, a second and at once. */
  constructor(checksPerSecond: number) {
    this.checks = new Allowance(checksPerSecond, checksPerSecond);
  }
}
