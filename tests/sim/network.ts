/**
 * A simulated network on virtual time: machines with addresses that may change, and between them
 * loss, delay, reordering, duplication, corruption and partitions, all from one seed.
 *
 * @module
 */
import { type Address, formatAddress } from "../../protocol/wire/address.ts";
import type { DatagramMachine, Instant } from "../../protocol/machine.ts";
import { DATAGRAM_SIZE_MAX, DatagramType } from "../../protocol/wire/frame.ts";
import { PATH_MTU_ETHERNET } from "../../protocol/recovery/path_mtu.ts";
import { GilbertElliott } from "./gilbert_elliott.ts";
import { Prng } from "../support/random.ts";
import { Scheduler } from "./scheduler.ts";
import { assertEffect, effectOf, flipBits } from "./corruption.ts";
import { Datagram } from "./datagram.ts";
import { leadIn, leadOut, type Leg, Realm, targetOf } from "./nat.ts";

/** The machines' clocks at time 0 of the network, so that no machine relies on a start at 0. */
const EPOCH: Instant = 1_234_567;
/** Instants are multiples of 1 / TICKS milliseconds, so that adding EPOCH rounds nothing. */
const TICKS = 1024;
/** Most outputs after one input. */
const DRAIN_MAX = 20_000;
/** Most timeouts of one machine at one instant. */
const WAKES_MAX = 50;
/** Milliseconds to a host in the same network behind a NAT: nothing is lost there. */
const LOCAL_DELAY = 1;
/** Lines of the history that a failed test shows. */
const HISTORY_LINES = 150;

/** How the network treats datagrams; probabilities are from 0 to 1, times in milliseconds. */
export interface Conditions {
  readonly loss: number;
  /** The share that is lost in bursts, independently in each direction of each path. */
  readonly bursts: number;
  /** The least delay. */
  readonly delay: number;
  /** The most added to it, at random, so that datagrams are reordered. */
  readonly jitter: number;
  readonly duplication: number;
  /** Some bits flip; see {@linkcode flipBits}. */
  corruption: number;
  /** Size of the largest datagram that passes. */
  mtu: number;
  /** Longest delay of a timeout. */
  lateness: number;
}

/** A delay of 20 ms each way, and no faults. */
export const IDEAL: Conditions = {
  loss: 0,
  bursts: 0,
  delay: 20,
  jitter: 0,
  duplication: 0,
  corruption: 0,
  mtu: PATH_MTU_ETHERNET,
  lateness: 0,
};

/** Decides on a datagram: drops it, delays it by so many milliseconds more, or neither. */
export type Script = (datagram: Datagram) => "drop" | number | undefined;

/** A machine on the network. */
export interface Host<Event> {
  readonly name: string;
  /** In its own network. */
  readonly address: Address;
  readonly isUp: boolean;
  /** Changes the address; what arrives at the old one is lost. */
  move(address: Address): void;
  /** The events of its machines, oldest first. */
  readonly events: readonly { time: Instant; event: Event }[];
  /** Called with each event. */
  onEvent: ((event: Event) => void) | undefined;
  /** Runs `action` on the machine, then drains it. */
  input(action: (now: Instant) => void): void;
  /** Removes the machine, which sends nothing more. */
  crash(): void;
  /** Starts another machine at the address. */
  start(machine: DatagramMachine<Event>): void;
}

/** Where a machine is. */
export interface Site {
  readonly realm: Realm;
  readonly address: Address;
  /** Its address of the other family. */
  readonly other?: Address;
}

/** An event of a host, or what happened to it. */
interface Note {
  host: string;
  event: unknown;
}

/** The network and its clock, which shows milliseconds from 0. */
export class SimNetwork {
  readonly prng: Prng;
  conditions: Conditions;
  /** Whether the directory is a private one. */
  isPrivate = false;
  /** The network around all others. */
  readonly internet = new Realm([]);
  readonly sent: Datagram[] = [];
  /** Called with each datagram as it reaches a running host, altered or not, if it can have its effect. */
  onDelivery: ((datagram: Datagram, host: string) => void) | undefined;
  /** Called with each datagram as it is sent. */
  onSend: ((datagram: Datagram) => void) | undefined;
  #now: Instant = 0;
  readonly #hosts = new Map<string, SimHost<unknown>>();
  readonly #scheduler = new Scheduler();
  readonly #scripts: Script[] = [];
  readonly #channels = new Map<string, GilbertElliott>();
  readonly #cuts: { hosts: readonly string[]; from: Instant; until: Instant }[] = [];
  readonly #history: { time: Instant; what: Datagram | Note }[] = [];

  constructor(seed: number, conditions: Partial<Conditions> = {}) {
    this.prng = new Prng(seed);
    this.conditions = { ...IDEAL, ...conditions };
  }

  /** The time on the network's clock. */
  get now(): Instant {
    return this.#now;
  }

  /** Adds a machine at an address of its own; `make` gets the time on the machine's clock. */
  add<Event>(
    name: string,
    place: Address | Site,
    make: (now: Instant) => DatagramMachine<Event>,
    onEvent?: (event: Event) => void,
  ): Host<Event> {
    if (this.#hosts.has(name)) throw new Error(`There are two hosts called ${name}`);
    const site = "realm" in place ? place : { realm: this.internet, address: place };
    const host = new SimHost<Event>(this, name, site);
    host.onEvent = onEvent;
    this.#hosts.set(name, host as unknown as SimHost<unknown>);
    site.realm.add(site.address, name);
    if (site.other !== undefined) site.realm.add(site.other, name);
    host.start(make(this.instant()));
    return host;
  }

  /** The address of the machine with this name. */
  addressOf(name: string): Address {
    const host = this.#hosts.get(name);
    if (host === undefined) throw new Error(`No host is called ${name}`);
    return host.address;
  }

  /** The time on the machines' clocks. */
  instant(): Instant {
    return EPOCH + this.#now;
  }

  /** Adds a script; the first one with a verdict decides. */
  script(script: Script): void {
    this.#scripts.push(script);
  }

  /** Cuts two hosts off from each other. */
  cut(a: string, b: string, until: Instant = Infinity, from: Instant = this.#now): void {
    this.#cuts.push({ hosts: [a, b], from, until });
  }

  /** Whether two hosts are cut off from each other now. */
  isCut(a: string, b: string): boolean {
    return this.#cuts.some(({ hosts, from, until }) =>
      hosts.includes(a) && hosts.includes(b) && this.#now >= from && this.#now < until
    );
  }

  /** Ends every partition. */
  heal(): void {
    this.#cuts.length = 0;
  }

  /** Runs an action at an instant. */
  at(time: Instant, action: () => void): void {
    this.#scheduler.add(tick(Math.max(time, this.#now)), action);
  }

  /** Advances the time from action to action. */
  run(duration: number): void {
    const end = this.#now + duration;
    while (this.#step(end));
    this.#now = end;
  }

  /** Advances the time until the condition holds; throws after `limit` milliseconds. */
  runUntil(isTrue: () => boolean, limit: number, what = "what was waited for"): void {
    const end = this.#now + limit;
    while (!isTrue()) {
      if (!this.#step(end)) throw new Error(`After ${limit} ms there is still not ${what}`);
    }
  }

  /**
   * Sends a datagram on the internet, from a host or from a stranger.
   *
   * @param isForged whether the source is forged; then neither `onSend` nor a script sees it.
   */
  transmit(from: Address, to: Address, bytes: Uint8Array, isForged = false): void {
    this.send({ realm: this.internet, from, to }, bytes, isForged);
  }

  /** The same in a network. */
  send(first: Leg, bytes: Uint8Array, isForged = false): void {
    const { realm, from } = first;
    const isOneFamily = isIpv6(first.from) === isIpv6(first.to);
    const leg = isOneFamily ? leadOut(this.instant(), first) : undefined;
    const to = leg && targetOf(leg);
    const sender = realm.hostAt(from) ?? formatAddress(from);
    const receiver = to ?? formatAddress(first.to);
    const isPacket = bytes[3] === DatagramType.Packet;
    const sizeMax = isPacket ? PATH_MTU_ETHERNET : DATAGRAM_SIZE_MAX;
    if (bytes.length > sizeMax) throw new Error(`${sender} sent ${bytes.length} bytes`);
    const [now, target] = [this.#now, first.to];
    const datagram = new Datagram(now, sender, receiver, bytes.slice(), isForged, target);
    this.sent.push(datagram);
    this.#history.push({ time: this.#now, what: datagram });
    if (!isForged) this.onSend?.(datagram);
    const extraDelay = isForged ? undefined : this.#scripted(datagram);
    const { loss, delay, jitter, duplication, corruption } = this.conditions;
    if (extraDelay === "drop") datagram.fate = "dropped by the story";
    else if (leg === undefined) datagram.fate = "not let out";
    else if (this.isCut(sender, receiver)) datagram.fate = "cut off";
    if (leg === undefined || datagram.fate !== "delivered") return;
    if (this.#isLocal(leg)) {
      const arrival = this.#now + LOCAL_DELAY + Number(extraDelay ?? 0);
      const deliver = (): void => this.#deliver(datagram, leg, datagram.bytes);
      return this.#scheduler.add(tick(arrival), deliver);
    }
    if (bytes.length > this.conditions.mtu) datagram.fate = "too long";
    else if (this.prng.chance(loss)) datagram.fate = "lost";
    else if (this.#isInBurst(datagram)) datagram.fate = "lost in a burst";
    if (datagram.fate !== "delivered") return;
    let delivered: Uint8Array | undefined = datagram.bytes;
    if (this.prng.chance(corruption)) {
      datagram.fate = "corrupted";
      delivered = flipBits(this.prng, datagram.bytes);
      if (delivered === undefined) return;
    }
    for (let copies = this.prng.chance(duplication) ? 2 : 1; copies > 0; copies--) {
      const arrival = this.#now + delay + this.prng.next() * jitter + Number(extraDelay ?? 0);
      this.#scheduler.add(tick(arrival), () => this.#deliver(datagram, leg, delivered));
    }
  }

  /** Whether a datagram does not cross the internet; where a NAT sends it back, both addresses are its. */
  #isLocal({ realm, from, to }: Leg): boolean {
    return realm !== this.internet || realm.gatewayTo(to.hostname)?.isFor(from.hostname) === true;
  }

  /** Adds an event of a host, or what happened to it, to the history. */
  note(host: string, event: unknown): void {
    this.#history.push({ time: this.#now, what: { host, event } });
  }

  /** The end of the history, for a failed test. */
  describe(): string {
    const last = this.#history.slice(-HISTORY_LINES);
    const lines = last.map(({ time, what }) => {
      const shown = what instanceof Datagram ? String(what) : `${what.host}: ${show(what.event)}`;
      return `${(time / 1000).toFixed(3).padStart(9)}  ${shown}`;
    });
    return [`history (${last.length} of ${this.#history.length} entries):`, ...lines].join("\n");
  }

  #scripted(datagram: Datagram): "drop" | number | undefined {
    for (const script of this.#scripts) {
      const verdict = script(datagram);
      if (verdict !== undefined) return verdict;
    }
    return undefined;
  }

  #isInBurst({ from, to }: Datagram): boolean {
    const { bursts } = this.conditions;
    if (bursts === 0) return false;
    const direction = `${from} ${to}`;
    const channel = this.#channels.get(direction) ?? new GilbertElliott(this.prng);
    this.#channels.set(direction, channel);
    return channel.loses(bursts);
  }

  #deliver(datagram: Datagram, leg: Leg, bytes: Uint8Array): void {
    const arrived = leadIn(this.instant(), leg);
    if (arrived === undefined && datagram.fate === "delivered") datagram.fate = "not let in";
    const host = arrived && this.#hosts.get(arrived.host);
    if (arrived === undefined || host?.isUp !== true) return;
    // A timeout that is due anyway is no effect of an altered datagram.
    if (bytes !== datagram.bytes) host.wake();
    const [events, sent] = [host.events.length, this.sent.length];
    const isAltered = bytes !== datagram.bytes;
    const effect = isAltered ? effectOf(datagram.bytes, bytes, this.isPrivate) : "same";
    if (effect === "same") this.onDelivery?.(datagram, arrived.host);
    host.receive(bytes.slice(), arrived.from);
    assertEffect(effect, host.events.slice(events), this.sent.slice(sent));
  }

  /** Runs the next action up to `end`; returns whether there was one. */
  #step(end: Instant): boolean {
    let host: SimHost<unknown> | undefined;
    for (const each of this.#hosts.values()) {
      if (each.wakeAt < (host?.wakeAt ?? Infinity)) host = each;
    }
    const wakeAt = host?.wakeAt ?? Infinity;
    const next = Math.min(wakeAt, this.#scheduler.next());
    if (next > end) return false;
    this.#now = next;
    if (wakeAt <= next) host?.wake();
    else this.#scheduler.take()();
    return true;
  }
}

class SimHost<Event> implements Host<Event> {
  readonly name: string;
  readonly events: { time: Instant; event: Event }[] = [];
  onEvent: ((event: Event) => void) | undefined;
  /** When the machine's timeout is due, on the network's clock. */
  wakeAt = Infinity;
  readonly #network: SimNetwork;
  #site: Site;
  #machine: DatagramMachine<Event> | undefined;
  #wokenAt: Instant = -1;
  #wakes = 0;

  constructor(network: SimNetwork, name: string, site: Site) {
    this.#network = network;
    this.name = name;
    this.#site = site;
  }

  get address(): Address {
    return this.#site.address;
  }

  get isUp(): boolean {
    return this.#machine !== undefined;
  }

  start(machine: DatagramMachine<Event>): void {
    this.#machine = machine;
    this.#drain();
  }

  move(address: Address): void {
    const { realm } = this.#site;
    realm.remove(this.address);
    realm.add(address, this.name);
    this.#site = { ...this.#site, address };
    this.#network.note(this.name, `moved to ${formatAddress(address)}`);
  }

  crash(): void {
    if (this.isUp) this.#network.note(this.name, "crashed");
    this.#machine = undefined;
    this.wakeAt = Infinity;
  }

  input(action: (now: Instant) => void): void {
    action(this.#network.instant());
    this.#drain();
  }

  receive(bytes: Uint8Array, from: Address): void {
    const isOfEffect = this.#machine?.handleDatagram(this.#network.instant(), bytes, from);
    // A driver reuses its receive buffer, and does not drain after what is of no effect.
    bytes.fill(0xee);
    if (isOfEffect !== false) this.#drain();
  }

  wake(): void {
    const { now } = this.#network;
    this.#wakes = now === this.#wokenAt ? this.#wakes + 1 : 0;
    this.#wokenAt = now;
    if (this.#wakes > WAKES_MAX) throw new Error(`${this.name} is busy waiting at ${now}`);
    this.#machine?.handleTimeout(this.#network.instant());
    this.#drain();
  }

  #sourceFor(to: Address): Address {
    const { address, other = address } = this.#site;
    return isIpv6(address) === isIpv6(to) ? address : other;
  }

  #drain(): void {
    const network = this.#network;
    for (let outputs = 0; this.#machine !== undefined; outputs++) {
      if (outputs > DRAIN_MAX) throw new Error(`${this.name} has endless output`);
      const transmit = this.#machine.pollTransmit(network.instant());
      if (transmit !== undefined) {
        const { to, bytes } = transmit;
        network.send({ realm: this.#site.realm, from: this.#sourceFor(to), to }, bytes);
        continue;
      }
      const event = this.#machine.pollEvent();
      if (event === undefined) break;
      this.events.push({ time: network.now, event });
      network.note(this.name, event);
      this.onEvent?.(event);
    }
    const timeout = this.#machine?.nextTimeout();
    const lateness = network.conditions.lateness * network.prng.next();
    this.wakeAt = timeout === undefined
      ? Infinity
      : Math.max(network.now, tick(timeout - EPOCH + lateness));
  }
}

function isIpv6({ hostname }: Address): boolean {
  return hostname.includes(":");
}

/** Rounds up to the next instant of the clock. */
function tick(time: Instant): Instant {
  return Math.ceil(time * TICKS) / TICKS;
}

function show(event: unknown): string {
  if (typeof event === "string") return event;
  return Deno.inspect(event, { compact: true, breakLength: Infinity, strAbbreviateSize: 24 });
}
