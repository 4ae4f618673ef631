/**
 * Datagrams that are altered on their way through a simulated network.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import type { Prng } from "../support/random.ts";
import type { Datagram } from "./datagram.ts";

/** Bytes of the last code in a Connection Request. */
const MAC2_SIZE = 16;

/**
 * The bytes with some bits flipped; undefined where the flips could do harm and nothing but the UDP
 * checksum would stop them.
 *
 * That is so for what a public directory says and is told, which is not authenticated, as far as it
 * can still be read: a lease, a name or an address may be another one then. And it is so for
 * Version datagrams, which are for those who can read nothing else of one another. All others may
 * be altered anywhere.
 */
export function flipBits(
  prng: Prng,
  bytes: Uint8Array,
  hasSecret: boolean,
): Uint8Array | undefined {
  const flipped = bytes.slice();
  for (let flips = 1 + prng.int(3); flips > 0; flips--) {
    const at = prng.int(flipped.length);
    flipped[at] = flipped[at]! ^ (1 << prng.int(8));
  }
  // The flips may have undone one another.
  if (flipped.every((byte, at) => byte === bytes[at])) return undefined;
  const [type] = bytes.subarray(3);
  const isDirectory = type === DatagramType.Request || type === DatagramType.Answer;
  const isAuthentic = isDirectory ? hasSecret : type !== DatagramType.Version;
  if (isAuthentic) return flipped;
  const decoded = decodeDatagram(flipped);
  const isTold = !decoded.ok &&
    !(decoded.error.reason === "version" && decoded.error.header.type === DatagramType.Version);
  return isTold ? flipped : undefined;
}

/**
 * Whether an altered datagram is as good as it was: the last code of a Connection Request is of use
 * under load only, and without it a request counts as one without a cookie.
 */
export function mayHaveEffect(bytes: Uint8Array, flipped: Uint8Array): boolean {
  const size = bytes.length - MAC2_SIZE;
  return bytes[3] === DatagramType.ConnectionRequest &&
    bytes.subarray(0, size).every((byte, at) => byte === flipped[at]);
}

/** Checks that an altered datagram led to nothing: a Version answer aside, which has no state. */
export function assertNoEffect(events: readonly unknown[], sent: readonly Datagram[]): void {
  assertEquals(events, [], "an altered datagram had an effect");
  for (const datagram of sent) {
    // What is due to the directory at this very time may go, too.
    const isVersion = datagram.bytes[3] === DatagramType.Version;
    assert(isVersion || datagram.to === "directory", `an altered datagram led to ${datagram}`);
  }
}
