/**
 * The one shape of every state machine here: bytes and the time go in, bytes and events come out.
 *
 * After every input, whoever drives the machine drains it: pollTransmit() and pollEvent() until
 * both have nothing left, then one sleep until nextTimeout(). `drive()` in `udp.ts` does so on a
 * socket, the simulated network in the tests on virtual time.
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

/** A state machine without clock, timer, socket or randomness of its own. */
export interface Driven<Event> {
  /** Takes a datagram as it came. `bytes` may be used again after the call. */
  handleDatagram(now: Instant, bytes: Uint8Array, from: Address): void;
  /** Does what is due; a call at another time than nextTimeout() said does nothing. */
  handleTimeout(now: Instant): void;
  /** When handleTimeout() is to be called next. */
  nextTimeout(): Instant | undefined;
  /** The next datagram to send, if any. */
  pollTransmit(now: Instant): Transmit | undefined;
  /** The next thing to tell the user, if any. */
  pollEvent(): Event | undefined;
  /** Makes what the next datagrams will need, while there is nothing else to do. */
  prepare?(): void;
}

/** A random number from 1 to 2^32 - 1: a connection id. */
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
