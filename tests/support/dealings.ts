/**
 * A client's dealings with a directory that the test plays.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { makeKeyPair } from "../../protocol/crypto/x25519.ts";
import { Registration } from "../../protocol/directory/registration.ts";
import type {
  Query,
  RegistrationEvent,
  RegistrationRequest,
} from "../../protocol/directory/registration_event.ts";
import type { Transmit } from "../../protocol/machine.ts";
import { TIMER_POLICIES, type TimerMode } from "../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../protocol/wire/address.ts";
import { decodeDatagram, encodeDatagram } from "../../protocol/wire/datagram.ts";
import { DatagramType, type Frame } from "../../protocol/wire/frame.ts";
import { Asked, DIRECTORY, FakeDirectory, SEEN_AT } from "./fake_directory.ts";
import { Prng } from "./random.ts";

/** A question for client 2, and its answer. */
export const LOOK_UP: Extract<Query, { id: number }> = { kind: "lookUp", id: 2, name: "" };
export const FOUND: Frame = {
  kind: "found",
  id: 2,
  name: "ben",
  address: SEEN_AT,
  publicKey: new Uint8Array(32).fill(0x4b),
};

/** A registration that was begun, and its directory. */
export class Dealings {
  now = 1000;
  readonly random = new Prng(7).bytes;
  readonly directory: FakeDirectory;
  readonly registration: Registration;

  constructor(options: Partial<RegistrationRequest> = {}, timers: TimerMode = "adaptive") {
    const { random } = this;
    this.directory = new FakeDirectory(random, options.secret);
    this.registration = new Registration(this.now, {
      directoryAddresses: [DIRECTORY],
      id: 0,
      name: "ana",
      port: 4000,
      identity: makeKeyPair(random),
      policy: TIMER_POLICIES[timers],
      random,
      ...options,
    });
  }

  /** What the client sends now. */
  transmits(): Transmit[] {
    const all: Transmit[] = [];
    for (;;) {
      const transmit = this.registration.pollTransmit(this.now);
      if (transmit === undefined) return all;
      all.push({ ...transmit, bytes: transmit.bytes.slice() });
    }
  }

  /** The datagrams that the client sends now, all to one address of the directory. */
  datagrams(): Uint8Array[] {
    return this.transmits().map(({ bytes, to }) => {
      assertEquals(to, DIRECTORY);
      return bytes;
    });
  }

  /** What the client asks now, and at which addresses of the directory. */
  askedAt(): [string, Asked][] {
    return this.transmits().map(({ bytes, to }) => [
      to.hostname,
      this.directory.read(this.now, bytes),
    ]);
  }

  /** What the client asks now. */
  asked(): Asked[] {
    return this.datagrams().map((bytes) => this.directory.read(this.now, bytes));
  }

  /** The kinds of what the client asks now; `credentials` is a Register that asks for a Challenge. */
  kinds(): string[] {
    return this.asked().map(({ frame }) => frame.kind);
  }

  /** The one thing that the client asks now. */
  ask(): Asked {
    const [asked, ...more] = this.asked();
    assert(asked !== undefined && more.length === 0);
    return asked;
  }

  /** Gives the client a datagram; returns whether it is taken. */
  give(bytes: Uint8Array, from: Address = DIRECTORY): boolean {
    // In a buffer that is used again, as that of a socket.
    const buffer = bytes.slice();
    const decoded = decodeDatagram(buffer);
    assert(decoded.ok);
    const isTaken = this.registration.handleDatagram(this.now, decoded.value, from);
    buffer.fill(0xee);
    return isTaken;
  }

  /** Answers a Register without a good cookie. */
  challenge({ bytes }: Asked, from?: Address): boolean {
    return this.give(this.directory.challenge(this.now, bytes), from);
  }

  /** Answers a Register by an entry. */
  grant(asked: Asked, entry?: Parameters<FakeDirectory["grant"]>[1]): void {
    assert(this.give(this.directory.grant(asked, entry)));
  }

  /** Answers what was asked. */
  answer(asked: Asked, frame: Frame): boolean {
    return this.give(asked.answer(frame));
  }

  /** Lets the time go on in steps of a millisecond; returns when what was sent where. */
  timesAt(ms: number): [number, string, string][] {
    const start = this.now;
    const all: [number, string, string][] = [];
    while (this.now < start + ms) {
      this.wait(1);
      for (const [at, { frame }] of this.askedAt()) all.push([this.now - start, at, frame.kind]);
    }
    return all;
  }

  /** An Unknown that answers what was asked. */
  unknown({ header }: Asked): Uint8Array {
    return encodeDatagram({ ...header, type: DatagramType.Unknown }, []);
  }

  /** Registers, as far as the sealed Register. */
  reachRegister(): Asked {
    assert(this.challenge(this.ask()));
    const register = this.ask();
    assertEquals(register.frame.kind, "register");
    return register;
  }

  /** Registers. */
  register(entry?: Parameters<FakeDirectory["grant"]>[1]): this {
    this.grant(this.reachRegister(), entry);
    return this;
  }

  /** The events since the last call. */
  events(): RegistrationEvent[] {
    const all: RegistrationEvent[] = [];
    for (let event = this.registration.pollEvent(); event;) {
      all.push(event);
      event = this.registration.pollEvent();
    }
    return all;
  }

  /** The kinds of the events since the last call. */
  eventKinds(): string[] {
    return this.events().map(({ kind }) => kind);
  }

  /** Calls handleTimeout() once, so many milliseconds later. */
  wait(ms: number): void {
    this.now += ms;
    this.registration.handleTimeout(this.now);
  }

  /** Lets the time go on in steps of a millisecond; returns when what was sent. */
  times(ms: number): [number, Asked][] {
    const start = this.now;
    const all: [number, Asked][] = [];
    while (this.now < start + ms) {
      this.wait(1);
      for (const asked of this.asked()) all.push([this.now - start, asked]);
    }
    return all;
  }
}

/** Dealings of a client that is registered under the id 1. */
export function registered(
  options: Partial<RegistrationRequest> = {},
  timers: TimerMode = "adaptive",
): Dealings {
  const dealings = new Dealings(options, timers).register();
  dealings.events();
  return dealings;
}
