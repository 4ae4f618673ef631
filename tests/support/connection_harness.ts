/**
 * A Connection, and its peer, which a test plays: the peer has the keys and sends what the test
 * wants.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { Connection, type ConnectionEvent } from "../../protocol/connection/connection.ts";
import { decodeDatagram, decodeFrames, encodeDatagram } from "../../protocol/wire/datagram.ts";
import type { Instant, Random } from "../../protocol/machine.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Header,
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
import { TIMER_POLICIES, type TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { Prng } from "./random.ts";

/** The peer's address at the start. */
export const PEER: Address = { hostname: "192.0.2.2", port: 2 };
/** The local and the remote client id, and the connection ids. */
export const IDS = {
  local: 1,
  remote: 2,
  localConnection: 11,
  remoteConnection: 22,
  remoteName: "ben",
} as const;

/** A datagram that the Connection sent. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: Address;
  readonly header: Header;
  /** Decrypted with the peer's keys. */
  readonly frames: readonly Frame[];
}

/** A Connection and the keys of its peer. */
export class ConnectionHarness {
  now: Instant = 1000;
  readonly connection: Connection;
  /** The peer's keys. */
  readonly peer: SessionKeys;
  /** Message two of the handshake. */
  readonly messageTwo: Uint8Array;

  /** @param role of the Connection's end. */
  constructor(role: "requester" | "responder" = "requester", timers: TimerMode = "adaptive") {
    const random = new Prng(1).bytes;
    const keys = handshake(random);
    this.peer = role === "requester" ? keys.responder : keys.requester;
    this.messageTwo = keys.responder.messageTwo;
    const rtt = new RttEstimator(TIMER_POLICIES[timers]);
    this.connection = new Connection(this.now, IDS, PEER, rtt, keys[role], random);
  }

  /** A Connection datagram from the peer. */
  seal(...frames: Frame[]): Uint8Array {
    const { sealer } = this.peer.seals;
    return encodeSealed(DatagramType.Connection, IDS.localConnection, sealer, frames);
  }

  /** A Handshake datagram from the peer; it carries the requester's connection id. */
  sealEarly(...frames: Frame[]): Uint8Array {
    const isRequester = this.peer.messageTwo === undefined;
    const connection = isRequester ? IDS.remoteConnection : IDS.localConnection;
    return encodeSealed(DatagramType.Handshake, connection, this.peer.early.sealer, frames);
  }

  /** A Connection datagram from the peer, with any bytes in place of frames. */
  sealBytes(bytes: Uint8Array): Uint8Array {
    const { sealer } = this.peer.seals;
    const type = DatagramType.Connection;
    const header = { type, connection: IDS.localConnection, packet: sealer.packet };
    return sealDatagram(sealer, Uint8Array.of(...encodeDatagram(header, []), ...bytes));
  }

  /** Gives the Connection a datagram; returns whether it is authentic. */
  handle(bytes: Uint8Array, from: Address = PEER): boolean {
    const decoded = decodeDatagram(bytes);
    if (!decoded.ok) return false;
    return this.connection.handleDatagram(this.now, bytes, decoded.value.header.packet, from);
  }

  /** Gives the Connection frames from the peer. */
  deliver(...frames: Frame[]): void {
    assert(this.handle(this.seal(...frames)));
  }

  /** Gives the Connection a datagram; returns what it sends. */
  receive(bytes: Uint8Array, from: Address = PEER): Sent[] {
    this.handle(bytes.slice(), from);
    return this.sent();
  }

  /** The same, and checks that it sends no more than `max` datagrams, all of them to the peer. */
  receiveBounded(bytes: Uint8Array, max: number): Sent[] {
    const sent = this.receive(bytes);
    assertLessOrEqual(sent.length, max);
    for (const { to } of sent) assertEquals(to, PEER);
    return sent;
  }

  /** What the Connection sends now. */
  sent(): Sent[] {
    const all: Sent[] = [];
    for (;;) {
      const transmit = this.connection.pollTransmit(this.now);
      if (transmit === undefined) return all;
      const bytes = transmit.bytes.slice();
      assert(bytes.length <= DATAGRAM_SIZE_MAX, `a datagram of ${bytes.length} bytes`);
      all.push({ bytes, to: transmit.to, ...this.#open(bytes) });
    }
  }

  /** The kinds of the frames that the Connection sends now. */
  sentKinds(): string[] {
    return this.sent().flatMap(({ frames }) => frames).map(({ kind }) => kind);
  }

  /** The events of the Connection since the last call. */
  events(): ConnectionEvent[] {
    const all: ConnectionEvent[] = [];
    for (let event = this.connection.pollEvent(); event; event = this.connection.pollEvent()) {
      all.push(event);
    }
    return all;
  }

  /** Calls handleTimeout() once, so many milliseconds later. */
  wait(ms: number): void {
    this.now += ms;
    this.connection.handleTimeout(this.now);
  }

  /** Advances the time from timeout to timeout; returns what the Connection sends. */
  advance(ms: number): Sent[] {
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

  /** Checks that a text arrives in each direction. `seq` is the peer's next one. */
  assertAlive(seq = 0): void {
    this.events();
    const textSeq = this.connection.send("from the Connection");
    assert(textSeq !== undefined, "the Connection takes no text");
    const frames = [...this.sent(), ...this.advance(30_000)].flatMap(({ frames }) => frames);
    const sent = frames.find((frame) =>
      frame.kind === "message" && frame.text === "from the Connection"
    );
    assert(sent?.kind === "message");
    this.receive(this.seal(ack(sent.seq + 1), message(seq, "from the peer")));
    const events = this.events();
    assert(events.some((event) => event.kind === "delivered" && event.textSeq === textSeq));
    assert(events.some((event) => event.kind === "message" && event.text === "from the peer"));
  }

  #open(bytes: Uint8Array): { header: Header; frames: readonly Frame[] } {
    const decoded = decodeDatagram(bytes);
    assert(decoded.ok && decoded.value.sealed !== undefined);
    const { header, sealed } = decoded.value;
    const { opener } = header.type === DatagramType.Handshake ? this.peer.early : this.peer.seals;
    const plain = opener.open(header.packet, bytes.subarray(0, HEADER_SIZE), sealed);
    const opened = plain && decodeFrames(plain);
    assert(opened !== undefined, "the peer cannot read a datagram");
    return { header, frames: opened.frames };
  }
}

/** The keys of both ends after a handshake. */
function handshake(
  random: Random,
): { requester: SessionKeys; responder: SessionKeys & { messageTwo: Uint8Array } } {
  const [local, remote] = [makeKeyPair(random), makeKeyPair(random)];
  const initiator = new Initiator(local, makeKeyPair(random), remote.publicKey, PROLOGUE);
  const one = initiator.writeMessageOne(new Uint8Array());
  const responder = one && readMessageOne(remote, one, PROLOGUE);
  const two = responder?.writeMessageTwo(makeKeyPair(random), new Uint8Array(145));
  const result = two && initiator.readMessageTwo(two.message);
  assert(responder !== undefined && two !== undefined && result !== undefined);
  const requesterEarly = requesterEarlySeals(initiator.earlyKeys());
  // Its packet numbers start at 0.
  const zeros: Random = (size) => new Uint8Array(size);
  const responderEarly = responderEarlySeals(responder.earlyKeys(), 0, zeros);
  const { message: messageTwo } = two;
  return {
    requester: sessionKeys(result, requesterEarly, remote.publicKey),
    responder: {
      ...sessionKeys(two, responderEarly, local.publicKey, messageTwo),
      messageTwo,
    },
  };
}

/** The kinds of the frames that go to an address. */
export function kindsTo(sent: readonly Sent[], { hostname, port }: Address): string[] {
  return sent.filter(({ to }) => to.hostname === hostname && to.port === port)
    .flatMap(({ frames }) => frames.map(({ kind }) => kind));
}

/** A Message of the peer's. */
export function message(
  seq: number,
  text = `text ${seq}`,
  flags = 0,
  sender: number = IDS.remote,
): Frame {
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

/** An Ack of the peer's that also acknowledges the datagram with this number. */
export function packetAck(packet: number, ...args: Parameters<typeof ack>): Frame {
  return { ...ack(...args), largestPacket: packet + 1 } as Frame;
}

/** A Termination of the peer's. */
export function termination(finalSeq = 0): Frame {
  const { remote: sender, remoteConnection: connection } = IDS;
  return { kind: "connectionTermination", sender, connection, finalSeq };
}

/** A Termination Ack of the peer's. */
export function terminationAck(finalSeq = 0): Frame {
  return { kind: "connectionTerminationAck", sender: IDS.remote, finalSeq };
}
