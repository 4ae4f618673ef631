/**
 * Drives the state machines under fuzz tests, and checks their bounds: datagrams, events, time and
 * memory.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import type { DatagramMachine, Instant } from "../../protocol/machine.ts";
import { DATAGRAM_SIZE_MAX, DatagramType } from "../../protocol/wire/frame.ts";
import { PATH_MTU_ETHERNET } from "../../protocol/recovery/path_mtu.ts";

/** Most datagrams after one input: 64 KiB may be in flight, with one Message in each datagram. */
const DATAGRAMS_MAX = 250;
/** Most events after one input: some for each Message in a window. */
const EVENTS_MAX = 4_000;
/** Most milliseconds for one input: far more than any takes, but far less than a hang. */
const DURATION_MAX = 3_000;
/** Most bytes by which the heap grows in a run, garbage included. */
const GROWTH_MAX = 200e6;

/** Takes all datagrams and events of a machine, within the bounds. */
export function drain<Event>(
  machine: DatagramMachine<Event>,
  now: Instant,
  onTransmit: (bytes: Uint8Array, to: Address) => void,
  onEvent: (event: Event) => void,
): void {
  let datagrams = 0;
  for (let next = machine.pollTransmit(now); next; next = machine.pollTransmit(now)) {
    assert(datagrams++ < DATAGRAMS_MAX, "too many datagrams");
    const isPacket = next.bytes[3] === DatagramType.Packet;
    const sizeMax = isPacket ? PATH_MTU_ETHERNET : DATAGRAM_SIZE_MAX;
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
  assert(timeout === undefined || !Number.isNaN(timeout), "a timeout is NaN");
}

/** Runs the timeouts of a machine that are due. */
export function runTimeouts<Event>(
  machine: DatagramMachine<Event>,
  now: Instant,
  drain: () => void,
): void {
  for (let left = 10; now >= (machine.nextTimeout() ?? Infinity); left--) {
    assert(left > 0, "endless timeouts");
    machine.handleTimeout(now);
    drain();
  }
}

/** Measures the time of each input, and the growth of the heap. */
export class ResourceMonitor {
  readonly #heap = Deno.memoryUsage().heapUsed;
  #slowest = 0;

  /** Measures the handling of one input. */
  time(input: () => void): void {
    const start = performance.now();
    input();
    this.#slowest = Math.max(this.#slowest, performance.now() - start);
  }

  /** Checks both at the end of a run. */
  check(): void {
    assert(this.#slowest < DURATION_MAX, `an input took ${this.#slowest} ms`);
    const growth = Deno.memoryUsage().heapUsed - this.#heap;
    assert(growth < GROWTH_MAX, `the heap has grown by ${growth} bytes`);
  }
}
