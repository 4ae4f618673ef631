/**
 * Networks behind NATs and firewalls, in the words of RFC 4787.
 *
 * A datagram leaves its network through one after another, until it is in that of its target's outermost
 * one; there it arrives, and is let in by one after another.
 *
 * @module
 */
import type { Instant } from "../../protocol/machine.ts";
import { type Address, formatAddress, isIpv6, sameAddress } from "../../protocol/wire/address.ts";
import type { Prng } from "../support/random.ts";

/** A network in which an address names one host. */
export class Realm {
  /** What leads to the network around it, for each family; the internet has none. */
  readonly #ways: Nat[] = [];
  readonly #subnets: readonly string[];
  /** Names of the hosts, by their addresses. */
  readonly #hosts = new Map<string, string>();
  /** The gateways of networks in this one. */
  readonly #gateways: Nat[] = [];

  /** @param subnets how the addresses in it begin; of the internet, all are. */
  constructor(subnets: readonly string[]) {
    this.#subnets = subnets;
  }

  /** Gives a host an address. */
  add(address: Address, host: string): void {
    this.#hosts.set(formatAddress(address), host);
  }

  /** Takes a host's address from it. */
  remove(address: Address): void {
    this.#hosts.delete(formatAddress(address));
  }

  /** The name of the host with an address. */
  hostAt(address: Address): string | undefined {
    return this.#hosts.get(formatAddress(address));
  }

  /** Adds what leads to the network around it. */
  addWay(nat: Nat): void {
    this.#ways.push(nat);
  }

  /** What leads to a host in the network around it. */
  wayTo(to: Address): Nat | undefined {
    return this.#ways.find(({ hostname }) => isIpv6({ ...to, hostname }) === isIpv6(to));
  }

  /** Adds the gateway of a network in this one. */
  addGateway(nat: Nat): void {
    this.#gateways.push(nat);
  }

  /** The gateway that datagrams to a host go through. */
  gatewayTo(hostname: string): Nat | undefined {
    return this.#gateways.find((nat) => nat.isFor(hostname));
  }

  /** Whether datagrams to a host stay in this network. */
  isLocal(hostname: string): boolean {
    return this.#ways.length === 0 || this.#subnets.some((each) => hostname.startsWith(each));
  }
}

/** A datagram on its way: a network, and the addresses in it. */
export interface Leg {
  readonly realm: Realm;
  readonly from: Address;
  readonly to: Address;
}

/** Leads a datagram to the network where its target is, as far as its sender sees; undefined if it is dropped. */
export function leadOut(now: Instant, leg: Leg): Leg | undefined {
  const { realm, from, to } = leg;
  if (realm.isLocal(to.hostname)) return leg;
  const gateway = realm.wayTo(to);
  const source = gateway?.leadOut(now, from, to);
  return source && gateway && leadOut(now, { realm: gateway.outer, from: source, to });
}

/** Leads a datagram on to a host; undefined if it is dropped. */
export function leadIn(now: Instant, leg: Leg): { host: string; from: Address } | undefined {
  const { realm, from, to } = leg;
  const host = realm.hostAt(to);
  if (host !== undefined) return { host, from };
  const gateway = realm.gatewayTo(to.hostname);
  const target = gateway?.leadIn(now, from, to);
  return target && gateway && leadIn(now, { realm: gateway.inner, from, to: target });
}

/** The name of the host that a datagram goes to if it is not dropped. */
export function targetOf({ realm, to }: Leg): string | undefined {
  const gateway = realm.gatewayTo(to.hostname);
  const target = gateway?.ownerOf(to);
  return realm.hostAt(to) ??
    (target && gateway && targetOf({ realm: gateway.inner, from: target, to: target }));
}

/** What something depends on. */
export type Dependence = "independent" | "address" | "addressAndPort";

/** How a NAT, or a firewall, behaves. */
export interface NatKind {
  /** What the public port of a host depends on; `none` for a firewall, which translates nothing. */
  readonly mapping: "none" | "independent" | "addressAndPort";
  /** Who is let in. */
  readonly filtering: Dependence;
  /** Whether it keeps ports where it can. */
  readonly ports: "preserving" | "random";
  /** Milliseconds without a datagram from inside after which it forgets. */
  readonly lifetime: number;
  /** Whether hosts behind it reach each other at its public address. */
  readonly isHairpin: boolean;
  /** Whether it keeps a state for what comes unasked, which takes the port from an answer to that. */
  readonly isBare: boolean;
}

/** Milliseconds that a NAT remembers at least, as it should (RFC 4787, 4.3). */
export const LIFETIME = 120_000;

/** A NAT as in most homes. */
export const PORT_CONE: NatKind = {
  mapping: "independent",
  filtering: "addressAndPort",
  ports: "preserving",
  lifetime: LIFETIME,
  isHairpin: false,
  isBare: false,
};

/** The ports that a NAT gives out. */
const PORT_MIN = 1_024;
const PORTS = 2 ** 16 - PORT_MIN;

function wrapPort(port: number): number {
  return PORT_MIN + (port - PORT_MIN) % PORTS;
}

/** What a host behind a NAT has there. */
interface Mapping {
  readonly inner: Address;
  readonly port: number;
  usedAt: Instant;
  /** When it last sent to each address. */
  readonly sentAt: Map<string, { to: Address; at: Instant }>;
}

/** Which addresses the sources of a NAT get: other ones, or other ports. */
export type Rebinding = "address" | "ports";

/** A NAT or a firewall between two networks. */
export class Nat {
  readonly inner: Realm;
  readonly outer: Realm;
  readonly kind: NatKind;
  readonly #prng: Prng;
  #hostname: string;
  /** By the sender, and by the receiver where that matters. */
  readonly #mappings = new Map<string, Mapping>();
  /** What came unasked, and when. */
  readonly #unasked = new Map<string, Instant>();
  /** Added to a port that is kept. */
  #shift = 0;

  constructor(
    inner: Realm,
    outer: Realm,
    { hostname, prng, kind }: { hostname: string; prng: Prng; kind: NatKind },
  ) {
    this.inner = inner;
    this.outer = outer;
    this.kind = kind;
    this.#hostname = hostname;
    this.#prng = prng;
    inner.addWay(this);
    outer.addGateway(this);
  }

  /** Its address in the network around it; that of the host behind a firewall. */
  get hostname(): string {
    return this.#hostname;
  }

  /** Whether datagrams to this host go through it. */
  isFor(hostname: string): boolean {
    return hostname === this.#hostname;
  }

  /** Forgets everything; sources get other ports, and at another address where there is one. */
  rebind(hostname = this.#hostname): void {
    this.#hostname = hostname;
    this.#mappings.clear();
    this.#unasked.clear();
    this.#shift += 1_000;
  }

  /** The source that a datagram from inside gets; undefined if it is dropped. */
  leadOut(now: Instant, from: Address, to: Address): Address | undefined {
    if (to.hostname === this.#hostname && !this.kind.isHairpin) return undefined;
    const key = this.#keyOf(now, from, to);
    const mapping = this.#live(now, key) ?? this.#map(now, key, from);
    mapping.usedAt = now;
    mapping.sentAt.set(formatAddress(to), { to, at: now });
    return { hostname: this.#hostname, port: mapping.port };
  }

  /** Where a datagram from outside goes; undefined if it is dropped. */
  leadIn(now: Instant, from: Address, to: Address): Address | undefined {
    for (const [key, mapping] of this.#mappings) {
      const isMeant = mapping.port === to.port && this.#live(now, key) !== undefined;
      if (isMeant && this.#isLetIn(now, mapping, from)) return mapping.inner;
    }
    if (this.kind.isBare) this.#unasked.set(`${to.port} ${formatAddress(from)}`, now);
    return undefined;
  }

  /** The host that has a public port, or had it last. */
  ownerOf({ port }: Address): Address | undefined {
    return [...this.#mappings.values()].findLast((each) => each.port === port)?.inner;
  }

  #keyOf(now: Instant, from: Address, to: Address): string {
    const own = formatAddress(from);
    const pair = `${own} ${formatAddress(to)}`;
    const isPair = this.kind.mapping === "addressAndPort" || this.#mappings.has(pair);
    const port = this.#live(now, own)?.port ?? this.#keptPort(from.port);
    const unaskedAt = this.#unasked.get(`${port} ${formatAddress(to)}`) ?? -Infinity;
    return isPair || now < unaskedAt + this.kind.lifetime ? pair : own;
  }

  #live(now: Instant, key: string): Mapping | undefined {
    const mapping = this.#mappings.get(key);
    return mapping && now < mapping.usedAt + this.kind.lifetime ? mapping : undefined;
  }

  #map(now: Instant, key: string, inner: Address): Mapping {
    this.#mappings.delete(key);
    const mapping = { inner, port: this.#choosePort(now, inner), usedAt: now, sentAt: new Map() };
    this.#mappings.set(key, mapping);
    return mapping;
  }

  #choosePort(now: Instant, { port }: Address): number {
    if (this.kind.mapping === "none") return port;
    const taken = new Set(
      [...this.#mappings].filter(([key]) => this.#live(now, key)).map(([, each]) => each.port),
    );
    const isRandom = this.kind.ports === "random";
    const random = (): number => PORT_MIN + this.#prng.int(PORTS);
    let chosen = isRandom ? random() : this.#keptPort(port);
    while (taken.has(chosen)) chosen = isRandom ? random() : wrapPort(chosen + 1);
    return chosen;
  }

  #keptPort(port: number): number {
    return this.#shift === 0 ? port : wrapPort(port + this.#shift);
  }

  #isLetIn(now: Instant, { sentAt }: Mapping, from: Address): boolean {
    const { filtering, lifetime } = this.kind;
    if (filtering === "independent") return true;
    return [...sentAt.values()].some(({ to, at }) => {
      const isKnown = filtering === "address"
        ? to.hostname === from.hostname
        : sameAddress(to, from);
      return isKnown && now < at + lifetime;
    });
  }
}
