/**
 * An address that the peer of a session may have moved to.
 *
 * @module
 */
import type { Instant } from "../machine.ts";
import type { Address } from "../wire/address.ts";
import { FRAME_HEADER_SIZE, HEADER_SIZE, TAG_SIZE } from "../wire/frame.ts";

/** Bytes sent to an unvalidated address for each byte that came from it, at most (RFC 9000, 8.1). */
export const AMPLIFICATION_MAX = 3;
/** Bytes of a packet with a Path Challenge or a Path Response. */
const FRAME_PACKET_SIZE = HEADER_SIZE + FRAME_HEADER_SIZE + 8 + TAG_SIZE;

/** An address that the peer may have moved to. */
export interface Candidate {
  readonly address: Address;
  readonly nonce: bigint;
  received: number;
  receivedAt: Instant;
  sent: number;
  isValidated: boolean;
  /** Whether the directory or the peer told it. */
  isTold: boolean;
  /** How often it was challenged because it was told, when it is again, and until when it may answer. */
  tries: number;
  nextAt: Instant;
  until: Instant;
}

/** Whether an address that was told may still answer. */
export function isAwaited(now: Instant, { isTold, isValidated, until }: Candidate): boolean {
  return isTold && !isValidated && now < until;
}

/** Whether one more packet may go to an address; if so, it is counted. */
export function spend(candidate: Candidate): boolean {
  const sent = candidate.sent + FRAME_PACKET_SIZE;
  const isAllowed = candidate.isValidated || sent <= AMPLIFICATION_MAX * candidate.received;
  if (isAllowed) candidate.sent = sent;
  return isAllowed;
}
