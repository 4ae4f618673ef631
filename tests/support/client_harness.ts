/**
 * A client without a network: the test plays its directory and its peers.
 *
 * @module
 */
import { assert } from "@std/assert";
import { Client } from "../../client/client.ts";
import type { ClientEvent } from "../../client/event.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { FakeRequest, FakeResponder } from "./fake_peer.ts";
import { Prng } from "./random.ts";
import { decrypt, type PlainFrame } from "./plaintext_log.ts";

const SERVER: Address = { hostname: "10.0.0.1", port: 7070 };
/** The source of unsolicited datagrams. */
export const STRANGER: Address = { hostname: "192.0.2.66", port: 666 };

/** A datagram that the client sent. */
export interface Sent {
  to: Address;
  bytes: Uint8Array;
  packet: number | undefined;
  /** Decrypted. */
  frames: readonly PlainFrame[];
}

/** A client that is registering. */
export class ClientHarness {
  now = 5000;
  readonly client: Client;
  readonly identity: KeyPair;
  readonly random = new Prng(3).bytes;
  readonly #identities = new Map<number, KeyPair>();
  readonly #requests = new Map<string, FakeRequest>();

  constructor() {
    this.identity = makeKeyPair(this.random);
    this.client = new Client(this.now, {
      server: SERVER,
      serverName: "localhost:7070",
      id: 0,
      name: "ana",
      port: 4000,
      timers: "adaptive",
      acceptAll: false,
      identity: this.identity,
      isBlocked: () => false,
      epoch: 0,
      random: this.random,
    });
  }

  /** Gives the client a datagram; returns what it sends. */
  receive(bytes: Uint8Array, from: Address = STRANGER): Sent[] {
    this.client.handleDatagram(this.now, bytes.slice(), from);
    return this.sent();
  }

  /** Gives the client a datagram from its directory. */
  receiveAnswer(frame: Frame): Sent[] {
    const header = { type: DatagramType.Answer, connection: 0, packet: 0 };
    return this.receive(encodeDatagram(header, [frame]), SERVER);
  }

  /** The static key of client `id`. */
  identityOf(id: number): KeyPair {
    const identity = this.#identities.get(id) ?? makeKeyPair(this.random);
    this.#identities.set(id, identity);
    return identity;
  }

  /** A Connection Request; the same one for the same arguments. */
  request(requester: number, connection: number, responder = 1): FakeRequest {
    const key = `${requester} ${connection} ${responder}`;
    const request = this.#requests.get(key) ?? new FakeRequest(
      this.random,
      this.identity.publicKey,
      {
        requester,
        responder,
        connection,
        identity: this.identityOf(requester),
        timestamp: BigInt(this.now + this.#requests.size),
      },
    );
    this.#requests.set(key, request);
    return request;
  }

  /** Gives the client a Connection Request; the same one for the same arguments. */
  receiveRequest(requester: number, connection: number, from = STRANGER): Sent[] {
    return this.receive(this.request(requester, connection).bytes, from);
  }

  /** What the client sends now. */
  sent(): Sent[] {
    const all: Sent[] = [];
    for (;;) {
      const transmit = this.client.pollTransmit(this.now);
      if (transmit === undefined) return all;
      const bytes = transmit.bytes.slice();
      const seen = decrypt(bytes);
      const [packet, frames] = seen.ok ? [seen.header.packet, seen.frames] : [undefined, []];
      all.push({ to: transmit.to, bytes, packet, frames });
    }
  }

  /** The events of the client since the last call. */
  events(): ClientEvent[] {
    const all: ClientEvent[] = [];
    for (let event = this.client.pollEvent(); event; event = this.client.pollEvent()) {
      all.push(event);
    }
    return all;
  }
}

/** A registered client with the id 1. */
export function registered(): ClientHarness {
  const harness = new ClientHarness();
  const [register] = framesOf(harness.sent());
  assert(register?.kind === "register");
  const { nonce } = register;
  const token = new Uint8Array(16);
  harness.receiveAnswer({ kind: "registered", nonce, token, id: 1, lease: 45_000, seenAt: SERVER });
  harness.events();
  return harness;
}

/** The frames of all datagrams. */
export function framesOf(sent: readonly Sent[]): PlainFrame[] {
  return sent.flatMap(({ frames }) => frames);
}

/** A client that requests client 2, which the test plays. */
export function requesting(): ClientHarness & { peer: FakeResponder; localConnection: number } {
  const harness = registered();
  harness.client.connect(harness.now, 2);
  const [lookUp] = framesOf(harness.sent());
  assert(lookUp?.kind === "lookUp");
  const { nonce } = lookUp;
  const { publicKey } = harness.identityOf(2);
  const [request] = harness.receiveAnswer({
    kind: "found",
    nonce,
    id: 2,
    name: "ben",
    address: STRANGER,
    publicKey,
  });
  const [frame] = request?.frames ?? [];
  assert(request !== undefined && frame?.kind === "connectionRequest");
  harness.events();
  const peer = new FakeResponder(harness.random, request.bytes, harness.identityOf(2));
  return Object.assign(harness, { peer, localConnection: frame.connection });
}
