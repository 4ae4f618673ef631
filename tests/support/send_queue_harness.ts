/**
 * Makes a SendQueue, and sends its Messages in packets.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { DatagramWriter, decodeFrames } from "../../protocol/wire/datagram.ts";
import { type Ack, DatagramType, HEADER_SIZE, type Message } from "../../protocol/wire/frame.ts";
import { Flight } from "../../protocol/recovery/flight.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES, type TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { SendQueue, type UndeliveredTexts } from "../../protocol/connection/send_queue.ts";

/** The flight of each queue. */
const flights = new WeakMap<SendQueue, Flight>();

/**
 * A queue with these timers.
 *
 * @param undelivered texts of an earlier one.
 */
export function makeQueue(
  mode: TimerMode = "adaptive",
  undelivered: UndeliveredTexts | undefined = undefined,
): { queue: SendQueue; rtt: RttEstimator } {
  const rtt = new RttEstimator(TIMER_POLICIES[mode]);
  const flight = new Flight(0, rtt, { hostname: "192.0.2.2", port: 2 });
  const queue = new SendQueue(1, rtt, flight, undelivered);
  flights.set(queue, flight);
  return { queue, rtt };
}

/** Sends the Message that is due, if any, in a packet with this counter. */
export function sendOne(queue: SendQueue, now: number, packet: number): Message | undefined {
  const { dueSize } = queue;
  if (dueSize === 0) return undefined;
  const [first, ...more] = sendPacket(queue, now, packet, dueSize);
  assertEquals(more, []);
  return first;
}

/** Sends one packet with `room` bytes for frames. */
export function sendPacket(
  queue: SendQueue,
  now: number,
  packet: number,
  room = 1100,
): Message[] {
  const writer = new DatagramWriter(HEADER_SIZE + room);
  writer.start({ type: DatagramType.Packet, session: 1, packet });
  queue.write(now, packet, writer);
  flights.get(queue)!.onSent(now, packet, 100);
  const decoded = decodeFrames(writer.finish().subarray(HEADER_SIZE));
  assert(decoded !== undefined);
  return decoded.frames.filter((frame) => frame.kind === "message");
}

/** Sends all Messages that are due, one in a packet, from the packet counter `packet` on. */
export function send(queue: SendQueue, now: number, packet = 0): Message[] {
  const sent: Message[] = [];
  for (let one = sendOne(queue, now, packet); one; one = sendOne(queue, now, ++packet)) {
    sent.push(one);
  }
  return sent;
}

/** The seqs of Messages. */
export function seqs(messages: readonly Message[]): number[] {
  return messages.map(({ seq }) => seq);
}

/** An Ack with these ranges, that names no packet. */
export function ack(next: number, ...ranges: [number, number][]): Ack {
  return { ...packetAck(0, next, ...ranges), packetBitmap: 0 };
}

/** An Ack that also names the packet with this counter. */
export function packetAck(packet: number, next: number, ...ranges: [number, number][]): Ack {
  return {
    kind: "ack",
    cumulativeSeq: next,
    largestPacket: packet,
    delay: 0,
    packetBitmap: 1,
    ranges: ranges.map(([first, last]) => ({ first, last })),
  };
}
