/**
 * One end of a connection, with a test at the other end that has the keys.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { Address } from "../../protocol/wire/address.ts";
import { Connection } from "../../protocol/connection/connection.ts";
import type { ConnectionEvent } from "../../protocol/connection/connection.ts";
import { decodeDatagram, decodeFrames } from "../../protocol/wire/datagram.ts";
import {
  DATAGRAM_SIZE_MAX,
  DatagramType,
  type Frame,
  type Header,
} from "../../protocol/wire/frame.ts";
import {
  encodeSealed,
  requesterEarlySeals,
  requesterSeals,
  responderEarlySeals,
  responderSeals,
  type Seals,
} from "../../protocol/session/handshake.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES, type TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { Prng } from "./random.ts";

/** Where client 2 is. */
export const PEER: Address = { hostname: "192.0.2.2", port: 2 };
/** Where it is not. */
export const ELSEWHERE: Address = { hostname: "192.0.2.9", port: 9 };
const ENDS = {
  local: 1,
  remote: 2,
  localConnection: 11,
  remoteConnection: 22,
  remoteName: "ben",
};
/** A Termination of client 2. */
export const FINAL: Frame = {
  kind: "connectionTermination",
  sender: 2,
  connection: 22,
  finalSeq: 0,
};
/** Its ack. */
export const FINAL_ACK: Frame = { kind: "connectionTerminationAck", sender: 2, finalSeq: 0 };
/** Stands for message two: a connection does not look into it. */
export const MESSAGE_TWO = new Uint8Array(193).fill(2);

/** A datagram that the connection sent, opened. */
export interface Sent {
  header: Header;
  frames: readonly Frame[];
  to: Address;
}

/** Client 1's end of its connection with client 2, and what client 2 says. */
export class End {
  now = 1000;
  readonly connection: Connection;
  /** What client 2 seals with, and opens with. */
  readonly peer: { early: Seals; seals: Seals };

  constructor(options: { mode?: TimerMode; isResponder?: boolean } = {}) {
    const { mode = "adaptive", isResponder = false } = options;
    const random = new Prng(1).bytes;
    const [keys, earlyKeys] = [1, 2].map(() => ({ forward: random(32), backward: random(32) }));
    const requester = {
      early: requesterEarlySeals(earlyKeys!),
      seals: requesterSeals(keys!),
    };
    const responder = {
      early: responderEarlySeals(earlyKeys!, 0, () => new Uint8Array(8)),
      seals: responderSeals(keys!),
    };
    const own = isResponder ? responder : requester;
    this.peer = isResponder ? requester : responder;
    const remoteKey = random(32);
    const hash = random(32);
    const agreement = isResponder
      ? { ...own, remoteKey, hash, messageTwo: MESSAGE_TWO }
      : { ...own, remoteKey, hash };
    const rtt = new RttEstimator(TIMER_POLICIES[mode]);
    this.connection = new Connection(this.now, ENDS, PEER, rtt, agreement, random);
  }

  hear(...frames: Frame[]): void {
    assert(this.take(this.say(...frames)));
  }

  /** A Connection datagram of client 2, which is not sent yet. */
  say(...frames: Frame[]): Uint8Array {
    return encodeSealed(DatagramType.Connection, 11, this.peer.seals.sealer, frames);
  }

  /** A Handshake datagram of client 2. */
  sayEarly(...frames: Frame[]): Uint8Array {
    return encodeSealed(DatagramType.Handshake, 22, this.peer.early.sealer, frames);
  }

  take(bytes: Uint8Array, from = PEER): boolean {
    const decoded = decodeDatagram(bytes);
    assert(decoded.ok);
    return this.connection.handleDatagram(this.now, bytes, decoded.value.header.packet, from);
  }

  sent(): Sent[] {
    const all: Sent[] = [];
    for (let next = this.#poll(); next !== undefined; next = this.#poll()) all.push(next);
    return all;
  }

  sentKinds(): string[] {
    return this.sent().flatMap(({ frames }) => frames).map(({ kind }) => kind);
  }

  told(): ConnectionEvent[] {
    const all: ConnectionEvent[] = [];
    for (let event = this.connection.pollEvent(); event; event = this.connection.pollEvent()) {
      all.push(event);
    }
    return all;
  }

  wait(ms: number): void {
    this.now += ms;
    this.connection.handleTimeout(this.now);
  }

  #poll(): Sent | undefined {
    const transmit = this.connection.pollTransmit(this.now);
    if (transmit === undefined) return undefined;
    const { bytes, to } = transmit;
    assert(bytes.length <= DATAGRAM_SIZE_MAX);
    const decoded = decodeDatagram(bytes);
    assert(decoded.ok && decoded.value.sealed !== undefined);
    const { header, sealed } = decoded.value;
    const { early, seals } = this.peer;
    const { opener } = header.type === DatagramType.Handshake ? early : seals;
    const plain = opener.open(header.packet, bytes.subarray(0, 16), sealed);
    const opened = plain && decodeFrames(plain);
    assert(opened !== undefined);
    return { header, frames: opened.frames, to };
  }
}
