/**
 * A client without a network: the test plays its directory and its peers.
 *
 * @module
 */
import { assert } from "@std/assert";
import { type KeyPair, makeKeyPair } from "../../protocol/crypto/x25519.ts";
import type { DatagramMachine, Instant } from "../../protocol/machine.ts";
import { type Address, sameAddress } from "../../protocol/wire/address.ts";
import { FLAG_CALLER, type Frame, type Meeting } from "../../protocol/wire/frame.ts";
import { type Asked, DIRECTORY, FakeDirectory } from "./fake_directory.ts";
import { type FakePeerFields, FakeRequester, FakeResponder } from "./fake_peer.ts";
import { decrypt } from "./plaintext_log.ts";
import { Prng } from "./random.ts";

/** The source of unsolicited datagrams, and where the peers are. */
export const STRANGER: Address = { hostname: "192.0.2.66", port: 666 };

/** A datagram that the machine sent. */
export interface Sent {
  readonly to: Address;
  readonly bytes: Uint8Array;
  readonly packet: number | undefined;
  /** Decrypted. */
  readonly frames: readonly Frame[];
}

/** What goes out from time to time, whatever else does: `mapping_keepalive_test.ts` has it. */
function isMappingKeepalive(frame: Frame): boolean {
  return frame.kind === "punch" && frame.number === 0n;
}

/** A machine that registers as a client, and talks with others. */
export abstract class MachineHarness<Event extends { kind: string }> {
  now: Instant = 5000;
  readonly random = new Prng(3).bytes;
  readonly identity: KeyPair = makeKeyPair(this.random);
  readonly directory: FakeDirectory = new FakeDirectory(this.random);
  protected abstract readonly machine: DatagramMachine<Event>;
  readonly #identities = new Map<number, KeyPair>();

  /** Gives the machine a datagram; false where nothing came of it. */
  give(bytes: Uint8Array, from: Address = STRANGER): boolean | void {
    // In a buffer that is used again, as that of a socket.
    const buffer = bytes.slice();
    const isOfEffect = this.machine.handleDatagram(this.now, buffer, from);
    buffer.fill(0xee);
    return isOfEffect;
  }

  /** Gives the machine a datagram; returns what it sends. */
  receive(bytes: Uint8Array, from: Address = STRANGER): Sent[] {
    this.give(bytes, from);
    return this.sent();
  }

  /** What the machine sends now. */
  sent(): Sent[] {
    const all: Sent[] = [];
    for (;;) {
      const transmit = this.machine.pollTransmit(this.now);
      if (transmit === undefined) return all;
      const bytes = transmit.bytes.slice();
      const seen = decrypt(bytes);
      const [packet, frames] = seen.ok ? [seen.header.packet, seen.frames] : [undefined, []];
      if (frames.some(isMappingKeepalive)) continue;
      all.push({ to: transmit.to, bytes, packet, frames });
    }
  }

  /** The events of the machine since the last call. */
  events(): Event[] {
    const all: Event[] = [];
    for (let event = this.machine.pollEvent(); event; event = this.machine.pollEvent()) {
      all.push(event);
    }
    return all;
  }

  /** The kinds of the events of the machine since the last call. */
  eventKinds(): string[] {
    return this.events().map(({ kind }) => kind);
  }

  /** Calls handleTimeout() once, so many milliseconds later; returns what goes to the peers. */
  wait(ms: number): Sent[] {
    this.now += ms;
    this.machine.handleTimeout(this.now);
    return toPeers(this.sent());
  }

  /** Advances the time from timeout to timeout; returns what the machine sends to its peers. */
  advance(ms: number): Sent[] {
    const until = this.now + ms;
    const all = this.sent();
    for (;;) {
      const next = this.machine.nextTimeout();
      if (next === undefined || next > until) break;
      this.now = Math.max(this.now, next);
      this.machine.handleTimeout(this.now);
      all.push(...this.sent());
    }
    this.now = until;
    return toPeers(all);
  }

  /** What the machine asks its directory now. */
  asked(): Asked[] {
    return this.sent().map(({ bytes }) => this.directory.read(this.now, bytes));
  }

  /** Lets the directory register the machine. */
  register(id = 1): this {
    const [first] = this.sent();
    assert(first !== undefined);
    this.give(this.directory.challenge(this.now, first.bytes), DIRECTORY);
    const [register] = this.asked();
    assert(register !== undefined);
    this.give(this.directory.grant(register, { id }), DIRECTORY);
    this.events();
    return this;
  }

  /** The static key of client `id`. */
  identityOf(id: number): KeyPair {
    const identity = this.#identities.get(id) ?? makeKeyPair(this.random);
    this.#identities.set(id, identity);
    return identity;
  }

  /** A peer that has made a session with the machine. */
  requester(id: number, fields: FakePeerFields = {}): FakeRequester {
    const peer = this.stranger(id, fields);
    const [response, ...more] = this.receive(peer.initiation);
    assert(response !== undefined && more.length === 0, "there is no Response");
    peer.handleResponse(response.bytes);
    return peer;
  }

  /** A peer that is about to make a session. */
  stranger(id: number, fields: FakePeerFields = {}): FakeRequester {
    const identity = this.identityOf(id);
    return new FakeRequester(this.random, this.identity.publicKey, { id, identity, ...fields });
  }

  /** Gives the machine the peer's Connection Request; returns what it sends. */
  request(peer: FakeRequester, from: Address = STRANGER, responder = 1): Sent[] {
    return this.receive(peer.seal(peer.requestFrame(responder)), from);
  }

  /** What the directory says about client `id`: it is where strangers are, under its own key. */
  meeting(id: number, fields: Partial<Meeting> = {}): Meeting {
    const { publicKey } = this.identityOf(id);
    const number = BigInt(id) << 32n;
    const addresses = [STRANGER];
    return { kind: "meeting", number, flags: 0, id, name: "", publicKey, addresses, ...fields };
  }

  /** Answers the Call of client `id`, which is under way; returns what the machine sends then. */
  meet(id: number, fields: Partial<Meeting> = {}): Sent[] {
    const [call] = this.asked();
    assert(call?.frame.kind === "call");
    const flags = FLAG_CALLER;
    return this.receive(call.answer(this.meeting(id, { flags, ...fields })), DIRECTORY);
  }

  /** The directory tells the machine something that it has not asked for. */
  notify(frame: Frame, id = 1): Sent[] {
    return this.receive(this.directory.notice(id, frame), DIRECTORY);
  }

  /**
   * Answers the Call, and completes the handshake: returns the peer, and the Request. The peer has
   * shown that it is where the machine was told.
   */
  respond(id: number): { peer: FakeResponder; request: Sent } {
    const [initiation] = this.meet(id);
    assert(initiation !== undefined);
    const identity = this.identityOf(id);
    const peer = new FakeResponder(this.random, initiation.bytes, { id, identity });
    const sent = toPeers(this.receive(peer.response));
    const [request, ...more] = exceptProbes(sent);
    const challenge = framesOf(sent).find((frame) => frame.kind === "pathChallenge");
    assert(request !== undefined && more.length === 0 && challenge !== undefined);
    this.give(peer.seal({ ...challenge, kind: "pathResponse" }));
    return { peer, request };
  }
}

/** What does not go to the directory. */
export function toPeers(sent: readonly Sent[]): Sent[] {
  return sent.filter(({ to }) => !sameAddress(to, DIRECTORY));
}

/** What goes to peers, and not only asks whether they are there. */
export function exceptProbes(sent: readonly Sent[]): Sent[] {
  return toPeers(sent).filter(({ frames }) => frames.some(({ kind }) => kind !== "pathChallenge"));
}

/** The frames of all datagrams. */
export function framesOf(sent: readonly Sent[]): Frame[] {
  return sent.flatMap(({ frames }) => frames);
}

/** The kinds of the frames of all datagrams. */
export function kindsOf(sent: readonly Sent[]): string[] {
  return framesOf(sent).map(({ kind }) => kind);
}
