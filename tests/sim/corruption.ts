/**
 * Corruption of datagrams on a simulated network, and what an altered datagram may still do.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType } from "../../protocol/wire/frame.ts";
import { CODE_SIZE } from "../../protocol/wire/codes.ts";
import type { Prng } from "../support/random.ts";
import type { Datagram } from "./datagram.ts";

/** Where the session id, the packet counter and the frames begin in a datagram. */
const SESSION_AT = 4;
const PACKET_AT = 8;
const FRAMES_AT = 16;
/** Bytes in the frame of a Punch, which Padding follows. */
const PUNCH_FRAME_SIZE = 11;
/** Where the sealed frames of a Register begin. */
const REGISTER_SEALED_AT = 91;

/**
 * The bytes with some bits flipped; undefined if the flips cancel each other. Of a Punch, only the
 * frame is altered: nobody looks at the rest.
 */
export function flipBits(prng: Prng, bytes: Uint8Array): Uint8Array | undefined {
  const flipped = bytes.slice();
  const isPunch = bytes[3] === DatagramType.Punch;
  const [start, end] = isPunch ? [FRAMES_AT, FRAMES_AT + PUNCH_FRAME_SIZE] : [0, bytes.length];
  for (let flips = 1 + prng.int(3); flips > 0; flips--) {
    const at = start + prng.int(end - start);
    flipped[at] = flipped[at]! ^ (1 << prng.int(8));
  }
  return flipped.every((byte, at) => byte === bytes[at]) ? undefined : flipped;
}

/**
 * What an altered datagram may do: all that the unaltered one would (`same`), or no more than have its
 * receiver send one datagram of this type, or nothing at all.
 */
export type Effect = "same" | DatagramType | undefined;

/**
 * What an altered datagram may do. Everything that is sealed, or has a code over it, does nothing;
 * what is left are these bits:
 *
 * - the version of any datagram: it is answered by a Version datagram;
 * - all of a first Register, and the Credentials of a sealed one, in a public directory: a Challenge;
 * - all of a Challenge of a public directory: the client seals a Register with what it names;
 * - all of an Unknown: the client registers again;
 * - any bit of a Request to a public directory: it does not open, and is answered by an Unknown;
 * - the second code of an Initiation, which is looked at under load only, the packet counter of a
 *   Response, and session id and packet counter of a Cookie Reply and a Punch, which nobody looks at.
 *
 * A Version datagram of another version does nothing at once: it ends a client that has heard nothing
 * authentic for 12 s after it, as a Challenge with another key does.
 */
export function effectOf(bytes: Uint8Array, altered: Uint8Array, isPrivate: boolean): Effect {
  const decoded = decodeDatagram(altered);
  if (!decoded.ok) {
    const isVersion = decoded.error.reason === "version" &&
      decoded.error.header.type !== DatagramType.Version;
    return isVersion ? DatagramType.Version : undefined;
  }
  const isSameBut = (from: number, to: number): boolean =>
    bytes.every((byte, at) => byte === altered[at] || (at >= from && at < to));
  const { type } = decoded.value.header;
  switch (type) {
    case DatagramType.Register: {
      // The mac covers what is clear; a cookie may be too old by now.
      const isSigned = isSameBut(REGISTER_SEALED_AT, bytes.length);
      return isPrivate && !isSigned ? undefined : DatagramType.Challenge;
    }
    case DatagramType.Challenge:
      return isPrivate ? undefined : DatagramType.Register;
    case DatagramType.Request:
      return isPrivate ? undefined : DatagramType.Unknown;
    case DatagramType.Unknown:
      return DatagramType.Register;
    case DatagramType.Initiation:
      return isSameBut(bytes.length - CODE_SIZE, bytes.length) ? "same" : undefined;
    case DatagramType.Response:
      return isSameBut(PACKET_AT, FRAMES_AT) ? "same" : undefined;
    case DatagramType.Cookie:
    case DatagramType.Punch:
      return isSameBut(SESSION_AT, FRAMES_AT) ? "same" : undefined;
    default:
      return undefined;
  }
}

/** Checks that an altered datagram had no other effect than it may have. */
export function assertEffect(
  effect: Effect,
  events: readonly unknown[],
  sent: readonly Datagram[],
): void {
  if (effect === "same") return;
  assertEquals(events, [], "an altered datagram had an effect");
  assert(sent.length <= 1, `an altered datagram caused ${sent.join(", ")}`);
  for (const datagram of sent) {
    assertEquals<unknown>(datagram.bytes[3], effect, `an altered datagram caused ${datagram}`);
  }
}
