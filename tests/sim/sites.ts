/**
 * Kinds of networks that clients are in, and pairs of them.
 *
 * @module
 */
import type { Address } from "../../protocol/wire/address.ts";
import { Nat, type NatKind, PORT_CONE, Realm, type Rebinding } from "./nat.ts";
import type { Host, SimNetwork, Site } from "./network.ts";

/** Where the directory is, for each family. */
export const PUBLIC_DIRECTORY: Address = { hostname: "203.0.113.10", port: 7070 };
export const PUBLIC_DIRECTORY_V6: Address = { hostname: "2001:db8:d::10", port: 7070 };
/** The port of all clients: two behind one NAT cannot both keep it. */
export const CLIENT_PORT = 40_000;
/** Milliseconds that a NAT with a short memory remembers. */
const SHORT_LIFETIME = 5_000;

/** A directory that both families reach. */
export function publicDirectory({ internet }: SimNetwork): Site {
  return { realm: internet, address: PUBLIC_DIRECTORY, other: PUBLIC_DIRECTORY_V6 };
}

/** One side of a pair. */
export interface Side extends Site {
  /** What is between it and the internet, the outermost last. */
  readonly nats: readonly Nat[];
  /** Where it finds the directory. */
  readonly directoryAddresses: readonly Address[];
}

/** Both sides of a pair. */
export type Sides = readonly [Side, Side];

const OPEN: NatKind = { ...PORT_CONE, filtering: "independent" };
const SYMMETRIC: NatKind = { ...PORT_CONE, mapping: "addressAndPort", ports: "random" };
const STATEFUL: NatKind = { ...PORT_CONE, mapping: "none" };

/** The NATs of a site, the innermost first. */
const NATS = {
  "public": [],
  "firewall": [STATEFUL],
  "full-cone": [OPEN],
  "addr-cone": [{ ...PORT_CONE, filtering: "address" }],
  "port-cone": [PORT_CONE],
  "random-cone": [{ ...PORT_CONE, ports: "random" }],
  "bare": [{ ...PORT_CONE, isBare: true }],
  "short": [{ ...PORT_CONE, lifetime: SHORT_LIFETIME }],
  "double": [PORT_CONE, PORT_CONE],
  "symmetric": [SYMMETRIC],
  "double-sym": [PORT_CONE, SYMMETRIC],
  "v6": [STATEFUL],
  // These have IPv6, too, behind a firewall.
  "dual": [PORT_CONE],
  "dual-sym": [SYMMETRIC],
} as const satisfies Record<string, readonly NatKind[]>;

/** A kind of network. */
export type SiteKind = keyof typeof NATS;

/** A network that both sides are in. */
export type SharedKind = "lan" | "lan-hairpin" | "subnets" | "cgn" | "cgn-hairpin";

/** The hosts of a side, on the internet and behind the firewall. */
const PUBLIC_HOSTS = ["198.51.100.2", "192.0.2.2"] as const;
const V6_HOSTS = ["2001:db8:a::10", "2001:db8:b::20"] as const;
/** The same numbers in both homes, as in real ones. */
const PRIVATE_HOSTS = ["192.168.1.10", "192.168.1.20"] as const;
const HOME = "192.168.1.";
const CGN = "100.64.";

/** Builds one side. */
export function makeSide(network: SimNetwork, index: 0 | 1, kind: SiteKind): Side {
  const side = makeSideBehind(network, index, NATS[kind], kind === "v6");
  return kind.startsWith("dual") ? withIpv6(network, index, side) : side;
}

/** A side that has an IPv6 address, too, behind a firewall. */
export function withIpv6(network: SimNetwork, index: 0 | 1, side: Side): Side {
  const hostname = V6_HOSTS[index];
  new Nat(side.realm, network.internet, { hostname, prng: network.prng, kind: STATEFUL });
  return {
    ...side,
    other: { hostname, port: CLIENT_PORT },
    directoryAddresses: [PUBLIC_DIRECTORY_V6, ...side.directoryAddresses],
  };
}

/** Builds one side behind these, the innermost first. */
export function makeSideBehind(
  network: SimNetwork,
  index: 0 | 1,
  kinds: readonly NatKind[],
  isV6 = false,
): Side {
  const directoryAddresses = [isV6 ? PUBLIC_DIRECTORY_V6 : PUBLIC_DIRECTORY];
  const isTranslated = kinds.some(({ mapping }) => mapping !== "none");
  const publicHost = isV6 ? V6_HOSTS[index] : PUBLIC_HOSTS[index];
  const hostname = isTranslated ? PRIVATE_HOSTS[index] : publicHost;
  const realms = kinds.map((_, at) => new Realm(at > 0 ? [CGN] : isTranslated ? [HOME] : []));
  const nats = kinds.map((kind, at) => {
    const outer = realms[at + 1];
    return new Nat(realms[at]!, outer ?? network.internet, {
      hostname: outer === undefined ? publicHost : `${CGN}${index + 1}.2`,
      prng: network.prng,
      kind,
    });
  });
  const [realm = network.internet] = realms;
  return { realm, address: { hostname, port: CLIENT_PORT }, nats, directoryAddresses };
}

/** Builds both sides in one network. */
export function makeShared(network: SimNetwork, kind: SharedKind): Sides {
  const isHairpin = kind.endsWith("-hairpin");
  const nat: NatKind = isHairpin ? { ...OPEN, isHairpin } : PORT_CONE;
  return makeSharedBehind(network, kind, nat);
}

/** The same where all NATs are of a kind. */
export function makeSharedBehind(network: SimNetwork, shared: SharedKind, kind: NatKind): Sides {
  const isCgn = shared.startsWith("cgn");
  const around = new Realm(isCgn ? [CGN] : [HOME, "192.168.20."]);
  const { prng } = network;
  const outermost = new Nat(around, network.internet, { hostname: PUBLIC_HOSTS[0], prng, kind });
  const makeOne = (index: 0 | 1): Side => {
    const isOther = shared === "subnets" && index === 1;
    const hostname = isOther ? "192.168.20.20" : PRIVATE_HOSTS[index];
    const site = {
      address: { hostname, port: CLIENT_PORT },
      directoryAddresses: [PUBLIC_DIRECTORY],
    };
    if (!isCgn) return { ...site, realm: around, nats: [outermost] };
    const realm = new Realm([HOME]);
    const home = new Nat(realm, around, { hostname: `${CGN}${index + 1}.2`, prng, kind });
    return { ...site, realm, nats: [home, outermost] };
  };
  return [makeOne(0), makeOne(1)];
}

/**
 * Gives a side another address, or only other ports, the `count`th time: its outermost NAT, or the host
 * itself where its address is public.
 */
export function rebind(
  { nats, address }: Side,
  host: Pick<Host<never>, "address" | "move">,
  count: number,
  rebinding: Rebinding,
): void {
  const [outermost] = nats.slice(-1);
  const isTranslated = nats.some(({ kind: { mapping } }) => mapping !== "none");
  if (isTranslated) {
    const hostname = `198.51.100.${100 + count}`;
    return outermost?.rebind(rebinding === "address" ? hostname : undefined);
  }
  const { port } = host.address;
  const isV6 = address.hostname.includes(":");
  const hostname = isV6 ? `2001:db8:c::${count}` : `198.51.100.${100 + count}`;
  const moved = rebinding === "address" ? { hostname, port } : { ...host.address, port: port + 1 };
  outermost?.rebind(moved.hostname);
  host.move(moved);
}
