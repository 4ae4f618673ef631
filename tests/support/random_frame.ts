/**
 * Random headers and frames, with ordinary and extreme values.
 *
 * @module
 */
import { type Address, bytesToHost } from "../../protocol/wire/address.ts";
import { DatagramType, type Frame, type Header } from "../../protocol/wire/frame.ts";
import { LAYOUTS } from "../../protocol/wire/layout.ts";
import type { Prng } from "./random.ts";

/** Every kind of frame. */
export const KINDS = Object.keys(LAYOUTS) as readonly Frame["kind"][];

const NUMBERS = [0, 1, 2, 2 ** 16 - 1, 2 ** 16, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
const CHARACTERS = [
  ..."abc 019/@\0\n\x1b\x7f",
  "é",
  "ß",
  "\u202e",
  "€",
  "\ufeff",
  "�",
  "👋",
  "\u{10ffff}",
];

/** Names that are good, as short as can be and as long. */
const NAMES = ["", "a", "x1", "zoë", "Борис", "小明", "ana".repeat(10), "𠮷".repeat(32)];

/** A number that fits into 32 bits, often one at a limit. */
export function randomNumber(prng: Prng): number {
  return prng.chance(0.3) ? prng.pick(NUMBERS) : prng.u32() >>> prng.int(32);
}

/** A text of up to `size` bytes of UTF-8. */
export function randomText(prng: Prng, size: number): string {
  return Array.from({ length: prng.int(Math.floor(size / 4) + 1) }, () => prng.pick(CHARACTERS))
    .join("");
}

/** An address of either family, with runs of zeros in it. */
export function randomAddress(prng: Prng): Address {
  const bytes = prng.bytes(prng.chance(0.5) ? 4 : 16);
  for (let i = 0; i < bytes.length; i++) if (prng.chance(0.5)) bytes[i] = 0;
  if (bytes.length === 16 && prng.chance(0.1)) bytes.fill(0, 0, 10).fill(0xff, 10, 12);
  return { hostname: bytesToHost(bytes), port: 1 + prng.int(65535) };
}

/** A header of any type and any values. */
export function randomHeader(prng: Prng): Header {
  return {
    type: prng.pick(Object.values(DatagramType)),
    session: randomNumber(prng),
    packet: prng.int(2 ** 21) * (prng.chance(0.5) ? 2 ** 32 : 0) + prng.u32(),
  };
}

/** A frame of a random kind, or of the given one. */
export function randomFrame(prng: Prng, kind: Frame["kind"] = prng.pick(KINDS)): Frame {
  const u8 = (): number => prng.int(256);
  const u16 = (): number => prng.int(65536);
  const u32 = (): number => randomNumber(prng);
  const nonce = prng.u64();
  const bytes16 = (): Uint8Array => prng.chance(0.1) ? new Uint8Array(16) : prng.bytes(16);
  const wantedName = randomText(prng, 255);
  const name = prng.pick(NAMES);
  const publicKey = prng.bytes(32);
  const list = <T>(max: number, item: () => T): T[] =>
    Array.from({ length: prng.int(prng.chance(0.9) ? 6 : max + 1) }, item);
  switch (kind) {
    case "padding":
      return { kind, size: prng.int(100) };
    case "credentials":
    case "challenge":
      return { kind, nonce, cookie: bytes16(), publicKey, mac: bytes16() };
    case "register":
      return {
        ...{ kind, session: u32(), token: bytes16(), wantedId: u32(), port: u16() },
        name: wantedName,
      };
    case "registered":
      return { kind, token: bytes16(), id: u32(), lease: u32(), seenAt: randomAddress(prng) };
    case "refused":
      return { kind, reason: u8() };
    case "leaseKeepalive":
    case "leave":
    case "leaveAck":
    case "connectionKeepalive":
      return { kind };
    case "leaseKeepaliveAck":
      return { kind, lease: u32() };
    case "lookUp":
    case "inactive":
    case "call":
      return { kind, id: u32(), name: wantedName };
    case "found":
      return { kind, id: u32(), name, address: randomAddress(prng), publicKey };
    case "list":
      return { kind, after: u32() };
    case "listing": {
      const clients = list(20, () => ({ id: u32(), name: prng.pick(NAMES) }));
      return { kind, more: u8(), clients };
    }
    case "meeting": {
      const addresses = list(2, () => randomAddress(prng));
      return { kind, number: nonce, flags: u8(), id: u32(), name, publicKey, addresses };
    }
    case "carry":
      return { kind, number: nonce, to: u32(), datagram: prng.bytes(prng.int(1141)) };
    case "carried":
      return { kind, from: u32(), datagram: prng.bytes(prng.int(1141)) };
    case "alsoAt":
      return { kind, nonce, cookie: bytes16() };
    case "alsoAtAck":
      return { kind, seenAt: randomAddress(prng) };
    case "initiation":
      return { kind, messageOne: prng.bytes(100) };
    case "macs":
      return { kind, mac1: bytes16(), mac2: bytes16() };
    case "response":
      return { kind, messageTwo: prng.bytes(52) };
    case "cookieReply":
      return { kind, nonce: prng.bytes(24), cookie: prng.bytes(32) };
    case "punch":
      return { kind, number: nonce };
    case "connectionRequest":
      return { kind, request: u32(), requester: u32(), responder: u32(), name };
    case "ringing":
      return { kind, responder: u32() };
    case "connectionAccept":
      return { kind, responder: u32(), flags: u8(), name };
    case "connectionReject":
      return { kind, responder: u32(), reason: u8() };
    case "message": {
      const text = randomText(prng, prng.chance(0.9) ? 60 : 1000);
      return { kind, seq: u32(), sender: u32(), flags: u8(), text };
    }
    case "ack":
      return {
        ...{ kind, cumulativeSeq: u32(), largestPacket: u32(), delay: u16(), packetBitmap: u32() },
        ranges: list(140, () => ({ first: u32(), last: u32() })),
      };
    case "connectionTermination":
    case "connectionTerminationAck":
      return { kind, sender: u32(), finalSeq: u32() };
    case "pathChallenge":
    case "pathResponse":
      return { kind, nonce };
    case "candidates":
      return { kind, addresses: list(8, () => randomAddress(prng)) };
  }
}
