/**
 * What the fuzz tests of the state machines share: they are drained, and watched while they are.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import type { DatagramMachine, Instant } from "../../protocol/machine.ts";
import { DATAGRAM_SIZE_MAX, DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { PATH_MTU_ETHERNET } from "../../protocol/session/path_mtu.ts";

/** The kind of a frame. */
export type Kind = Frame["kind"];

/** Each kind as often as its weight says. */
export function weighted(weights: Partial<Record<Kind, number>>): Kind[] {
  return Object.entries(weights).flatMap(([kind, weight]) =>
    Array<Kind>(weight).fill(kind as Kind)
  );
}

/** Datagrams that one input may lead to at most: as many as hold all that may be in flight. */
const DATAGRAMS_MAX = 150;
/** Events that one input may lead to at most: some for each Message in a window. */
const EVENTS_MAX = 4_000;
/** Milliseconds that one input may take: far more than any does, but far less than a hang. */
const DURATION_MAX = 3_000;
/** Bytes by which the heap may grow in a run, garbage that is not collected yet included. */
const GROWTH_MAX = 200e6;

/** Takes everything that a machine has to send and to tell. */
export function drain<Event>(
  machine: DatagramMachine<Event>,
  now: Instant,
  onTransmit: (bytes: Uint8Array, to: Address) => void,
  onEvent: (event: Event) => void,
): void {
  let datagrams = 0;
  for (let next = machine.pollTransmit(now); next; next = machine.pollTransmit(now)) {
    assert(datagrams++ < DATAGRAMS_MAX, "too many datagrams");
    const isConnection = next.bytes[3] === DatagramType.Connection;
    const sizeMax = isConnection ? PATH_MTU_ETHERNET : DATAGRAM_SIZE_MAX;
    assert(next.bytes.length <= sizeMax, "a datagram is too long");
    assert(next.to.port > 0 && next.to.port < 65536, formatAddress(next.to));
    onTransmit(next.bytes, next.to);
  }
  let events = 0;
  for (let event = machine.pollEvent(); event; event = machine.pollEvent()) {
    assert(events++ < EVENTS_MAX, "too many events");
    onEvent(event);
  }
  assertEquals(machine.pollTransmit(now), undefined);
  const timeout = machine.nextTimeout();
  assert(timeout === undefined || !Number.isNaN(timeout), "a timeout is no number");
}

/** Has a machine do what is due. */
export function catchUp<Event>(
  machine: DatagramMachine<Event>,
  now: Instant,
  drained: () => void,
): void {
  for (let left = 10; now >= (machine.nextTimeout() ?? Infinity); left--) {
    assert(left > 0, "the timeouts do not end");
    machine.handleTimeout(now);
    drained();
  }
}

/** Sees to it that no input takes long, and that nothing is kept of all of them together. */
export class Watch {
  readonly #heap = Deno.memoryUsage().heapUsed;
  #slowest = 0;

  /** Does what takes one input. */
  time(input: () => void): void {
    const start = performance.now();
    input();
    this.#slowest = Math.max(this.#slowest, performance.now() - start);
  }

  /** At the end of a run. */
  check(): void {
    assert(this.#slowest < DURATION_MAX, `an input took ${this.#slowest} ms`);
    const growth = Deno.memoryUsage().heapUsed - this.#heap;
    assert(growth < GROWTH_MAX, `the heap has grown by ${growth} bytes`);
  }
}
