/**
 * A client alone with a test, which plays its directory and its peers.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Client } from "../client/client.ts";
import type { ClientEvent } from "../client/event.ts";
import type { Address } from "../protocol/address.ts";
import { decodeDatagram, encodeDatagram } from "../protocol/datagram.ts";
import { DatagramType, type Frame, REQUEST_SIZE_MIN } from "../protocol/frame.ts";
import { Prng } from "./random.ts";

const SERVER: Address = { hostname: "10.0.0.1", port: 7070 };
/** Where datagrams come from that the client did not ask for. */
export const STRANGER: Address = { hostname: "192.0.2.66", port: 666 };

/** A datagram that the client sent. */
export interface Sent {
  to: Address;
  size: number;
  packet: number | undefined;
  frames: readonly Frame[];
}

/** A client that registers. */
export class Lone {
  now = 5000;
  readonly client: Client;

  constructor() {
    this.client = new Client(this.now, {
      server: SERVER,
      serverName: "localhost:7070",
      id: 0,
      name: "ana",
      port: 4000,
      timers: "adaptive",
      acceptAll: false,
      random: new Prng(3).bytes,
    });
  }

  /** Takes a datagram, and returns what is sent then. */
  hear(type: DatagramType, frames: readonly Frame[], options: Partial<Heard> = {}): Sent[] {
    const { connection = 0, from = STRANGER, size = 0, packet = 0 } = options;
    const bytes = encodeDatagram({ type, connection, packet }, frames, size);
    this.client.handleDatagram(this.now, bytes, from);
    return this.sent();
  }

  /** A Connection Request, as a stranger may send it. */
  hearRequest(requester: number, connection: number, from = STRANGER): Sent[] {
    const frame: Frame = {
      kind: "connectionRequest",
      requester,
      responder: 1,
      connection,
      name: "",
    };
    return this.hear(DatagramType.Handshake, [frame], { from, size: REQUEST_SIZE_MIN });
  }

  /** What is sent now. */
  sent(): Sent[] {
    const all: Sent[] = [];
    for (;;) {
      const transmit = this.client.pollTransmit(this.now);
      if (transmit === undefined) return all;
      const decoded = decodeDatagram(transmit.bytes.slice());
      const frames = decoded.ok ? decoded.frames : [];
      const packet = decoded.ok ? decoded.header.packet : undefined;
      all.push({ to: transmit.to, size: transmit.bytes.length, packet, frames });
    }
  }

  /** What is told now. */
  told(): ClientEvent[] {
    const all: ClientEvent[] = [];
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) {
      all.push(event);
    }
    return all;
  }
}

/** What a datagram has beside its frames. */
export interface Heard {
  connection: number;
  from: Address;
  size: number;
  packet: number;
}

/** A client with the id 1. */
export function registered(): Lone {
  const lone = new Lone();
  const [{ frames: [register] } = { frames: [] }] = lone.sent();
  assert(register?.kind === "register");
  const { nonce } = register;
  const token = new Uint8Array(16);
  const granted = {
    kind: "registered",
    nonce,
    token,
    id: 1,
    lease: 45_000,
    seenAt: SERVER,
  } as const;
  lone.hear(DatagramType.Answer, [granted], { from: SERVER });
  lone.told();
  return lone;
}

/** The frames of all datagrams. */
export function framesOf(sent: readonly Sent[]): Frame[] {
  return sent.flatMap(({ frames }) => frames);
}

/** A client that requests client 2. */
export function requesting(): Lone & { localConnection: number } {
  const lone = registered();
  lone.client.connect(lone.now, 2);
  const [lookUp] = framesOf(lone.sent());
  assert(lookUp?.kind === "lookUp");
  const { nonce } = lookUp;
  const found: Frame = { kind: "found", nonce, id: 2, name: "ben", address: STRANGER };
  const [request] = framesOf(lone.hear(DatagramType.Answer, [found], { from: SERVER }));
  assert(request?.kind === "connectionRequest");
  lone.told();
  return Object.assign(lone, { localConnection: request.connection });
}
