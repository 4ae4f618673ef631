/**
 * A directory and two clients, played on virtual time: the same bytes each time.
 *
 * @module
 */
import { KeyPair } from "../../../protocol/crypto/x25519.ts";
import { Endpoint, type EndpointEvent } from "../../../protocol/endpoint.ts";
import type { DatagramMachine, Instant } from "../../../protocol/machine.ts";
import { TIMER_POLICIES, type TimerMode } from "../../../protocol/recovery/timer_policy.ts";
import type { Address } from "../../../protocol/wire/address.ts";
import { Server } from "../../../server/server.ts";
import { Prng } from "../../support/random.ts";
import { INPUTS, NAMES } from "./inputs.ts";

/** Milliseconds that a datagram is under way. */
const DELAY = 10;

/** A datagram that was sent. */
export interface Sent {
  readonly time: Instant;
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
  /** Whether it was lost on the way. */
  readonly isLost: boolean;
}

/** What a client reported. */
export interface Reported {
  readonly time: Instant;
  readonly who: string;
  readonly event: EndpointEvent;
}

interface Host {
  name: string;
  address: Address;
  readonly machine: DatagramMachine<unknown>;
}

/** What the random bytes of a program were, where they may be keys. */
class Source {
  readonly keys: Uint8Array[] = [];
  readonly #prng: Prng;

  constructor(seed: number) {
    this.#prng = new Prng(seed);
  }

  readonly bytes = (size: number): Uint8Array => {
    const bytes = this.#prng.bytes(size);
    if (size === 32) this.keys.push(bytes.slice());
    return bytes;
  };
}

/** A directory, and the clients 1 and 2. */
export class Play {
  readonly sent: Sent[] = [];
  readonly reported: Reported[] = [];
  readonly zoe: Endpoint;
  readonly boris: Endpoint;
  /** Decides what is lost. */
  isLost: (sent: Omit<Sent, "isLost">) => boolean = () => false;
  readonly #source = new Source(11);
  readonly #hosts: Host[] = [];
  #flying: { at: Instant; to: Address; from: Address; bytes: Uint8Array }[] = [];
  #now: Instant = 0;
  /** Who was at an address where nobody is any more. */
  #former = "";

  /** Starts all three, a second apart. */
  constructor(timers: TimerMode) {
    const directory = { hostname: "192.0.2.1", port: 7070 };
    const { bytes: random } = this.#source;
    const server = new Server({
      ...{ maxClients: 100, lease: 45_000, random },
      identity: new KeyPair(INPUTS.directoryStatic),
    });
    this.#hosts.push({ name: "directory", address: directory, machine: server });
    const start = (name: string, host: string, key: Uint8Array): Endpoint => {
      const address = { hostname: host, port: 40_000 };
      const machine = new Endpoint(this.#now, {
        ...{ directoryAddresses: [directory], id: 0, name, port: address.port, random },
        ...{ identity: new KeyPair(key), policy: TIMER_POLICIES[timers] },
      });
      this.#hosts.push({ name, address, machine });
      this.run(1000);
      return machine;
    };
    this.zoe = start(NAMES.initiator, "192.0.2.7", INPUTS.initiatorStatic);
    this.boris = start(NAMES.responder, "192.0.2.8", INPUTS.responderStatic);
  }

  get now(): Instant {
    return this.#now;
  }

  /** All random bytes that may be private keys. */
  get keys(): readonly Uint8Array[] {
    return this.#source.keys;
  }

  /** Lets a user do something. */
  do(action: (now: Instant) => void): void {
    action(this.#now);
    this.#drain();
  }

  /** Gives a host another address. */
  move(machine: Endpoint, address: Address): void {
    const host = this.#hosts.find((each) => each.machine === machine)!;
    this.#former = `${host.name} (old)`;
    host.name += " (new)";
    host.address = address;
  }

  /** Advances the time. */
  run(duration: number): void {
    const end = this.#now + duration;
    this.#drain();
    for (;;) {
      const timeouts = this.#hosts.map(({ machine }) => machine.nextTimeout() ?? Infinity);
      const next = Math.min(...timeouts, ...this.#flying.map(({ at }) => at));
      if (next > end) break;
      this.#now = Math.max(this.#now, next);
      this.#deliver();
      for (const { machine } of this.#hosts) machine.handleTimeout(this.#now);
      this.#drain();
    }
    this.#now = end;
  }

  #deliver(): void {
    const due = this.#flying.filter(({ at }) => at <= this.#now);
    this.#flying = this.#flying.filter(({ at }) => at > this.#now);
    for (const { to, from, bytes } of due) {
      this.#at(to)?.machine.handleDatagram(this.#now, bytes.slice(), from);
      this.#drain();
    }
  }

  #at(address: Address): Host | undefined {
    return this.#hosts.find((each) =>
      each.address.hostname === address.hostname && each.address.port === address.port
    );
  }

  #drain(): void {
    for (const { name, machine, address } of this.#hosts) {
      for (
        let transmit = machine.pollTransmit(this.#now);
        transmit !== undefined;
        transmit = machine.pollTransmit(this.#now)
      ) {
        const [bytes, to] = [transmit.bytes.slice(), transmit.to];
        const sent = { time: this.#now, from: name, to: this.#nameOf(to), bytes };
        const isLost = this.isLost(sent);
        this.sent.push({ ...sent, isLost });
        if (!isLost) this.#flying.push({ at: this.#now + DELAY, to, from: address, bytes });
      }
      for (let event = machine.pollEvent(); event !== undefined; event = machine.pollEvent()) {
        if (name === "directory") continue;
        this.reported.push({ time: this.#now, who: name, event: event as EndpointEvent });
      }
    }
  }

  #nameOf(address: Address): string {
    return this.#at(address)?.name ?? this.#former;
  }
}
