/**
 * What a sender keeps to: how much waits, how much is in flight, what is sent more than once.
 *
 * @module
 */
import { FRAGMENT_SIZE_MAX } from "../wire/frame.ts";

/** UTF-8 bytes in the longest text. */
export const TEXT_SIZE_MAX = 65_536;
/** Messages from the first unacknowledged one to the last that may be sent. */
export const WINDOW = 4096;
/** UTF-8 bytes sent and not acknowledged with fixed timers, so that a socket's buffer holds them. */
export const IN_FLIGHT_SIZE_MAX = 65_536;
/** UTF-8 bytes of the texts that wait, sent or not. */
export const QUEUE_SIZE_MAX = 4 * 1024 * 1024;
/** Messages that wait, sent or not, however short. */
export const QUEUE_LENGTH_MAX = 65_536;
/** Milliseconds from a text's first transmission until it counts as unconfirmed. */
export const UNCONFIRMED_AFTER = 5_000;
/** Messages in flight up to which each datagram carries earlier ones, too. */
export const SPARSE_LENGTH_MAX = 16;
/** UTF-8 bytes in flight up to which it does. */
export const SPARSE_SIZE_MAX = 1000;
/** Earlier Messages that a datagram carries, at most. */
export const CARRIED_MAX = 3;
/** Milliseconds after which a copy follows what no other datagram has carried. */
export const COPY_DELAY = 8;

/** A text whose every Message was acknowledged. */
export interface Delivery {
  /** What it is to those whom it is told. */
  kind: "delivered";
  /** The text's number. */
  textSeq: number;
  /** Milliseconds from its first transmission to its acknowledgement. */
  rttMs: number;
}

/** Where the fragment of a text that begins at `start` ends: between characters. */
export function fragmentEnd(bytes: Uint8Array, start: number): number {
  let end = Math.min(start + FRAGMENT_SIZE_MAX, bytes.length);
  while (end < bytes.length && (bytes[end]! & 0xc0) === 0x80) end--;
  return end;
}
