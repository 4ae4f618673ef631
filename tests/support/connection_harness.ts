/**
 * The two ends of an accepted handshake: a real Connection, and a peer that the test plays, who has
 * the keys and says what it likes.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { TIMER_POLICIES } from "../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { Connection } from "../../protocol/connection/connection.ts";
import { decodeDatagram, decodeFrames } from "../../protocol/wire/datagram.ts";
import type { Random } from "../../protocol/machine.ts";
import type { ConnectionEvent } from "../../protocol/connection/connection.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  HEADER_SIZE,
} from "../../protocol/wire/frame.ts";
import {
  encodeSealed,
  PROLOGUE,
  requesterEarlySeals,
  responderEarlySeals,
  sealDatagram,
  type SessionKeys,
  sessionKeys,
} from "../../protocol/session/handshake.ts";
import { Initiator, readMessageOne } from "../../protocol/crypto/noise.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";

/** Where the peer is, to begin with. */
export const PEER: Address = { hostname: "192.0.2.2", port: 2 };
/** The client id of the Connection's end. */
export const OWN_ID = 1;
/** The peer's client id. */
export const PEER_ID = 2;
const OWN_CONNECTION = 11;
const PEER_CONNECTION = 22;

/** What a real handshake leaves to both ends. */
export function agree(random: Random): { requester: SessionKeys; responder: SessionKeys } {
  const [own, remote] = [makeKeyPair(random), makeKeyPair(random)];
  const initiator = new Initiator(own, makeKeyPair(random), remote.publicKey, PROLOGUE);
  const one = initiator.writeMessageOne(new Uint8Array());
  const handshake = one && readMessageOne(remote, one, PROLOGUE);
  const answer = handshake?.writeMessageTwo(makeKeyPair(random), new Uint8Array(145));
  const result = answer && initiator.readMessageTwo(answer.message);
  assert(handshake !== undefined && answer !== undefined && result !== undefined);
  const requesterEarly = requesterEarlySeals(initiator.earlyKeys());
  const responderEarly = responderEarlySeals(handshake.earlyKeys(), 0, random);
  return {
    requester: sessionKeys(result, requesterEarly, remote.publicKey),
    responder: sessionKeys(answer, responderEarly, own.publicKey, answer.message),
  };
}

/** A datagram that the Connection sent. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: Address;
  /** What the peer reads in it. */
  readonly frames: readonly Frame[];
}

/** A Connection, and the peer at its other end. */
export class AgreedPair {
  now = 1000;
  readonly connection: Connection;
  /** The peer's keys. */
  readonly peer: SessionKeys;

  /** @param role of the Connection's end. */
  constructor(random: Random, role: "requester" | "responder" = "requester") {
    const agreed = agree(random);
    this.peer = role === "requester" ? agreed.responder : agreed.requester;
    const ids = {
      local: OWN_ID,
      remote: PEER_ID,
      localConnection: OWN_CONNECTION,
      remoteConnection: PEER_CONNECTION,
      remoteName: "",
    };
    const rtt = new RttEstimator(TIMER_POLICIES.adaptive);
    this.connection = new Connection(this.now, ids, PEER, rtt, agreed[role], random);
  }

  /** A datagram of the peer's with these frames. */
  say(...frames: Frame[]): Uint8Array {
    return encodeSealed(DatagramType.Connection, OWN_CONNECTION, this.peer.seals.sealer, frames);
  }

  /** A Handshake datagram of the peer's. */
  sayEarly(...frames: Frame[]): Uint8Array {
    const { sealer } = this.peer.early;
    const isRequester = this.peer.messageTwo === undefined;
    const connection = isRequester ? PEER_CONNECTION : OWN_CONNECTION;
    return encodeSealed(DatagramType.Handshake, connection, sealer, frames);
  }

  /** A datagram of the peer's with these bytes where frames should be. */
  sayBytes(bytes: Uint8Array): Uint8Array {
    const empty = encodeSealedHeader(this.peer.seals.sealer.packet);
    const plain = new Uint8Array(HEADER_SIZE + bytes.length);
    plain.set(empty);
    plain.set(bytes, HEADER_SIZE);
    return sealDatagram(this.peer.seals.sealer, plain);
  }

  /** The Connection takes a datagram; returns what it sends then. */
  hear(bytes: Uint8Array, from: Address = PEER): Sent[] {
    const decoded = decodeDatagram(bytes);
    if (decoded.ok) {
      this.connection.handleDatagram(this.now, bytes.slice(), decoded.value.header.packet, from);
    }
    return this.sent();
  }

  /** What the Connection sends now. */
  sent(): Sent[] {
    const all: Sent[] = [];
    for (;;) {
      const transmit = this.connection.pollTransmit(this.now);
      if (transmit === undefined) return all;
      const bytes = transmit.bytes.slice();
      assert(bytes.length <= DATAGRAM_SIZE_MAX, `a datagram of ${bytes.length} bytes`);
      all.push({ bytes, to: transmit.to, frames: this.#read(bytes) });
    }
  }

  /** What the Connection tells now. */
  told(): ConnectionEvent[] {
    const all: ConnectionEvent[] = [];
    for (let event = this.connection.pollEvent(); event; event = this.connection.pollEvent()) {
      all.push(event);
    }
    return all;
  }

  /** Lets time pass; returns what the Connection sends then. */
  wait(ms: number): Sent[] {
    const until = this.now + ms;
    const all: Sent[] = [];
    for (;;) {
      const next = this.connection.nextTimeout();
      if (next === undefined || next > until) break;
      this.now = Math.max(this.now, next);
      this.connection.handleTimeout(this.now);
      all.push(...this.sent());
    }
    this.now = until;
    return all;
  }

  #read(bytes: Uint8Array): readonly Frame[] {
    const decoded = decodeDatagram(bytes);
    assert(decoded.ok);
    const isEarly = decoded.value.header.type === DatagramType.Handshake;
    const { opener } = isEarly ? this.peer.early : this.peer.seals;
    const { packet } = decoded.value.header;
    const plain = opener.open(packet, bytes.subarray(0, HEADER_SIZE), bytes.subarray(HEADER_SIZE));
    const frames = plain && decodeFrames(plain);
    assert(frames !== undefined, "the peer cannot read what was sent");
    return frames.frames;
  }
}

function encodeSealedHeader(packet: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set([0x75, 0x63, 1, DatagramType.Connection]);
  view.setUint32(4, OWN_CONNECTION);
  view.setBigUint64(8, BigInt(packet));
  return bytes;
}

/** What kinds of frames go where. */
export function kindsTo(sent: readonly Sent[], { hostname, port }: Address): string[] {
  return sent.filter(({ to }) => to.hostname === hostname && to.port === port)
    .flatMap(({ frames }) => frames.map(({ kind }) => kind));
}

/** A Message of the peer's. */
export function message(seq: number, text = `text ${seq}`, flags = 0, sender = PEER_ID): Frame {
  return { kind: "message", seq, sender, flags, text };
}

/** An Ack of the peer's. */
export function ack(next: number, ...ranges: readonly [first: number, last: number][]): Frame {
  return {
    kind: "ack",
    cumulativeSeq: next,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: ranges.map(([first, last]) => ({ first, last })),
  };
}

/** The same for a datagram with this packet counter. */
export function heardAck(packet: number, ...args: Parameters<typeof ack>): Frame {
  return { ...ack(...args), largestPacket: packet + 1 } as Frame;
}

/** A Termination of the peer's. */
export function termination(finalSeq = 0): Frame {
  return {
    kind: "connectionTermination",
    sender: PEER_ID,
    connection: PEER_CONNECTION,
    finalSeq,
  };
}

/** Lets the connection hear a datagram, which may bring so many datagrams, and all to the peer. */
export function hear(pair: AgreedPair, bytes: Uint8Array, max: number): Sent[] {
  const sent = pair.hear(bytes);
  assertLessOrEqual(sent.length, max);
  for (const { to } of sent) assertEquals(to, PEER);
  return sent;
}

/** Both ends still talk: a text arrives in each direction. `next` is the peer's next seq. */
export function assertTalks(pair: AgreedPair, next = 0): void {
  pair.told();
  const own = pair.connection.send("honest");
  assert(own !== undefined, "the connection takes no text");
  const texts = [...pair.sent(), ...pair.wait(30_000)].flatMap(({ frames }) => frames);
  const honest = texts.find((frame) => frame.kind === "message" && frame.text === "honest");
  assert(honest?.kind === "message");
  pair.hear(pair.say(ack(honest.seq + 1), message(next, "fair")));
  const told = pair.told();
  assert(told.some((event) => event.kind === "delivered" && event.textSeq === own));
  assert(told.some((event) => event.kind === "message" && event.text === "fair"));
}
