/**
 * A Connection, and its peer, which a test plays: the peer has made a real handshake, and sends what
 * the test wants.
 *
 * @module
 */
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Connection } from "../../protocol/connection/connection.ts";
import { ReceivePool } from "../../protocol/connection/receive_pool.ts";
import type { ConnectionEvent } from "../../protocol/connection/connection_event.ts";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import type { Instant } from "../../protocol/machine.ts";
import { RttEstimator } from "../../protocol/recovery/rtt.ts";
import { TIMER_POLICIES, type TimerMode } from "../../protocol/recovery/timer_policy.ts";
import { IncomingHandshakes } from "../../protocol/session/incoming_handshakes.ts";
import { OutgoingHandshake } from "../../protocol/session/outgoing_handshake.ts";
import type { Session } from "../../protocol/session/session.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { decodeDatagram } from "../../protocol/wire/datagram.ts";
import { type Ack, DATAGRAM_SIZE_MAX, type Frame, type Header } from "../../protocol/wire/frame.ts";
import { FakeRequester, FakeResponder } from "./fake_peer.ts";
import { Prng } from "./random.ts";

/** The peer's address at the start. */
export const PEER: Address = { hostname: "192.0.2.2", port: 2 };
/** The ids and names of both clients. */
export const IDS = { local: 1, localName: "ana", remote: 2, remoteName: "ben" } as const;
/** The Connection's id of its first session. */
export const SESSION_ID = 11;

/** A datagram that the Connection sent. */
export interface Sent {
  readonly bytes: Uint8Array;
  readonly to: Address;
  readonly header: Header;
  /** Decrypted with the peer's keys. */
  readonly frames: readonly Frame[];
}

/** Which end of a connection. */
export type Role = "requester" | "responder";

/** One end of a session, and the peer at its remote end. */
interface Handshake {
  readonly session: Session;
  readonly peer: FakeRequester | FakeResponder;
}

/** A Connection and its peer. */
export class ConnectionHarness {
  now: Instant = 1000;
  readonly connection: Connection;
  readonly receivePool = new ReceivePool();
  /** The peer, as it is in the session of now. */
  peer: FakeRequester | FakeResponder;
  readonly #random = new Prng(1).bytes;
  readonly #timers: TimerMode;
  readonly #identity = makeKeyPair(this.#random);
  readonly #remoteIdentity = makeKeyPair(this.#random);

  /**
   * @param role of the Connection's end.
   * @param holdsTexts whether its texts have to be taken.
   */
  constructor(role: Role = "requester", timers: TimerMode = "adaptive", holdsTexts = false) {
    this.#timers = timers;
    const { session, peer } = this.#handshake(role, SESSION_ID);
    this.peer = peer;
    this.connection = new Connection(this.now, {
      session,
      ids: IDS,
      isResponder: role === "responder",
      receivePool: this.receivePool,
      holdsTexts,
      random: this.#random,
    });
  }

  /** The peer starts again, or only did not get the Accept: it requests in another session. */
  resume(isReturn: boolean, localId = SESSION_ID + 1): void {
    const { session, peer } = this.#handshake("responder", localId);
    this.peer = peer;
    this.connection.resume(this.now, session, isReturn);
  }

  /** A Packet from the peer. */
  seal(...frames: Frame[]): Uint8Array {
    return this.peer.seal(...frames);
  }

  /** A Packet from the peer, with any bytes in place of frames. */
  sealBytes(bytes: Uint8Array): Uint8Array {
    const { session } = this.peer;
    assert(session.start().append(bytes, 0, bytes.length), "the packet is full");
    return session.seal().slice();
  }

  /** Gives the Connection a datagram; returns whether it is new and authentic. */
  handle(bytes: Uint8Array, from: Address = PEER): boolean {
    const decoded = decodeDatagram(bytes);
    return decoded.ok && this.connection.handlePacket(this.now, decoded.value, from);
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
      const decoded = decodeDatagram(bytes);
      assert(decoded.ok);
      const { header } = decoded.value;
      all.push({ bytes, to: transmit.to, header, frames: this.peer.open(bytes, this.now) });
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

  #handshake(role: Role, localId: number): Handshake {
    const random = this.#random;
    const policy = TIMER_POLICIES[this.#timers];
    const [identity, remote] = [this.#identity, this.#remoteIdentity];
    const fields = { id: IDS.remote, name: IDS.remoteName, identity: remote };
    if (role === "requester") {
      const rtt = new RttEstimator(policy);
      const remoteKey = remote.publicKey;
      const options = { identity, remoteKey, localId, rtt, random };
      const handshake = OutgoingHandshake.begin(options);
      assert(handshake.ok);
      const peer = new FakeResponder(random, handshake.value.encode(this.now), fields);
      const session = handshake.value.handleResponse(
        this.now,
        frameIn(peer.response, "response"),
        PEER,
      );
      assert(session !== undefined);
      return { session, peer };
    }
    const makeSessionId = (): number => localId;
    const options = { identity, policy, makeSessionId, random };
    const handshakes = new IncomingHandshakes(this.now, options);
    const peer = new FakeRequester(random, identity.publicKey, fields);
    const { initiation } = peer;
    const frame = frameIn(initiation, "initiation");
    const response = handshakes.handleInitiation(this.now, initiation, frame, PEER);
    const session = handshakes.find(localId);
    assert(response !== undefined && session !== undefined);
    peer.handleResponse(response.bytes);
    // Its first packet tells where it is.
    const request = decodeDatagram(peer.seal(peer.requestFrame(IDS.local)));
    assert(request.ok && session.receive(this.now, request.value, PEER) !== undefined);
    return { session, peer };
  }
}

/** The first clear frame of a datagram. */
function frameIn<K extends Frame["kind"]>(
  bytes: Uint8Array,
  kind: K,
): Extract<Frame, { kind: K }> {
  const decoded = decodeDatagram(bytes.slice());
  assert(decoded.ok);
  const [frame] = decoded.value.frames;
  assert(frame?.kind === kind);
  return frame as Extract<Frame, { kind: K }>;
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

/** An Ack of the peer's that names no packet. */
export function ack(next: number, ...ranges: readonly [first: number, last: number][]): Ack {
  return {
    kind: "ack",
    cumulativeSeq: next,
    largestPacket: 0,
    delay: 0,
    packetBitmap: 0,
    ranges: ranges.map(([first, last]) => ({ first, last })),
  };
}

/** An Ack of the peer's that also names the packet with this counter. */
export function packetAck(packet: number, ...args: Parameters<typeof ack>): Ack {
  return { ...ack(...args), largestPacket: packet, packetBitmap: 1 };
}

/** A Termination of the peer's. */
export function termination(finalSeq = 0): Frame {
  return { kind: "connectionTermination", sender: IDS.remote, finalSeq };
}

/** A Termination Ack of the peer's. */
export function terminationAck(finalSeq = 0): Frame {
  return { kind: "connectionTerminationAck", sender: IDS.remote, finalSeq };
}
