/**
 * A real machine that a naive one talks to, a datagram at a time.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import type { DatagramMachine, Transmit } from "../../protocol/machine.ts";
import type { Address } from "../../protocol/wire/address.ts";

/** A real machine, and the time. */
export class Driven<Event> {
  readonly events: Event[] = [];
  now = 0;
  readonly #machine: DatagramMachine<Event>;
  readonly #isAside: (transmit: Transmit) => boolean;

  /** @param isAside what it sends beside what a test is about. */
  constructor(
    machine: DatagramMachine<Event>,
    isAside: (transmit: Transmit) => boolean = () => false,
  ) {
    this.#machine = machine;
    this.#isAside = isAside;
  }

  /** Gives it a datagram; returns what it sends. */
  receive(bytes: Uint8Array, from: Address): Transmit[] {
    this.#machine.handleDatagram(this.now, bytes.slice(), from);
    return this.drain();
  }

  drain(): Transmit[] {
    const sent: Transmit[] = [];
    for (let next = this.#machine.pollTransmit(this.now); next;) {
      if (!this.#isAside(next)) sent.push({ bytes: next.bytes.slice(), to: next.to });
      next = this.#machine.pollTransmit(this.now);
    }
    for (let event = this.#machine.pollEvent(); event; event = this.#machine.pollEvent()) {
      this.events.push(event);
    }
    return sent;
  }

  /** Advances the time to the next timeout. */
  advance(): Transmit[] {
    this.now = Math.max(this.now, this.#machine.nextTimeout() ?? this.now);
    this.#machine.handleTimeout(this.now);
    return this.drain();
  }

  /** The events since the last call. */
  take(): Event[] {
    return this.events.splice(0);
  }
}

/** The only datagram. */
export function only(sent: readonly Transmit[], to?: Address): Uint8Array {
  assertEquals(sent.length, 1);
  if (to !== undefined) assertEquals(sent[0]!.to, to);
  return sent[0]!.bytes;
}
