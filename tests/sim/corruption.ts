/**
 * Corruption of datagrams on a simulated network.
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
 * The bytes with some bits flipped; undefined if only the UDP checksum would detect the flips.
 *
 * That concerns datagrams that are not authenticated, if they still decode: those to and from a
 * public directory, where a lease, a name or an address may change, and Version datagrams. All
 * others may be altered anywhere.
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
  // The flips may cancel each other.
  if (flipped.every((byte, at) => byte === bytes[at])) return undefined;
  const [type] = bytes.subarray(3);
  const isDirectory = type === DatagramType.Request || type === DatagramType.Answer;
  const isAuthentic = isDirectory ? hasSecret : type !== DatagramType.Version;
  if (isAuthentic) return flipped;
  const decoded = decodeDatagram(flipped);
  const isRejected = !decoded.ok &&
    !(decoded.error.reason === "version" && decoded.error.header.type === DatagramType.Version);
  return isRejected ? flipped : undefined;
}

/**
 * Whether only the last code of a Connection Request is altered: it is checked under load only, and
 * the request otherwise counts as one without a cookie.
 */
export function mayHaveEffect(bytes: Uint8Array, flipped: Uint8Array): boolean {
  const size = bytes.length - MAC2_SIZE;
  return bytes[3] === DatagramType.ConnectionRequest &&
    bytes.subarray(0, size).every((byte, at) => byte === flipped[at]);
}

/** Checks that an altered datagram had no effect, except for a Version answer, which has no state. */
export function assertNoEffect(events: readonly unknown[], sent: readonly Datagram[]): void {
  assertEquals(events, [], "an altered datagram had an effect");
  for (const datagram of sent) {
    // Datagrams to the directory may be due at the same time.
    const isVersion = datagram.bytes[3] === DatagramType.Version;
    assert(isVersion || datagram.to === "directory", `an altered datagram caused ${datagram}`);
  }
}
