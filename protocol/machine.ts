/**
 * The shape of every state machine here: bytes and the time go in, datagrams and events come out.
 *
 * After every input the caller drains the machine: pollTransmit() and pollEvent() until both have
 * nothing left, then one sleep until nextTimeout(). `drive()` in `udp.ts` does so on a socket, the
 * simulated network in the tests on virtual time.
 *
 * @module
 */
import type { Address } from "./wire/address.ts";

/** Milliseconds on a clock that never goes back; where it starts does not matter. */
export type Instant = number;

/** Random bytes of the given size, from a cryptographic source. */
export type Random = (size: number) => Uint8Array;

/** A datagram to send. Its bytes are valid until the next pollTransmit(). */
export interface Transmit {
  /** The payload. */
  readonly bytes: Uint8Array;
  /** Where it goes. */
  readonly to: Address;
}

/**
 * A state machine without clock, timer, socket or randomness of its own.
 *
 * One that is part of another is given the datagrams that are meant for it by that one, already
 * decoded or with what was learned on the way.
 */
export interface Machine<Event> {
  /** Does what is due; a call at another time than nextTimeout() said does nothing. */
  handleTimeout(now: Instant): void;
  /** When handleTimeout() is to be called next. */
  nextTimeout(): Instant | undefined;
  /** The next datagram to send, if any. */
  pollTransmit(now: Instant): Transmit | undefined;
  /** The next event for the user of the machine, if any. */
  pollEvent(): Event | undefined;
}

/** A machine that takes datagrams as a socket receives them: the one that drive() runs. */
export interface DatagramMachine<Event> extends Machine<Event> {
  /**
   * Takes a datagram. `bytes` may be used again after the call.
   *
   * @returns false where nothing came of it, so that there is nothing to drain: under a flood that is
   * most of what a datagram costs.
   */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): boolean | void;
  /**
   * The clock may have stood still, as in the sleep of a laptop: everything is asked again at once.
   *
   * @param slept for how many milliseconds at most: the clock of the day may only have been set.
   */
  handleWake?(now: Instant, slept: number): void;
}

/** A random number from 1 to 2^32 - 1: an id. */
export function randomU32(random: Random): number {
  const bytes = random(4);
  const value = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  return value === 0 ? 1 : value;
}

/** A random 64-bit number: a nonce. */
export function randomU64(random: Random): bigint {
  const bytes = random(8);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}
